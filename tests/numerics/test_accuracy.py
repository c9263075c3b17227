from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from actbench.analysis.accuracy import Accuracy, Loss, Part, bands, is_nan, is_wrong, is_zero
from actbench.errors import BenchmarkError, InputError
from actbench.kernels.kernel import Array
from actbench.measure import exhaustive
from actbench.measure.accuracy import Survey, points, sample
from actbench.measure.client import WorkerLostError
from actbench.measure.protocol import Evaluated
from actbench.model.cases import Kernel
from actbench.model.names import Dtype, Op
from actbench.report import accuracy as report
from actbench.verification import oracle
from actbench.verification.oracle import Truth
from tests.support.fake import FakeBench, FakeWorker

Actbench = Callable[..., Result]

EXACT = Survey(points=60, exact=True)


def kernel(activation: str, strategy: str, dtype: Dtype = Dtype.FLOAT64, backend: str = "numpy") -> Kernel:
    return Kernel(activation, strategy, backend, Op.DERIVATIVE, dtype)


def found(*kernels: Kernel, survey: Survey = EXACT) -> list[Accuracy]:
    bench = FakeBench()
    return [each for each in survey.of(kernels, lambda: bench.start(None, 60.0)) if isinstance(each, Accuracy)]


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("dtype", Dtype)
def test_every_band_of_both_tails_is_looked_at_and_so_is_0(dtype: Dtype) -> None:
    z = sample(dtype, 60, 0)
    assert z.dtype == dtype
    assert np.isfinite(z).all()
    assert z[0] == 0
    assert (np.diff(np.abs(z)) >= 0).all()
    for low, high in bands():
        for side in (-1, 1):
            assert np.count_nonzero((side * z >= max(low, 1e-300)) & (side * z < high)) > 20


@pytest.mark.parametrize(
    ("activation", "dtype", "zero", "wrong"),
    [
        ("logistic", Dtype.FLOAT64, 37.43, 32.8),
        ("logistic", Dtype.FLOAT32, 17.33, 12.7),
        ("tanh", Dtype.FLOAT64, 19.06, 16.8),
        ("tanh", Dtype.FLOAT32, 9.011, 6.71),
    ],
)
def test_what_is_lost_by_keeping_a_correctly_rounded_y_is_measured(
    activation: str, dtype: Dtype, zero: float, wrong: float
) -> None:
    (of,) = found(kernel(activation, "cached", dtype))
    lost = of.losses[Part.RIGHT]
    assert lost.zero[0].first == pytest.approx(zero, rel=3e-4)
    assert lost.wrong[0].first == pytest.approx(wrong, rel=0.01)
    assert not lost.nan
    left = of.losses[Part.LEFT]
    if activation == "logistic":
        assert left == Loss()
        assert of.tails[Part.LEFT].largest < 3
    else:
        assert left.zero[0].first == pytest.approx(zero, rel=3e-4)
    assert of.tails[Part.RIGHT].largest > 1e6


@pytest.mark.parametrize(("dtype", "zero", "nan"), [(Dtype.FLOAT64, 354.9, 709.8), (Dtype.FLOAT32, 44.4, 88.7)])
@pytest.mark.parametrize("backend", ["numpy", "python"])
def test_where_the_textbook_form_overflows_is_measured(dtype: Dtype, zero: float, nan: float, backend: str) -> None:
    if (backend, dtype) == ("python", Dtype.FLOAT32):
        return
    (of,) = found(kernel("logistic", "textbook", dtype, backend))
    lost = of.losses[Part.LEFT]
    assert lost.zero[0].first == pytest.approx(zero, rel=1e-3)
    assert lost.nan[0].first == pytest.approx(nan, rel=1e-3)
    assert lost.nan[0].is_open
    assert of.tails[Part.LEFT].largest == np.inf
    assert of.losses[Part.RIGHT] == type(lost)()


def test_the_complement_gives_back_what_is_lost() -> None:
    for of in found(*(kernel(name, "complement", dtype) for name in ("logistic", "tanh") for dtype in Dtype)):
        assert max(tail.largest for tail in of.tails.values()) < 3
        assert all(loss == type(loss)() for loss in of.losses.values())


