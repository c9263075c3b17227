"""What a case costs: bytes by its definition, and seconds as they are guessed before anything is measured."""

from __future__ import annotations

from actbench.kernels.resolution import resolve, traffic_of
from actbench.kernels.subject import Subject
from actbench.model.cases import Case
from actbench.model.plan import Plan
from actbench.model.row_bytes import an_element

LEAST_MEASURED = 0.3
"""Seconds of a round that should be spent on measuring, at least: about what it takes to start the worker."""

LIVE_ARM_SECONDS = 0.005
"""Seconds of an arm in a round of a live check. Rounds differ by their processes, three of which start in each: arms of
20 ms give ratios that scatter by 1.1 %, arms of 5 ms by 1.3 %, in two thirds of the time (``benchmarks.rounds``)."""

LEAST_MEASURED_LIVE = 0.06
"""Seconds of a round of a live check that should be spent on measuring either side, at least: an arm of few may take
longer, since a round takes a second in any case."""


def predicted_call(subject: Subject, size: int) -> float:
    """Guess the seconds of one call before anything is measured: an upper figure, for planning alone."""
    return size * subject.backend.planning_ns * 1e-9


def arm_seconds(plan: Plan, usual: float) -> float:
    """Seconds that one arm should take in one round: `usual`, and more where the plan is small.

    What starts a worker is then not spent on a few milliseconds of measuring.
    """
    arms = sum(len(block.timed) for block in plan.blocks)
    return max(usual, LEAST_MEASURED / arms) if arms else usual


def live_arm_seconds(plan: Plan) -> float:
    """Seconds likewise that one arm should take in one round of a live check, on either side."""
    arms = sum(len(block.timed) for block in plan.blocks)
    return max(LIVE_ARM_SECONDS, LEAST_MEASURED_LIVE / max(arms, 1))


def bytes_moved(case: Case) -> int:
    """Bytes that one call must read and write by the kernel's definition, temporaries not counted."""
    traffic = traffic_of(case)
    of_rows = traffic.row_bytes(case.dtype).moved
    return case.size * traffic.moved(case.dtype, case.strategy.storage) + case.rows * of_rows


def residual_bytes(case: Case) -> float:
    """Bytes kept per element between the forward and the backward pass; the yardstick keeps none."""
    traffic = traffic_of(case)
    of_elements, of_rows = traffic.kept(case.dtype, case.strategy.storage), traffic.row_bytes(case.dtype).kept
    return an_element(of_elements, of_rows, case.size, case.rows)


def kept_bytes(case: Case) -> float:
    """Bytes kept likewise, as counted where they do not follow from a definition: of what a framework ships."""
    subject = resolve(case)
    return an_element(subject.kept_bytes, subject.row_bytes.kept, case.size, case.rows)
