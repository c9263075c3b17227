from __future__ import annotations

import ast
import sys
from functools import cache
from pathlib import Path

from tests.support.sources import FILES, PACKAGE, parsed, statements

LAYERS = (
    {"__main__"},
    {"cli"},
    {"api"},
    {"report", "engine"},
    {"analysis"},
    {"verification"},
    {"runs", "planning"},
    {"kernels"},
    {"plugins"},
    {"registry"},
    {"activations", "backends", "networks"},
    {"formula", "host"},
    {"model"},
    {"errors", "__init__"},
)
"""From the top. Imports point strictly downward, or stay inside the same package.

`actbench/__init__.py` is at the bottom for its version, and imports the public names when they are used.
"""

DOORS = {
    "asv": {"analysis"},
    "click": {"cli"},
    "distributed": {"api"},
    "jax": {"backends"},
    "ml_dtypes": {"model"},
    "numba": {"backends"},
    "llvmlite": {"backends"},
    "numexpr": {"backends"},
    "torch": {"backends"},
    "pyperf": {"host", "engine", "runs"},
    "mpmath": {"verification"},
    "rich": {"report"},
    "vl_convert": {"report"},
    "jinja2": {"report"},
    "IPython": {"report"},
    "platformdirs": {"host"},
    "scipy": {"backends", "analysis"},
    "pandas": {"report"},
    "msgspec": {"runs", "engine", "report"},
    "psutil": {"host"},
    "numpy": {
        "analysis",
        "backends",
        "host",
        "kernels",
        "engine",
        "model",
        "plugins",
        "report",
        "runs",
        "verification",
    },
}
"""The packages that may import a third-party library; imports for the type checker and inside functions count."""

DEPTH = {part: depth for depth, layer in enumerate(LAYERS) for part in layer}


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def imported_modules(path: Path) -> frozenset[str]:
    """Return every module that a file imports, dotted; ``from a import b`` as a.b, ``from . import b`` as .b."""
    modules: set[str] = set()
    for node in statements(path):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            origin = "." * node.level + (node.module or "")
            modules |= {f"{origin}.{alias.name}" for alias in node.names}
    return frozenset(modules)


def parts_imported(path: Path) -> set[str]:
    """Return the parts of actbench that a file imports; the package's own name stands for its version."""
    modules = [module.split(".") for module in imported_modules(path) if module.split(".")[0] == "actbench"]
    return {module[1] if len(module) > 1 and module[1] in DEPTH else "__init__" for module in modules}


def libraries_imported(path: Path) -> set[str]:
    roots = {module.split(".")[0] for module in imported_modules(path)}
    return roots - sys.stdlib_module_names - {"actbench"}


def test_every_part_has_its_layer_and_every_layer_its_parts() -> None:
    assert {part_of(path) for path in FILES} == set(DEPTH)


def test_imports_point_downward_and_none_is_relative() -> None:
    upward = {
        f"{path.relative_to(PACKAGE)} imports {other}"
        for path in FILES
        for other in parts_imported(path) - {part_of(path)}
        if path != PACKAGE / "__init__.py" and DEPTH[other] <= DEPTH[part_of(path)]
    }
    relative = {str(path) for path in FILES if any(module.startswith(".") for module in imported_modules(path))}
    assert not upward | relative


def test_third_party_libraries_are_imported_at_their_doors_alone() -> None:
    doors = {library: {part_of(path) for path in FILES if library in libraries_imported(path)} for library in DOORS}
    assert doors == DOORS
    assert {library for path in FILES for library in libraries_imported(path)} == set(DOORS)


def test_every_file_says_what_it_is() -> None:
    assert not [path for path in FILES if not ast.get_docstring(parsed(path))]
