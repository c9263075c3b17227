"""The environments of commits, opened when they are measured, and closed together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from actbench.engine.launch import StartWorker, WorkerOptions
from actbench.engine.live.baseline import NOT_LOADED, OpenBaseline, describe, first_worker
from actbench.engine.live.baseline_code import code_of
from actbench.engine.live.environment_cache import Tell
from actbench.engine.live.live_selection import LiveSelection
from actbench.engine.live.revisions import GIT
from actbench.errors import NotComparableError
from actbench.model.bisected_commit import BisectedCommit
from actbench.model.cases import Case


@dataclass(frozen=True, slots=True)
class CommitEnvironment:
    """The environment of a commit."""

    start: StartWorker
    offered: frozenset[Case]
    """The selected cases that it has."""
    versions: Mapping[str, str]
    """The versions of what was installed in it for the commit."""
    lacking: tuple[str, ...] = ()
    """The files that --load names, and that the commit does not have."""


@dataclass
class CommitEnvironments:
    """The environments of the commits from GOOD to BAD, by number; close `stack` to close them."""

    commits: Sequence[BisectedCommit]
    selection: LiveSelection
    options: WorkerOptions
    open_baseline: OpenBaseline
    tell: Tell
    clock: Callable[[], float]
    stack: ExitStack
    pins: Mapping[str, str]
    """The versions that all environments have, unless a commit needs others; none before GOOD's are known."""
    remarks: list[str] = field(default_factory=list)
    opened: dict[int, CommitEnvironment] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    """How long it took to open each."""

    def get(self, number: int) -> CommitEnvironment:
        """Return an environment; build it where it does not exist.

        `NotComparableError` says why the commit cannot be measured.
        """
        if number not in self.opened:
            began = self.clock()
            self.opened[number] = self._open(self.commits[number])
            self.seconds.append(self.clock() - began)
        return self.opened[number]

    def get_good(self) -> CommitEnvironment:
        """Return GOOD's environment, whose versions are everybody's unless there are pins already.

        It is the one that was built without pins, as long as its versions are those.
        """
        recorded, self.pins = self.pins, {}
        good = self.get(0)
        self.pins = recorded or good.versions
        if self.pins != good.versions:  # it was built anew since they were recorded
            del self.opened[0]
            good = self.get(0)
        return good

    def cost_of_opening(self) -> float:
        """Return the mean duration of opening an environment, in seconds."""
        return sum(self.seconds) / len(self.seconds) if self.seconds else 0.0

    def _open(self, commit: BisectedCommit) -> CommitEnvironment:
        name = f"{GIT}{commit.hash}"
        try:
            there = self.stack.enter_context(self.open_baseline(name, self.tell, self.pins))
            code = code_of(there.revision, (), f"{self.commits[0].hash}..{self.commits[-1].hash}")
            start = there.start_with(code.sources)
            with first_worker(
                start, replace(self.options, role=f"commit {commit.short}", is_name=True), name
            ) as worker:
                describe(worker, name)
                offered = frozenset(self.selection.offered_by(worker))
        except NotComparableError as error:
            reason = str(error).removeprefix(f"--against {name}: ")
            if reason.startswith(NOT_LOADED):  # it is the commit's version of the file
                reason = reason.removeprefix(NOT_LOADED).removeprefix(f"in commit {commit.short}, ")
            raise NotComparableError(reason) from None
        others = [f"{name} {version}" for name, version in there.versions.items() if self.pins.get(name) != version]
        for file in code.shared:
            remark = (
                f"{file} is in none of these commits: all of them load the one here, so a change of it does not show"
            )
            if remark not in self.remarks:
                self.remarks.append(remark)
        if self.pins and others:
            self.remarks.append(f"{commit.short} needs what GOOD does not have: {', '.join(others)}")
        return CommitEnvironment(start, offered, there.versions, code.lacking)
