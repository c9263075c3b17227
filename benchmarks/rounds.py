"""Show what a round of a live check costs, and what it may cost without scattering more.

    python -m benchmarks.rounds [--rounds 100] [--minutes 9] [--margin 5] [--kinds serial,parallel]

On an otherwise idle host, it prints three tables, with 95 % intervals.

1. Where the time of a worker goes, from its start to its values.
2. How the logarithm of a ratio scatters from round to round, the code being the same on both sides, with arms of 20 ms
   and shorter. Kinds of rounds alternate: workers that start afresh in every round, one by one (serial), or at once
   (parallel, as in a check); while the round before is timed (ahead); and workers that are forked from processes which
   have imported everything (forked). A shorter arm has the first values of the longer one, since values are timed one
   after another.
3. The same of every kind over the first one.

*Offset* is what rounds cannot average out. The processes to fork from are restarted every `GROUP` rounds; it is the
variance of the groups' medians, over the one that the scatter within groups predicts: 1 where rounds are independent.
Other workers are grouped alike, and show how far from 1 it is by chance. Of forked ones it was 5 to 31: a process has
an offset, which all that are forked from it have as well, so that no check forks. *Need* is the number of rounds until
no change is decided at the margin with 95 % probability, the median over cases, and what those rounds take.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from actbench.analysis.check_live import LiveTimes
from actbench.analysis.interval import Interval
from actbench.analysis.speedups import log_ratios
from actbench.analysis.statistics import hodges_lehmann
from actbench.engine.client import here
from actbench.engine.launch import Launch, StartWorker, WorkerOptions
from actbench.engine.live.lockstep import Lockstep
from actbench.engine.live.starting import EarlyStarts
from actbench.engine.live.wrong_sides import SIDES
from actbench.engine.session import start_process
from actbench.engine.working.checking import Verification
from actbench.host.environment import choose_cpu, neighbours
from actbench.model.cases import Block, Case
from actbench.model.plan import Plan
from actbench.planning.suite import grouped
from benchmarks.ahead import AheadLockstep
from benchmarks.forked import ROOT, Zygote
from benchmarks.round_parts import ARM_SECONDS, STEPS
from benchmarks.round_scatter import GROUP, Floats, interval, need, offset, scatter, wide

TIMEOUT = 60.0

SHARES = (1.0, 0.5, 0.25, 0.125)
"""Of the values of an arm."""

STARTS = 10
"""Workers whose steps are timed, of each kind."""


def cases() -> Iterator[Case]:
    """Yield what is measured."""
    for activation in ("logistic", "tanh"):
        for size in (1000, 100_000):
            for backend in ("numpy", "numba"):
                for strategy in ("recompute", "cached"):
                    yield Case.parse(f"{activation}/{strategy}/{backend}/derivative/float64/{size}")


# Where the time of a worker goes


def parts(backends: Sequence[str]) -> dict[str, list[float]]:
    """Return the seconds of every step, of `STARTS` workers."""
    block = [case.id for case in cases() if case.backend in backends and case.id.startswith("logistic/")]
    small = [name for name in block if name.endswith("/1000")]
    command = [sys.executable, "-c", "from benchmarks.round_parts import main; main()", *small]
    variables = dict(here().variables)
    seconds: dict[str, list[float]] = {}
    for _ in range(STARTS):
        begun = time.monotonic()
        run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=variables)
        before = begun
        for step, end in json.loads(run.stdout).items():
            seconds.setdefault(step, []).append(end - before)
            before = end
    return seconds


def print_parts() -> None:
    """Print the first table."""
    print(f"A worker's part in a round, milliseconds: {STARTS} starts, block of n = 1 000, float64")
    columns = {name: parts(name.split("+")) for name in ("numpy", "numpy+numba")}
    print(f"  {'step':<12} {'numpy':>16} {'numpy and numba':>16}")
    for step, what in STEPS.items():
        cells = [_milliseconds(seconds.get(step)) for seconds in columns.values()]
        print(f"  {step:<12} {cells[0]:>16} {cells[1]:>16}  {what}")


def _milliseconds(seconds: list[float] | None) -> str:
    if not seconds:
        return "-"
    estimate = hodges_lehmann(seconds).scaled(1000)
    return f"{estimate.value:.1f} ± {estimate.half_width:.1f}"


# How rounds scatter


@dataclass
class Kind:
    """Rounds of one kind of workers."""

    name: str
    lockstep: Lockstep
    seconds: list[float] = field(default_factory=list)
    """Of every round."""

    def round(self, number: int) -> None:
        """Measure a round."""
        begun = time.monotonic()
        list(self.lockstep.round(number, self.lockstep.blocks))
        self.seconds.append(time.monotonic() - begun)

    def logs(self, share: float) -> Floats:
        """Return the logarithms of the ratios, cases x rounds, from this share of the values."""
        sides = self.lockstep.sides
        rows = [
            self._logs(sides, block, arm, share)
            for block in self.lockstep.plan.blocks
            for arm in range(len(block.cases))
        ]
        return np.array(rows)

    @staticmethod
    def _logs(sides: LiveTimes, block: Block, arm: int, share: float) -> Floats:
        both = np.stack([side.seconds(block)[:, arm] for side in (sides.candidate, sides.baseline)], axis=1)
        count = max(1, round(share * both.shape[-1]))
        return log_ratios(both[..., :count], 0, 1)


def measured(names: Sequence[str], rounds: int, minutes: float) -> list[Kind]:
    """Measure rounds of these kinds in turns."""
    plan = Plan(grouped([*cases()]), seed=1)
    cpu = choose_cpu(None)
    near = [] if cpu is None else neighbours(cpu)
    if cpu is None or not near:
        raise SystemExit("it takes two processors that share the last-level cache")
    ends = time.monotonic() + 60 * minutes
    rng = random.Random(1)  # noqa: S311  # not for cryptography
    kinds = [Kind(name, _lockstep(plan, cpu, AheadLockstep if name == "ahead" else Lockstep)) for name in names]
    list(kinds[0].lockstep.calibrate())
    with ExitStack() as stack:
        for kind in kinds:
            lockstep = kind.lockstep
            lockstep.calibrations = kinds[0].lockstep.calibrations
            if kind.name in {"parallel", "ahead"}:
                places = near if kind.name == "ahead" else [cpu, *near]
                lockstep.starts = stack.enter_context(closing(EarlyStarts(places)))
        place = Path(stack.enter_context(TemporaryDirectory()))
        for first in range(1, rounds + 1, GROUP):
            with _forking(kinds, place, cpu):
                for number in range(first, min(first + GROUP, rounds + 1)):
                    for kind in rng.sample(kinds, len(kinds)):
                        kind.round(number)
                    if time.monotonic() > ends:
                        return kinds
    return kinds


@contextmanager
def _forking(kinds: Sequence[Kind], place: Path, cpu: int) -> Iterator[None]:
    """Let the workers of forked rounds be forked from new processes, as long as the context lasts."""
    with ExitStack() as stack:
        for kind in kinds:
            if kind.name == "forked":
                zygotes = [stack.enter_context(Zygote(place / name, cpu)) for name in SIDES]
                kind.lockstep.launches = _launches(cpu, [zygote.fork for zygote in zygotes])
        yield


def _lockstep(plan: Plan, cpu: int | None, kind: type[Lockstep]) -> Lockstep:
    launches = _launches(cpu, [start_process] * len(SIDES))
    compared = {block.id for block in plan.blocks}
    return kind(plan, Verification(plan), launches, ARM_SECONDS, LiveTimes(plan), compared=compared)


def _launches(cpu: int | None, starts: Sequence[StartWorker]) -> tuple[Launch, Launch, Launch]:
    first, second, third = (
        Launch(start, WorkerOptions(cpu, TIMEOUT, name)) for name, start in zip(SIDES, starts, strict=True)
    )
    return first, second, third


# Tables of them


def arm_seconds(kind: Kind) -> float:
    """Return the seconds of timing in a round, all sides and blocks together."""
    return len(SIDES) * sum(calibration.round_seconds for calibration in kind.lockstep.calibrations.values())


def print_scatter(kinds: Sequence[Kind], margin: float) -> None:
    """Print the second and the third table."""
    rounds = len(kinds[0].seconds)
    print(f"\nScatter of a round's ratio, {rounds} rounds, median of {kinds[0].logs(1.0).shape[0]} cases")
    print(f"  {'workers':<8} {'arm':>8} {'robust sd %':>22} {'sd %':>22} {'offset':>7} {'s a round':>10} {'need':>14}")
    for kind in kinds:
        shares = {share: kind.logs(share) for share in SHARES}
        for share, logs in shares.items():
            seconds = float(np.median(kind.seconds)) - (1 - share) * arm_seconds(kind)
            rounds_needed_here = need(logs, margin)
            print(
                f"  {kind.name:<8} {1000 * share * ARM_SECONDS:>5.1f} ms {_cell(interval(scatter, logs)):>22} "
                f"{_cell(interval(wide, logs)):>22} {offset(logs):>7.2f} {seconds:>10.2f} "
                f"{rounds_needed_here:>5.0f}, {rounds_needed_here * seconds:>4.0f} s"
            )
    first, *others = kinds
    print(f"\nOver {first.name} workers, and shorter arms over longer ones: quotient of the scatter")
    print(f"  {'':<26} {'robust sd':>22} {'sd':>22}")
    for kind in others:
        for share in SHARES:
            pair = kind.logs(share), first.logs(share)
            print(f"  {kind.name}, {1000 * share * ARM_SECONDS:>4.1f} ms".ljust(28), _quotients(*pair))
    for share in SHARES[1:]:
        pair = first.logs(share), first.logs(1.0)
        shorter = f"{1000 * share * ARM_SECONDS:>4.1f} over {1000 * ARM_SECONDS:.0f} ms"
        print(f"  {first.name}, {shorter}".ljust(28), _quotients(*pair))


def _quotients(logs: Floats, over: Floats) -> str:
    return f"{_cell(interval(scatter, logs, over)):>22} {_cell(interval(wide, logs, over)):>22}"


def _cell(row: Interval) -> str:
    return f"{row.value:.2f} ({row.low:.2f} to {row.high:.2f})"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=9.0, help="for the rounds; what is measured by then counts")
    parser.add_argument(
        "--kinds",
        type=lambda text: text.split(","),
        default=["serial", "parallel"],
        help="of serial,parallel,ahead,forked",
    )
    parser.add_argument("--margin", type=float, default=5.0, help="percent")
    arguments = parser.parse_args()
    print_parts()
    print_scatter(measured(arguments.kinds, arguments.rounds, arguments.minutes), arguments.margin / 100)


if __name__ == "__main__":
    main()
