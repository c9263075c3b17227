"""What to start from: axes, and how much effort they are worth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from actbench import registry
from actbench.errors import unknown
from actbench.formula import Activation
from actbench.kernels.overhead import Ladder
from actbench.model.cases import OVERHEAD, RUNGS
from actbench.model.names import FIRST_ORDER, WIDE, Dtype, Op, OperandState
from actbench.model.sizes import Size, sizes
from actbench.model.training import SHIPPED
from actbench.model.variants import Variant

DEFAULT = "default"
"""The name of the preset that commands start from, unless one is named."""

CORE = ("python", "numpy", "numba")
"""What presets measure that do not ask for more: the plain ways to execute a formula."""

ONLY_BY_NAME = ("python", "numba-simd-streaming", "torch-compile", "torch-cuda", "torch-compile-cuda")
"""What is compared with other libraries only by name: slow, at its reader's cost, long to compile, or on a device."""

HALF_DECADES = (*(base * 10**power for power in range(6) for base in (16, 50)), 16_000_000)
"""Elements, from 16 to 16 million: two sizes a decade, as even as round numbers can be."""


SUBSTITUTES = (Variant("intermediate"), Variant("pair"))
"""What presets measure of an activation that has only one of their few strategies, such as one without `cached`."""


def with_shipped(strategies: tuple[Variant, ...], backends: Iterable[str]) -> tuple[Variant, ...]:
    """Return strategies, and what frameworks ship where one of these backends is one; rungs stay as they are."""
    known = registry.backends()
    ships = any(name in known and known[name].has_activations for name in backends)
    if not ships or {*RUNGS} & {*strategies}:
        return strategies
    return tuple(dict.fromkeys([*strategies, SHIPPED]))


@dataclass(frozen=True, slots=True)
class ColdAxes:
    """Which part of a preset is also measured with operands from memory; None stands for all of an axis."""

    sizes: tuple[Size, ...]
    backends: tuple[str, ...] | None = None
    strategies: tuple[Variant, ...] | None = None


@dataclass(frozen=True, slots=True)
class Axes:
    """What to measure: the product of these, less what does not exist."""

    activations: tuple[str, ...]
    strategies: tuple[Variant, ...]
    backends: tuple[str, ...]
    ops: tuple[Op, ...]
    dtypes: tuple[Dtype, ...]
    sizes: tuple[Size, ...]
    operands: tuple[OperandState, ...] = (OperandState.WARM,)
    ops_are_named: bool = False
    """Whether the user names ops; where not, those without a derivative have their backward pass."""
    cold: ColdAxes | None = None
    """The part to which states of operands other than warm are restricted."""
    strategies_are_named: bool = False
    """Whether the user names strategies; where not, an activation that has one of them alone has `SUBSTITUTES`, too."""

    def with_named(self, named: Mapping[str, tuple[Any, ...]]) -> Axes:
        """Return these axes with those that are named in their place.

        States of operands that are named are for all cases; sizes that are named without them are warm. Backends and
        strategies that are named are measured in all states of the preset. Where backends are named and strategies are
        not, what a framework among them ships is measured as well.
        """
        start = self._with_shipped(named["backends"]) if "backends" in named and "strategies" not in named else self
        changes: dict[str, Any] = {
            **named,
            "ops_are_named": self.ops_are_named or "ops" in named,
            "strategies_are_named": self.strategies_are_named or "strategies" in named,
        }
        if "operands" in named:
            changes["cold"] = None
        elif "sizes" in named:
            changes["operands"] = (OperandState.WARM,)
        elif start.cold:
            backends = None if "backends" in named else start.cold.backends
            strategies = None if "strategies" in named else start.cold.strategies
            changes["cold"] = replace(start.cold, backends=backends, strategies=strategies)
        return replace(start, **changes)

    def _with_shipped(self, backends: tuple[str, ...]) -> Axes:
        cold = self.cold
        if cold and cold.strategies:
            cold = replace(cold, strategies=with_shipped(cold.strategies, backends))
        return replace(self, strategies=with_shipped(self.strategies, backends), cold=cold)

    def warm(self) -> Axes:
        """Return these axes without operands that come from memory."""
        return replace(self, operands=(OperandState.WARM,), cold=None)

    @property
    def are_warm(self) -> bool:
        """Whether no operands are to come from memory."""
        return {*self.operands} <= {OperandState.WARM}

    @property
    def states(self) -> tuple[OperandState, ...]:
        """The states of operands, in the order of tables."""
        return tuple(state for state in OperandState if state in self.operands)

    def ops_of(self, activation: Activation | Ladder) -> tuple[Op, ...]:
        """Return the ops of an activation's cases, each once."""
        no_derivative = isinstance(activation, Activation) and (activation.is_gated or activation.is_row)
        ops = (
            Op.BACKWARD if no_derivative and not self.ops_are_named and op is Op.DERIVATIVE else op for op in self.ops
        )
        return tuple(dict.fromkeys(ops))

    def of(self, activation: Activation | Ladder) -> Axes:
        """Return these axes with the strategies that an activation has, at least two where they are not named."""
        cold = self.cold
        if cold and cold.strategies:
            cold = replace(cold, strategies=self._existing(activation, cold.strategies))
        return replace(self, strategies=self._existing(activation, self.strategies), cold=cold)

    def _existing(self, activation: Activation | Ladder, variants: tuple[Variant, ...]) -> tuple[Variant, ...]:
        has = activation.strategies
        existing = [variant for variant in dict.fromkeys(variants) if variant.name in has]
        if len(existing) == 1 and not self.strategies_are_named:
            existing += [variant for variant in SUBSTITUTES if variant.name in has and variant not in existing]
        return (*existing, *([SHIPPED] if SHIPPED in variants else []))

    def include(self, state: OperandState, size: Size, backend: str, strategy: Variant) -> bool:
        """Return whether a case of these axes is measured in a state of operands."""
        if state is OperandState.WARM or self.cold is None:
            return True
        backends, strategies = self.cold.backends, self.cold.strategies
        named = (backends is None or backend in backends) and (strategies is None or strategy in strategies)
        return named and size in self.cold.sizes


