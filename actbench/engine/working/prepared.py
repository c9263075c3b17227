"""In a worker: a block that is taken up, with its operands in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import count

import numpy as np

from actbench.engine.protocol import Slice, Sweep, Taken
from actbench.engine.working.undisturbed import undisturbed
from actbench.host.code_placement import CodePlacement
from actbench.host.stack_placement import PLACES, call_at
from actbench.kernels import sets
from actbench.kernels.calls import Calls, Timed, WarmCalls
from actbench.kernels.cold_calls import calls_of
from actbench.kernels.operands import Operands
from actbench.kernels.placement import Placement
from actbench.kernels.rotation import Rotation
from actbench.kernels.subject import Subject
from actbench.model.cases import Case
from actbench.model.inputs import Inputs
from actbench.model.names import OperandState
from actbench.verification import behaviour
from actbench.verification.behaviour.comparison import compared
from actbench.verification.behaviour.watch import Watch

QUIET = np.errstate(all="ignore")
"""Lets numpy not warn of an overflow: it would take two microseconds of every call that has one."""


class PreparedBlock:
    """The arms of a block, in order: its cases first, then its yardsticks."""

    @QUIET
    def __init__(self, arms: Mapping[Case, Subject], seed: int, inputs: Inputs, cache: int, *, whole: bool) -> None:
        """Draw the inputs; of cold operands there are so many sets that they pass a cache of `cache` bytes twice."""
        self.subjects = [*arms.values()]
        (case, first), *_ = arms.items()
        self._size, self._state = case.size, case.operands
        self._one_thread = [subject.backend.one_thread_works for subject in self.subjects]
        self.operands = Operands.drawn(first.activation, first.dtype, self._size, seed, inputs, case.rows)
        self._watch = Watch(self.subjects, self.operands, whole=whole)
        self._rotations = {} if self._state is OperandState.WARM else self._rotated(cache)
        self._cold: list[Calls] | None = None
        if self._rotations:
            for calls in self._calls(Placement(self.operands, np.random.default_rng())):
                calls.results()  # its pages are touched, and its passes compiled, before anything is timed

    @QUIET
    def sweep(self, sweep: Sweep, code: CodePlacement | None) -> list[Taken]:
        """Move operands, and code where the sweep says so, elsewhere in memory; then time the slices.

        From slice to slice, the stack of an arm goes through its places, starting at any.
        """
        if sweep.move and code is not None:
            code.move()
        placement = Placement(self.operands, np.random.default_rng(sweep.seed))
        arms = self._calls(placement)
        last = {part.arm: place for place, part in enumerate(sweep.slices)}
        unwatched = {*last}
        stack = {arm: count(sweep.seed + arm) for arm in last}
        timings = []
        for place, part in enumerate(sweep.slices):
            watched = unwatched if last[part.arm] == place else set[int]()
            ready = partial(self._ready, part, arms, placement, watched)
            timed = partial(undisturbed, ready, one_thread=self._one_thread[part.arm])
            timings.append(call_at(next(stack[part.arm]) % PLACES, timed))
        if sweep.slices:
            self._watch.look(arms, unwatched)
            self._watch.look_at_operands(
                [placement.changed, *(rotation.changed for rotation in self._rotations.values())]
            )
        return timings

    def _ready(self, part: Slice, arms: Sequence[Calls], placement: Placement, unwatched: set[int]) -> Timed:
        """Make an untimed call or more, and return the timed ones.

        Where calls are slow, the watched call of an arm, if it is among the `unwatched`, is the untimed one; comparing
        its result takes too little time to matter.
        """
        arm, subject = part.arm, self.subjects[part.arm]
        slow = part.calls == 1 and not placement.moves_result(subject.backend)
        if not (slow and arm in unwatched and self._watch.compares(subject)):
            return arms[arm].ready(placement, part.calls, part.phase)
        self._watch.look(arms, {arm})
        unwatched.remove(arm)
        return arms[arm].timed(part.calls)

    def doubts(self) -> Iterator[behaviour.Doubt]:
        """Yield what was seen in the calls after timed values, since the last time."""
        self._watch.look_at_operands([rotation.changed_anywhere for rotation in self._rotations.values()])
        yield from self._watch.doubts()

    def compared(self) -> Iterator[behaviour.Doubt]:
        """Call every arm once on all of the operands, and yield what differs from the reference."""
        passes_alone = self._state is not OperandState.WARM
        yield from compared(self.subjects, self.operands, passes_alone=passes_alone)

    def _calls(self, placement: Placement) -> list[Calls]:
        """Return the calls of each arm; where all operands rotate, those of the sweep before."""
        if self._cold is not None:
            return self._cold
        if not self._rotations:
            return [WarmCalls(subject.invocation(self._size, placement)) for subject in self.subjects]
        arms = [
            calls_of(subject, self._size, self._rotations[sets.memory_of(subject)], placement)
            for subject in self.subjects
        ]
        if self._state is OperandState.COLD:
            self._cold = arms
        return arms

    def _rotated(self, cache: int) -> dict[str, Rotation]:
        """Return the rotations, by what shares their sets."""
        rng = np.random.default_rng()
        counts = {
            name: sets.count(subjects, self._state, self._size, cache, self.operands.rows)
            for name, subjects in sets.sharing(self.subjects).items()
        }
        return {name: Rotation(self.operands, self._state, count, rng) for name, count in counts.items()}
