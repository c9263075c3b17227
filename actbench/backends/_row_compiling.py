"""Loops over rows for numba: what `actbench.backends._row_loops` lays out, as functions that numba compiles.

Sums are of float64, compensated (D. E. Knuth, "The Art of Computer Programming", volume 2, 4.2.2: the sum of two
numbers and its error). A loop of vectors adds `ROW_BLOCK` elements in any order first, in the type of the arithmetic: a
lane of a vector adds few of them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from actbench.backends import _simd
from actbench.backends._along_rows import AlongRows
from actbench.backends._compiling import jitted
from actbench.backends._row_functions import RowFunction, function_of
from actbench.backends._row_notation import RowNotation, StoredLines
from actbench.backends._row_passes import Pass
from actbench.model.names import Dtype
from actbench.model.row_graph import TRACING
from actbench.model.rule import TARGET, Formula

if TYPE_CHECKING:
    from actbench.backends.numba import Numba

FAR = 1 << 24
"""Bytes of all arrays from which on loops of vectors ask for their next row. On Zen 3, asking for what is in the
last-level cache costs more than it saves; of 4096 rows of 1024 columns it took 10 to 15 % of the time."""

SCALAR = RowNotation(
    element="{name}[r, {column}]",
    start={"sum": ["{name}, rest_{name} = 0.0, 0.0"], "max": ["{name} = lowest"]},
    block={},
    reduce={
        "sum": "{name}, rest_{name} = gathered({name}, rest_{name}, {value})",
        "max": "{name} = larger({name}, {value})",
    },
    after_block={},
    end={"sum": ["{name} = real({name} + rest_{name})"], "max": []},
)
"""Loops that are not vectorised, because they call libm."""

ASK = "prefetch.ask_{}({{name}}, {{row}} * columns + begin)"

VECTOR = RowNotation(
    element=SCALAR.element,
    start=SCALAR.start,
    block={"sum": ["part_{name} = zero"], "max": []},
    reduce={
        "sum": "part_{name} = any_order.plus(part_{name}, {value})",
        "max": "{name} = any_order.larger({name}, {value})",
    },
    after_block={"sum": ["{name}, rest_{name} = gathered({name}, rest_{name}, part_{name})"], "max": []},
    end=SCALAR.end,
    first=["vector_width.widest()"],
    call="functions.{function}",
)
"""Loops of vectors."""

ASKING = replace(VECTOR, where="{nbytes} > distant", large=replace(VECTOR, ask=ASK.format("block")))
"""Loops of vectors that ask for the next row of large arrays."""

BYPASSING = replace(
    VECTOR,
    row="kept_{name} = aside_{name}[:columns]",
    kept="kept_{name}[{column}]",
    stored=StoredLines(
        fits="streaming.has_rows_of_lines({name})",
        first=["lines_{name} = streaming.room({name})", "aside_{name} = streaming.row({name})"],
        place="lines_{name}[k]",
        whole="streaming.lines({name}, r * columns + begin, lines_{name}, 0)",
    ),
    last=["streaming.fence()"],
)
"""Loops of vectors whose results bypass the caches."""

STREAMED = replace(VECTOR, where="{nbytes} > most", large=BYPASSING)
"""Loops of vectors, where the results of large arrays bypass the caches."""

STREAMED_ASKING = replace(STREAMED, large=replace(BYPASSING, ask=ASK.format("block"), ask_lines=ASK.format("lines")))
"""Likewise, asking for the next row of those arrays."""


def gathered(total, rest, value):
    """Return a float64 sum and what it lacks, with one more number."""
    wide = float(value)
    raised = total + wide
    back = raised - total
    return raised, rest + ((total - (raised - back)) + (wide - back))


def larger(x, y):
    """Return the larger one of two numbers; NaN of neither is of consequence, for a row with it is NaN throughout."""
    return x if x > y else y  # noqa: FURB136  # numba's max checks for NaN


def where(condition, x, y):
    """Return x where the condition holds, otherwise y."""
    return x if condition else y


class RowLoops(AlongRows):
    """The part of a backend that compiles loops over rows with numba."""

    takes_rows = True
    row_interleave: ClassVar[int] = 0
    """Vectors that an iteration of a loop over a row processes; 0 leaves it to LLVM."""

    @abstractmethod
    def jitable(self, formula: Formula) -> Formula:
        """Let compiled loops inline a function."""

    def row_namespace(self) -> Any:
        """Return the namespace that traces formulas: the loops over rows are laid out from what they are made of."""
        return TRACING

    def row_notation(self) -> RowNotation:
        """Return how loops over rows are written."""
        return SCALAR

    def row_functions(self) -> dict[str, Any]:
        """Return what loops over rows call beside the functions of formulas."""
        return {function.__name__: self.jitable(function) for function in (gathered, larger, where)}

    def row_source(self, passes: Sequence[Pass]) -> str:
        """Return the source of the function that makes these passes."""
        return function_of(passes, self.row_notation()).source


def typed(function: RowFunction, dtype: Dtype) -> dict[str, Any]:
    """Return the numbers of a function in the type of its arithmetic, by their names in it."""
    real = np.dtype(dtype).type
    named = {f"c{place}": real(number) for place, number in enumerate(function.numbers)}
    return named | {"zero": real(0.0), "lowest": real(-np.inf), "real": real, "block": _simd.ROW_BLOCK, "distant": FAR}


def compiled(backend: Numba, passes: Sequence[Pass], dtype: Dtype, *, edition: str, cache: bool) -> Any:
    """Compile the function of these passes as a backend does; `edition` is a digest of what compiles it."""
    function, functions = function_of(passes, backend.row_notation()), backend.namespace()
    scope = {name: getattr(functions, name) for name in function.functions} | backend.row_functions()
    scope |= typed(function, dtype) | {"span": backend.span()}
    return jitted(
        function.made(scope, __file__),
        ["int64" if name == TARGET else dtype for name in function.arrays],
        cache=cache,
        parallel=backend.threaded,
        count_references=backend.counts_references,
        interleave=backend.row_interleave,
        rows=function.source + edition + _simd.edition(),
    )