@dataclass(frozen=True, slots=True)
class Preset:
    """Axes, and how much effort they are worth."""

    name: str
    summary: str
    axes: Axes
    budget: float
    """Seconds that a run may take, start to end."""
    arm_seconds: float
    """Seconds that one arm should take in one round."""


def catalogue() -> dict[str, Preset]:
    """Return the presets by name.

    They use the backends that are available here. What is loaded of a user's own belongs to all but `overhead` and
    `sweep`.
    """
    usable = registry.available_backends()
    additions = registry.current().additions
    core = tuple(name for name in usable if name in {*CORE, *additions.backends, *additions.array_types})
    common = tuple(dict.fromkeys(map(Variant, ["recompute", "cached", *additions.strategies])))
    default = Axes(
        activations=tuple(dict.fromkeys(["logistic", "tanh", *additions.activations])),
        strategies=tuple(map(Variant, registry.strategies())),
        backends=core,
        ops=tuple(dict.fromkeys([Op.DERIVATIVE, *additions.ops])),
        dtypes=WIDE,
        sizes=sizes(1_000, 100_000, 4_000_000),
        operands=tuple(OperandState),
        # python is slow in any state
        cold=ColdAxes(sizes(100_000), tuple(name for name in core if name != "python"), common),
    )
    warm = default.warm()
    smoke = replace(warm, strategies=common, dtypes=(Dtype.FLOAT64,), sizes=sizes(1_000))
    check = replace(
        warm,
        strategies=tuple(dict.fromkeys([Variant("complement"), *common])),
        backends=tuple(name for name in core if name != "python"),  # its processes differ by 2 to 3 %
        sizes=sizes(10_000),
    )
    vectors = tuple(name for name in usable if name not in ONLY_BY_NAME)
    peers = replace(
        default,
        strategies=with_shipped(common, vectors),
        backends=vectors,
        sizes=sizes(10_000, 100_000, 1_000_000, 16_000_000),
        cold=ColdAxes(sizes(100_000)),
    )
    ladder = replace(
        warm,
        activations=(OVERHEAD,),
        ops=(Op.DERIVATIVE,),
        strategies=tuple(map(Variant, RUNGS)),
        backends=tuple(name for name in usable if name in {*CORE, "numba-parallel"}),
        sizes=sizes(16, 1_000, 16_000),
    )
    sweep = replace(
        warm,
        activations=("logistic",),
        strategies=(Variant("recompute"), Variant("cached")),
        backends=tuple(name for name in usable if name in {"numpy", "numba", "numba-simd"}),
        ops=(Op.DERIVATIVE, Op.STEP),
        sizes=sizes(*HALF_DECADES),
    )
    full = replace(
        warm,
        activations=tuple(registry.activations()),
        backends=tuple(name for name, backend in usable.items() if not backend.optional),
        ops=FIRST_ORDER,
        sizes=sizes(*(16 ** (1 + power) for power in range(5)), 16_000_000),
    )
    return {
        preset.name: preset
        for preset in (
            Preset("smoke", "does it work here? recompute and cached, n = 1 000", smoke, 15.0, 0.02),
            Preset("check", "did it get slower? numpy and numba, n = 10 000", check, 72.0, 0.02),
            Preset(
                DEFAULT,
                "what is caching worth here? logistic and tanh, from cache and memory",
                default,
                115.0,
                0.01,
            ),
            Preset("peers", "how good can it be? every vector backend that is installed", peers, 600.0, 0.03),
            Preset("overhead", "what is a small call made of? from an empty one to y (1 - y)", ladder, 30.0, 0.02),
            Preset(
                "sweep", "from which size on does the answer change? logistic, half-decades from 16", sweep, 240.0, 0.01
            ),
            Preset("full", "everything, from 16 to 16 000 000 elements", full, 10_800.0, 0.03),
        )
    }


def get(name: str) -> Preset:
    """Return a preset; `InputError` with the nearest name when there is none."""
    known = catalogue()
    if name not in known:
        raise unknown("preset", name, known)
    return known[name]
