"""What `actbench list` prints."""

from __future__ import annotations

import re

import pytest

from actbench import registry
from tests.conftest import Actbench


def test_list_shows_every_section(actbench: Actbench) -> None:
    shown = actbench("list").stdout
    lines = shown.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == [
        "activations",
        "backends",
        "strategies",
        "networks",
        "arms",
        "operands",
        "rungs",
        "presets",
    ]
    (logistic,) = [line.removeprefix("  logistic ").strip() for line in lines if line.startswith("  logistic ")]
    assert logistic == "1 / (1 + exp(-z))  [textbook, recompute, cached, complement]"
    for name in ("identity", "tanh", *registry.backends(), "smoke", "default", "full", "complement"):
        assert any(line.startswith(f"  {name} ") for line in lines), name


LINEAR = "no second derivative: g' is piecewise constant, and g'' is 0 wherever it exists"


def test_an_activation_is_listed_with_its_parameters_range_kinks_and_why_y_is_not_enough(actbench: Actbench) -> None:
    lines = [line.split(maxsplit=1) for line in actbench("list", "activations").stdout.splitlines()]
    shown = {head: (rest, " ".join(after)) for (head, rest), after in zip(lines[::2], lines[1::2], strict=True)}
    assert len(shown) == len(registry.activations())
    assert shown["elu:alpha=1"] == (
        "z where z > 0, else alpha (exp(z) - 1)  [recompute, cached]",
        "values from -1 to inf",
    )
    assert shown["relu"][1] == "values from 0 to inf; at the kinks, by convention, g'(0) = 0; " + LINEAR
    assert (
        shown["leaky-relu:slope=0.01"][1]
        == "values from -inf to inf; at the kinks, by convention, g'(0) = 0.01; " + LINEAR
    )
    assert shown["hard-swish"][1] == (
        "values from -0.375 to inf; at the kinks, by convention, g'(-3) = 0, g'(3) = 1; "
        "no cached: y between -0.375 and 0 comes from two different z; "
        "no second derivative: it is piecewise constant, 1/3 between -3 and 3, else 0"
    )
    assert shown["reglu"][1] == "values of g(a) = y / b from 0 to inf; at the kinks, by convention, g'(0) = 0"
    assert shown["gaussian"][1].endswith("; no cached: y is even: it does not tell the sign of z")


@pytest.mark.parametrize("section", ["activations", "backends", "strategies", "networks", "arms", "rungs", "presets"])
def test_one_section_alone_is_not_indented(actbench: Actbench, section: str) -> None:
    alone = actbench("list", section).stdout.splitlines()
    everything = actbench("list").stdout.splitlines()
    start = everything.index(section) + 1
    assert alone == [line[2:] for line in everything[start : start + len(alone)]]


@pytest.mark.parametrize(
    ("arguments", "heads"),
    [
        (("activations", "-a", "silu,elu:alpha=0.5"), ["silu", "elu:alpha=0.5"]),
        (("backends", "-b", "numpy"), ["numpy"]),
        (("strategies", "-s", "pair,cached"), ["cached", "pair"]),
    ],
)
def test_a_list_is_narrowed_to_what_is_named(actbench: Actbench, arguments: tuple[str, ...], heads: list[str]) -> None:
    result = actbench("list", *arguments)
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines() if not line.startswith(" ")] == heads


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("backends", "-a", "silu"), "-a narrows 'actbench list cases'"),
        (("-n", "100"), "-n narrows 'actbench list cases'"),
        (("presets", "--filter", "*"), "--filter narrows 'actbench list cases'"),
        (("strategies", "-s", "cachd"), "did you mean 'cached'?"),
        (("backends", "-b", "fortran"), "unknown backend 'fortran'"),
        (("activations", "-a", "tahn"), "did you mean 'tanh'?"),
    ],
)
def test_an_option_that_a_list_would_ignore_is_refused(
    actbench: Actbench, arguments: tuple[str, ...], said: str
) -> None:
    result = actbench("list", *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert said in result.stderr


def test_a_backend_that_is_not_installed_is_listed_with_its_reason_and_refused(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(registry.backends()["numba"]), "requires", "no_such_module_at_all")
    shown = actbench("list", "backends").stdout
    assert re.search(r"^numba +not available: no_such_module_at_all is not installed$", shown, re.MULTILINE)
    result = actbench("run", "-b", "numba", "--dry-run")
    assert result.exit_code == 2
    assert result.stderr == "actbench: backend 'numba' is not available: no_such_module_at_all is not installed\n"
    assert "/numba/" not in actbench("list", "cases").stdout


def test_list_cases_prints_ids_and_says_what_is_left_out(actbench: Actbench) -> None:
    result = actbench("list", "cases")
    assert result.exit_code == 0
    cases = result.stdout.splitlines()
    assert len(cases) == len(set(cases)) >= 80
    assert "one call would take about" in result.stderr
    assert "python computes in float64 only" in result.stderr


def test_a_glob_narrows_the_cases(actbench: Actbench) -> None:
    shown = actbench("list", "cases", "--filter", "tanh/cached/*/float32/1000").stdout.splitlines()
    assert shown == [f"tanh/cached/{name}/derivative/float32/1000" for name in ("numpy", "numba")]
