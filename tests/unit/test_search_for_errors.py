"""The search for the largest errors of g' finds what lies between the z of a sample, in results of known error."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from actbench import registry
from actbench.analysis.point_error import PointError
from actbench.engine.survey import search
from actbench.engine.survey.gated_pointwise import GatedPointTruth
from actbench.engine.survey.interpolated import InterpolatedTruth, panels_on, ulp_of
from actbench.engine.survey.pointwise import PointTruth
from actbench.engine.survey.search import Search, Searched
from actbench.engine.survey.searched_points import SearchedPoints, on_interval
from actbench.engine.wire import Request
from actbench.engine.working.examined import Examined
from actbench.errors import BenchmarkError
from actbench.kernels import resolution
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Array
from actbench.model.cases import Case, KernelId
from actbench.model.names import Dtype
from actbench.verification.evaluation import Evaluation
from actbench.verification.truth import Truth, slopes_at
from tests.support.fake import FakeBench, FakeWorker

COUNT = 1 << 14

TANH = registry.activation("tanh")


@pytest.fixture(autouse=True)
def whole_searches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let searches here be as long as a user's."""
    monkeypatch.setattr(search, "INWARD_COUNT", 1 << 16)


def tanh_slope(z: Array) -> Array:
    """Return g' of tanh, in float64."""
    return np.asarray(1 / np.cosh(z.astype(np.float64)) ** 2)


def searched(error: Callable[[Array], Array]) -> Searched:
    """Search results whose relative error is this function of z, on -8 to 8."""
    points = SearchedPoints(on_interval(TANH, Dtype.FLOAT32, -8.0, 8.0), COUNT)
    whole = points.search(partial(slopes_at, TANH), ())
    assert whole
    return whole.of(lambda z: (tanh_slope(z) * (1 + error(z.astype(np.float64)))).astype(np.float32))


def numpy_kernel(activation: str, strategy: str, op: str = "derivative") -> Kernel:
    kernel = resolution.kernel(Case.parse(f"{activation}/{strategy}/numpy/{op}/float32/1000"))
    assert isinstance(kernel, Kernel)
    return kernel


@pytest.fixture
def worker(bench: FakeBench) -> FakeWorker:
    """A worker that evaluates kernels for real."""
    return FakeWorker(bench.clock, bench.seconds, lambda _: None)


def error_on(worker: FakeWorker, kernel: Kernel, low: float, high: float) -> PointError:
    points = SearchedPoints(on_interval(kernel.activation, kernel.dtype, low, high), COUNT)
    return PointTruth(kernel.activation, points).error_of(kernel, worker)


@pytest.mark.parametrize("peak", [0.341123, -5.0591, 2.50071])
def test_a_peak_of_the_error_between_the_z_of_the_sample_is_met_at_its_top(peak: float) -> None:
    def error(z: Array) -> Array:
        return np.asarray(1e-4 * np.exp(-(((z - peak) / 2e-3) ** 2)))

    sample = on_interval(TANH, Dtype.FLOAT32, -8.0, 8.0)
    assert error(sample).max() < 1e-8
    assert error(searched(error).z.astype(np.float64)).max() > 0.9999e-4


def test_more_than_1_percent_begins_at_the_very_first_number_that_is_so_far_off() -> None:
    first = np.nextafter(np.float32(6.1234567), np.float32(7))
    z = searched(lambda z: np.where(np.abs(z) >= first, 0.02, 0.0)).z
    assert np.abs(z[np.abs(z) >= first]).min() == first


def test_an_interval_has_the_errors_of_its_parts(worker: FakeWorker) -> None:
    cached = numpy_kernel("tanh", "cached")
    whole, part = error_on(worker, cached, -8.0, 8.0), error_on(worker, cached, 7.5, 7.9)
    assert part.relative.size == pytest.approx(0.16, abs=0.001)
    assert whole.relative.size == pytest.approx(part.relative.size, rel=0.02)
    assert whole.wrong_from == pytest.approx(error_on(worker, cached, 6.5, 6.7).wrong_from, abs=0.02)


@pytest.mark.parametrize("numbers", [1, 2, 40])
def test_an_interval_of_a_few_numbers_is_searched_whole(worker: FakeWorker, numbers: int) -> None:
    low = np.float32(0.5)
    error = error_on(worker, numpy_kernel("tanh", "recompute"), 0.5, float(low + (numbers - 1) * np.spacing(low)))
    assert error.points == numbers


def test_beside_a_root_of_g_a_relative_error_that_is_nowhere_else_is_met(worker: FakeWorker) -> None:
    error = error_on(worker, numpy_kernel("gelu", "recompute"), -8.0, 8.0)
    assert error.wrong_from == pytest.approx(0.7518, abs=1e-4)
    assert error.wrong_slope < 1e-5


