"""Do identical copies of an environment differ? With their code where the page cache has it, and with code that moves.

    python -m benchmarks.code_placement [--copies 3] [--rounds 16]

Every copy is measured against one and the same first copy, side by side: numpy's logistic derivative from y and from z
at n = 1 000 in float32, about a microsecond a call. What differs between them is which physical pages hold their code.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from actbench.analysis.check_live import LiveTimes, judge
from actbench.analysis.regression import Margins
from actbench.engine import timing
from actbench.engine.launch import Launch, WorkerOptions
from actbench.engine.live import lockstep
from actbench.engine.live.baseline import opened
from actbench.engine.working.checking import Verification
from actbench.host.environment import choose_cpu
from actbench.model.cases import Arm, Block
from actbench.model.names import Dtype, Op
from actbench.model.plan import Plan
from actbench.model.variants import Variant
from actbench.report.numbers import change
from benchmarks.injected import twin_environment

BLOCK = Block(
    "logistic",
    Op.DERIVATIVE,
    Dtype.FLOAT32,
    1000,
    (Arm(Variant("cached"), "numpy"), Arm(Variant("recompute"), "numpy")),
)
TIMEOUT = 60.0
ARM_SECONDS = 0.05


def measured(first: Path, second: Path, rounds: int) -> str:
    """Return by how much the second environment is slower than the first, and the first than itself."""
    plan = Plan((BLOCK,), seed=1)
    with opened(str(first)) as one, opened(str(second)) as other:
        starts = [environment.start_with(()) for environment in (one, other, one)]
        launches = tuple(Launch(start, WorkerOptions(choose_cpu(None), TIMEOUT)) for start in starts)
        side_by_side = lockstep.Lockstep(
            plan=plan,
            verification=Verification(plan),
            launches=(launches[0], launches[1], launches[2]),
            arm_seconds=ARM_SECONDS,
            sides=LiveTimes(plan),
        )
        list(side_by_side.calibrate())
        for number in range(1, rounds + 1):
            list(side_by_side.round(number, [BLOCK]))
    changes, _ = judge(side_by_side.sides, Margins(0.05))
    return ", ".join(
        f"{arm.case.strategy} {change(arm.ratio)} (itself {change(arm.control)})" for arm in changes if arm.control
    )


def main() -> None:
    """Measure every copy twice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--copies", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=16)
    chosen = parser.parse_args()
    moving = timing.sweeps
    with TemporaryDirectory() as home:
        first, *others = (twin_environment(Path(home, str(number))) for number in range(chosen.copies + 1))
        for number, other in enumerate(others, start=1):
            lockstep.sweeps = lambda *arguments: (replace(sweep, move=False) for sweep in moving(*arguments))  # type: ignore[attr-defined]
            print(f"copy {number}, code stays: {measured(first, other, chosen.rounds)}", flush=True)
            lockstep.sweeps = moving  # type: ignore[attr-defined]
            print(f"copy {number}, code moves: {measured(first, other, chosen.rounds)}", flush=True)


if __name__ == "__main__":
    main()
