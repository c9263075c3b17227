# ruff: noqa: E501  # a table of what is written and what is said
from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Actbench
from tests.unit.test_loading import HEAD, QUIET, SQUARE, refused, write


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def f(:\n", "line 1 is not Python (invalid syntax): correct it"),
        ("\n\nx = undefined\n", "line 3 raised NameError: name 'undefined' is not defined: correct that line"),
        ("import sys\nsys.exit(3)\n", "line 2 raised SystemExit: 3: correct that line"),
        ("x = 1\n", "it declares no @activation, no @strategy, no @kernel, no @network and no Backend: 'actbench init' writes a file that does"),
        (HEAD + SQUARE.replace("parabola", "tanh"), "there is an activation 'tanh' already: give yours another name"),
        (HEAD + SQUARE.replace("parabola", "overhead"), "there is an activation 'overhead' already: give yours another name"),
        (HEAD + SQUARE.replace("parabola", "größe"), "'größe' cannot name an activation: use letters, digits, dashes, dots, underscores"),
        (HEAD + "@strategy('tanh')\ndef cached(m): return lambda y: y\n", "there is a strategy of tanh 'cached' already: give yours another name"),
        (HEAD + "@strategy('tanh')\ndef empty(m): return lambda y: y\n", "there is a strategy of tanh 'empty' already: give yours another name"),
        (HEAD + "@strategy('tahn')\ndef mine(m): return lambda y: y\n", "strategy 'mine' is for an unknown activation 'tahn': did you mean 'tanh'?"),
        (HEAD + "@strategy\ndef mine(m): return lambda y: y\n", 'line 2 raised TypeError: write @strategy("logistic"), with the name of the activation: correct that line'),
        (HEAD + "\n@activation\ndef mine(m):\n    half = m.sqrt(0.5)\n", "activation 'mine' (m may be used inside of formulas only): line 5 raised AttributeError: 'NoneType' object has no attribute 'sqrt': correct that line"),
        (HEAD + "@activation\ndef mine(m):\n    return None\n", "activation 'mine' returns nothing: return Formulas(forward=..., recompute=...)"),
        (HEAD + "@activation\ndef mine(m):\n    return Formulas(forward=lambda z: z)\n", "activation 'mine' has no strategy: give Formulas one besides forward, such as recompute"),
        (HEAD + "@strategy('tanh')\ndef mine(m): return lambda z, y, c: y\n", "strategy 'mine' of tanh keeps (z, y, c): it can keep (z), (y), (z, y), one array of its own, or z and one of its own"),
        (HEAD + "@strategy('tanh')\ndef mine(m): return lambda y, z: y\n", "strategy 'mine' of tanh keeps (y, z): it can keep (z), (y), (z, y), one array of its own, or z and one of its own"),
        (HEAD + "@strategy('tanh')\ndef mine(m): return lambda c: c\n", "strategy 'mine' of tanh keeps c, which nothing saves: return Strategy(derivative, save=...), save(z) giving y, c"),
        (HEAD + "@strategy('tanh')\ndef mine(m): return lambda dy: dy\n", "strategy 'mine' of tanh keeps dy, which is the upstream gradient: give the residual another name"),
        (HEAD + "@strategy('tanh')\ndef mine(m): return Strategy(lambda y: y, save=lambda z: (z, z))\n", "strategy 'mine' of tanh saves what it does not keep: let its derivative take the saved residual"),
        (HEAD + "@strategy('tanh')\ndef mine(m): return Piecewise(scalar=lambda y: y, array=lambda z: z)\n", "strategy 'mine' of tanh keeps (y) in one dialect and (z) in the other: name the same"),
        (HEAD + "@strategy('tanh')\ndef mine(m): return abs\n", "strategy 'mine' of tanh is a builtin_function_or_method: wrap it in a Python function whose parameters name what it keeps, such as lambda y: f(y)"),
        ("import numpy\n" + HEAD + "@strategy('tanh')\ndef mine(m): return numpy.cos\n", "strategy 'mine' of tanh is a ufunc: wrap it in a Python function whose parameters name what it keeps, such as lambda y: f(y)"),
        ("from numba import njit\n" + HEAD + "@strategy('tanh')\ndef mine(m): return njit(lambda y: y)\n", "strategy 'mine' of tanh is a CPUDispatcher: wrap it in a Python function whose parameters name what it keeps, such as lambda y: f(y)"),
        ("from functools import partial\n" + HEAD + "@strategy('tanh')\ndef mine(m): return partial(pow, 2.0)\n", "strategy 'mine' of tanh is a partial: wrap it in a Python function whose parameters name what it keeps, such as lambda y: f(y)"),
        (HEAD + "@strategy('tanh')\ndef mine(m): return 1.0\n", "strategy 'mine' of tanh is a float: write a Python function whose parameters name what it keeps"),
        (HEAD + "@strategy('tanh')\ndef mine(m): return lambda y, eps=1e-7: y + eps\n", "strategy 'mine' of tanh has the parameter eps=1e-07: parameters name what is kept, so write the value into the formula"),
        (HEAD + "@strategy('tanh')\ndef mine(m): return lambda *kept: kept\n", "strategy 'mine' of tanh has the parameter *kept: parameters name what is kept, one by one"),
        (HEAD + "@activation\ndef mine(m):\n    return Formulas(forward=lambda z, a=2.0: a * z, recompute=lambda z: z)\n", "forward of activation 'mine' has the parameter a=2.0: parameters name what is kept, so write the value into the formula"),
        *(
            (HEAD + f"@activation\ndef mine(m):\n    return Formulas(forward=lambda {inputs}: 1.0, recompute=lambda a, b: (b, a))\n", f"forward of activation 'mine' takes ({inputs}): write a function of z, or of a and b where it is gated")
            for inputs in ("a, b, c", "x, y", "b, a")
        ),
        (HEAD + "@activation\ndef mine(m):\n    return Formulas(forward=lambda a: a, recompute=lambda a, b: (b, a))\n", "strategy 'recompute' of mine keeps (a, b): it can keep (z), (y), (z, y), one array of its own, or z and one of its own; the forward of a gated activation takes (a, b)"),
        (HEAD + "@strategy('tanh')\ndef mine(m): return Strategy(lambda c: c, save=lambda z, y: (y, z))\n", "strategy 'mine' of tanh has a save that takes (z, y): write a function of z"),
        (QUIET.replace("numpy-quiet", "numpy"), "there is a backend 'numpy' already: give yours another name"),
        ("from actbench.backends import Backend\nclass Mine(Backend):\n    name = 'mine'\n", "backend class Mine is not complete: define bind, execution, namespace"),
        (HEAD + SQUARE + SQUARE, "activation 'parabola' is defined on line 4 and again on line 11, so that the first is lost: give one of them another name"),
        (HEAD + "@strategy('tanh')\ndef mine(m): return lambda y: y\ndef mine(m): return 1\n", "strategy 'mine' is defined on line 3 and again on line 4, so that the first is lost: give one of them another name"),
        (QUIET + QUIET, "backend class 'Quiet' is defined on line 3 and again on line 9, so that the first is lost: give one of them another name"),
        ("from actbench import kernel\ndef f(dy, z): return dy * z\nkernel('gelu', 'mine')(f)\n", "kernel on line 3 is bound to no name, so that it is lost: write 'mine = ' before it, with a name of yours"),
        ("import actbench\ndef f(dy, z): return dy * z\nkept = actbench.kernel('gelu', 'kept')(f)\nfor name in 'ab':\n    actbench.kernel('gelu', name)(f)\n", "kernel on line 5 is bound to no name, so that it is lost: write 'mine = ' before it, with a name of yours"),
        (HEAD + "def square(m): return Formulas(forward=lambda z: z * z, recompute=lambda z: 2.0 * z)\nactivation(square)\n", "activation on line 3 is bound to no name, so that it is lost: write 'mine = ' before it, with a name of yours"),
        (HEAD + "@activation\ndef mine(): pass\n", "line 2 raised TypeError: write def mine(m), m being the namespace of the formulas: correct that line"),
        (HEAD + "@activation\ndef mine(m, beta): pass\n", "line 2 raised TypeError: mine needs a default for beta, such as beta=1.0: correct that line"),
        *(
            (HEAD + f"@activation\ndef mine(m):\n    return Formulas(**({{'forward': lambda z: z, 'recompute': lambda z: z}} | dict({declared})))\n", f"of activation 'mine', {said}")
            for declared, said in (
                ("forward=2.0", "forward is 2.0: write a Python function of z, or of a and b where it is gated, or Piecewise(scalar=..., array=...)"),
                ("range=(1.0, -1.0)", "range is (1.0, -1.0): write the infimum and the supremum of g, such as (0.0, 1.0)"),
                ("kinks=[0.0]", "kinks is [0.0]: write each z at which g' jumps with g' there, such as {0.0: 1.0}"),
                ("at_nan='x'", "at_nan is 'x': write g' at NaN as a number, or leave it out"),
                ("uncached=3", "uncached is 3: write in words why y is not enough"),
                ("weaknesses=5", "weaknesses is 5: write a tuple, such as (Weakness(Flaw.CANCELS, why, where),)"),
            )
        ),
        ("import no_such_library\n", "line 1 raised ModuleNotFoundError: No module named 'no_such_library': correct that line"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_is_one_line_that_names_file_and_way_out(
    actbench: Actbench, text: str, said: str
) -> None:
    write(text)
    assert refused(actbench, "run", "--load", "mine.py") == f"--load mine.py: {said}"


def test_what_is_no_file_is_refused(actbench: Actbench) -> None:
    Path("folder").mkdir()
    Path("folder.py").mkdir()
    assert refused(actbench, "list", "--load", "no.py").startswith("--load no.py: there is no such file: name one")
    assert refused(actbench, "list", "--load", "folder.py") == (
        "--load folder.py: that is a directory: name a file in it"
    )
    assert "neither a file nor an installed package" in refused(actbench, "list", "--load", "folder")
    Path("zero.py").write_bytes(b"\0")
    assert "not Python" in refused(actbench, "list", "--load", "zero.py")


LINE = "@activation\ndef line(m):\n    def forward(z): return z + 0.0\n    def recompute(z): {}\n    return Formulas(forward=forward, recompute=recompute)\n"


def test_a_formula_that_raises_is_not_drawn(actbench: Actbench) -> None:
    write(HEAD + LINE.format("raise ValueError('no idea')"))
    said = refused(actbench, "plot", "functions", "--load", "mine.py", "-a", "line", "-o", "x.svg")
    assert said == "line cannot be drawn: it raised ValueError: no idea"


def test_a_derivative_that_is_wrong_everywhere_is_lost_from_0_on(actbench: Actbench) -> None:
    write(HEAD + LINE.format("return 1.02 + 0.0 * z"))
    result = actbench("accuracy", "--load", "mine.py", "-a", "line", "-b", "numpy", "-d", "float64", "--format", "json")
    assert result.exit_code == 0, result.output
    assert {row["wrong_from"] for row in json.loads(result.stdout) if "wrong_from" in row} == {0.0, 5e-324}, (
        "0 is in one tail"
    )


def test_a_run_that_was_refused_has_no_report_and_says_why(actbench: Actbench) -> None:
    write(HEAD + LINE.format("return 1.02 + 0.0 * z"))
    refused(actbench, "run", "--load", "mine.py", "-a", "line", "-b", "numpy", "-n", "10", "-q", "-o", "here", code=4)
    for command in ("report here", "compare here", "compare here here", "export here --to bmf"):
        assert refused(actbench, *command.split()) == (
            "here was refused, for a wrong kernel or none that works here: correct it, run again"
        )
