"""A user's own activations, strategies, kernels, networks and backends, written in the same way as the built-in ones.

They are loaded from a file, or from an installed package that offers them through entry points, and only by name:
nothing is loaded from the current directory, from settings, or because it is installed. Afterwards they are in the same
registry as everything built in, so no other module treats them specially. Workers load the same code, and a run records
its digest.
"""

from __future__ import annotations

from dataclasses import replace

from actbench import registry
from actbench.errors import InputError
from actbench.formula import Activation, Extension
from actbench.model.loaded import Loaded, LoadedFrom
from actbench.model.user_kernels import KernelDeclaration
from actbench.plugins import _files, _kernel_requirements, _packages, _requirements
from actbench.plugins._declarations import Declarations
from actbench.plugins._definitions import guarded_network, steady
from actbench.plugins._files import is_file
from actbench.plugins._guard import allow, blamed, evaluating, forget_code, guarded, has_run, know
from actbench.plugins._packages import PackageOffer, offers
from actbench.plugins._room import with_room
from actbench.registry import Registry

__all__ = [
    "PackageOffer",
    "allow",
    "blamed",
    "evaluating",
    "guarded",
    "has_run",
    "is_file",
    "load",
    "loaded",
    "offers",
    "place_of",
    "unload",
    "with_room",
]


_places: dict[str, str] = {}
"""By name, the paths of files that were loaded from elsewhere."""


def load(name: str, sha256: str | None = None, path: str | None = None) -> Loaded:
    """Register what a file or an installed package declares; `InputError` says why that is not possible.

    With `sha256`, the digest of its code must be equal. With `path`, the file of that name is there.
    """
    declared = _files.read(name, path) if path or is_file(name) else _packages.read(name)
    if sha256 not in {None, declared.loaded.sha256}:
        raise InputError(f"--load {name} changed since this run started; start a new run")
    if any(addition.name == declared.loaded.name and addition.kind is declared.loaded.kind for addition in loaded()):
        return declared.loaded
    declares = (declared.activations, declared.extensions, declared.kernels, declared.networks, declared.backends)
    if not any(declares):
        nothing = "no @activation, no @strategy, no @kernel, no @network and no Backend"
        raise InputError(f"--load {name}: it declares {nothing}: 'actbench init' writes a file that does")
    registry.use(_with(registry.current(), declared))
    know(declared.code)
    if path:
        _places[declared.loaded.name] = path
    return declared.loaded


def loaded() -> tuple[Loaded, ...]:
    """Return what this process has loaded, in order."""
    return registry.current().additions.loaded


def place_of(code: Loaded) -> str | None:
    """Return where a file is that was loaded, if not under its name."""
    return _places.get(code.name)


def unload() -> None:
    """Remove everything that was loaded."""
    _places.clear()
    registry.use(registry.built_in())
    forget_code()
    _files.forget_modules()


def _with(known: Registry, declared: Declarations) -> Registry:
    """Return the registry with the declarations of a file or package; `InputError` says which one is invalid."""
    for activation in declared.activations:
        known = _with_activation(known, declared, activation)
    for extension in declared.extensions:
        known = _with_strategy(known, declared, extension)
    for network in declared.networks:
        _requirements.refuse_unusable_network(declared, network, known.networks)
        known = known.with_network(guarded_network(network, declared.code)).with_additions(networks=network.name)
    for kind in declared.backends:
        backend = _requirements.usable_backend(declared, kind)
        _requirements.refuse_clash(declared, "backend", backend.name, known.backends)
        known = known.with_backend(backend).with_additions(backends=backend.name)
    for kernel in declared.kernels:
        known = _with_kernel(known, declared, kernel)
    return known.with_additions(loaded=declared.loaded)


def _with_activation(known: Registry, declared: Declarations, activation: Activation) -> Registry:
    _requirements.refuse_clash(declared, "activation", activation.name, known.activations)
    _requirements.refuse_unusable(declared, activation)
    known = known.with_activation(steady(activation, declared.loaded.name)).with_additions(activations=activation.name)
    for name in activation.strategies:
        known = _with_summary(
            known, declared, name, f"a strategy of {activation.name}, from {_source(declared.loaded)}"
        )
    return known


def _with_strategy(known: Registry, declared: Declarations, extension: Extension) -> Registry:
    if extension.activation not in known.activations:
        raise _requirements.unknown_activation(declared, extension, known.activations)
    activation = known.activations[extension.activation]
    _requirements.refuse_clash(declared, f"strategy of {activation.name}", extension.name, activation.strategies)
    extended = activation.with_strategy(extension)
    _requirements.refuse_unusable(declared, extended, extension.name, f"strategy '{extension.name}'")
    known = known.with_activation(extended).with_additions(activations=activation.name)
    return _with_summary(known, declared, extension.name, extension.summary)


def _with_kernel(known: Registry, declared: Declarations, kernel: KernelDeclaration) -> Registry:
    try:
        activation = known.activation(kernel.activation)
    except InputError as error:
        raise InputError(f"--load {declared.loaded.name}: kernel '{kernel.name}': {error}") from None
    kernel = replace(kernel, activation=activation.name)
    _kernel_requirements.refuse_unusable_kernel(declared, kernel, activation, known.backends)
    extended = known.activations[activation.plain_name].with_kernel(kernel)
    known = known.with_activation(extended).with_additions(activations=activation.name, ops=kernel.op)
    for backend in kernel.backends:
        known = known.with_additions(array_types=backend)
    return _with_summary(known, declared, kernel.name, kernel.summary)


def _with_summary(known: Registry, declared: Declarations, strategy: str, summary: str) -> Registry:
    """Return the registry with a user's strategy in its list of strategies."""
    if strategy not in known.strategies:
        _requirements.refuse_clash(declared, "strategy", strategy, {})
        known = known.with_strategy(strategy, summary)
    return known.with_additions(strategies=strategy)


def _source(of: Loaded) -> str:
    return of.name if of.kind is LoadedFrom.FILE else f"package {of.name}"
