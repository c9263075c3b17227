"""What several runs say about one block together: every round once, and nothing where they contradict each other.

A copy of a run, the run that merged it with others, and one that went on with a copy have rounds in common. These are
the same measurements, and several times the same is no further evidence.

Where an arm lost to another in one run, and was faster in a second one, either may be the fastest: in this run the
other arm lost to it, directly or by way of further arms, or was slower in rounds that it has of both. Neither run
counts then, since an arm that may be the fastest would be out of the race. A run that was made after them is a race of
its own: it counts unless it contradicts one that still does, or has measurements in common with one that does not.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from actbench.analysis.races import BlockEvidence
from actbench.analysis.sequential import TAIL_PROBABILITY
from actbench.analysis.standings import time_over
from actbench.analysis.statistics import Floats
from actbench.engine.races.racing import joined
from actbench.model.cases import Arm, Block
from actbench.model.plan import LeftOut, LostRace
from actbench.runs.archive import Run

DIGITS = 1e-8
"""The relative difference up to which two times are the same measurement: values.csv has nine digits of it."""


@dataclass(frozen=True, slots=True, eq=False)
class BlockOfRun:
    """What a run has of a block."""

    path: Path
    arms: tuple[Arm, ...]
    rounds: tuple[int, ...]
    seconds: Floats
    """Rounds x arms, yardsticks after these, x values; NaN where an arm has fewer."""
    lost: Mapping[Arm, LostRace]
    """The arms that lost in it to another arm of their race."""
    codes: Mapping[Arm, str]
    """The digests of the code of these and of those that lost, as far as they are known."""
    failed: Mapping[Arm, LeftOut]
    """The arms that failed in it, and would here."""
    created: str = ""
    """UTC, ISO 8601."""

    @property
    def pairs(self) -> set[tuple[Arm, Arm]]:
        """The arms that lost, with those that they lost to."""
        return {(arm, race.faster) for arm, race in self.lost.items()}

    def of_arms(self, arms: Iterable[Arm]) -> Floats:
        """Return the seconds of some arms: rounds x arms x values."""
        return self.seconds[:, [self.arms.index(arm) for arm in arms]]

    def shares_with(self, earlier: BlockOfRun) -> bool:
        """Return whether a run has the same measurements of some rounds, or of an arm that lost."""
        common = tuple(arm for arm in self.arms if arm in earlier.arms)
        has_lost = not self.lost.items().isdisjoint(earlier.lost.items())
        return has_lost or bool(common and self.repeated(earlier, common).any())

    def repeated(self, earlier: BlockOfRun, arms: tuple[Arm, ...]) -> NDArray[np.bool_]:
        """Return which of its rounds another run has, too: under the same number, with the same times of these arms."""
        _, here, there = np.intersect1d(self.rounds, earlier.rounds, return_indices=True)
        mine, its = self.of_arms(arms)[here], earlier.of_arms(arms)[there]
        values = min(mine.shape[-1], its.shape[-1])
        same = np.isclose(mine[..., :values], its[..., :values], rtol=DIGITS, atol=0, equal_nan=True)
        repeated = np.zeros(len(self.rounds), dtype=np.bool_)
        repeated[here] = same.all(axis=(1, 2))
        return repeated


@dataclass(frozen=True, slots=True)
class BlockFindings:
    """What was collected about a block."""

    evidence: BlockEvidence | None
    """None where no run counts."""
    counting: frozenset[Path]
    """The directories of the runs that it is from."""
    repeating: frozenset[Path]
    """Those of the runs that say nothing which these do not."""
    contradicting: tuple[Path, ...]
    """Those of the runs that do not count since they contradict each other."""


@dataclass(slots=True)
class CollectedRuns:
    """What was collected of a block so far."""

    block: Block
    apart: bool
    """Whether the backends of the block race apart."""
    runs: list[BlockOfRun] = field(default_factory=list)

    def add(self, run: Run, failing: Iterable[LeftOut] = ()) -> None:
        """Add what a run has of the block, if anything, and which of its failures are those of here."""
        measured = alike(self.block, run.times.blocks)
        if measured is not None:
            rounds, seconds = run.times.rounds(measured), run.times.seconds(measured)
            lost = {arm: race for arm, race in self._lost_in(run).items() if arm not in measured.arms}
            failed = {self._arms[one.case]: one for one in failing if one.case in self._arms}
            created = run.record.created if run.record else ""
            of_block = BlockOfRun(run.path, measured.arms, rounds, seconds, lost, self._codes(run), failed, created)
            self.runs.append(of_block)

    def findings(self) -> BlockFindings:
        """Return what all runs say together, those that were added first before others that have the same rounds."""
        contradicting = self._contradicting()
        remaining = [run for run in self.runs if run not in contradicting]
        failed = _failed(remaining)
        judged = [replace(run, lost=_without_leaders(run.lost, failed)) for run in remaining]
        complete, lost = self._complete(judged, failed)
        arms = tuple(arm for arm in self.block.arms if arm not in lost and arm not in failed)
        counting: list[BlockOfRun] = []
        known: dict[Arm, LostRace] = {}
        codes: dict[Arm, str] = {}
        parts: list[Floats] = []
        for run in complete:
            is_new = np.ones(len(run.rounds), dtype=np.bool_)
            for earlier in counting:
                is_new &= ~run.repeated(earlier, arms)
            if is_new.any() or not run.lost.items() <= known.items():
                counting.append(run)
                known |= run.lost
                codes |= run.codes
                parts.append(run.of_arms(arms)[is_new])
        evidence = BlockEvidence(arms, joined(parts), known, codes, failed) if parts else None
        paths = tuple(dict.fromkeys(run.path for run in self.runs if run in contradicting))
        repeating = frozenset(run.path for run in complete if run not in counting)
        return BlockFindings(evidence, frozenset(run.path for run in counting), repeating, paths)

    def _contradicting(self) -> list[BlockOfRun]:
        """Return the runs that contradict those made before them which do not yet contradict any; and these."""
        counting: list[BlockOfRun] = []
        contradicting: list[BlockOfRun] = []
        shows_opposite = cache(self._shows_opposite)
        for run in sorted(self.runs, key=lambda run: run.created):
            if any(run.shares_with(earlier) for earlier in contradicting):
                contradicting.append(run)
                continue
            counting.append(run)
            pairs = {pair for one in counting for pair in one.pairs}
            slower = {one: one.pairs | {pair[::-1] for pair in pairs if shows_opposite(one, pair)} for one in counting}
            circular = _circular(pair for of_run in slower.values() for pair in of_run)
            contradicting += (one for one in counting if slower[one] & circular)
            counting = [one for one in counting if not slower[one] & circular]
        return contradicting

    def _shows_opposite(self, run: BlockOfRun, pair: tuple[Arm, Arm]) -> bool:
        """Return whether the rounds of a run show the opposite of a slower arm and a faster one."""
        if not {*pair} <= {*run.arms}:
            return False
        arm, faster = map(run.arms.index, pair)
        return time_over(run.seconds, faster, arm, TAIL_PROBABILITY / max(1, len(self.block.arms) - 1)).low > 1

    def _complete(self, runs: list[BlockOfRun], failed: Container[Arm]) -> tuple[list[BlockOfRun], dict[Arm, LostRace]]:
        """Return the runs that measured all arms but those that failed or lost, there or in another; and what lost."""
        needed = {arm for arm in self.block.arms if arm not in failed}
        complete: list[BlockOfRun] = []
        lost: dict[Arm, LostRace] = {}
        while more := [run for run in runs if run not in complete and needed - {*lost, *run.lost} <= {*run.arms}]:
            complete += more
            for run in more:
                lost |= run.lost
        return [run for run in runs if run in complete], lost

    @property
    def _arms(self) -> dict[str, Arm]:
        """The arms of the block, by the ids of their cases."""
        return {case.id: arm for case, arm in zip(self.block.cases, self.block.arms, strict=True)}

    def _codes(self, run: Run) -> dict[Arm, str]:
        """Return the digests of the code of the block's arms, as far as a run has them."""
        codes = run.record.codes if run.record else {}
        cases = zip(self.block.cases, self.block.arms, strict=True)
        of_lost = {self._arms[one.case]: one.code for one in run.plan.left_out if one.code and one.case in self._arms}
        return {arm: codes[case.kernel] for case, arm in cases if case.kernel in codes} | of_lost

    def _lost_in(self, run: Run) -> dict[Arm, LostRace]:
        """Return the arms that lost in a run to another arm of their race."""
        arms = self._arms
        lost = {arms[one.case]: one.lost for one in run.plan.left_out if one.lost and one.case in arms}
        return {
            arm: race
            for arm, race in lost.items()
            if race.leader in arms and not (self.apart and arms[race.leader].backend != arm.backend)
        }


