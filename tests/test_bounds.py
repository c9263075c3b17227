from __future__ import annotations

import pytest

from actbench.analysis.bounds import Bound, bound
from actbench.analysis.figures import Figures, figures
from actbench.analysis.speedups import ratios
from actbench.analysis.typical import by_round
from actbench.model import CACHED, Arm, Block, BlockTimes, Calibration, Case, Dtype, Op, Plan, Probe
from actbench.runs.times import Times

PROBE = Probe(single=1e-6, cached=1e-6 + 1e-9 * CACHED)
"""A microsecond for the call, and a nanosecond an element."""


def bounded(
    seconds: float,
    *,
    size: int = 100_000,
    backend: str = "numpy",
    moving: float = 0.1,
    probe: Probe = PROBE,
) -> Bound | None:
    return bound(Case("tanh", "cached", backend, Op.DERIVATIVE, Dtype.FLOAT64, size), seconds, moving * seconds, probe)


def test_half_of_the_time_spent_on_one_element_too_is_dispatch() -> None:
    assert bounded(2e-6, size=1000) is Bound.DISPATCH
    assert bounded(2.1e-6, size=1100) is Bound.COMPUTE


def test_half_of_the_time_that_a_copy_takes_is_memory() -> None:
    assert bounded(1e-4, moving=0.5) is Bound.MEMORY
    assert bounded(1e-4, moving=0.499) is Bound.COMPUTE


@pytest.mark.parametrize(("backend", "expected"), [("numpy", Bound.ALLOCATION), ("numba", Bound.MEMORY)])
def test_half_as_slow_again_as_in_cache_is_allocation_where_results_are_allocated(
    backend: str, expected: Bound
) -> None:
    assert bounded(1.52e-4, backend=backend) is expected
    assert bounded(1.50e-4, backend=backend) is Bound.COMPUTE


def test_what_fits_the_cache_has_not_left_it() -> None:
    assert bounded(1e-4, size=CACHED) is Bound.COMPUTE
    assert bounded(1e-4, size=CACHED + 1) is Bound.ALLOCATION


def test_where_a_call_hides_what_elements_take_in_cache_larger_arrays_are_told_by_the_copy_alone() -> None:
    device = Probe(single=2e-5, cached=2.9e-5)
    assert bounded(3e-5, probe=device) is Bound.DISPATCH
    assert bounded(1e-4, probe=device) is None
    assert bounded(1e-4, probe=device, moving=0.5) is Bound.MEMORY
    assert bounded(4.1e-5, probe=device, size=CACHED) is Bound.COMPUTE
    assert bounded(1e-4, probe=Probe(single=2e-5, cached=3.01e-5)) is Bound.COMPUTE


def test_a_backend_that_is_not_known_here_is_taken_to_allocate() -> None:
    assert bounded(2e-4, backend="elsewhere") is Bound.ALLOCATION


def of_rounds(*seconds: float, copy: float = 1e-7, call: float = 1e-8) -> Figures:
    """Return the figures of a case that took so long in each round, beside a copy that takes `copy`, of one `call`."""
    block = Block("tanh", Op.DERIVATIVE, Dtype.FLOAT64, 1000, (Arm("cached", "numpy"),))
    times = Times(
        Plan((block,), seed=1),
        [BlockTimes(block, number, ((taken,), (copy,))) for number, taken in enumerate(seconds, start=1)],
    )
    calibration = Calibration((1, 1), (1, 1), 1, 1.0, (PROBE, Probe(call, 1e-6)))
    (found, _) = figures(times, by_round(times), ratios(times, times.blocks), {block.id: calibration}, [])
    return found


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ([2.5e-6] * 6, (Bound.COMPUTE, True)),
        ([1.5e-6] * 6, (Bound.DISPATCH, True)),
        ([1.8e-6, 2.3e-6] * 3, (Bound.COMPUTE, False)),
        ([1.8e-6, 2.1e-6] * 3, (Bound.DISPATCH, False)),
        ([1.8e-6, 2.3e-6], (Bound.COMPUTE, True)),  # two rounds give no interval
    ],
)
def test_a_word_is_decided_where_the_ends_of_the_interval_say_the_same(
    seconds: list[float], expected: tuple[Bound, bool]
) -> None:
    found = of_rounds(*seconds)
    assert (found.bounding.word, found.bounding.decided) == expected


def test_a_copy_that_is_hardly_more_than_its_call_tells_nothing_of_memory() -> None:
    moves, calls = (of_rounds(*[2.5e-6] * 6, copy=copy, call=1e-6) for copy in (3.5e-6, 1.4e-6))
    assert (moves.bounding.word, moves.bounding.copy_tells) == (Bound.MEMORY, True)
    assert (calls.bounding.word, calls.bounding.copy_tells) == (Bound.COMPUTE, False)