def test_a_y_that_the_forward_pass_computed_is_lost_earlier_than_one_correctly_rounded() -> None:
    exact, computed = (
        found(kernel("logistic", "cached"), survey=survey)[0].losses[Part.RIGHT].zero[0].first
        for survey in (EXACT, Survey(points=60))
    )
    assert computed == pytest.approx(36.74, rel=1e-3)  # e^-z is half an eps, and 1 + e^-z rounds to 1
    assert computed < exact


def test_saturated_elements_hardly_count_where_z_is_normally_distributed() -> None:
    (of,) = found(kernel("logistic", "cached"))
    assert of.normal.wrong == 0
    assert (of.normal.p99 or inf) < 10
    assert of.normal.median < 1
    assert of.tails[Part.RIGHT].wrong > 0.25


def test_bands_are_summarised_one_by_one() -> None:
    (of,) = found(kernel("logistic", "cached", Dtype.FLOAT32))
    largest = {(item.part, item.low): item.largest for item in of.bands}
    assert largest[Part.LEFT, 0.0] < 3
    assert 3 < largest[Part.RIGHT, 2.0] < 100
    assert largest[Part.RIGHT, 5.0] < 1e4 < largest[Part.RIGHT, 10.0]
    for item in of.bands:
        assert item.median <= item.largest
        assert item.low <= abs(item.worst_z) < item.high
        assert (item.worst_z < 0) == (item.part is Part.LEFT)


def test_a_result_is_wrong_zero_or_no_number_only_where_the_truth_is_not() -> None:
    tiny = float(np.finfo(np.float64).tiny)
    g = np.array([1.0, 1.0, 1.0, tiny / 4, np.inf, 0.0, 0.0])
    truth = Truth(g, np.zeros(7), np.spacing(np.where(np.isinf(g), 1.0, g)))
    computed = np.array([1.02, 0.0, np.nan, 0.0, np.inf, 0.0, -0.5])
    assert is_wrong(computed, truth).tolist() == [True, True, True, False, False, False, True]
    assert is_zero(computed, truth).tolist() == [False, True, False, False, False, False, False]
    assert is_nan(computed, truth).tolist() == [False, False, True, False, False, False, False]


def test_the_command_prints_a_table_a_dtype(actbench: Actbench) -> None:
    result = actbench("accuracy", "-a", "logistic", "-b", "numpy,python", "--points", "20", "--residuals", "exact")
    assert result.exit_code == 0, result.output
    assert "Error of g' in ULP, float32" in result.output
    assert "Error of g' in ULP, float64" in result.output
    line = next(line for line in result.output.splitlines() if "cached" in line and "python" in line)
    assert "37.4" in line


def test_csv_and_json_say_the_same(actbench: Actbench) -> None:
    chosen = ("accuracy", "-a", "tanh", "-s", "textbook,recompute", "-b", "numpy", "--points", "20", "--format")
    table, objects = rows(actbench(*chosen, "csv").output), json.loads(actbench(*chosen, "json").output)
    assert len(table) == len(objects)
    for row, item in zip(table, objects, strict=True):
        assert [name for name in row if name in item] == list(item)
        assert not any(row[name] for name in row if name not in item)
        for name, value in item.items():
            if value is None:
                assert not row[name]
            elif isinstance(value, list):
                assert row[name].count(" to ") == len(value)
            elif isinstance(value, str):
                assert row[name] == value
            else:
                assert float(row[name]) == pytest.approx(value, rel=1e-5)
    parts = [row["part"] for row in table if row["strategy"] == "recompute" and row["dtype"] == "float64"]
    assert parts[:3] == ["normal", "left", "right"]
    assert parts.count("left") == parts.count("right") == 1 + len(bands())


def test_the_table_goes_to_a_file_in_markdown(actbench: Actbench, tmp_path: Path) -> None:
    result = actbench("accuracy", "-a", "identity", "-b", "numpy", "--points", "20", "-o", "accuracy.md")
    assert result.exit_code == 0, result.output
    assert not result.stdout
    assert "| identity | recompute | numpy |" in (tmp_path / "accuracy.md").read_text()