def alike(block: Block, blocks: Iterable[Block]) -> Block | None:
    """Return the block that is measured under the same conditions; None where there is none."""
    under_these = (one for one in blocks if one.conditions == block.conditions)
    return next((one for one in under_these if _has_as_many_threads(one, block)), None)


def _failed(runs: Sequence[BlockOfRun]) -> dict[Arm, LeftOut]:
    """Return the arms that failed in a run, and were measured in none."""
    measured = {arm for run in runs for arm in (*run.arms, *run.lost)}
    return {arm: one for run in runs for arm, one in run.failed.items() if arm not in measured}


def _without_leaders(lost: Mapping[Arm, LostRace], failed: Container[Arm]) -> dict[Arm, LostRace]:
    """Return the arms that lost, but for those of which nothing is known since what they lost to failed."""
    known = dict(lost)
    while unknown := [
        arm for arm, race in known.items() if race.faster in failed or race.faster in lost.keys() - known
    ]:
        for arm in unknown:
            del known[arm]
    return known


def _has_as_many_threads(one: Block, other: Block) -> bool:
    """Return whether the backends that two blocks share have several threads in both, or in neither."""
    shared = {arm.backend for arm in one.arms} & {arm.backend for arm in other.arms}
    return shared & {*one.copies} == shared & {*other.copies}


def _circular(slower: Iterable[tuple[Arm, Arm]]) -> set[tuple[Arm, Arm]]:
    """Return the pairs of an arm and a faster one that the other pairs contradict: by these, it is the faster one."""
    pairs = {*slower}
    reached = {start: {start} for start, _ in pairs}
    for faster in reached.values():
        while further := {end for start, end in pairs if start in faster} - faster:
            faster.update(further)
    return {(start, end) for start, end in pairs if start in reached.get(end, ())}