def test_what_raises_is_not_called_at_every_z_of_a_search(worker: FakeWorker, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    ask = FakeWorker._answer

    def counted(self: FakeWorker, request: Request[Any]) -> Any:
        calls.append(request)
        return ask(self, request)

    monkeypatch.setattr(FakeWorker, "_answer", counted)
    kernel = resolution.kernel(Case.parse("logistic/textbook/python/derivative/float64/1000"))
    assert isinstance(kernel, Kernel)
    points = SearchedPoints(on_interval(kernel.activation, kernel.dtype, -800.0, 8.0), COUNT)
    error = PointTruth(kernel.activation, points).error_of(kernel, worker)
    assert np.isinf(error.relative.size)
    assert len(calls) < 3 * points.sample.size


def test_calls_of_a_gated_kernel_are_hardly_larger_than_the_z(
    worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    call = Examined.__call__

    def counted(self: Examined, identity: KernelId, inputs: Array, upstream: Array) -> Evaluation:
        sizes.append(upstream.size)
        return call(self, identity, inputs, upstream)

    monkeypatch.setattr(Examined, "__call__", counted)
    kernel = numpy_kernel("swiglu", "recompute", "backward")
    drawn = np.linspace(-1, 1, 10_000, dtype=np.float32)
    GatedPointTruth(kernel.activation, SearchedPoints(drawn[::1000], drawn=drawn)).error_of(kernel, worker)
    assert 9_000 < max(sizes) < 11_000


def test_of_drawn_z_no_others_are_called() -> None:
    drawn = np.linspace(-1, 1, 1000, dtype=np.float32)
    whole = SearchedPoints(drawn[::10], drawn=drawn).search(partial(slopes_at, TANH), ())
    assert isinstance(whole, Search)
    called: list[Array] = []

    def call(z: Array) -> Array:
        called.append(z)
        return tanh_slope(z).astype(np.float32)

    assert whole.of(call).compared.size == drawn.size
    assert np.concatenate(called).tolist() == drawn.tolist()


def test_the_numbers_around_hundreds_of_roots_are_not_all_called() -> None:
    def wave(z: Array) -> Truth:
        value = np.sin(50 * z)
        return Truth(value, np.zeros_like(value), np.spacing(np.abs(value)), np.zeros_like(value))

    whole = SearchedPoints(np.linspace(-8, 8, 401, dtype=np.float32), COUNT).search(wave, ())
    assert whole
    sizes: list[int] = []

    def call(z: Array) -> Array:
        sizes.append(z.size)
        return np.asarray(np.sin(50 * z.astype(np.float64)), dtype=np.float32)

    whole.of(call)
    assert COUNT < sum(sizes) < 500_000


@pytest.mark.parametrize("dtype", [Dtype.FLOAT32, Dtype.FLOAT64])
@pytest.mark.parametrize("name", ["tanh", "gelu", "hard-swish", "leaky-relu"])
def test_the_interpolated_truth_is_that_of_mpmath_to_a_tenth_of_a_ulp(name: str, dtype: Dtype) -> None:
    activation, kind = registry.activation(name), np.dtype(dtype)
    truth_at = partial(slopes_at, activation)
    truth = InterpolatedTruth(truth_at, panels_on(-8.0, 8.0, activation.formulas.kinks), kind)
    z = np.sort(np.random.default_rng(0).uniform(-8, 8, 300)).astype(kind)
    near, exact = truth.at(z), truth_at(z.astype(np.float64))
    wide = near.low.dtype
    apart = near.high.astype(wide) + near.low - exact.nearest.astype(wide) - (exact.rest * exact.ulp).astype(wide)
    allowed = 0.1 * ulp_of(exact.nearest, kind) + near.unsure
    assert (np.abs(apart) <= allowed).all()
    if wide.itemsize > kind.itemsize:
        assert np.mean(near.unsure <= 0.1 * ulp_of(exact.nearest, kind)) > 0.95


def test_the_interpolated_truth_is_as_sure_as_it_says_on_a_panel_of_many_powers_of_2() -> None:
    def identity(z: Array) -> Truth:
        return Truth(z, np.zeros_like(z), np.spacing(np.abs(z)), np.zeros_like(z))

    z = np.sort(np.random.default_rng(0).uniform(1024, 2048, 300))
    near = InterpolatedTruth(identity, panels_on(1.0, 2.0**18, ()), np.dtype(np.float64)).at(z)
    wide = near.low.dtype
    assert (np.abs(near.high.astype(wide) + near.low - z.astype(wide)) <= near.unsure).all()


def test_where_a_definition_raises_the_interpolated_truth_is_unknown_and_elsewhere_it_is_known() -> None:
    def raising(z: Array) -> Truth:
        if (z > 4).any():
            raise BenchmarkError("beyond 4")
        return slopes_at(TANH, z)

    truth = InterpolatedTruth(raising, panels_on(-8.0, 8.0, ()), np.dtype(np.float32))
    z = np.array([-7.9, -0.3, 0.7, 3.9, 4.1, 7.9])
    assert np.isfinite(truth.at(z).unsure).tolist() == [True, True, True, True, False, False]
