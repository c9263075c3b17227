"""One name for the float32 and the float64 version of a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba.core import types
from numba.extending import overload, register_jitable

from actbench.backends._simd import vector_width
from actbench.backends._simd.registers import Register, element_of

WITHIN: dict[str, Any] = {"forceinline": True, "no_cfunc_wrapper": True}
"""Options of functions that only compiled code calls: what C code could call would take a sixth of the compilation."""

inlined: Callable[[Callable[..., Any]], Callable[..., Any]] = register_jitable(**WITHIN)
"""Decorator for the parts of a version: LLVM does not vectorise a loop that contains a call."""


def by_dtype(
    name: str,
    float32: Callable[..., Any],
    float64: Callable[..., Any],
    in_registers: tuple[Callable[..., Any], ...] = (),
) -> Callable[..., Any]:
    """Return a function of one float for compiled code; it raises `TypeError` anywhere else.

    `in_registers` are the versions for registers, of float32 and of float64; by default they are the same.
    """
    versions = {types.float32: float32, types.float64: float64}
    wide_versions = dict(zip(versions, in_registers or versions.values(), strict=True))

    def function(x):
        raise TypeError(f"{name}({x}) is for code that numba compiles")

    function.__name__ = function.__qualname__ = name
    function.__doc__ = float32.__doc__
    function.__wrapped__ = float32  # type: ignore[attr-defined]  # `inspect` finds the source here
    function.versions = float32, float64, *in_registers  # type: ignore[attr-defined]  # the listing finds their callees here

    @overload(function, jit_options=WITHIN)
    def version(x):
        return (wide_versions if isinstance(x, Register) else versions).get(element_of(x))

    del version
    return function


def by_form(numbers: Callable[..., Any], registers: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of two arguments for compiled code, with another version where the first one is registers."""

    def function(x, y):
        raise TypeError(f"{numbers.__name__}({x}, {y}) is for code that numba compiles")

    function.__name__ = function.__qualname__ = numbers.__name__
    function.__wrapped__ = numbers  # type: ignore[attr-defined]  # `inspect` finds the source here
    function.versions = numbers, registers  # type: ignore[attr-defined]  # the listing finds their callees here

    @overload(function, jit_options=WITHIN, strict=False)
    def version(x, y):
        del y
        return registers if isinstance(x, Register) else numbers

    del version
    return function


def on_zen_5(there: Callable[..., Any], elsewhere: Callable[..., Any]) -> Callable[..., Any]:
    """Return a version of a function of one argument, which is compiled code of another where that runs on Zen 5."""

    def function(x):
        raise TypeError(f"{elsewhere.__name__}({x}) is for code that numba compiles")

    @overload(function, jit_options=WITHIN)
    def version(x):
        del x
        return there if vector_width.is_zen_5() else elsewhere

    del version

    def by_processor(x):
        return function(x)

    by_processor.__doc__ = elsewhere.__doc__
    by_processor.__wrapped__ = elsewhere  # type: ignore[attr-defined]  # `inspect` finds the source here
    by_processor.versions = there, elsewhere  # type: ignore[attr-defined]  # the listing finds their callees here
    return by_processor
