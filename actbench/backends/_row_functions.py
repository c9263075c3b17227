"""A call of a row activation as one function, from the passes of its formulas: its source, and the function."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from textwrap import indent
from typing import Any

from actbench.backends._row_loops import loop_of
from actbench.backends._row_notation import RowNotation
from actbench.backends._row_passes import Pass
from actbench.model import row_graph
from actbench.model.names import Op
from actbench.model.rule import UPSTREAM, Rule


@dataclass(frozen=True)
class RowFunction:
    """The function of one call, as source."""

    writes: tuple[str, ...]
    """The arrays that it writes: its first parameters."""
    reads: tuple[str, ...]
    body: str
    functions: tuple[str, ...]
    """The functions of formulas that it calls."""
    numbers: tuple[float, ...]

    @property
    def arrays(self) -> tuple[str, ...]:
        """Its parameters."""
        return (*self.writes, *self.reads)

    @property
    def source(self) -> str:
        """The source of the function."""
        nbytes = " + ".join(f"{name}.nbytes" for name in self.arrays)
        body = indent(self.body.replace("{nbytes}", nbytes), "    ")
        return f"def kernel({', '.join(self.arrays)}):\n{body}"

    def made(self, scope: Mapping[str, Any], file: str) -> Callable[..., Any]:
        """Return the function, whose closure holds what it calls; `file` is where it says that it is from."""
        names = [name for name in scope if re.search(rf"(?<![\w.]){name}\b", self.source)]
        text = f"def factory({', '.join(names)}):\n{indent(self.source, '    ')}\n    return kernel\n"
        space: dict[str, Any] = {"__name__": __name__}
        exec(compile(text, file, "exec"), space)  # noqa: S102  # it is the source that was laid out above
        function: Callable[..., Any] = space["factory"](*(scope[name] for name in names))
        function.__qualname__ = f"kernel_{sha256(text.encode()).hexdigest()[:16]}"
        return function


def passes_of(op: Op, rule: Rule) -> list[Pass]:
    """Return the passes of an op, of a rule over `actbench.model.row_graph.TRACING`: forward first, then backward."""
    backward = Pass.of(rule.derivative, ["dz"], row_graph.per_row(rule))
    return [forward_of(rule), backward] if op is Op.STEP else [backward]


def forward_of(rule: Rule) -> Pass:
    """Return the forward pass, which writes y and what is saved."""
    return Pass.of(rule.save or rule.forward, ["y", *(rule.saved if rule.save else ())], ())


def function_of(passes: Sequence[Pass], notation: RowNotation) -> RowFunction:
    """Return the function that makes these passes, one after the other.

    What the backward pass of a step reads beside its inputs and dy, its forward pass has written.
    """
    numbers = tuple(dict.fromkeys(number for one in passes for number in one.numbers))
    written = tuple(name for one in passes for name in one.outputs)
    read = dict.fromkeys(name for one in passes for name in one.inputs if name not in written)
    functions = dict.fromkeys(name for one in passes for name in one.functions)
    if len(passes) > 1:
        read = dict.fromkeys((*passes[0].inputs, UPSTREAM, *read))
    return RowFunction(written, (*read,), _body(passes, notation, numbers), (*functions,), numbers)


def _body(passes: Sequence[Pass], notation: RowNotation, numbers: Sequence[float]) -> str:
    """Return the loops, behind a question where those over large arrays differ."""
    body = _loops(passes, notation, numbers)
    if notation.large is None:
        return body
    stored = notation.large.stored
    fits = [stored.fits.format(name=name) for one in passes for name in one.results] if stored else []
    large = _loops(passes, notation.large, numbers)
    return f"if {' and '.join([notation.where, *fits])}:\n{indent(large, '    ')}\nelse:\n{indent(body, '    ')}"


def _loops(passes: Sequence[Pass], notation: RowNotation, numbers: Sequence[float]) -> str:
    stored = notation.stored
    results = [name for one in passes for name in one.results] if stored else []
    places = [line.format(name=name) for name in results for line in (stored.first if stored else ())]
    loops = (loop_of(one, notation, numbers) for one in passes)
    return "\n".join([*notation.first, *places, *loops, *notation.last])
