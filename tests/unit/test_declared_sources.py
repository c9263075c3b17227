"""What a notebook declares, as the file that workers load."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import actbench
from actbench import plugins, registry
from actbench.api.sources import activation_of, source_of
from actbench.errors import InputError
from tests.support.cells import run_cell

Cell = Callable[[str], dict[str, Any]]

LINE = """
    @actbench.activation
    def line(m):
        '''{doc}'''
        def forward(z):
            return {value} * z
        def recompute(z):
            return {value} + 0.0 * z
        return actbench.Formulas(forward=forward, recompute=recompute)
"""


@pytest.fixture
def cell() -> Cell:
    """Run cells in one namespace."""
    names: dict[str, Any] = {"__name__": "__main__", "actbench": actbench, "math": math}

    def run(source: str) -> dict[str, Any]:
        run_cell(source, names)
        return names

    return run


def declared(text: str, tmp_path: Path) -> dict[str, Any]:
    """Load the file, and return what it holds."""
    path = tmp_path / "file.py"
    path.write_text(text)
    try:
        plugins.load(str(path))
        return {**registry.current().activations}
    finally:
        plugins.unload()


def test_a_file_has_constants_modules_and_functions_in_the_order_in_which_they_are_needed(
    cell: Cell, tmp_path: Path
) -> None:
    cell(
        "import numpy as np\nfrom math import pi as half_turn\n"
        "SLOPES = {'up': (2.0, -1)}\nHUGE = float('inf')\nUNUSED = object()"
    )
    cell("def slope():\n    return SLOPES['up'][0] + 0 * half_turn + min(0.0, HUGE) + 0 * len(str(np.pi))")
    names = cell(LINE.format(doc="slope z", value="slope()"))
    text = source_of([names["line"]]).text
    assert "import numpy as np\n" in text
    assert "UNUSED" not in text
    assert text.index("half_turn = 3.14") < text.index("def slope") < text.index("def line")
    assert declared(text, tmp_path)["line"].summary == "slope z"


def test_a_cell_that_was_run_again_has_its_new_source(cell: Cell) -> None:
    cell(LINE.format(doc="first", value="1.0"))
    assert "'''second'''" in source_of([cell(LINE.format(doc="second", value="2.0"))["line"]]).text


def test_what_is_around_a_function_and_what_it_calls_itself_are_found(cell: Cell, tmp_path: Path) -> None:
    names = cell("""
        def made(factor):
            def power(n):
                return factor * power(n - 1) if n else factor
            @actbench.activation
            def line(m):
                def forward(z):
                    return power(2) * z
                def recompute(z):
                    return power(2) + 0.0 * z
                return actbench.Formulas(forward=forward, recompute=recompute)
            return line
        line = made(2.0)
    """)
    text = source_of([names["line"]]).text
    assert "factor = 2.0\n" in text
    assert "line" in declared(text, tmp_path)


def test_strategies_and_kernels_are_declared_likewise(cell: Cell, tmp_path: Path) -> None:
    names = cell("""
        @actbench.strategy("tanh")
        def squared(m):
            def squared(y):
                return 1.0 - y * y
            return squared

        @actbench.kernel("tanh", "mine", op="derivative", keeps=("y",), backends=("numpy",), dtypes=("float64",))
        def by_hand(y):
            return (1.0 - y) * (1.0 + y)
    """)
    both = [names["squared"], names["by_hand"]]
    assert {*map(activation_of, both)} == {"tanh"}
    assert {"squared", "mine"} <= {*declared(source_of(both).text, tmp_path)["tanh"].strategies}


@pytest.mark.parametrize(
    ("before", "value", "message"),
    [
        ("import numpy\nTABLE = numpy.zeros(3)", "TABLE[0]", "line uses TABLE, of the type ndarray: its source cannot"),
        ("twice = lambda z: 2.0 * z", "twice(1.0)", "line uses twice, of the type function: .*it is a lambda, not a"),
        ("exec('def hidden(): return 1.0')", "hidden()", "line uses hidden, of the type function: its source cannot"),
        ("LIST = []\nLIST.append(LIST)", "LIST", "line uses LIST, of the type list"),
    ],
)
def test_what_has_no_source_is_refused_by_name_with_a_way_out(
    cell: Cell, before: str, value: str, message: str
) -> None:
    cell(before)
    with pytest.raises(InputError, match=message) as refused:
        source_of([cell(LINE.format(doc="line", value=value))["line"]])
    assert str(refused.value).endswith("put it in a file, and name that: load='FILE.py'")


def test_a_declaration_that_is_not_above_its_function_is_refused(cell: Cell) -> None:
    names = cell(LINE.format(doc="line", value="1.0").replace("@actbench.activation", ""))
    with pytest.raises(InputError, match="'line' is not declared above its def: write the decorator there"):
        source_of([actbench.activation(names["line"])])


def test_two_functions_that_mean_different_things_by_a_name_are_refused(cell: Cell) -> None:
    cell("RATE = 1.0")
    first = cell(LINE.format(doc="first", value="RATE"))["line"]
    cell(
        "def outer():\n    RATE = 2.0"
        + LINE.format(doc="second", value="RATE").replace("line", "ray")
        + "    return ray"
    )
    with pytest.raises(InputError, match="ray and another function mean different things by 'RATE'"):
        source_of([first, cell("ray = outer()")["ray"]])


def test_kernels_may_share_a_name_but_their_functions_may_not(cell: Cell, tmp_path: Path) -> None:
    kernel = """
        @actbench.kernel("tanh", "mine", op="derivative", keeps=("y",), backends=("numpy",), dtypes=("{dtype}",))
        def {function}(y):
            return (1.0 - y) * (1.0 + y)
    """
    cell(kernel.format(dtype="float32", function="single"))
    names = cell(kernel.format(dtype="float64", function="double"))
    both = [names["single"], names["double"]]
    assert "mine" in declared(source_of(both).text, tmp_path)["tanh"].strategies
    again = cell(kernel.format(dtype="float64", function="single"))["single"]
    with pytest.raises(InputError, match="two functions are called 'single': rename one of them"):
        source_of([both[0], again])
