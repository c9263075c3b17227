"""Rounds of this environment against itself, for an audit: as in a live check, but all blocks in every round.

The third process makes more calls than are counted, which is a slowdown to be detected.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace

from actbench.analysis.audit import Audit, audit
from actbench.analysis.check_live import LiveTimes
from actbench.analysis.rounds_needed import FEWEST_ROUNDS
from actbench.engine.launch import ROLE, Launch, WorkerOptions
from actbench.engine.live.live_selection import PROCESSES_AT_ONCE
from actbench.engine.live.lockstep import Lockstep
from actbench.engine.requests import DEFAULT_TIMEOUT, SelfCheckRequest, chosen_seed
from actbench.engine.session import Seams
from actbench.engine.timing import with_extra_calls
from actbench.engine.working.checking import Verification, all_passing
from actbench.errors import BenchmarkError
from actbench.host import environment
from actbench.model.cases import Case
from actbench.model.events import Event, Judged
from actbench.planning import costs, library_threads, presets, suite
from actbench.planning.room import room_here

INJECTED_SLOWDOWN = 2.0
"""The injected slowdown, in margins."""

ROLES = (ROLE, f"second {ROLE}", f"third {ROLE}")
"""The names of the three processes in errors."""


@dataclass(slots=True)
class SelfCheck:
    """One audit of this host. Times in seconds."""

    lockstep: Lockstep
    margin: float
    budget: float
    """Time limit of the audit."""
    check_budget: float
    """Time limit of the checks that the audit judges."""
    started: float
    seams: Seams
    prepared: float = 0.0
    """Time before the first round: checking kernels and calibrating."""
    rounds: int = 0
    """The number of complete rounds."""
    measuring: float = 0.0
    """Total time of these."""

    def events(self) -> Iterator[Event]:
        """Measure; yield events. `BenchmarkError` where a block fails, since the audit needs all of them."""
        with ExitStack() as stack:
            self.lockstep.starts = self.seams.early_starts(self.lockstep.launches[0].options, stack)
            yield from self._events()

    def _events(self) -> Iterator[Event]:
        lockstep = self.lockstep
        yield from all_passing(lockstep.verification.check_kernels(lockstep.launches[0]))
        yield from lockstep.calibrate()
        lockstep.lengthen(self.margin, self.check_budget)
        self.prepared = self._elapsed()
        while not lockstep.failures and self._elapsed() + lockstep.cost(lockstep.plan.blocks) <= self.budget:
            yield from lockstep.round(self.rounds + 1, lockstep.plan.blocks)
            self.rounds += 1
            self.measuring = self._elapsed() - self.prepared
            cases = len(lockstep.plan.cases)
            yield Judged(self.rounds, cases, cases, max(0.0, self.budget - self._elapsed()))
        if lockstep.failures:
            raise BenchmarkError(f"failed: {lockstep.failures[0].block}: {lockstep.failures[0].reason}")

    def audit(self) -> Audit:
        """Return the audit of the rounds so far."""
        return audit(self.lockstep.sides, self.margin, self._check_rounds(), self._injected_slowdowns())

    @property
    def needed(self) -> float:
        """The least seconds of an audit: those of one check."""
        return self.prepared + self._check_rounds() * self._round_seconds

    @property
    def _round_seconds(self) -> float:
        """The average duration of a round, or the predicted one."""
        if not self.rounds:
            return self.lockstep.cost(self.lockstep.plan.blocks)
        return self.measuring / self.rounds

    def _check_rounds(self) -> int:
        """Return the number of rounds that fit a check, at least the fewest that a check takes."""
        affordable = int((self.check_budget - self.prepared) / self._round_seconds)
        return max(affordable, FEWEST_ROUNDS)

    def _injected_slowdowns(self) -> dict[Case, float]:
        """Return the exact injected slowdown of every case, after rounding to whole calls."""
        slowdowns = {}
        for block in self.lockstep.plan.blocks:
            loops = self.lockstep.calibrations[block.id].loops
            for case, calls in zip(block.cases, loops, strict=False):
                slowdowns[case] = with_extra_calls(calls, self.lockstep.injected_slowdown) / calls - 1
        return slowdowns

    def _elapsed(self) -> float:
        return self.seams.clock() - self.started


def prepare(request: SelfCheckRequest, seams: Seams) -> SelfCheck:
    """Plan an audit; `InputError` for what cannot be measured here."""
    preset = presets.get(request.preset)
    axes = request.selection.over(preset.axes)
    room = room_here(axes, request.affinity, processes=PROCESSES_AT_ONCE)
    plan = suite.plan(axes, room, pattern=request.selection.pattern, seed=chosen_seed(request.seed))
    plan = suite.with_threads(plan, request.threads)
    threads = environment.choose_threads(request.threads)
    options = WorkerOptions(
        environment.choose_cpu(request.affinity),
        request.timeout or DEFAULT_TIMEOUT,
        threads=threads if library_threads.threaded(plan) else 1,
        together=library_threads.together(plan),
    )
    first, second, third = (Launch(seams.start_worker, replace(options, role=role)) for role in ROLES)
    lockstep = Lockstep(
        plan=plan,
        verification=Verification(plan),
        launches=(first, second, third),
        arm_seconds=costs.live_arm_seconds(plan),
        sides=LiveTimes(plan),
        injected_slowdown=INJECTED_SLOWDOWN * request.margin,
        clock=seams.clock,
    )
    return SelfCheck(
        lockstep=lockstep,
        margin=request.margin,
        budget=request.budget,
        check_budget=request.check_budget or preset.budget,
        started=seams.clock(),
        seams=seams,
    )
