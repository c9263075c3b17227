"""What is valid of training steps in a run: their plan, checks and parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from actbench.model.cases import Block
from actbench.model.checks import StepCheck
from actbench.model.names import Op
from actbench.model.plan import Plan
from actbench.model.training import StepPart
from actbench.runs.bounds import HUGE, LARGEST_COUNT, LONGEST_SECONDS, MOST_ELEMENTS
from actbench.runs.validity import shown

if TYPE_CHECKING:
    from actbench.runs.record import Record

Parts = Sequence[Sequence[float]]
"""Seconds by arm and part; of an arm whose step has none, an empty sequence."""


def faults(record: Record) -> Iterator[str]:
    """Yield a sentence for each invalid field."""
    yield from _plan(record.plan)
    yield from _checks(record)
    yield from _parts(record)


def _plan(plan: Plan) -> Iterator[str]:
    training = [block for block in plan.blocks if block.op.network]
    if (plan.training is not None) != bool(training) or len(training) not in {0, len(plan.blocks)}:
        yield "plan.training belongs to blocks of training steps, and these to it"
    if plan.training is None:
        return
    networks = {block.op.value for block in training}
    if networks != plan.training.activated.keys():
        yield "plan.training.activated is not of the networks that the blocks have"
    for name, widths in plan.training.activated.items():
        if not widths or not all(1 <= width <= MOST_ELEMENTS for width in widths):
            yield f"plan.training.activated['{name}'] has no widths, or one below 1"
    predictors = plan.training.predictors
    if len({block.id for block in predictors}) < len(predictors):
        yield "plan.training.predictors has a block twice"
    for block in predictors:
        if block.op not in {Op.BACKWARD, Op.STEP} or not 1 <= block.size <= MOST_ELEMENTS or not _has_arms(block):
            what = f"{block.id} is no backward pass or step of an activation, or has no arms, or one twice"
            yield f"plan.training.predictors: {what}"


def _has_arms(block: Block) -> bool:
    return bool(block.arms) and len({*block.timed}) == len(block.timed)


def _checks(record: Record) -> Iterator[str]:
    planned = {*record.plan.steps}
    checked = Counter(check.case for check in record.step_checks)
    for index, check in enumerate(record.step_checks):
        if check.case not in planned or checked[check.case] > 1:
            yield f"step_checks[{index}] is of no step in the plan, or of one that is checked twice"
        if not check.worst.isprintable():
            yield f"a name or a version in it has characters that do not print, in step_checks[{index}].worst"
        for name, value, most in _numbers(check):
            if value is not None and not 0 <= value <= most:
                yield f"step_checks[{index}].{name} is {shown(value)}, and can be 0 to {most:g}"


def _numbers(check: StepCheck) -> Iterator[tuple[str, float | None, float]]:
    yield "error", check.error, HUGE
    for name in ("kept", "alive", "predicted_kept", "predicted_alive", "peak"):
        yield name, getattr(check, name), LARGEST_COUNT


def are_parts(block: Block, of_arms: Parts) -> bool:
    """Return whether seconds by arm can be those of the parts of a block's training steps; kernels have none."""
    return bool(block.op.network) and _fit(of_arms, len(block.arms)) and _are_seconds(of_arms)


def _fit(of_arms: Parts, arms: int) -> bool:
    return len(of_arms) == arms and all(len(of_arm) in {0, len(StepPart)} for of_arm in of_arms)


def _are_seconds(of_arms: Parts) -> bool:
    return all(0 <= seconds <= LONGEST_SECONDS for of_arm in of_arms for seconds in of_arm)


def _parts(record: Record) -> Iterator[str]:
    blocks = {block.id: block for block in record.plan.blocks if block.op.network}
    for name, rounds in record.parts.items():
        if name not in blocks:
            yield f"parts has {name}, which is no block of training steps in the plan"
            continue
        arms = len(blocks[name].arms)
        for number, of_arms in rounds.items():
            where = f"parts['{name}'], round {number}"
            if not 1 <= number <= record.rounds + 1:
                yield f"{where}: that round was not measured"
            if not _fit(of_arms, arms):
                yield f"{where}: it is not for as many arms as the block has, or not for as many parts as a step has"
            if not _are_seconds(of_arms):
                yield f"{where}: a part can be 0 to {LONGEST_SECONDS:g} seconds"
