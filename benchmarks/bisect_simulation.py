"""Bisects on recorded rounds: what `python -m benchmarks.bisect record` and `simulate` do."""

from __future__ import annotations

import csv
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from math import log1p
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from actbench.analysis.bisection import SECONDS_TO_BUILD
from actbench.analysis.check_live import DECIDED, LiveTimes
from actbench.analysis.commit_search import CommitSearch
from actbench.analysis.regression import Verdict, verdict
from actbench.analysis.sequential import median_interval, sequential_p_value
from actbench.analysis.statistics import CONFIDENCE
from actbench.engine.bisect.bisect_rounds import ratios_of
from actbench.engine.launch import Launch, WorkerOptions
from actbench.engine.live.live import rounds_to_confirm
from actbench.engine.live.lockstep import Lockstep
from actbench.engine.live.wrong_sides import SIDES
from actbench.engine.session import Seams, start_process
from actbench.engine.working.checking import Verification
from actbench.host.environment import choose_cpu
from actbench.model.cases import Case
from actbench.model.plan import Plan
from actbench.planning.costs import live_arm_seconds
from actbench.planning.suite import grouped
from benchmarks.gate import share

RECORDED = Path(__file__).with_name("bisect_rounds.csv")

CASES = [
    Case.parse(f"{activation}/{strategy}/{backend}/derivative/float64/10000")
    for activation in ("logistic", "tanh")
    for backend in ("numpy", "numba")
    for strategy in ("recompute", "cached")
]

MARGIN = 0.02
"""The margin of the checks that the recorded rounds are for."""

MOST_CHECK_ROUNDS = 150
"""Rounds of a simulated check, about what its budget has time for."""

MOST_ROUNDS = 400
"""Rounds of a simulated bisect."""

ROUND_SECONDS = 2.0

COMMITS = 64

Rounds = NDArray[np.float64]
"""Rounds x 2: the logarithms of the ratios of candidate and control."""


# Recorded rounds


def record(rounds: int) -> None:
    """Measure rounds without a difference, and write their ratios, each as soon as it is there."""
    plan = Plan(grouped(CASES), seed=1)
    options = WorkerOptions(choose_cpu(None), 60.0)
    first, second, third = (Launch(start_process, replace(options, role=side)) for side in SIDES)
    lockstep = Lockstep(
        plan=plan,
        verification=Verification(plan),
        launches=(first, second, third),
        arm_seconds=live_arm_seconds(plan),
        sides=LiveTimes(plan),
        compared={block.id for block in plan.blocks},
    )
    list(lockstep.calibrate())
    lockstep.lengthen(MARGIN)
    began = time.monotonic()
    with ExitStack() as stack, RECORDED.open("w", newline="") as file:
        lockstep.starts = Seams().early_starts(options, stack)
        writer = csv.writer(file)
        writer.writerow(("case", "candidate", "control"))
        for number in range(1, rounds + 1):
            lockstep.sides = LiveTimes(plan)
            list(lockstep.round(number, lockstep.blocks))
            for ratios in ratios_of(lockstep.sides):
                writer.writerows((case.id, *(f"{ratio:.6f}" for ratio in pair)) for case, pair in ratios.items())
            file.flush()
    for failure in lockstep.failures:
        print(f"{failure.block} failed: {failure.reason}")
    print(f"{rounds} rounds of {len(CASES)} cases, {(time.monotonic() - began) / rounds:.2f} s each, to {RECORDED}")


def recorded() -> dict[str, Rounds]:
    """Return the recorded rounds by case, about their medians: without a difference."""
    if not RECORDED.exists():
        raise SystemExit(f"there is no {RECORDED}: python -m benchmarks.bisect record makes it, on an idle host")
    by_case: dict[str, list[tuple[float, float]]] = {}
    with RECORDED.open(newline="") as file:
        for row in csv.DictReader(file):
            by_case.setdefault(row["case"], []).append((float(row["candidate"]), float(row["control"])))
    arrays = {case: np.array(rows) for case, rows in by_case.items()}
    return {case: rows - np.median(rows, axis=0) for case, rows in arrays.items()}


# Simulated histories