def test_a_file_s_name_asks_for_its_format(actbench: Actbench, tmp_path: Path) -> None:
    chosen = ("accuracy", "-a", "identity", "-b", "numpy", "-d", "float64", "--points", "20", "-o")
    assert actbench(*chosen, "a.csv").exit_code == 0
    assert actbench(*chosen, "a.json").exit_code == 0
    assert actbench(*chosen, "b.csv", "--format", "json").exit_code == 0
    assert (tmp_path / "a.csv").read_text().startswith("activation,strategy,")
    assert json.loads((tmp_path / "a.json").read_text()) == json.loads((tmp_path / "b.csv").read_text())


@pytest.mark.parametrize("name", ["accuracy.foo", "accuracy.html"])
@pytest.mark.parametrize("form", [(), ("--format", "table")])
def test_a_name_that_asks_for_no_known_format_is_refused_before_anything_is_computed(
    actbench: Actbench, bench: FakeBench, name: str, form: tuple[str, ...]
) -> None:
    result = actbench("accuracy", "-o", name, *form)
    assert result.exit_code == 2
    assert result.stderr == (f"actbench: -o {name}: name a file that ends in .md, .csv or .json, or give --format\n")
    assert bench.workers_started == 0
    nowhere = actbench("accuracy", "-o", "missing/a.md")
    assert nowhere.exit_code == 2
    assert nowhere.stderr == ("actbench: -o missing/a.md: cannot write there: name a file in a directory that exists\n")
    assert bench.workers_started == 0
    if not form:
        assert actbench("accuracy", "-a", "identity", "-b", "numpy", "-o", name, "--format", "csv").exit_code == 0


def test_a_table_in_a_file_is_of_markdown(actbench: Actbench, tmp_path: Path) -> None:
    chosen = ("accuracy", "-a", "identity", "-b", "numpy", "-d", "float64", "--points", "10", "--format", "table", "-o")
    assert actbench(*chosen, "a.md").exit_code == 0
    assert "| identity |" in (tmp_path / "a.md").read_text()
    refused = actbench(*chosen, "a.csv")
    assert refused.exit_code == 2
    assert refused.stderr == "actbench: -o a.csv: --format table is for Markdown and the terminal: leave it out\n"


def test_narrow_residuals_are_looked_at_beside_every_strategy(actbench: Actbench) -> None:
    result = actbench(
        *("accuracy", "-a", "logistic", "-b", "numpy", "-d", "float32", "--points", "60", "--format", "csv"),
        *("--residual-dtype", "float16", "--residuals", "exact"),
    )
    assert result.exit_code == 0, result.output
    whole = [row for row in rows(result.stdout) if (row["part"], row["low"], row["high"]) == ("right", "0", "inf")]
    found = {row["strategy"]: row for row in whole}
    assert {"cached", "cached:float16", "recompute:float16", "complement:float16"} <= set(found)
    assert float(found["cached:float16"]["zero_from"]) == pytest.approx(8.32, rel=1e-3)


def test_what_is_known_by_differences_only_is_said_to_be() -> None:
    (of,) = found(kernel("tanh", "recompute"), survey=Survey(points=20))
    (table,) = report.tables([replace(of, digits=13.2)], exact=False)
    assert "g' of tanh is known by differences, to about 13 digits" in table.note


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        (("-a", "logistc"), "unknown activation 'logistc': did you mean 'logistic'"),
        (("-a", "overhead"), "'overhead' has no derivative to be held to: name activations with -a"),
        (("-d", "float16"), "--residual-dtype float16 keeps what the forward pass saves in it"),
        (("-a", "tanh", "-d", "float64", "--exhaustive"), "--exhaustive is for float32"),
    ],
)
def test_bad_input_is_told_in_one_line(actbench: Actbench, chosen: tuple[str, ...], sentence: str) -> None:
    result = actbench("accuracy", "-b", "numpy", *chosen)
    assert result.exit_code == 2
    assert sentence in result.output
    assert "Traceback" not in result.output


