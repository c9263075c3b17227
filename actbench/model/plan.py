"""What a run measures: blocks, the probes that go with them, and what was left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from actbench.model.cases import KERNEL_FIELDS, Arm, Block, Case, KernelId
from actbench.model.inputs import STANDARD_NORMAL, Inputs
from actbench.model.public import public_reason
from actbench.model.training import Optimizer
from actbench.model.variants import Variant

IN_CACHE_SIZE = 8192
"""Elements that lie in the caches next to the processor, with what a call makes of them."""


@dataclass(frozen=True, slots=True)
class LostRace:
    """What rounds showed of a case that a race then went on without."""

    leader: str
    """The id of the case that it is slower than."""
    ratio: tuple[float, float, float]
    """Its time over the leader's: estimate, low, high."""
    seconds: tuple[float, float, float]
    """Of one of its calls."""
    rounds: int

    @property
    def faster(self) -> Arm:
        """The arm that it is slower than; `InputError` where `leader` is no id."""
        case = Case.parse(self.leader)
        return Arm(case.strategy, case.backend)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A requested case that is not measured, with the reason."""

    case: str
    reason: str
    failed: bool = False
    """Whether its kernel is wrong, crashed, hung or raised; otherwise it is unsupported here."""
    lost: LostRace | None = None
    """Of a case that was measured until it had lost; what was measured of it is not kept."""
    code: str | None = None
    """Digest of all code that a case executed which failed, or lost; None where that is not known."""

    def __post_init__(self) -> None:
        """Let the reason be one that may be recorded and shown: it may have words of the user's code."""
        object.__setattr__(self, "reason", public_reason(self.reason))


@dataclass(frozen=True, slots=True)
class Training:
    """What the training steps of a plan have in common."""

    optimizer: Optimizer
    activated: dict[str, tuple[int, ...]]
    """By network, the features of each of its activations."""
    predictors: tuple[Block, ...] = ()
    """The activations of the steps alone, forward and backward, from whose times gains in a step are predicted."""

    def elements(self, step: Block) -> tuple[int, ...]:
        """Return the elements of each activation in the network of a block of steps."""
        return tuple(step.size * features for features in self.activated[step.op])

    def predictors_of(self, steps: Iterable[Block]) -> tuple[Block, ...]:
        """Return the predictors of these blocks of steps, each once, in their order.

        They have the activation and the type of a step, and as many elements as an activation in its network.
        """
        parts = {(step.activation, step.dtype, elements) for step in steps for elements in self.elements(step)}
        return tuple(one for one in self.predictors if (one.activation, one.dtype, one.size) in parts)


@dataclass(frozen=True)
class Plan:
    """What is measured: the blocks, what was left out and why, and the seed of the inputs.

    Inputs are drawn from N(0, 1) if nothing else is asked for: pre-activations of a normalised layer, never denormal.
    """

    blocks: tuple[Block, ...]
    seed: int
    left_out: tuple[LeftOut, ...] = ()
    inputs: Inputs = STANDARD_NORMAL
    cache: int = 0
    """Capacity of the last-level cache in bytes, where operands are cold or arrays may leave it; otherwise 0.

    Other operands of twice as much are touched before cold ones are again.
    """
    training: Training | None = None
    """Of a plan whose blocks are training steps of networks; None where they are derivatives."""

    @property
    def command(self) -> str:
        """The command of ``actbench`` that measures it, and goes on with it."""
        return "train" if self.training else "run"

    @property
    def cases(self) -> tuple[Case, ...]:
        """Every case of every block, without the yardsticks."""
        return tuple(case for block in self.blocks for case in block.cases)

    @property
    def kernels(self) -> tuple[KernelId, ...]:
        """Every kernel that is timed as such, or is a part of a training step, once, in the order of the plan."""
        blocks = self.training.predictors if self.training else self.blocks
        of_kernels = {KERNEL_FIELDS(case): case for block in blocks for case in block.cases}
        return tuple(case.kernel for case in of_kernels.values())

    @property
    def steps(self) -> tuple[Case, ...]:
        """Every training step."""
        return self.cases if self.training else ()

    def calling(self, kernel: KernelId) -> tuple[Case, ...]:
        """Return the cases that call a kernel, those of predictors included."""
        blocks = (*self.blocks, *(self.training.predictors if self.training else ()))
        return tuple(case for block in blocks for case in block.cases if case.kernel == kernel)

    @cached_property
    def by_id(self) -> dict[str, Block]:
        """Blocks and probes by id."""
        return {block.id: block for block in (*self.blocks, *self.probes)}

    def places_in(self, larger: Plan) -> dict[str, list[int]]:
        """Return, by block and probe, the places of what it times among what it times in a larger plan."""
        return {name: block.places_in(larger.by_id[name]) for name, block in self.by_id.items() if name in larger.by_id}

    def probes_of(self, blocks: Iterable[Block]) -> tuple[Block, ...]:
        """Return the probes that explain these blocks, each once, in the order of the plan."""
        if self.training:
            return self.training.predictors_of(blocks)
        families = {block.family for block in blocks}
        return tuple(probe for probe in self.probes if probe.family in families)

    def without(self, left_out: Sequence[LeftOut]) -> Plan:
        """Return the plan with these cases left out."""
        cases = {item.case for item in left_out}
        blocks, training = _without(self.blocks, cases), self.training
        if training:
            networks = {block.op.value for block in blocks}
            activated = {name: widths for name, widths in training.activated.items() if name in networks}
            training = replace(training, activated=activated, predictors=_without(training.predictors, cases))
        return replace(self, blocks=blocks, left_out=(*self.left_out, *left_out), training=training)

    @cached_property
    def probes(self) -> tuple[Block, ...]:
        """The blocks that explain the others: the predictors of training steps, or those that show bottlenecks.

        These have one element, and `IN_CACHE_SIZE` ones. Blocks of one family share them. Left out are those that the
        plan has anyway, those of `IN_CACHE_SIZE` elements where no size is larger, and the overhead ladder, of which
        each rung is a part already.
        """
        if self.training:
            return self.training.predictors
        sizes: dict[Block, int] = {}
        arms: dict[Block, dict[Arm, None]] = {}
        copies: dict[Block, dict[str, None]] = {}
        of_kernels: dict[Block, dict[Variant, None]] = {}
        for block in self.blocks:
            if not block.is_ladder:
                family = block.family
                sizes[family] = max(block.size, sizes.get(family, 1))
                arms.setdefault(family, {}).update(dict.fromkeys(block.arms))
                copies.setdefault(family, {}).update(dict.fromkeys(block.copies))
                of_kernels.setdefault(family, {}).update(dict.fromkeys(block.kernel_copies))
        planned = {block.id for block in self.blocks}
        probes = (
            replace(
                family,
                size=size,
                arms=(*arms[family],),
                copies=(*copies[family],),
                kernel_copies=(*of_kernels[family],) if size == 1 else (),  # their fixed cost alone is of interest
            )
            for family, largest in sizes.items()
            for size in (1, IN_CACHE_SIZE)
            if size < largest
        )
        return tuple(probe for probe in probes if probe.id not in planned)


def _without(blocks: Iterable[Block], cases: set[str]) -> tuple[Block, ...]:
    """Return the blocks without these cases; none that has no other."""
    remaining = (block.without(cases) for block in blocks)
    return tuple(block for block in remaining if block.arms)
