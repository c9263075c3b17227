"""Copies as a kernel could make them: where they are timed, what they bound, and that they copy."""

from __future__ import annotations

import json
import platform
from pathlib import Path

import numpy as np
import pytest

from actbench import registry
from actbench.backends._limits import copies
from actbench.host import caches, environment
from actbench.kernels.traffic import leaves_last_level_cache
from actbench.model.cases import Arm, Block, Case
from actbench.model.kernel_copies import KERNEL_COPIES, LOOP_COPY, NON_TEMPORAL_COPY
from actbench.model.names import Dtype, Op, OperandState
from actbench.model.number_formats import numpy_dtype
from actbench.model.plan import Plan
from actbench.model.variants import Variant
from actbench.planning import durations, yardsticks
from actbench.runs import archive, record
from tests.conftest import Actbench
from tests.support.exact_times import exact_seconds
from tests.support.fake import FakeBench
from tests.support.selections import rows

MIB = 1 << 20
LARGE = ("-a", "logistic", "-s", "recompute,cached", "-b", "numba-simd", "--op", "derivative", "-d", "float32")

needs_both = pytest.mark.skipif(
    any(map(copies.unavailable, KERNEL_COPIES)), reason="copies with non-temporal stores are of x86-64, with numba"
)
pytestmark = needs_both


def block(size: int, operands: OperandState = OperandState.WARM, backend: str = "numba-simd", copy: str = "") -> Block:
    arms = (Arm(Variant("cached"), backend),)
    return Block("tanh", Op.DERIVATIVE, Dtype.FLOAT64, size, arms, (copy,) if copy else (), operands)


def planned(*blocks: Block) -> list[tuple[Variant, ...]]:
    return [one.kernel_copies for one in yardsticks.with_kernel_copies(Plan(blocks, seed=1), None).blocks]


@pytest.mark.parametrize("kind", KERNEL_COPIES)
@pytest.mark.parametrize("dtype", [Dtype.FLOAT16, Dtype.FLOAT32, Dtype.FLOAT64])
def test_every_element_is_copied_wherever_arrays_begin_and_no_other(kind: Variant, dtype: Dtype) -> None:
    copy = copies.compiled(kind, dtype)
    backend = registry.backends()["numba-simd"]
    for size in (0, 1, 31, 32, 127, 128, 1000):
        for start in (0, 1, 5):
            z = np.random.default_rng(size).standard_normal(size + 8).astype(numpy_dtype(dtype))
            out = np.zeros_like(z)
            copy(backend.adopt(out[start : start + size]), backend.adopt(z[2 : size + 2]))
            np.testing.assert_array_equal(out[start : start + size], z[2 : size + 2])
            assert not out[:start].any()
            assert not out[start + size :].any()


@pytest.mark.parametrize(("kind", "bypasses"), [(LOOP_COPY, False), (NON_TEMPORAL_COPY, True)])
def test_copies_are_vector_loops_and_not_the_c_librarys(kind: Variant, *, bypasses: bool) -> None:
    (assembly,) = copies.uncached(kind, Dtype.FLOAT32).inspect_asm().values()
    assert ("vmovnt" in assembly or "movnt" in assembly) == bypasses
    assert "memcpy" not in assembly
    assert "memmove" not in assembly


def test_a_block_has_the_copies_that_can_differ_from_numpys() -> None:
    cold, residuals_cold = OperandState.COLD, OperandState.RESIDUALS_COLD
    assert planned(block(1000), block(2000)) == [(), (LOOP_COPY,)]
    assert planned(block(100_000), block(200_000)) == [(LOOP_COPY,), (LOOP_COPY, NON_TEMPORAL_COPY)]
    assert planned(block(1000, cold), block(2000, cold)) == [(), (LOOP_COPY, NON_TEMPORAL_COPY)]
    assert planned(block(200_000, residuals_cold)) == [(LOOP_COPY,)], "its result is in cache"
    assert planned(block(200_000, backend="numba-parallel", copy="numba-parallel")) == [()], "it has a copy by threads"


def test_a_plan_without_a_backend_of_numba_does_not_make_its_workers_import_numba() -> None:
    numpy, numba = block(200_000, backend="numpy"), block(200_000, backend="numba")
    assert planned(numpy) == [()]
    assert planned(numpy, numba) == [(LOOP_COPY, NON_TEMPORAL_COPY)] * 2