@dataclass
class Simulation:
    """Rounds of a history whose commits take these times, as logarithms of ratios to GOOD."""

    levels: NDArray[np.float64]
    rounds: Rounds
    rng: np.random.Generator
    margin: float

    def draw(self, commit: int) -> tuple[float, float]:
        """Return a round of a commit."""
        candidate, control = self.rounds[self.rng.integers(len(self.rounds))].tolist()
        return self.levels[commit] + candidate, control

    def check(self) -> list[tuple[float, float]]:
        """Check the last commit; return the rounds if it got slower, otherwise nothing."""
        measured: list[tuple[float, float]] = []
        while len(measured) < MOST_CHECK_ROUNDS:
            measured.append(self.draw(len(self.levels) - 1))
            candidate, control = (np.array(column) for column in zip(*measured, strict=True))
            if self._judged(control) in {Verdict.REGRESSED, Verdict.IMPROVED}:
                return []
            decided = self._judged(candidate)
            if decided is Verdict.REGRESSED:
                return measured if self._is_confirmed(MOST_CHECK_ROUNDS - len(measured)) else []
            if decided is not Verdict.INCONCLUSIVE:
                return []
        return []

    def _is_confirmed(self, left: int) -> bool:
        """Measure a suspected regression again, while there are rounds left; return whether it shows again."""
        logs: list[float] = []
        for _ in range(max(rounds_to_confirm(1), left)):
            logs.append(self.draw(len(self.levels) - 1)[0])
            p_value = sequential_p_value(logs, log1p(self.margin))
            if p_value <= 1 - CONFIDENCE and np.median(logs) > log1p(self.margin):
                return True
            if self._judged(np.array(logs)) in DECIDED:
                return False
        return False

    def _judged(self, logs: NDArray[np.float64]) -> Verdict:
        ratio = median_interval(logs)
        allowed = log1p(self.margin)
        interval = type(ratio).from_logs(ratio)
        return verdict(interval, self.margin, sequential_p_value(logs, allowed), sequential_p_value(-logs, allowed))

    def bisect(self) -> tuple[CommitSearch | None, int, int]:
        """Return the search, None where the last commit is not slower; its rounds and environments."""
        measured = self.check()
        if not measured:
            return None, 0, 2
        last = len(self.levels) - 1
        case = CASES[0]
        search = CommitSearch(np.array([0.0] + [1.0] * last), (case,))
        for ratios in measured:
            search.add(last, {case: ratios})
        built = {0, last}
        rounds = len(measured) + 8
        while search.open_cases() and rounds < MOST_ROUNDS:
            seconds = np.full(last + 1, ROUND_SECONDS + SECONDS_TO_BUILD)
            seconds[[*built]] = ROUND_SECONDS
            commit = search.next(seconds)
            if commit is None:
                break
            built.add(commit)
            rounds += 1
            search.add(commit, {case: self.draw(commit)})
        return search, rounds, len(built)


@dataclass
class Tally:
    """What came of simulated bisects."""

    answers: Counter[str] = field(default_factory=Counter)
    rounds: list[int] = field(default_factory=list)
    environments: list[int] = field(default_factory=list)

    def add(self, answer: str, rounds: int, environments: int) -> None:
        """Count one."""
        self.answers[answer] += 1
        self.rounds.append(rounds)
        self.environments.append(environments)

    def line(self, right: str) -> str:
        """Return how many were right, and what it took."""
        rounds = f"rounds {np.median(self.rounds):.0f} (at most {max(self.rounds)})"
        total = sum(self.answers.values())
        environments = f"environments {np.median(self.environments):.0f} (at most {max(self.environments)})"
        return f"{share(self.answers[right], total)}; {dict(self.answers)}; {rounds}; {environments}"


def simulate(histories: int) -> None:
    """Simulate bisects of every kind of history, and print what came of them."""
    rounds = recorded()
    kinds: dict[str, tuple[Callable[[np.random.Generator], Sequence[int]], float, str]] = {
        f"one step of 5 % among {COMMITS}": (lambda rng: [_commit(rng)], 0.02, "right"),
        f"{COMMITS} identical commits": (lambda _: [], 0.05, "nothing named"),
        "two steps of 5 %": (_two_commits, 0.02, "more than one said"),
        "two steps of 2.5 %": (_two_commits, 0.02, "more than one said"),
    }
    for kind, (steps_of, margin, right) in kinds.items():
        tally = Tally()
        for number in range(histories):
            rng = np.random.default_rng([number, len(kind)])
            steps = steps_of(rng)
            size = log1p(0.025 if "2.5 %" in kind else 0.05)
            levels = np.zeros(COMMITS + 1)
            for commit in steps:
                levels[commit:] += size
            case = [*rounds][number % len(rounds)]
            search, count, environments = Simulation(levels, rounds[case], rng, margin).bisect()
            tally.add(_answer(search, steps), count, environments)
        print(f"{kind}: {right}: {tally.line(right)}", flush=True)


def _commit(rng: np.random.Generator) -> int:
    return int(rng.integers(1, COMMITS + 1))


def _two_commits(rng: np.random.Generator) -> Sequence[int]:
    return sorted(rng.choice(np.arange(1, COMMITS + 1), 2, replace=False).tolist())


def _answer(search: CommitSearch | None, steps: Sequence[int]) -> str:
    """Return what a simulated bisect comes to."""
    if search is None:
        return "nothing named"
    culprits = [culprit.commits[-1] for culprit in search.culprits(CASES[0])]
    if len(steps) > 1 and (len(culprits) > 1 or search.more_steps(CASES[0])):
        return "more than one said"
    if not culprits:
        return "undecided"
    return "right" if culprits == [*steps] else "one of them" if {*culprits} < {*steps} else "wrong"
