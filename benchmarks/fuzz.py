"""Damaged directories: a run with damaged files is refused in one sentence, or read as it was measured.

    python -m benchmarks.fuzz [--count 10000] [--seed 0] [--processes 2] [--of run|train]

A copy of a small run gets one to three damages by chance, and one of the commands reads it. What must never be: a
traceback, a hang, another exit code than those of bad input, or a run that is accepted with other values, checks or
loops than were measured. `tests/unit/test_fuzz.py` does a few hundred of these.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import chdir, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from actbench.cli import main as commands
from actbench.errors import InputError
from actbench.model.cases import Case
from actbench.runs import archive, journal
from actbench.runs.names import JOURNAL
from benchmarks.fuzz_damage import Damager
from tests.support.exact_times import exact_seconds
from tests.support.fake import FakeBench

COMMAND_TIMEOUT = 20
"""Seconds that a command may take."""

RUNS = ("one", "other")
"""The runs, of one plan and with other values."""

READERS: tuple[tuple[str, ...], ...] = (
    *(("compare", "here"),) * 6,
    ("compare", "here/pyperf.json"),
    ("compare", "here/pyperf.json", "--by", "backend"),
    ("compare", "one", "here"),
    ("check", "here", "--baseline", "one"),
    ("check", "one", "--baseline", "here"),
    ("export", "here", "--to", "benchstat"),
    ("export", "here", "--to", "asv", "--commit", "0" * 40),
    ("plot", "rounds", "here", "-o", "rounds.svg"),
    ("report", "here", "-o", "report.html"),
)

SELECTIONS = {
    "run": ("-a", "logistic,tanh", "-s", "recompute,cached", "-b", "numpy", "-d", "float64", "-n", "1000"),
    "train": (
        *("mlp:8-6-4-2", "--batch", "64", "--operands", "warm"),
        *("-a", "logistic,tanh", "-s", "recompute,cached,free", "-b", "numpy"),
    ),
}
"""By command, what it measures."""

SLOW = ("plot", "report")
"""What draws."""

REFUSED = {2, 5}
"""Exit codes for what cannot be read, or not be compared."""

Measured = dict[tuple[str, int], tuple[tuple[float, ...], ...]]
"""Seconds by block and round."""


def make(directory: Path, seed: int = 0, command: str = "run") -> None:
    """Write the runs of a command: times vary, and the last round is in the journal alone."""
    for number, name in enumerate(RUNS):
        rng = random.Random(f"{seed}/{number}")  # noqa: S311  # damage, no secret

        def seconds(case: Case, rng: random.Random = rng) -> float:
            return exact_seconds(case) * rng.lognormvariate(0, 0.05)

        with chdir(directory):
            arguments = [command, *SELECTIONS[command], "--seed", "1", "--rounds", "6", "-o", name]
            done = CliRunner().invoke(commands, arguments, obj=FakeBench(seconds).seams)
        assert done.exit_code == 0, done.output
        run = archive.load(directory / name)
        assert run.record is not None
        again = [replace(times, round=7) for times in run.times.finished() if times.round == 3]
        lines = [journal.line(run.record, place, times) for place, times in enumerate(again, start=1)]
        (directory / name / JOURNAL).write_bytes(b"".join(lines))


@dataclass(frozen=True, slots=True)
class Truth:
    """What was measured in a run."""

    seconds: Measured
    saved: frozenset[tuple[str, int]]
    """What is not in the journal alone."""
    measured: tuple[Any, ...]

    @classmethod
    def of(cls, path: Path) -> Truth:
        """Read it."""
        run = archive.load(path)
        assert run.record is not None
        saved = frozenset((block, number) for block, rounds in run.record.digests.items() for number in rounds)
        return cls(measured(run), saved, recorded(run))


def measured(run: archive.Run) -> Measured:
    """Return the seconds of a run, to nine digits, as values.csv has them."""

    def rounded(arms: Iterable[Iterable[float]]) -> tuple[tuple[float, ...], ...]:
        return tuple(tuple(float(f"{value:.9g}") for value in arm if value > 0) for arm in arms)  # not what pads

    return {
        (block.id, number): rounded(seconds)
        for block in (*run.plan.blocks, *run.plan.probes)
        if run.times.rounds(block)
        for number, seconds in zip(run.times.rounds(block), run.times.seconds(block).tolist(), strict=True)
    }


def recorded(run: archive.Run) -> tuple[Any, ...]:
    """Return what else was measured: what is not known of a suite without its run is None."""
    record = run.record
    if record is None:
        return (run.loops, None)
    return (run.loops, (record.checks, record.step_checks, record.parts, record.calibrations, record.plan))


def agree(run: archive.Run, truth: Truth) -> bool:
    """Say whether a run that is accepted is as it was measured: a journal may have lost its last lines to a kill."""
    there, (loops, record), (right_loops, right) = measured(run), recorded(run), truth.measured
    cases = {block.id for block in run.plan.blocks}
    due = {key for key in truth.saved if run.record is not None or key[0] in cases}  # a suite has no probes
    values = all(truth.seconds.get(key) == value for key, value in there.items()) and due <= there.keys()
    return values and loops == right_loops and record in (None, right)


@contextmanager
def limited() -> Iterator[None]:
    """End what hangs."""

    def give_up(*_: object) -> None:
        raise TimeoutError("it hangs")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(COMMAND_TIMEOUT)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def fault(result: Result, reader: tuple[str, ...]) -> str | None:
    """Say what is wrong with how a command ended; None where nothing is."""
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        return f"{type(result.exception).__name__}: {result.exception}"
    if "Traceback" in result.output or "Warning" in result.output:
        return result.output[-2000:]
    if result.exit_code in REFUSED and result.stderr.count("\n") != 1:
        return f"more than a line: {result.stderr}"
    fine = {0, 1, 3} if reader[0] == "check" else {0}
    return None if result.exit_code in REFUSED | fine else f"exit code {result.exit_code}"


def trial(number: int, runs: Path, seed: int, truths: dict[str, Truth], *, drawing: bool) -> tuple[str, str | None]:
    """Damage a copy and read it; return what came of it, and what is wrong with that."""
    rng = random.Random(f"{seed}/{number}")  # noqa: S311  # damage, no secret
    readers = [reader for reader in READERS if drawing or reader[0] not in SLOW]
    reader = rng.choice(readers)
    with tempfile.TemporaryDirectory() as scratch, chdir(scratch):
        shutil.copytree(runs / "one", "one")
        shutil.copytree(runs / "one", "here")
        shutil.copytree(runs / "other", "other")  # a link to it may be written through
        damager = Damager(rng, Path("here").absolute(), Path("other").absolute())
        done = "; ".join(damager() for _ in range(rng.choice([1, 1, 1, 2, 3])))
        try:
            with limited():
                result = CliRunner().invoke(commands, list(reader))
                wrong = fault(result, reader)
                accepted = result.exit_code not in REFUSED and _differs(reader, truths)
        except TimeoutError as error:
            return "hang", f"{number}: {' '.join(reader)}: {done}: {error}"
        if accepted:
            wrong = wrong or "it was accepted with other values than were measured"
        outcome = "refused" if result.exit_code in REFUSED else "accepted"
    return outcome, wrong and f"{number}: {' '.join(reader)}: {done}: {wrong}"


def _differs(reader: tuple[str, ...], truths: dict[str, Truth]) -> bool:
    """Say whether what a command has accepted is something else than either run."""
    path = next(Path(line) for line in reader if line.startswith("here"))
    try:
        run = archive.load(path)
    except InputError:
        return True
    return not any(agree(run, truth) for truth in truths.values())


def trials(
    numbers: range, runs: Path, seed: int = 0, *, drawing: bool = True, say: Callable[[str], None] = print
) -> Counter[str]:
    """Do these trials; return how many ended how, `wrong` among them."""
    truths = {name: Truth.of(runs / name) for name in RUNS}
    outcomes: Counter[str] = Counter()
    for number in numbers:
        outcome, wrong = trial(number, runs, seed, truths, drawing=drawing)
        outcomes[outcome] += 1
        if wrong:
            outcomes["wrong"] += 1
            say(wrong)
    return outcomes


def _share(share: tuple[range, Path, int]) -> Counter[str]:
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # it is a file
    return trials(*share)


def main() -> None:
    """Print what is wrong, and how many ended how; exit code 1 where anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--of", choices=SELECTIONS, default="run")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        make(Path(directory), arguments.seed, arguments.of)
        shares = [range(first, arguments.count, 8 * arguments.processes) for first in range(8 * arguments.processes)]
        with ProcessPoolExecutor(arguments.processes) as pool:
            ended = pool.map(_share, [(share, Path(directory), arguments.seed) for share in shares])
            outcomes = sum(ended, Counter[str]())
    print(", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items())))
    sys.exit(1 if outcomes["wrong"] else 0)


if __name__ == "__main__":
    main()