def test_one_element_shows_what_a_call_of_each_copy_costs() -> None:
    assert planned(block(1), block(1000), block(200_000))[0] == (LOOP_COPY, NON_TEMPORAL_COPY)
    (probe, _) = yardsticks.with_kernel_copies(Plan((block(200_000),), seed=1), None).probes
    assert (probe.size, probe.kernel_copies) == (1, (LOOP_COPY, NON_TEMPORAL_COPY))


def test_elsewhere_than_on_x86_64_there_are_none_that_bypass_the_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert planned(block(200_000)) == [(LOOP_COPY,)]


def test_a_round_is_predicted_with_them() -> None:
    plain = Plan((block(200_000),), seed=1)
    more = yardsticks.with_kernel_copies(plain, None)
    arm = durations.STRETCHED * 0.02
    longer = durations.predicted_round(more, 0.02) - durations.predicted_round(plain, 0.02)
    assert longer == pytest.approx(2 * arm + 2 * durations.PROBE)


def test_results_leave_a_cache_half_of_which_the_arrays_exceed() -> None:
    assert leaves_last_level_cache(17 * MIB, 32 * MIB)
    assert not leaves_last_level_cache(16 * MIB, 32 * MIB)
    assert not leaves_last_level_cache(16 * MIB, 0), "its capacity is not known"
    assert caches.plausible({"L2": MIB, "L3": 480 * MIB}) == caches.CREDIBLE
    assert caches.plausible({"L2": MIB, "L3": 8 * MIB}) == 8 * MIB


@pytest.mark.parametrize(
    ("copy_ns", "cache", "expected", "percent"),
    [
        ({LOOP_COPY: 0.2, NON_TEMPORAL_COPY: 0.1}, 8 * MIB, NON_TEMPORAL_COPY, 25),
        ({LOOP_COPY: 0.2, NON_TEMPORAL_COPY: 0.1}, 64 * MIB, LOOP_COPY, 50),
        ({LOOP_COPY: 0.1, NON_TEMPORAL_COPY: 0.2}, 8 * MIB, LOOP_COPY, 25),
    ],
)
def test_the_fastest_copy_bounds_but_one_past_a_cache_only_where_results_leave_it(  # noqa: PLR0917
    actbench: Actbench,
    bench: FakeBench,
    monkeypatch: pytest.MonkeyPatch,
    copy_ns: dict[Variant, float],
    cache: int,
    expected: Variant,
    percent: float,
) -> None:
    monkeypatch.setattr(environment, "plausible_cache", lambda _: cache)

    def seconds(case: Case) -> float:
        return 1e-9 * case.size * copy_ns[case.strategy] if case.strategy in KERNEL_COPIES else exact_seconds(case)

    bench.seconds = seconds
    assert actbench("run", *LARGE, "-n", "1M", "-o", "here").exit_code == 0
    cases = {row["strategy"]: row for row in rows(Path("here/cases.csv"))}
    assert {*cases} == {"recompute", "cached", "yardstick", *KERNEL_COPIES}
    assert cases["cached"]["copy_limit_of"] == expected
    assert float(cases["cached"]["copy_limit_pct"]) == pytest.approx(percent)
    assert float(cases["cached"]["copies"]) == pytest.approx(0.4 / 0.5), "which are of numpy's copy still"


def test_the_table_of_bottlenecks_says_which_copy_bounds(actbench: Actbench) -> None:
    assert "memory (loads and stores)" in actbench("run", *LARGE, "-n", "100k", "-o", "here").stdout
    assert "loads and stores" not in actbench("run", *LARGE, "-n", "1000", "-o", "small").stdout


def test_a_run_of_before_there_were_any_is_read_and_goes_on(actbench: Actbench) -> None:
    assert actbench("run", *LARGE, "-n", "1000", "--rounds", "6", "-o", "here").exit_code == 0
    path = Path("here/run.json")
    fields = json.loads(path.read_text())
    for one in fields["plan"]["blocks"]:
        del one["kernel_copies"]
    fields["seal"] = record._seal(fields)
    path.write_text(json.dumps(fields))
    assert all(one.kernel_copies == () for one in archive.load(Path("here")).plan.blocks)
    assert actbench("run", *LARGE, "-n", "1000", "--rounds", "7", "--resume", "here").exit_code == 0


def test_show_prints_what_the_copies_execute(actbench: Actbench) -> None:
    shown = actbench("show", f"tanh/{NON_TEMPORAL_COPY}/numba-simd/derivative/float32/100000").stdout
    assert "bypass the caches" in shown
    assert "def non_temporal" in shown
    refused = actbench("show", f"tanh/{LOOP_COPY}/numpy/derivative/float32/100000")
    assert refused.exit_code == 2
    assert "numba-simd" in refused.stderr
