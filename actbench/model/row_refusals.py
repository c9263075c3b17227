"""What formulas of row activations cannot contain: operators that no loop over rows has, branches, functions of numpy.

Without a refusal, Python would decide some of them in silence: a term is true, and equal to itself alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

OPERATORS = "+ - * / < >"
"""The operators of formulas along rows, in words."""

FUNCTIONS = ("exp", "expm1", "log", "log1p", "sqrt", "tanh")
"""The functions of the namespace that take one array, element by element."""

INSTEAD = f"along rows, operators are {OPERATORS} and the minus sign"


def function_instead(known: tuple[str, ...]) -> str:
    """Say which functions there are along rows."""
    return f"along rows, functions are {', '.join(f'm.{name}' for name in known)}"


def _refusal(what: str, instead: str = INSTEAD) -> Callable[..., NoReturn]:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise TypeError(f"{what}: {instead}")

    return refuse


_NO_BRANCH = _refusal("a formula cannot branch on its arrays", "along rows, write m.where(condition, x, y)")
_NO_LIBRARY = _refusal(
    "a function of a library cannot take an array of a formula", "call those of m, such as m.exp(z) and m.sum(z)"
)
_NO_PARTS = _refusal("an array of a formula has no parts", "m.sum and m.max reduce a row")


class Refusals:
    """A base of what formulas are called on, in which all that is unsupported raises `TypeError` with the way out."""

    __slots__ = ()

    __eq__ = _refusal("'=='")
    __ne__ = _refusal("'!='")
    __hash__ = object.__hash__  # a term is one by identity
    __le__ = _refusal("'<='")
    __ge__ = _refusal("'>='")
    __pow__ = __rpow__ = _refusal("'**'", f"{INSTEAD}; write a power as a product")
    __abs__ = _refusal("abs", "along rows, write m.where(x > 0.0, x, -x)")
    __mod__ = __rmod__ = _refusal("'%'")
    __floordiv__ = __rfloordiv__ = _refusal("'//'")
    __matmul__ = __rmatmul__ = _refusal("'@'")
    __and__ = __rand__ = __or__ = __ror__ = __invert__ = _refusal("'&', '|' and '~'", f"{INSTEAD}; nest m.where")
    __bool__ = _NO_BRANCH
    __float__ = __array__ = __array_ufunc__ = _NO_LIBRARY
    __getitem__ = __iter__ = __len__ = _NO_PARTS