@pytest.fixture
def without_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every worker refuse kernels that keep y."""
    real = FakeWorker.evaluate

    def evaluate(self: FakeWorker, kernel: Kernel, *arrays: Any) -> Evaluated:
        if kernel.strategy == "cached":
            raise BenchmarkError(f"{kernel.backend} cannot compile cached")
        return real(self, kernel, *arrays)

    monkeypatch.setattr(FakeWorker, "evaluate", evaluate)


@pytest.mark.usefixtures("without_cached")
@pytest.mark.parametrize("form", ["table", "csv"])
def test_kernels_that_cannot_be_looked_at_are_told_after_the_others(
    actbench: Actbench, bench: FakeBench, form: str
) -> None:
    chosen = (
        "-a",
        "tanh",
        "-s",
        "recompute,cached,complement",
        "-b",
        "numpy,python",
        "-d",
        "float64",
        "--points",
        "10",
    )
    result = actbench("accuracy", *chosen, "--format", form, "-q")
    assert result.exit_code == 4
    assert result.stderr == (
        "actbench: tanh/cached/python/derivative/float64 cannot be looked at: python cannot compile cached; nor can "
        "tanh/cached/numpy/derivative/float64\n"
    )
    assert all(f"{strategy}" in result.stdout for strategy in ("recompute", "complement"))
    assert "cached" not in result.stdout
    assert bench.workers_started == 3  # each refusal is another worker's


@pytest.mark.usefixtures("without_cached", "few")
def test_an_exhaustive_survey_goes_on_after_a_kernel_that_cannot_be_looked_at(actbench: Actbench) -> None:
    chosen = ("-a", "tanh", "-s", "recompute,cached", "-b", "numpy", "-d", "float32", "--points", "10", "--exhaustive")
    result = actbench("accuracy", *chosen, "--format", "csv", "-q")
    assert result.exit_code == 4
    assert {row["strategy"] for row in rows(result.stdout)} == {"recompute"}
    assert "tanh/cached/numpy/derivative/float32 cannot be looked at: numpy cannot compile cached" in result.stderr


@pytest.mark.usefixtures("without_cached")
def test_no_file_is_written_where_nothing_can_be_looked_at(actbench: Actbench, tmp_path: Path) -> None:
    chosen = ("-a", "tanh", "-s", "cached", "-b", "numpy", "--points", "10", "-o", "errors.csv")
    assert actbench("accuracy", *chosen, "-q").exit_code == 4
    assert not (tmp_path / "errors.csv").exists()


def test_kernels_that_do_not_exist_are_told_with_the_reason(actbench: Actbench) -> None:
    chosen = ("-a", "tanh", "-s", "cached", "-b", "numpy,python", "-d", "float32", "--residual-dtype", "float32")
    assert actbench("accuracy", *chosen, "--points", "10").stderr.splitlines()[-2:] == [
        "left out 2 cases, e.g. tanh/cached/python/derivative/float32: python computes in float64 only",
        (
            "left out 1 case, e.g. tanh/cached:float32/numpy/derivative/float32: float32 is no narrower than the "
            "arithmetic's float32: nothing would be saved"
        ),
    ]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Look at every number of some neighbourhoods, as if there were no others."""
    starts = np.array([1e-30, 0.5, 3.0, 12.0, 17.3, 17.4, 40.0, 90.0], dtype=np.float32)
    near = np.concatenate([(start.view(np.uint32) + np.arange(500, dtype=np.uint32)) for start in starts])
    z: np.ndarray[tuple[int], np.dtype[np.float32]] = near.view(np.float32)
    monkeypatch.setattr(exhaustive, "_numbers", lambda: iter([(Part.RIGHT, z), (Part.LEFT, -z)]))
    return z


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("strategy", ["cached", "complement", "recompute"])
def test_an_exhaustive_survey_finds_the_errors_that_mpmath_finds(
    few: np.ndarray[tuple[int], np.dtype[np.float32]], strategy: str, *, exact: bool
) -> None:
    bench = FakeBench()
    of = kernel("logistic", strategy, Dtype.FLOAT32)
    *going, last = exhaustive.survey([of], lambda: bench.start(None, 60.0), Survey(10, exact=exact))
    assert len(going) == 2
    assert isinstance(last, Accuracy)
    assert last.exhaustive
    truth, y = oracle.truth_at("logistic", few)
    residuals = oracle.residuals_at("logistic", strategy, few, lambda: y) if exact else None
    worker = bench.start(None, 60.0)
    answer = worker.evaluate(of, few, few, residuals).outputs[-1].unpack()
    error = truth.error(answer)
    right = last.tails[Part.RIGHT]
    assert right.points == few.size
    assert right.largest == pytest.approx(error.max(), rel=1e-6)
    assert right.median == pytest.approx(np.quantile(error, 0.5, method="inverted_cdf"), rel=0.05)
    assert right.p99 == pytest.approx(np.quantile(error, 0.99, method="inverted_cdf"), rel=0.05)
    zero = is_zero(answer, truth)
    assert [zone.first for zone in last.losses[Part.RIGHT].zero][:1] == few[zero][:1].tolist()


