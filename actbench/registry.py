"""The registry of activations, strategies, backends and networks by name: the built-in ones, and the user's.

Names are looked up where they enter: in a request, an id, or a request to a worker. Inside, the objects are passed.

A `Registry` is immutable. Loading replaces it, and `actbench.plugins.unload` restores the built-in one. So results that
are computed from an activation or a backend may be cached by the object: a name with a new meaning belongs to another
object.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType
from typing import Any

from actbench import activations as _activations
from actbench import backends as _backends
from actbench import networks as _networks
from actbench.backends import Backend
from actbench.errors import LOADED, InputError, unknown
from actbench.formula import Activation
from actbench.model.cases import RUNGS
from actbench.model.loaded import Loaded
from actbench.model.names import Op
from actbench.model.networks import Network, NetworkKind
from actbench.model.training import SHIPPED
from actbench.model.variants import Variant

STRATEGIES: Mapping[str, str] = MappingProxyType(
    {
        "textbook": "keep z; the quotient-rule form as published, which overflows",
        "recompute": "keep z; evaluate the exponential again, in a numerically stable form",
        "cached": "keep the output y; a multiplication and a subtraction",
        "complement": "keep the small side of the output, e.g. min(y, 1 - y)",
        "intermediate": "keep z and what the forward pass computed on the way, e.g. the s of z s(z)",
        "pair": "keep z and y; from both comes what would take an exponential, or sums of a row",
    }
)
"""The built-in strategies and their residuals, in the order of tables."""


@dataclass(frozen=True)
class Additions:
    """The names that the user's code declares, in the order in which it was loaded."""

    loaded: tuple[Loaded, ...] = ()
    activations: tuple[str, ...] = ()
    """The names of new activations, and of activations with a new strategy."""
    strategies: tuple[str, ...] = ()
    backends: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    ops: tuple[Op, ...] = ()
    """The ops that kernels compute."""
    array_types: tuple[str, ...] = ()
    """The backends whose arrays kernels take."""


@dataclass(frozen=True, eq=False)
class Registry:
    """The objects behind names."""

    activations: Mapping[str, Activation]
    """Activations by name without parameters."""
    backends: Mapping[str, Backend]
    """Backends, available or not, in order of rank."""
    strategies: Mapping[str, str]
    """Descriptions of the residuals of strategies, in the order of tables."""
    networks: Mapping[str, NetworkKind]
    """Networks by name without widths."""
    additions: Additions = field(default_factory=Additions)
    _named: dict[str, Activation] = field(default_factory=dict, init=False, repr=False)
    _trained: dict[Op, Network] = field(default_factory=dict, init=False, repr=False)

    def activation(self, name: str) -> Activation:
        """Return the activation of a name, ``elu`` or ``elu:alpha=0.5``; `InputError` where there is none.

        All names of one activation, such as ``elu`` and ``elu:alpha=1``, give one object.
        """
        if name not in self._named:
            activation = _activations.named(name, self.activations)
            self._named[name] = self._named.setdefault(activation.name, activation)
        return self._named[name]

    def network(self, op: Op) -> Network:
        """Return the network that an op trains; `InputError` where there is none, or it cannot be built."""
        if op.network not in self.networks:
            raise unknown("network", op.network or op, self.networks, LOADED)
        if op not in self._trained:
            self._trained[op] = self.networks[op.network](op)
        return self._trained[op]

    def named_backend(self, name: str) -> Backend:
        """Return the backend of a name, available or not; `InputError` where there is none."""
        if name not in self.backends:
            raise unknown("backend", name, self.backends, LOADED)
        return self.backends[name]

    def backend(self, name: str) -> Backend:
        """Return the backend of a name; `InputError` where there is none, or it cannot be used here."""
        if unavailable := self.named_backend(name).unavailable:
            raise InputError(f"backend '{name}' is not available: {unavailable}")
        return self.backends[name]

    def with_activation(self, activation: Activation) -> Registry:
        """Return a registry with this activation, which replaces one of the same name."""
        return replace(self, activations={**self.activations, activation.name: activation})

    def with_backend(self, backend: Backend) -> Registry:
        """Return a registry with this backend at its rank, which replaces one of the same name."""
        ranked = sorted({**self.backends, backend.name: backend}.values(), key=lambda one: one.rank)
        return replace(self, backends={one.name: one for one in ranked})

    def with_strategy(self, name: str, summary: str) -> Registry:
        """Return a registry in which a strategy has this summary, unless it has one already."""
        return replace(self, strategies={**self.strategies, name: self.strategies.get(name, summary)})

    def with_network(self, network: NetworkKind) -> Registry:
        """Return a registry with this network, which replaces one of the same name."""
        return replace(self, networks={**self.networks, network.name: network})

    def with_additions(self, **names: Any) -> Registry:
        """Return a registry with more names of the user's: fields of `Additions`, each with one more entry."""
        known = {axis: (*getattr(self.additions, axis), name) for axis, name in names.items()}
        return replace(self, additions=replace(self.additions, **known))


