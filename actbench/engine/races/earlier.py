"""What runs that are on disk already say about races.

A run counts for a block where it was made on this host, with these versions and this code, on the same inputs, and
measured all arms of the block together, or until they had lost to another of them. The tests of a race hold whenever
measuring stops: what was decided stays decided, with its error, and rounds of several runs are rounds of one race.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from actbench.analysis.races import BlockEvidence
from actbench.engine.races.code_here import CodeHere, kernels_of
from actbench.engine.races.collecting import CollectedRuns, alike
from actbench.errors import InputError, listed
from actbench.host.software import LIBRARIES
from actbench.model.cases import Arm, Case, KernelId
from actbench.model.plan import Plan
from actbench.model.times import Times
from actbench.runs import archive, files, latest
from actbench.runs.archive import Run
from actbench.runs.baseline import differences, host_differences
from actbench.runs.names import RUN
from actbench.runs.record import Record, Status


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """A run that says something."""

    path: Path
    created: str
    """UTC, ISO 8601."""
    foreign: tuple[str, ...]
    """What differs from here, a sentence each; nothing but in a run that the user names."""


@dataclass(slots=True)
class EarlierRuns:
    """What earlier runs say."""

    runs: list[EarlierRun] = field(default_factory=list)
    """Those that say something, the earliest first."""
    by_block: dict[str, BlockEvidence] = field(default_factory=dict)
    contradicting: dict[str, tuple[Path, ...]] = field(default_factory=dict)
    """By block, the runs that do not count there since they contradict each other."""
    unreadable: list[str] = field(default_factory=list)
    """Why runs that the user did not name cannot be read, a sentence each."""
    repeating: list[Path] = field(default_factory=list)
    """The directories of runs that say nothing which those do not."""

    @property
    def paths(self) -> list[Path]:
        """The directories of those that say something."""
        return [run.path for run in self.runs]

    @property
    def contradictions(self) -> list[str]:
        """The same as sentences, without a full stop."""
        blocks: dict[tuple[Path, ...], list[str]] = {}
        for name, paths in self.contradicting.items():
            blocks.setdefault(paths, []).append(name)
        return [
            f"{listed([*map(str, paths)])} contradict each other about what is faster in {listed(names)}, and say "
            "nothing about it"
            for paths, names in blocks.items()
        ]

    @property
    def foreign(self) -> list[EarlierRun]:
        """The runs that differ from here in host, versions or code, so that no rounds of here continue them."""
        return [run for run in self.runs if run.foreign]

    def without_runs(self) -> EarlierRuns:
        """Return what remains where none of the runs counts."""
        return EarlierRuns(contradicting=self.contradicting, unreadable=self.unreadable)


def found_here() -> list[Path]:
    """Return the directories of the runs under results/, the earliest first."""
    records = [path for path in latest.RESULTS.glob(f"*/{RUN}") if not path.parent.is_symlink()]
    return [path.parent for path in files.oldest_first(records)]


def evidence(directories: Iterable[Path], here: Record, code: CodeHere, *, named: bool, apart: bool) -> EarlierRuns:
    """Return what runs say about the blocks of what would be measured, `here`; with `apart`, about each backend alone.

    A run says nothing about a block whose kernels execute other code here than in it, as far as that is known. Runs
    that the user names count wherever they were made, and raise `InputError` where they cannot be read.
    """
    known = EarlierRuns()
    collected = [CollectedRuns(block, apart) for block in here.plan.blocks]
    runs: dict[Path, EarlierRun] = {}
    for path in directories:
        try:
            directory = _target(path)
            run = archive.load_timed(directory) if named or _may_count(directory, here) else None
        except InputError as error:
            if named:
                raise
            known.unreadable.append(str(error))
            continue
        if run is None or run.record is None or not _same_conditions(run.record, here):
            continue
        changed = code.changed(run.record, here.plan.blocks)
        foreign = [*_foreign(run.path, run.record, here), *_changes(changed)] if named else []
        runs.setdefault(run.path, EarlierRun(directory, run.record.created, tuple(foreign)))
        failing = [] if foreign else code.still_failing(run.record, here.plan.blocks)
        for of_block in collected:
            if named or not (changed and changed & kernels_of(of_block.block)):
                of_block.add(run, failing)
    findings = {of_block.block.id: of_block.findings() for of_block in collected}
    counting, repeating = (
        {path for of_block in findings.values() for path in getattr(of_block, name)}
        for name in ("counting", "repeating")
    )
    known.runs = [run for path, run in runs.items() if path in counting]
    known.repeating = [run.path for path, run in runs.items() if path in repeating - counting]
    known.by_block = {name: of_block.evidence for name, of_block in findings.items() if of_block.evidence}
    known.contradicting = {
        name: of_block.contradicting for name, of_block in findings.items() if of_block.contradicting
    }
    return known


def silent(sources: Iterable[Path], known: EarlierRuns, here: Record) -> list[str]:
    """Return a sentence for each run that the user names which says nothing, or nothing more than the others."""
    contradicting = {path for paths in known.contradicting.values() for path in paths}
    sentences = []
    for source, path in ((source, _target(source)) for source in sources):
        if path in known.repeating:
            sentences.append(f"--from {source}: others that are named have its rounds.")
        elif path not in {*known.paths, *contradicting}:
            sentences.append(f"--from {source} says nothing about it: {why_nothing(path, here)}.")
    return sentences


OF_RACES = {
    "activation": "activation",
    "op": "op",
    "dtype": "dtype",
    "size": "size",
    "operands": "state of operands",
}
"""What cases of a race share, in words."""

OF_TRAINING_RACES = OF_RACES | {"op": "training step of", "size": "batch of"}
"""The same of training steps, whose op is a network, and whose size is a number of rows."""


NOT_TOGETHER = "what races was not measured in the same rounds there"


def why_nothing(directory: Path, here: Record) -> str:
    """Return why a run says nothing about the races of what would be measured, as a clause."""
    run = archive.load_timed(directory)
    if bool(run.plan.training) is not bool(here.plan.training):
        networks = dict.fromkeys(str(block.op) for block in run.plan.blocks)
        return (
            f"it has training steps alone, of {listed([*networks])}"
            if run.plan.training
            else "it has no training steps"
        )
    for name, what in (OF_TRAINING_RACES if here.plan.training else OF_RACES).items():
        sought, there = (
            [*dict.fromkeys(getattr(block, name) for block in plan.blocks)] for plan in (here.plan, run.plan)
        )
        if not {*sought} & {*there}:
            return f"it has no {what} {listed([*map(str, sought)])}, but {listed([*map(str, there)])}"
    if run.record is None:
        return f"it is without {RUN}, which says where and how it was made"
    if not _same_conditions(run.record, here):
        return "its inputs, engine, optimizer or number of threads are not those of here"
    for name in ("backend", "strategy"):
        sought, there = (
            [*dict.fromkeys(str(getattr(arm, name)) for arm in _arms(plan))] for plan in (here.plan, run.plan)
        )
        if missing := [one for one in sought if one not in there]:
            return f"it has no {name} {listed(missing)}, but {listed(there)}"
    measured = {*run.plan.cases, *(Case.parse(one.case) for one in run.plan.left_out if one.lost)}
    missing = [case.id for case in here.plan.cases if case not in measured]
    choosing = "-s chooses" if here.plan.training else "-s and --operands choose"
    return f"it has no {listed(missing)} ({choosing} what races)" if missing else NOT_TOGETHER


def _arms(plan: Plan) -> list[Arm | Case]:
    """Return the arms that were measured, and the cases of those that lost before."""
    lost = [Case.parse(one.case) for one in plan.left_out if one.lost]
    return [*(arm for block in plan.blocks for arm in block.arms), *lost]


def _target(directory: Path) -> Path:
    """Return the directory that ``latest`` means now, since later it means another one; any other path as it is."""
    if not latest.is_meant(directory):
        return directory
    return latest.target(latest.LATEST) or latest.complete()


def _may_count(directory: Path, here: Record) -> bool:
    """Return whether a run was made here, and has a block of those that would be measured; `InputError` as it is read.

    Its measurements, which may be many, are not read for that.
    """
    record = archive.read_record(directory)
    return (
        record.status is not Status.REFUSED
        and _same_conditions(record, here)
        and any(alike(block, record.plan.blocks) for block in here.plan.blocks)
        and not _foreign(directory, record, here)
    )


def _foreign(path: Path, record: Record, here: Record) -> list[str]:
    """Return what differs between the host and the versions of a run and those of here.

    Libraries of further backends, which the run has, make no difference.
    """
    needed = {*LIBRARIES, *here.environment.libraries}
    libraries = {name: version for name, version in record.environment.libraries.items() if name in needed}
    record = replace(record, environment=replace(record.environment, libraries=libraries))
    there, now = (_without_times(path, one) for one in (record, here))
    hosts = [f"{name} was {was}, is {name_now}" for name, was, name_now in host_differences(there, now)]
    return [*hosts, *differences(there, now)]


def _without_times(path: Path, record: Record) -> Run:
    return Run(path, record.plan, Times(record.plan), record, {})


def _changes(kernels: Iterable[KernelId]) -> list[str]:
    """Return a sentence about kernels that execute other code here than in a run, if there are any."""
    changed = sorted(kernel.id for kernel in kernels)
    return [f"the code of {listed(changed)} is not that of then"] if changed else []


def _same_conditions(record: Record | None, here: Record) -> bool:
    """Return whether inputs, engine, optimizer, and the threads of backends that both have, are those of here."""
    if record is None or record.plan.inputs != here.plan.inputs:
        return False
    optimizers = [plan.training.optimizer if plan.training else None for plan in (record.plan, here.plan)]
    there, now = (_without_times(Path(), one) for one in (record, here))
    shared = {arm.backend for arm in _arms(record.plan)} & {arm.backend for arm in _arms(here.plan)}
    return (
        record.settings.engine is here.settings.engine
        and optimizers[0] is optimizers[1]
        and all(there.threads_of(name) == now.threads_of(name) for name in shared)
    )
