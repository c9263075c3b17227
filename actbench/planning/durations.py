"""How long a run takes, guessed before anything is measured: what comes before the first round, and a round.

The figures are those of a quiet machine of today, whose `actbench.host.speed.slowness` is 1, measured part by part;
``python -m benchmarks.predictions`` compares what they predict with what runs take. On another machine, all that is not
a time to be measured for takes as much longer as Python does. A first compilation by numba, which is then cached, comes
on top. Times in seconds.
"""

from __future__ import annotations

from collections.abc import Iterable

from actbench.kernels import sets
from actbench.kernels.placement import PHASED
from actbench.kernels.resolution import backends, subjects
from actbench.kernels.subject import Subject
from actbench.model.calibration import SLOW_CALL
from actbench.model.cases import Block, KernelId
from actbench.model.names import Op, OperandState
from actbench.model.plan import Plan
from actbench.planning.costs import predicted_call

COMMAND = 0.75
"""The command starts, reads the host and ends with its tables."""

WORKER = 0.14
"""A worker starts, imports numpy and ends."""

COMPILING_WORKER = 0.22
"""More where kernels are compiled: it imports the compiler, and loads what is cached."""

CHECK = 0.03
"""A kernel is checked against the truth, on all points; a step, which has y as well, takes twice as long."""

TRUTH = 0.08
"""The truth of an activation in one dtype."""

TYPICAL = 0.4
"""What an exponential takes, of the upper figure of a backend by which cases are left out."""

WORK = dict.fromkeys(("exp", "expm1", "log", "log1p", "tanh", "sinh", "cosh", "arctan"), 1.0) | {
    "erf": 4.0,
    "erfc": 4.0,
}
"""What functions take, in exponentials."""

LEAST_WORK = 0.25
"""What a formula takes without any of them."""

MAPPED = 1 << 25
"""Bytes from which on memory that is allocated comes from the system, page by page."""

PAGED = 3.0
"""Factor by which a call that allocates such results takes longer."""

PREPARED = 0.005
"""A block is taken up in a round, and what was seen of its calls is listed."""

STRETCHED = 1.4
"""Factor by which an arm of a round exceeds its time: operands are placed, code is moved, and arms have equally many
values."""

PROBE = 0.004
"""An arm of a probe, in a round."""

DRAWN = 25e-9
"""An element of a block's operands is drawn, z and dy, and its results are compared."""

COLD = 0.9e-9
"""A byte of the sets of operands of a cold block, which pass the last-level cache."""

COMPARED_COLD = 1.5e-9
"""More when the block is calibrated, where all of them are compared."""

CALIBRATED = 0.025
"""A block is calibrated where calls are fast."""

CALIBRATING_CALLS = 3
"""Calls of an arm that are slow enough to need no others."""

LEAST_CALLS = 15
"""Calls of an arm in a round where it is in cache: timed, untimed and watched ones of the least number of values."""

LEAST_CALLS_BEYOND = 5
"""Likewise, where it is not."""

LEAST_SLOW_CALLS = 2
"""Likewise, where a call takes `SLOW_CALL`."""


def round_start(plan: Plan) -> float:
    """Return how long a worker takes that imports what a plan needs."""
    compiled = any(block.kernel_copies for block in plan.blocks) or any(
        backend.requires not in {None, "numpy"} for backend in backends(plan.cases)
    )
    return WORKER + COMPILING_WORKER * compiled


def checks(plan: Plan) -> float:
    """Return how long the checks of all kernels take."""
    kernels = plan.kernels
    truths = {(kernel.activation, kernel.dtype) for kernel in kernels}
    return round_start(plan) + TRUTH * len(truths) + sum(map(_check, kernels))


def preparation(plan: Plan, slowness: float = 1.0) -> float:
    """Return how long it takes until the first round of derivatives."""
    calls = (_typical_call(subject, case.size) for case, subject in subjects(plan.cases).items())
    return slowness * (COMMAND + checks(plan) + calibration(plan, calls))


def calibration(plan: Plan, calls: Iterable[float]) -> float:
    """Return how long all blocks take to be calibrated, probes included, where calls of the arms take so long."""
    blocks = len(plan.blocks) + len(plan.probes)
    once = CALIBRATED * blocks + COMPARED_COLD * _cold_bytes(plan) + CALIBRATING_CALLS * sum(calls)
    return round_start(plan) + operands(plan) + once


def operands(plan: Plan) -> float:
    """Return how long the operands of all blocks of derivatives take in a round, probes included."""
    return DRAWN * sum(block.size for block in _of_derivatives(plan)) + COLD * _cold_bytes(plan)


def predicted_round(plan: Plan, arm_seconds: float, slowness: float = 1.0) -> float:
    """Return how long one round of derivatives takes, where an arm takes `arm_seconds`, or more if calls are slow."""
    return slowness * _round(plan, arm_seconds / slowness)


def _round(plan: Plan, arm_seconds: float) -> float:
    """Return it for the machine that the figures come from."""
    time = STRETCHED * arm_seconds
    arms = sum(max(time, _least_seconds(subject, case.size)) for case, subject in subjects(plan.cases).items())
    copies = time * sum(len(block.timed) - len(block.arms) for block in plan.blocks)
    probes = PROBE * sum(len(block.timed) for block in plan.probes)
    taken_up = PREPARED * (len(plan.blocks) + len(plan.probes))
    return round_start(plan) + arms + copies + probes + taken_up + operands(plan)


def _of_derivatives(plan: Plan) -> list[Block]:
    return [*(block for block in plan.blocks if not block.op.network), *plan.probes]


def _cold_bytes(plan: Plan) -> int:
    """Return the bytes of the sets of operands of all blocks of derivatives that are not warm."""
    cold = (block for block in _of_derivatives(plan) if block.operands is not OperandState.WARM)
    return sum(sets.TIMES_CACHE * plan.cache * (sets.PARTS_OF_STEP if block.op is Op.STEP else 1) for block in cold)


def _check(kernel: KernelId) -> float:
    return CHECK * (2 if kernel.op is Op.STEP else 1)


def _least_seconds(subject: Subject, size: int) -> float:
    """Return what an arm takes in a round at least."""
    seconds = _typical_call(subject, size)
    if seconds >= SLOW_CALL:
        return LEAST_SLOW_CALLS * seconds
    in_cache = size * subject.dtype.itemsize <= PHASED
    return (LEAST_CALLS if in_cache else LEAST_CALLS_BEYOND) * seconds


def _typical_call(subject: Subject, size: int) -> float:
    work = max(LEAST_WORK, sum(WORK.get(name, 0.0) for name in subject.functions))
    is_paged = size * subject.dtype.itemsize >= MAPPED and not subject.backend.preallocates
    return predicted_call(subject, size) * TYPICAL * work * (PAGED if is_paged else 1.0)