@cache
def built_in() -> Registry:
    """Return the registry of actbench's own objects."""
    return Registry(_activations.built_in(), _backends.built_in(), STRATEGIES, _networks.built_in())


_CURRENT: list[Registry] = []
"""The registry with loaded objects; empty where nothing is loaded."""


def current() -> Registry:
    """Return the registry in which this process looks names up."""
    return _CURRENT[-1] if _CURRENT else built_in()


def use(registry: Registry) -> None:
    """Look names up in this registry from now on."""
    _CURRENT[:] = [registry]


def activation(name: str) -> Activation:
    """Return the activation of a name, ``elu`` or ``elu:alpha=0.5``; `InputError` where there is none."""
    return current().activation(name)


def activations() -> Mapping[str, Activation]:
    """Return the activations by name without parameters."""
    return current().activations


def known_activations(names: Iterable[str]) -> list[Activation]:
    """Return the activations of these names, with or without parameters, each once; unknown names are ignored."""
    known = activations()
    plain = dict.fromkeys(name.partition(":")[0] for name in names)
    return [known[name] for name in plain if name in known]


def elementwise_activation(name: str, *, no_gated: str, no_rows: str) -> Activation:
    """Return the activation of a name; `InputError` where there is none, or it is gated, or works along rows.

    The message ends with why these are not taken, and what to do.
    """
    one = activation(name)
    if one.is_gated:
        raise InputError(f"'{name}' is gated, y = g(a) b, and {no_gated}")
    if one.is_row:
        raise InputError(f"'{name}' works along rows, and {no_rows}")
    return one


def elementwise() -> Mapping[str, Activation]:
    """Return the activations of one element by name without parameters: neither gated nor along rows."""
    known = activations().items()
    return {name: activation for name, activation in known if not (activation.is_gated or activation.is_row)}


def networks() -> Mapping[str, NetworkKind]:
    """Return the networks by name without widths."""
    return current().networks


def backend(name: str) -> Backend:
    """Return the backend of a name; `InputError` where there is none, or it cannot be used here."""
    return current().backend(name)


def backends() -> Mapping[str, Backend]:
    """Return the backends by name, available or not, in order of rank."""
    return current().backends


def available_backends() -> Mapping[str, Backend]:
    """Return the backends that can be used here by name, in order of rank."""
    return {name: backend for name, backend in backends().items() if not backend.unavailable}


def known_backends(names: Iterable[str]) -> list[Backend]:
    """Return the backends of these names, each once; unknown names are ignored."""
    known = backends()
    return [known[name] for name in dict.fromkeys(names) if name in known]


def strategies() -> Mapping[str, str]:
    """Return what each strategy keeps, in the order of tables."""
    return current().strategies


def variant(text: str) -> Variant:
    """Return a strategy, or a rung, and the type of its residuals; `InputError` for what is not known.

    A rung keeps nothing, and what a framework keeps is its choice, so there is no narrow one of either.
    """
    parsed = Variant(text)
    if parsed.name not in strategies_and_rungs() or (parsed.storage and parsed.name in {SHIPPED, *RUNGS}):
        near = get_close_matches(parsed.name, RUNGS, n=1)  # others are no strategy of an activation
        raise unknown("strategy", text, (*strategies(), SHIPPED, *near))
    return parsed


def strategies_and_rungs() -> tuple[str, ...]:
    """Return what can stand in a strategy's place in an id, in the order of tables."""
    return (*strategies(), SHIPPED, *RUNGS)
