"""The evidence of a bisect on disk, for an interrupted one to go on: one file per question, in the user's cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from actbench import plugins
from actbench.analysis.check_live import LiveTimes
from actbench.engine.live.revisions import execute
from actbench.engine.requests import CheckRequest
from actbench.errors import InputError, NotComparableError, unwritable
from actbench.host import directories, environment
from actbench.host.environment import Environment
from actbench.kernels import code_digest
from actbench.model.bisected_commit import BisectedCommit
from actbench.model.outcomes import BlockTimes
from actbench.runs import files

SCHEMA = 2
FILE = "bisect.json"

BEGIN_ANEW = "leave --resume out, to begin again"
"""The way out where evidence cannot be used."""


@dataclass(frozen=True, slots=True)
class MeasuredBy:
    """The host, and the code of actbench, by which evidence was measured."""

    environment: Environment
    """Without libraries: those of the commits count, which are in environments of their own."""
    source: str
    """The digest of actbench's source, whose version may be the same after a change."""

    @classmethod
    def here(cls, cpu: int | None) -> MeasuredBy:
        """Return those of this process, whose workers are pinned to a processor."""
        host = replace(environment.collect(cpu), libraries={}, blas="")
        return cls(host, code_digest.source_of_actbench())


@dataclass(frozen=True, slots=True)
class StoredTimes:
    """One block in one round of the check of BAD: seconds per call by side, arm and value."""

    block: str
    round: int
    sides: tuple[tuple[tuple[float, ...], ...], ...]


@dataclass(frozen=True, slots=True)
class StoredRound:
    """A round of a commit: by case, the logarithms of its ratio to GOOD, and of GOOD's to itself."""

    commit: str
    ratios: dict[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class StoredSkip:
    """Cases that cannot be measured in a commit, and why."""

    commit: str
    cases: tuple[str, ...]
    reason: str


@dataclass
class BisectState:
    """What is known so far."""

    schema: int = SCHEMA
    seed: int = 0
    measured_by: MeasuredBy | None = None
    """None only where it is of an earlier schema."""
    seconds: float = 0.0
    """What it has taken, all sessions together."""
    pins: dict[str, str] = field(default_factory=dict)
    """The versions of libraries for all commits; empty before GOOD is built."""
    first: list[StoredTimes] = field(default_factory=list)
    """The rounds of the check of BAD."""
    slower: list[str] | None = None
    """The cases that got slower; None before that check has ended with some."""
    undecided: list[str] = field(default_factory=list)
    """The cases that it left open."""
    rounds: list[StoredRound] = field(default_factory=list)
    skipped: list[StoredSkip] = field(default_factory=list)

    def keep_first(self, times: LiveTimes) -> None:
        """Keep the rounds of the check of BAD that are not kept yet."""
        kept = {(stored.block, stored.round) for stored in self.first}
        for block, number, _ in times.baseline.arrays(times.baseline.planned):
            if (block.id, number) not in kept:
                sides = tuple(side.in_round(block, number).seconds for side in times.all_three)
                self.first.append(StoredTimes(block.id, number, sides))

    def restore_first(self, times: LiveTimes) -> int:
        """Add the rounds that were kept, as far as these times are of their blocks; return the number of the last.

        The others are kept no longer.
        """
        blocks = {block.id: block for block in times.baseline.planned}
        last, before, self.first = 0, self.first, []
        for stored in before:
            block = blocks.get(stored.block)
            if block is not None and all(len(seconds) == len(block.timed) for seconds in stored.sides):
                last = stored.round
                self.first.append(stored)
                for side, seconds in zip(times.all_three, stored.sides, strict=True):
                    side.add(BlockTimes(block, stored.round, seconds))
        return last


class StateFile:
    """The file of a question, held by one process."""

    def __init__(self, path: Path) -> None:
        """Take its path."""
        self._path = path

    def load(self, here: MeasuredBy, seed: int | None) -> BisectState:
        """Return what it holds; `InputError` where there is nothing, or it is damaged.

        `NotComparableError` where it was measured on another host or by another actbench than `here`, or with another
        seed than the user's.
        """
        try:
            state = msgspec.json.decode(self._path.read_bytes(), type=BisectState)
        except FileNotFoundError:
            raise InputError(
                "--resume: there is nothing to go on with for these commits and options: leave it out"
            ) from None
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise InputError(f"{self._path} cannot be read ({error}): {BEGIN_ANEW}") from None
        if difference := _difference(state, here):
            raise NotComparableError(f"--resume: what is there was measured by {difference}: {BEGIN_ANEW}")
        if seed not in {None, state.seed}:
            raise NotComparableError(f"--resume: what is there was measured with --seed {state.seed}: leave --seed out")
        return state

    def save(self, state: BisectState) -> None:
        """Write it in one move; `OutputError` where the disk is full: what was written before is then intact."""
        files.write(self._path, msgspec.json.encode(state))


def _difference(state: BisectState, here: MeasuredBy) -> str:
    """Return by what else the evidence was measured; nothing where it is comparable with what is measured here."""
    there = state.measured_by
    if state.schema != SCHEMA or there is None:
        return "another version of actbench"
    if differing := environment.difference(there.environment, here.environment):
        name, before, now = differing
        return f"another host or other software ({name}: {before} then, {now} now)"
    return "" if there.source == here.source else "another actbench, whose code differs from that of this one"


def question(commits: Sequence[BisectedCommit], check: CheckRequest) -> str:
    """Return the name of what is asked: commits, cases, and how they are measured."""
    here = execute("bisect", "git rev-parse", "--show-toplevel", "--show-prefix")
    loaded = [(code.name, code.sha256) for code in plugins.loaded()]
    decisive = here, commits[0].hash, commits[-1].hash, replace(check, budget=None, seed=None), loaded
    return directories.name_for(repr(decisive))


@contextmanager
def opened(question: str) -> Iterator[StateFile]:
    """Yield the file of a question; `InputError` while another process has it, or it cannot be written."""
    directory = directories.cache() / "bisect" / question
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"cannot write to the cache {directory} ({error.strerror}): name another by $XDG_CACHE_HOME"
        raise unwritable(message, error) from None
    with files.locked(directory, "another bisect of the same commits and cases is running: wait for it"):
        yield StateFile(directory / FILE)
