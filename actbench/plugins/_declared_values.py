"""Values that a user's `Formulas` cannot have; each error says what to write instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite, isnan
from numbers import Real
from types import FunctionType
from typing import Any

from actbench.formula import Formulas, Piecewise, Weakness


def unusable_value(formulas: Formulas) -> str | None:
    """Return why a value of formulas is of the wrong type or makes no sense; None where all can be used."""
    return next(_unusable(formulas), None)


def _unusable(formulas: Any) -> Iterator[str]:
    if not isinstance(formulas.forward, FunctionType | Piecewise):
        function = "a Python function of z, or of a and b where it is gated"
        yield f"forward is {formulas.forward!r}: write {function}, or Piecewise(scalar=..., array=...)"
    if not _is_range(formulas.range):
        yield f"range is {formulas.range!r}: write the infimum and the supremum of g, such as (0.0, 1.0)"
    for name, symbol in (("kinks", "g'"), ("second_kinks", "g''")):
        kinks = getattr(formulas, name)
        if not isinstance(kinks, Mapping) or not all(map(_is_number, (*kinks, *kinks.values()))):
            yield f"{name} is {kinks!r}: write each z at which {symbol} jumps with {symbol} there, such as {{0.0: 1.0}}"
    if formulas.at_nan is not None and not _is_real(formulas.at_nan):
        yield f"at_nan is {formulas.at_nan!r}: write g' at NaN as a number, or leave it out"
    if not isinstance(formulas.uncached, str | None):
        yield f"uncached is {formulas.uncached!r}: write in words why y is not enough"
    if not isinstance(formulas.without_second, str | None):
        yield f"without_second is {formulas.without_second!r}: write in words why there is no form of g''"
    for of, weaknesses in (
        ("", formulas.weaknesses),
        *((f" of {name}", one.weaknesses) for name, one in formulas.strategies.items()),
    ):
        if not isinstance(weaknesses, tuple) or not all(isinstance(one, Weakness) for one in weaknesses):
            yield f"weaknesses{of} is {weaknesses!r}: write a tuple, such as (Weakness(Flaw.CANCELS, why, where),)"


def _is_range(value: Any) -> bool:
    if not isinstance(value, tuple) or len(value) != 2 or not all(map(_is_real, value)):
        return False
    low, high = value
    return not isnan(low) and low < high


def _is_real(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return _is_real(value) and isfinite(value)
