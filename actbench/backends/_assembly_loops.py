"""The loop over a formula that is one fused multiply-add, with a loop in assembly for arrays in the nearest cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actbench.backends import _loops
from actbench.backends._simd import assembly
from actbench.model.rule import Formula


def elementwise_by(name: str, sizes: range) -> Callable[[_loops.Span, Formula], _loops.Loop]:
    """Return the factory of the loop over a formula that returns the result of this function, on every element.

    The loop is in assembly for arrays of these sizes, in bytes.
    """
    least, most, step = sizes.start, sizes[-1], sizes.step

    def elementwise(span: _loops.Span, formula: Formula) -> _loops.Loop:
        def loop(out, residual):
            if least <= out.nbytes <= most and (out.nbytes - least) % step == 0:
                assembly.apply(name, out, residual)
            else:
                for i in span(out.size):
                    out[i] = formula(residual[i])

        return loop

    return elementwise


def only_called(formula: Formula) -> str | None:
    """Return the name of the function of which a formula does nothing but return the result; None where it does more.

    What it calls is a function of its namespace, and the formula has one argument.
    """
    m: Any = None

    def template(y: Any) -> Any:
        return m.function(y)

    code = formula.__code__
    alike = code.co_code == template.__code__.co_code and code.co_argcount == len(code.co_names) == 1
    return code.co_names[0] if alike else None
