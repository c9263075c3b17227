"""Loading of what installed packages offer through entry points."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import Distribution, EntryPoint, PackageNotFoundError, distribution, entry_points
from inspect import isclass, ismodule
from pathlib import Path
from types import ModuleType
from typing import Any

from actbench.errors import InputError
from actbench.model.loaded import Loaded, LoadedFrom
from actbench.model.user_kernels import KernelDeclaration
from actbench.plugins._declarations import Declarations, declared
from actbench.plugins._guard import Code, guarded

GROUPS = ("actbench.activations", "actbench.kernels", "actbench.networks", "actbench.backends")
"""Groups of entry points: of a module, or of an activation, a strategy, a kernel, a network or a backend in one."""


@dataclass(frozen=True, slots=True)
class PackageOffer:
    """What an installed package offers according to its metadata; the package is not imported."""

    distribution: str
    version: str
    names: tuple[str, ...]
    """The names of its entry points."""


def offers() -> list[PackageOffer]:
    """Return the offers of all installed packages, sorted by name, without importing any."""
    points_of: dict[str, list[EntryPoint]] = {}
    versions: dict[str, str] = {}
    for point in (point for group in GROUPS for point in entry_points(group=group)):
        if point.dist is not None:
            points_of.setdefault(point.dist.name, []).append(point)
            versions[point.dist.name] = point.dist.version
    return [
        PackageOffer(name, versions[name], tuple(point.name for point in points))
        for name, points in sorted(points_of.items())
    ]


def read(name: str) -> Declarations:
    """Import what a distribution offers; `InputError` where it is not installed, offers nothing or raises."""
    installed = _installed(name)
    points = [point for group in GROUPS for point in installed.entry_points.select(group=group)]
    if not points:
        raise InputError(f"--load {name}: the package offers nothing: it has no entry points in {', '.join(GROUPS)}")
    modules: dict[str, ModuleType] = {}
    namespaces: list[tuple[str, dict[str, Any]]] = []
    for point in points:
        with guarded([Code(name, _files(name))], f"entry point {point.name} ({point.value})"):
            value = point.load()
        namespaces.append((_home(value, point), dict(vars(value)) if ismodule(value) else {point.name: value}))
        modules |= {home: sys.modules[home] for home in (point.module, _home(value, point)) if home in sys.modules}
    sources = [Path(modules[module].__file__ or "") for module in sorted(modules)]
    digest = sha256(b"".join(path.read_bytes() for path in sources if path.is_file())).hexdigest()
    loaded = Loaded(LoadedFrom.PACKAGE, installed.name, digest, installed.version)
    return declared(loaded, map(str, sources), namespaces)


def _installed(name: str) -> Distribution:
    with suppress(PackageNotFoundError, ValueError):
        return distribution(name)
    offered = ", ".join(offer.distribution for offer in offers())
    known = f"installed packages that offer something: {offered}" if offered else "a file's name ends in .py"
    raise InputError(f"--load {name}: there is neither a file nor an installed package of that name ({known})")


def _home(value: Any, point: EntryPoint) -> str:
    """Return the name of the module in which the value of an entry point is defined."""
    if ismodule(value):
        return value.__name__
    if isinstance(value, KernelDeclaration):
        return point.module
    return str(getattr(value if isclass(value) else getattr(value, "build", value), "__module__", point.module))


def _files(name: str) -> tuple[str, ...]:
    """Return the Python files of a distribution, whose lines are named in messages."""
    installed = distribution(name)
    return tuple(str(installed.locate_file(file)) for file in installed.files or () if file.suffix == ".py")
