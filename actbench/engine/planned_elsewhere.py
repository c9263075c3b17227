"""A run of a plan that was made before, perhaps on another host, or of a shard of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

from actbench import plugins, registry
from actbench.errors import InputError, NotComparableError, OptionsError
from actbench.host import environment, memory
from actbench.kernels import resolution
from actbench.kernels.drawing import pinned
from actbench.model.cases import Block, Case
from actbench.model.inputs import Inputs
from actbench.model.names import OperandState
from actbench.model.plan import LeftOut, Plan
from actbench.model.shard import Shard, part_of
from actbench.planning import suite, training, yardsticks
from actbench.planning.selection import Room
from actbench.runs.plan_file import PlanFile


@dataclass(frozen=True, slots=True)
class PlannedElsewhere:
    """A plan to measure, and which part of it."""

    file: PlanFile
    shard: tuple[int, int] = (1, 1)
    """The number of the part, from 1, and how many parts there are."""

    @property
    def recorded(self) -> Shard:
        """What the run records of the whole."""
        blocks = tuple(block.id for block in self.file.plan.blocks)
        return Shard(*self.shard, self.file.digest, blocks)

    def here(self, inputs: Inputs | None, cpu: int | None) -> Plan:
        """Return the part as it can be measured on this host: what cannot is left out, each case with its reason.

        `InputError` where nothing is left, and `NotComparableError` where inputs or code are not those of the plan.
        """
        plan = self.file.plan
        _refuse_other_code(self.file)
        used = pinned(inputs or plan.inputs)
        if used != plan.inputs:
            raise NotComparableError(f"--plan: the plan has inputs from {plan.inputs}, not {used}: name the same")
        plan = replace(part_of(plan, *self.shard), inputs=used)
        cold = any(block.operands is not OperandState.WARM for block in (*plan.blocks, *_beside_steps(plan)))
        cache = environment.last_level_cache(cpu) if cold else 0
        left_out = _unsupported(plan, Room(memory.usable(), cache, inf))
        smaller = yardsticks.with_kernel_copies(replace(plan, cache=cache).without(left_out), cpu)
        if not smaller.blocks:
            raise InputError(f"the plan has no case that can be measured here: {left_out[0].reason}")
        return smaller


def refuse_selection(named: frozenset[str], option: str = "--plan") -> None:
    """Raise `OptionsError` for options that decide what is measured, which the plan of `option` does."""
    if named:
        first = min(named).replace("_", "-").removesuffix("s")
        raise OptionsError(f"{option}: the plan decides what is measured, and how: leave out what selects ({first})")


def _refuse_other_code(file: PlanFile) -> None:
    here = {code.sha256 for code in plugins.loaded()}
    missing = [code.name for code in file.loaded if code.sha256 not in here]
    if missing or len(here) != len(file.loaded):
        what = f"name {missing[0]} with --load, as it was then" if missing else "leave --load out"
        raise NotComparableError(f"--plan: this is not the code that the plan was made with: {what}")


def _beside_steps(plan: Plan) -> tuple[Block, ...]:
    """Return the blocks from which the gains of training steps are predicted."""
    return plan.training.predictors if plan.training else ()


def _unsupported(plan: Plan, room: Room) -> list[LeftOut]:
    """Return the cases that cannot be measured on this host, those beside training steps included."""
    reasons: dict[Case, str | None] = {}
    cases = [case for block in (*plan.blocks, *_beside_steps(plan)) for case in block.cases]
    for case in cases:
        try:
            training.usable_trainer(case.backend) if case.op.network else registry.backend(case.backend)
        except InputError as error:
            reasons[case] = str(error)
    known = [case for case in cases if case not in reasons]
    if plan.training:
        reasons |= training.unmeasurable_steps(plan, [case for case in known if case.op.network], room)
    reasons |= suite.unmeasurable(resolution.subjects([case for case in known if not case.op.network]).items(), room)
    return [LeftOut(case.id, why) for case, why in reasons.items() if why]
