"""How long a run takes, guessed before anything is measured: what comes before the first round, and a round.

The figures are those of a quiet machine of today; ``python -m benchmarks.predictions`` compares what they predict with
what runs take. A first compilation by numba, which is then cached, comes on top. Times in seconds.
"""

from __future__ import annotations

from actbench.kernels.resolution import backends, subjects
from actbench.kernels.subject import Subject
from actbench.model.calibration import SLOW_CALL
from actbench.model.cases import KernelId
from actbench.model.names import Op, OperandState
from actbench.model.plan import Plan
from actbench.planning.costs import predicted_call

COMMAND = 0.8
"""The command starts, reads the host and ends with its tables."""

WORKER = 0.2
"""A worker starts and imports numpy."""

COMPILING_WORKER = 0.3
"""More where kernels are compiled: it imports the compiler, and loads what is cached."""

CHECK = 0.1
"""A kernel is checked against the truth, on all points; a step, which has y as well, takes twice as long."""

TRUTH = 0.15
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

PROBE = 0.003
"""An arm of a probe, in a round."""

DRAWN = 25e-9
"""An element of a block's operands is drawn, z and dy, and its results are compared."""

COLD = 0.12
"""A block gets sets of operands that pass the last-level cache twice."""

CALIBRATION = 1.0
"""Calibrating takes about as long as so many rounds: fewer values, but every element is compared."""


def round_start(plan: Plan) -> float:
    """Return how long a worker takes that imports what a plan needs."""
    compiled = any(backend.requires not in {None, "numpy"} for backend in backends(plan.cases))
    return WORKER + COMPILING_WORKER * compiled


def checks(plan: Plan) -> float:
    """Return how long the checks of all kernels take."""
    kernels = plan.kernels
    truths = {(kernel.activation, kernel.dtype) for kernel in kernels}
    return round_start(plan) + TRUTH * len(truths) + sum(map(_check, kernels))


def preparation(plan: Plan, round_seconds: float) -> float:
    """Return how long it takes until the first round of derivatives."""
    return COMMAND + checks(plan) + CALIBRATION * round_seconds


def operands(plan: Plan) -> float:
    """Return how long the operands of all blocks of derivatives take in a round, probes included."""
    blocks = (*(block for block in plan.blocks if not block.op.network), *plan.probes)
    cold = sum(block.operands is not OperandState.WARM for block in blocks)
    return DRAWN * sum(block.size for block in blocks) + COLD * cold


def predicted_round(plan: Plan, arm_seconds: float) -> float:
    """Return how long one round of derivatives takes, where an arm takes `arm_seconds`, or more if calls are slow."""
    calls = (_typical_call(subject, case.size) for case, subject in subjects(plan.cases).items())
    untimed_and_timed = ((2 if seconds >= SLOW_CALL else 4) * seconds for seconds in calls)
    arms = sum(max(arm_seconds, seconds) for seconds in untimed_and_timed)
    copies = arm_seconds * sum(len(block.timed) - len(block.arms) for block in plan.blocks)
    probes = PROBE * sum(len(block.timed) for block in plan.probes)
    return round_start(plan) + arms + copies + probes + operands(plan)


def _check(kernel: KernelId) -> float:
    return CHECK * (2 if kernel.op is Op.STEP else 1)


def _typical_call(subject: Subject, size: int) -> float:
    work = max(LEAST_WORK, sum(WORK.get(name, 0.0) for name in subject.functions))
    is_paged = size * subject.dtype.itemsize >= MAPPED and not subject.backend.preallocates
    return predicted_call(subject, size) * TYPICAL * work * (PAGED if is_paged else 1.0)
