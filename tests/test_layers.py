from __future__ import annotations

import ast
import sys
from functools import cache
from pathlib import Path

import pytest

import actbench

PACKAGE = Path(actbench.__file__).parent

LAYERS = (
    {"__main__"},
    {"cli"},
    {"report", "measure"},
    {"analysis", "oracle", "behaviour"},
    {"runs", "kernel", "suite", "presets", "costs", "truth"},
    {"overhead", "loading"},
    {"activations", "backends"},
    {
        "model",
        "errors",
        "formula",
        "by_name",
        "residuals",
        "software",
        "squares",
        "code_placement",
        "processors",
        "regular",
        "variables",
        "__init__",
    },
)
"""From the top. Imports point strictly downward, or stay inside the same package."""

SIDEWAYS = {
    ("suite", "kernel"),
    ("suite", "presets"),
    ("suite", "costs"),
    ("costs", "kernel"),
    ("model", "errors"),
    ("residuals", "errors"),
    ("residuals", "model"),
    ("software", "__init__"),
}
"""The imports between two parts of one layer."""

DOORS = {
    "click": {"cli"},
    "jax": {"backends"},
    "ml_dtypes": {"backends"},
    "numba": {"backends"},
    "llvmlite": {"backends"},
    "numexpr": {"backends"},
    "torch": {"backends"},
    "pyperf": {"measure", "runs"},
    "mpmath": {"truth", "oracle"},
    "rich": {"report"},
    "vl_convert": {"report"},
    "jinja2": {"report"},
    "platformdirs": {"report"},
    "scipy": {"backends", "analysis"},
    "pandas": {"runs", "analysis", "report"},
    "msgspec": {"runs", "measure", "report"},
    "psutil": {"runs"},
    "numpy": {
        "backends",
        "behaviour",
        "kernel",
        "loading",
        "overhead",
        "oracle",
        "runs",
        "analysis",
        "measure",
        "report",
        "truth",
    },
}
"""The parts that may import a third-party library; imports for the type checker and inside functions count."""

FILES = sorted(PACKAGE.rglob("*.py"))
DEPTH = {part: depth for depth, layer in enumerate(LAYERS) for part in layer}


def part_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


@cache
def imported_modules(path: Path) -> frozenset[str]:
    """Return every module that a file imports, dotted; ``from a import b`` as a.b."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path.name} imports relatively"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def parts_imported(path: Path) -> set[str]:
    """Return the parts of actbench that a file imports; its own name stands for the root's version."""
    found = {tuple(module.split(".")) for module in imported_modules(path) if module.split(".")[0] == "actbench"}
    return {module[1] if len(module) > 1 and module[1] in DEPTH else "__init__" for module in found}


def libraries_imported(path: Path) -> set[str]:
    roots = {module.split(".")[0] for module in imported_modules(path)}
    return roots - sys.stdlib_module_names - {"actbench"}


every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))


def test_every_part_has_its_layer_and_every_layer_its_parts() -> None:
    assert {part_of(path) for path in FILES} == set(DEPTH)


@every_file
def test_imports_point_downward(path: Path) -> None:
    part = part_of(path)
    upward = {
        other
        for other in parts_imported(path) - {part}
        if DEPTH[other] <= DEPTH[part] and (part, other) not in SIDEWAYS
    }
    assert not upward


@pytest.mark.parametrize("pair", sorted(SIDEWAYS), ids="-".join)
def test_imports_inside_a_layer_are_those_that_exist_and_go_one_way(pair: tuple[str, str]) -> None:
    part, other = pair
    assert DEPTH[part] == DEPTH[other]
    assert (other, part) not in SIDEWAYS
    assert any(other in parts_imported(path) for path in FILES if part_of(path) == part)


@pytest.mark.parametrize(("part", "other"), [("report", "measure"), ("measure", "report")])
def test_measuring_and_reporting_never_import_each_other(part: str, other: str) -> None:
    assert not [path.name for path in FILES if part_of(path) == part and other in parts_imported(path)]


@every_file
def test_a_third_party_library_is_imported_at_its_door_alone(path: Path) -> None:
    part = part_of(path)
    assert not {library for library in libraries_imported(path) if part not in DOORS[library]}


@pytest.mark.parametrize("library", DOORS)
def test_every_door_is_used(library: str) -> None:
    assert {part_of(path) for path in FILES if library in libraries_imported(path)} <= DOORS[library]
    assert any(library in libraries_imported(path) for path in FILES)


@every_file
def test_every_file_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
