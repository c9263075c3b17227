"""The evidence of a bisect on disk, for an interrupted one to go on: one file per question, in the user's cache."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from actbench.analysis.check_live import LiveTimes
from actbench.errors import InputError, unwritable
from actbench.host import directories
from actbench.model.outcomes import BlockTimes
from actbench.runs import files

SCHEMA = 1
FILE = "bisect.json"


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

    def load(self) -> BisectState:
        """Return what it holds; `InputError` where there is nothing, or it is damaged."""
        try:
            state = msgspec.json.decode(self._path.read_bytes(), type=BisectState)
        except FileNotFoundError:
            raise InputError(
                "--resume: there is nothing to go on with for these commits and options: leave it out"
            ) from None
        except (OSError, msgspec.MsgspecError) as error:
            raise InputError(f"{self._path} cannot be read ({error}): leave --resume out, to begin again") from None
        if state.schema != SCHEMA:
            raise InputError(f"{self._path} is of another version of actbench: leave --resume out, to begin again")
        return state

    def save(self, state: BisectState) -> None:
        """Write it in one move; `OutputError` where the disk is full: what was written before is then intact."""
        files.write(self._path, msgspec.json.encode(state))


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
