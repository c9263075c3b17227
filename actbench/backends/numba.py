"""numba: the scalar formula in a compiled loop over preallocated output; ``math`` calls the platform's libm.

Two things keep a float32 kernel free of float64 arithmetic. The signature is explicit, and the formula's literals are
given the kernel's dtype, because numba promotes float32 beside a Python float to float64 (numpy's NEP 50 does not).

Compiled code is cached on disk. The key holds the formula's own byte code and constants: it reaches the loop through a
closure as a plain function, which numba serialises by content. A dispatcher would carry a random identifier there
and never be found again.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from actbench.backends._backend import Backend, Bound, Compiled, source
from actbench.formula import Dialect, Formula, Rule
from actbench.model import Dtype, Op


def derivative(formula: Formula) -> Callable[..., Any]:
    """G' of every element."""

    def kernel(out, kept):
        for i in range(out.size):
            out[i] = formula(kept[i])

    return kernel


def backward(formula: Formula) -> Callable[..., Any]:
    """Dy * g' of every element."""

    def kernel(dz, dy, kept):
        for i in range(dz.size):
            dz[i] = dy[i] * formula(kept[i])

    return kernel


def step_keeping_z(forward: Formula, formula: Formula) -> Callable[..., Any]:
    """Forward; then backward from z."""

    def kernel(y, dz, z, dy):
        for i in range(y.size):
            y[i] = forward(z[i])
        for i in range(dz.size):
            dz[i] = dy[i] * formula(z[i])

    return kernel


def step_keeping_y(forward: Formula, formula: Formula) -> Callable[..., Any]:
    """Forward; then backward from y."""

    def kernel(y, dz, z, dy):
        for i in range(y.size):
            y[i] = forward(z[i])
        for i in range(dz.size):
            dz[i] = dy[i] * formula(y[i])

    return kernel


def step_saving(save: Formula, formula: Formula) -> Callable[..., Any]:
    """Forward, storing a residual beside y; then backward from it."""

    def kernel(y, saved, dz, z, dy):
        for i in range(y.size):
            y[i], saved[i] = save(z[i])
        for i in range(dz.size):
            dz[i] = dy[i] * formula(saved[i])

    return kernel


def with_literals(formula: Formula, dtype: Dtype) -> Formula:
    """Return the formula with its float literals in the kernel's dtype."""
    real = np.dtype(dtype).type
    code = formula.__code__
    constants = tuple(real(value) if isinstance(value, float) else value for value in code.co_consts)
    return FunctionType(
        code.replace(co_consts=constants), formula.__globals__, formula.__name__, None, formula.__closure__
    )


class Numba(Backend):
    """A compiled loop over the scalar formula."""

    name = "numba"
    summary = "the scalar formula in an njit loop over preallocated output, exponentials from libm"
    requires = "numba"
    dialect = Dialect.SCALAR
    dtypes = (Dtype.FLOAT32, Dtype.FLOAT64)
    rank = 20
    preallocates = True
    planning_ns = 15.0

    def namespace(self) -> Any:
        """``math``, which numba compiles to calls of libm."""
        return math

    def bind(self, op: Op, rule: Rule, dtype: Dtype) -> Bound:
        """Compile the loop, or load it from numba's cache."""
        start = time.perf_counter()
        dispatcher = self._compile(op, rule, dtype, cache=True)
        return Bound(dispatcher, time.perf_counter() - start, from_cache=bool(dispatcher.stats.cache_hits))

    def execution(self, op: Op, rule: Rule) -> str:
        """The loop around the formula."""
        return source(self._factory(op, rule))

    def compiled(self, op: Op, rule: Rule, dtype: Dtype) -> Compiled:
        """Read signature, vector width, library calls and conversions off LLVM's optimised code."""
        dispatcher = self._compile(op, rule, dtype, cache=False)
        ((signature, code),) = dispatcher.inspect_llvm().items()
        body = re.search(r"^define i32 @.*?^}", code, re.MULTILINE | re.DOTALL)
        text = body.group() if body else code
        bits = 8 * dtype.itemsize
        return Compiled(
            signature=f"({', '.join(str(argument) for argument in signature)})",
            vector_bits=max((int(lanes) * bits for lanes in _PACKED.findall(text)), default=0),
            library_calls=tuple(sorted({_library_name(*found) for found in _CALLED.findall(text)})),
            double_conversions=len(_WIDENED.findall(text)) if dtype is Dtype.FLOAT32 else 0,
        )

    def _factory(self, op: Op, rule: Rule) -> Callable[..., Any]:
        match op:
            case Op.DERIVATIVE:
                return derivative
            case Op.BACKWARD:
                return backward
            case Op.STEP:
                return step_saving if rule.save else {"z": step_keeping_z, "y": step_keeping_y}[rule.residuals[0]]

    def _compile(self, op: Op, rule: Rule, dtype: Dtype, *, cache: bool) -> Any:
        import numba
        from numba.extending import register_jitable

        formulas = [rule.derivative] if op is not Op.STEP else [rule.save or rule.forward, rule.derivative]
        loop = self._factory(op, rule)(*(register_jitable(with_literals(formula, dtype)) for formula in formulas))
        array = getattr(numba, dtype)[::1]
        signature = numba.void(*[array] * loop.__code__.co_argcount)
        return numba.njit([signature], cache=cache, error_model="numpy")(loop)


_PACKED = re.compile(r"= f(?:add|sub|mul|div) (?:\w+ )*<(\d+) x (?:float|double)>")
_CALLED = re.compile(r"call [^@\n]*@(?:llvm\.)?((?:exp|log|pow|sin|cos|tan|erf)\w*)(?:\.(?:v\d+)?f(32|64))?\(")
_WIDENED = re.compile(r"= fpext ")


def _library_name(name: str, bits: str) -> str:
    """``expf`` for LLVM's ``llvm.exp.v8f32``, which becomes one call of expf a lane."""
    return f"{name}f" if bits == "32" else name
