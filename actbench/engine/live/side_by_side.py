"""From two environments and a plan to the processes that measure it side by side."""

from __future__ import annotations

from actbench.analysis.check_live import LiveTimes
from actbench.engine.launch import Launch, StartWorker, WorkerOptions
from actbench.engine.live.live_selection import LiveSelection
from actbench.engine.live.lockstep import Lockstep
from actbench.engine.live.wrong_sides import SIDES
from actbench.engine.session import Seams
from actbench.engine.working.checking import Verification
from actbench.model.plan import Plan
from actbench.planning import library_threads


def side_by_side(
    selection: LiveSelection, plan: Plan, starts: tuple[StartWorker, StartWorker], options: WorkerOptions, seams: Seams
) -> Lockstep:
    """Return what measures a plan of a selection in two environments, those of baseline and candidate.

    `options` has the processor and the time limit of workers.
    """
    there, here = starts
    threads, together = selection.threads(plan), library_threads.together(plan)
    baseline, candidate, control = (
        Launch(start, WorkerOptions(options.cpu, options.timeout, role, threads, together))
        for start, role in zip((there, here, there), SIDES, strict=True)
    )
    return Lockstep(
        plan=plan,
        verification=Verification(plan),
        launches=(baseline, candidate, control),
        arm_seconds=selection.arm_seconds(plan),
        sides=LiveTimes(plan),
        clock=seams.clock,
    )