def test_all_finite_numbers_are_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert np.float32(np.inf).view(np.uint32) == exhaustive.FINITE
    monkeypatch.setattr(exhaustive, "FINITE", 1050)
    monkeypatch.setattr(exhaustive, "CHUNK", 100)
    chunks = list(exhaustive._numbers())
    assert len(chunks) == 22
    right, left = (
        np.concatenate([z.view(np.uint32) for own, z in chunks if own is part]) for part in (Part.RIGHT, Part.LEFT)
    )
    assert right.tolist() == [*range(1050)]
    assert (left - (1 << 31)).tolist() == [*range(1, 1050)]


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("deaths", [1, 2])
def test_an_exhaustive_survey_outlives_its_workers(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch, deaths: int
) -> None:
    real, left = FakeWorker.evaluate, iter(range(deaths))

    def evaluate(self: FakeWorker, kernel: Kernel, z: Array, *arrays: Any) -> Evaluated:
        if z.size == 4000 and kernel.strategy == "cached" and next(left, None) is not None:
            raise WorkerLostError("the worker was killed by SIGKILL")
        return real(self, kernel, z, *arrays)

    monkeypatch.setattr(FakeWorker, "evaluate", evaluate)
    chosen = ("-a", "identity,softsign", "-s", "recompute,cached", "-b", "numpy", "-d", "float32", "--points", "10")
    result = actbench("accuracy", *chosen, "--exhaustive", "--format", "csv", "-q")
    looked_at = {(row["activation"], row["strategy"]) for row in rows(result.stdout)}
    both = {("identity", "recompute"), ("softsign", "recompute")}
    if deaths == 1:
        assert result.exit_code == 0
        assert looked_at == {*both, ("softsign", "cached")}
    else:
        assert result.exit_code == 4
        assert looked_at == both
        assert result.stderr == (
            "actbench: softsign/cached/numpy/derivative/float32 cannot be looked at: the worker was killed by SIGKILL, "
            "between z = 1e-30 and 90.0038071\n"
        )


def test_an_activation_without_a_stable_form_cannot_be_looked_at_exhaustively(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exhaustive, "STABLE", "anything")
    bench = FakeBench()
    with pytest.raises(InputError, match="logistic has no strategy 'anything'"):
        next(exhaustive.survey([kernel("logistic", "cached", Dtype.FLOAT32)], lambda: bench.start(None, 60.0), EXACT))


def test_truths_are_computed_once_for_all_kernels_that_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    slopes_at = oracle.slopes_at

    def counted(activation: str, z: Array) -> Truth:
        asked.append(z.size)
        return slopes_at(activation, z)

    monkeypatch.setattr(oracle, "slopes_at", counted)
    found(kernel("logistic", "recompute"), kernel("logistic", "complement"), survey=Survey(points=20))
    assert asked[:2] == [points("logistic", Dtype.FLOAT64, 20, 0).size, 180]
    assert sum(asked[2:]) < 50  # where interpolation between so few points is unsure


def test_the_report_says_what_was_kept() -> None:
    for exact, words in ((True, "correctly rounded"), (False, "as numpy's forward pass gives it")):
        (table,) = report.tables(found(kernel("tanh", "cached"), survey=Survey(20, exact=exact)), exact=exact)
        assert words in table.note
