"""numba: the scalar formula in a compiled loop over preallocated output; ``math`` calls the platform's libm.

Two things keep a float32 kernel free of float64 arithmetic. The signature is explicit, and the formula's literals are
given the kernel's dtype, because numba promotes float32 beside a Python float to float64 (numpy's NEP 50 does not).

Compiled code is cached on disk. The key holds the formula's own byte code and constants: it reaches the loop through a
closure as a plain function, which numba serialises by content. A dispatcher would carry a random identifier there
and never be found again.

Loops and formulas are inlined, all of them, whatever LLVM thinks of it. numba names functions by a count that begins
anew in every process: of two kernels from the cache that each kept a loop as a function of its own, under one name, the
second would call the first one's.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

from actbench.backends import _generated_code, _libm, _numba_cache, _simd
from actbench.backends._backend import COPY, PRODUCT, Backend, Bound, empty, same, with_literals
from actbench.backends._listing import sources
from actbench.backends._narrowing import BITS, as_bits
from actbench.errors import InputError
from actbench.formula import Conversion, Dialect, Formula, Rule
from actbench.model.checks import Compiled
from actbench.model.names import Dtype, Op, Storage

TELLING = re.compile(
    r"Untyped|Unknown attribute|Cannot|Use of|NameError|Invalid use|No implementation of function .*built"
)
"""What numba's lines begin with that name the cause."""

PLACE = re.compile(r"(?:File \"|at )(?:[^\"]*/)?([^\"/ ]+\.py)\"?(?:, line | \()(\d+)")
"""A place in numba's lines: the name of a file, and a line."""


def elementwise(span: Callable[[int], Any], formula: Formula) -> Callable[..., Any]:
    """A formula of every element: the activation, or its derivative."""

    def loop(out, kept):
        for i in span(out.size):
            out[i] = formula(kept[i])

    return loop


def elementwise_from_two(span: Callable[[int], Any], formula: Formula) -> Callable[..., Any]:
    """A formula of every element, from two residuals."""

    def loop(out, kept, too):
        for i in span(out.size):
            out[i] = formula(kept[i], too[i])

    return loop


def saving(span: Callable[[int], Any], save: Formula) -> Callable[..., Any]:
    """The activation of every element, and a residual beside it."""

    def loop(y, saved, z):
        for i in span(y.size):
            y[i], saved[i] = save(z[i])

    return loop


def saving_two(span: Callable[[int], Any], save: Formula) -> Callable[..., Any]:
    """The activation of every element, and two residuals beside it."""

    def loop(y, saved, too, z):
        for i in span(y.size):
            y[i], saved[i], too[i] = save(z[i])

    return loop


def backward(span: Callable[[int], Any], formula: Formula) -> Callable[..., Any]:
    """Multiply the upstream gradient by the derivative of every element."""

    def loop(dz, dy, kept):
        for i in span(dz.size):
            dz[i] = dy[i] * formula(kept[i])

    return loop


def backward_from_two(span: Callable[[int], Any], formula: Formula) -> Callable[..., Any]:
    """Multiply the upstream gradient by the derivative of every element, from two residuals."""

    def loop(dz, dy, kept, too):
        for i in span(dz.size):
            dz[i] = dy[i] * formula(kept[i], too[i])

    return loop


def step_keeping_z(forward: Callable[..., Any], backward: Callable[..., Any]) -> Callable[..., Any]:
    """Forward; then backward from z."""

    def kernel(y, dz, z, dy):
        forward(y, z)
        backward(dz, dy, z)

    return kernel


def step_keeping_y(forward: Callable[..., Any], backward: Callable[..., Any]) -> Callable[..., Any]:
    """Forward; then backward from y."""

    def kernel(y, dz, z, dy):
        forward(y, z)
        backward(dz, dy, y)

    return kernel


def step_keeping_both(forward: Callable[..., Any], backward: Callable[..., Any]) -> Callable[..., Any]:
    """Forward; then backward from z and y."""

    def kernel(y, dz, z, dy):
        forward(y, z)
        backward(dz, dy, z, y)

    return kernel


def step_saving(forward: Callable[..., Any], backward: Callable[..., Any]) -> Callable[..., Any]:
    """Forward, storing a residual beside y; then backward from it."""

    def kernel(y, saved, dz, z, dy):
        forward(y, saved, z)
        backward(dz, dy, saved)

    return kernel


def step_saving_beside_z(forward: Callable[..., Any], backward: Callable[..., Any]) -> Callable[..., Any]:
    """Forward, storing a residual beside y; then backward from z and it."""

    def kernel(y, saved, dz, z, dy):
        forward(y, saved, z)
        backward(dz, dy, z, saved)

    return kernel


def step_saving_two(forward: Callable[..., Any], backward: Callable[..., Any]) -> Callable[..., Any]:
    """Forward, storing two residuals beside y; then backward from them."""

    def kernel(y, saved, too, dz, z, dy):  # noqa: PLR0913, PLR0917  # it has as many arrays
        forward(y, saved, too, z)
        backward(dz, dy, saved, too)

    return kernel


RESIDUALS = {"kept", "saved", "too"}
"""What loops call the arrays that may be of another type than the arithmetic."""


def dispatch(out, y) -> None:
    """Take the operands."""


def formulas(op: Op, rule: Rule) -> list[Formula]:
    """Return what the loops of an op call, in the order of their parameters."""
    return [rule.save or rule.forward, rule.derivative] if op is Op.STEP else [rule.derivative]


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
    counts_references: ClassVar[bool] = True
    """Whether a call takes a reference to each of its arrays, as numba does where it is not told otherwise."""
    ladder: ClassVar = {
        "empty": empty,
        "dispatch": dispatch,
        "allocation": "compiled loops write into a result made beforehand",
        "loop": COPY,
        "arithmetic": PRODUCT,
    }

    def namespace(self) -> Any:
        """``math``, which numba compiles to calls of libm."""
        return _libm

    def span(self) -> Callable[[int], Any]:
        """What the loops count with."""
        return range

    def jitable(self, formula: Formula) -> Formula:
        """Let compiled loops call the formula, in their midst: a call, even of a large one, is never vectorised."""
        from numba.extending import register_jitable

        inlined: Formula = register_jitable(forceinline=True)(formula)
        return inlined

    def edition(self, rule: Rule) -> str:
        """Tell apart what functions were when a kernel was compiled; libm's are not compiled here."""
        return _simd.edition() if rule.conversion else ""

    def conversion(self, storage: Storage, dtype: Dtype) -> Conversion:
        """Numbers of 16 bits are integers to numba."""
        from actbench.backends._simd import sixteen_bits

        widen, narrow = (getattr(sixteen_bits, f"{a}_to_{b}") for a, b in ((storage, dtype), (dtype, storage)))
        return Conversion(storage, widen, narrow)

    def adopt(self, array: Any) -> Any:
        """The same array, or its bits."""
        return as_bits(array)

    def bind(self, op: Op, rule: Rule, dtype: Dtype) -> Bound:
        """Compile the loop, or load it from numba's cache."""
        start = time.perf_counter()
        bound = _bound(self._compile(op, rule, dtype, cache=True), start)
        if not bound.from_cache:
            _keep_facts(bound.function, bound.function, dtype)
        return bound

    def bind_call(self, function: Callable[..., Any], dtype: Dtype) -> Bound:
        """Compile a function that takes arrays and returns nothing, or load it from numba's cache."""
        start = time.perf_counter()
        return _bound(self._jitted(function, [dtype] * len(parameters(function)), cache=True), start)

    def execution(self, op: Op, rule: Rule) -> str:
        """The loops around the formulas, what is around the loops, and what calls them, with all that these call."""
        return sources(self._executed(op, rule))

    def _executed(self, op: Op, rule: Rule) -> list[Callable[..., Any]]:
        loops = _loops(op, rule)
        around = dict.fromkeys(self._around(factory(range, same)) for factory in loops)
        return [*loops, *(each for each in around if each is not same), *([_step(rule)] if op is Op.STEP else [])]

    def around(self, arrays: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Return what executes a loop over so many arrays: the loop itself does."""
        del arrays
        return same

    def compiled(self, bound: Bound, op: Op, rule: Rule, dtype: Dtype) -> Compiled:
        """Return what was read off LLVM's optimised code when it was compiled, and kept beside it.

        Where nothing was, it is compiled anew: what comes from the cache can be run, not read.
        """
        kept = _numba_cache.kept(bound.function, _generated_code.edition())
        if kept is not None:
            return Compiled(**kept)
        return _keep_facts(bound.function, self._compile(op, rule, dtype, cache=False), dtype)

    def _around(self, loop: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        return self.around(len(parameters(loop)))

    def _jitted(self, function: Callable[..., Any], types: Sequence[str], *, cache: bool) -> Any:
        return jitted(function, types, cache=cache, parallel=self.threaded, counted=self.counts_references)

    def _compile(self, op: Op, rule: Rule, dtype: Dtype, *, cache: bool) -> Any:
        from numba.core.errors import NumbaError
        from numba.extending import register_jitable

        helper, within = register_jitable(forceinline=True), register_jitable(inline="always", forceinline=True)
        edition = self.edition(rule)
        literal = (with_literals(formula, dtype, edition, helper) for formula in formulas(op, rule))
        loops = [
            within(factory(self.span(), self.jitable(formula)))
            for factory, formula in zip(_loops(op, rule), literal, strict=True)
        ]
        executed = [self._around(loop)(loop) for loop in loops]
        whole = _step(rule)(*map(within, executed)) if op is Op.STEP else None
        residuals = dtype_of_residuals(rule, dtype)
        types = [residuals if name in RESIDUALS else dtype for name in parameters(whole or loops[0])]
        try:
            return self._jitted(whole or executed[0], types, cache=cache)
        except (NumbaError, AttributeError) as error:  # the latter where the namespace lacks a function
            reason = _reason(str(error), rule.derivative)
            raise InputError(f"numba cannot compile {rule.derivative.__name__}: {reason}") from None


def _loops(op: Op, rule: Rule) -> list[Callable[..., Any]]:
    """Return what makes the loops of an op around its formulas."""
    two = len(rule.residuals) == 2
    if op is Op.DERIVATIVE:
        return [elementwise_from_two if two else elementwise]
    back = backward_from_two if two else backward
    if op is Op.BACKWARD:
        return [back]
    forward = elementwise if not rule.save else saving_two if two and "z" not in rule.residuals else saving
    return [forward, back]


def _step(rule: Rule) -> Callable[..., Any]:
    """Return what makes a step of its two loops."""
    two = len(rule.residuals) == 2
    if rule.save:
        return step_saving_beside_z if "z" in rule.residuals else step_saving_two if two else step_saving
    return step_keeping_both if two else {"z": step_keeping_z, "y": step_keeping_y}[rule.residuals[0]]


def dtype_of_residuals(rule: Rule, dtype: Dtype) -> str:
    """Name the type of the arrays that residuals lie in."""
    if rule.conversion is None:
        return dtype
    return "float32" if rule.conversion.kept_in == Storage.FLOAT32 else str(BITS)


def parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    """Name what a function takes."""
    return function.__code__.co_varnames[: function.__code__.co_argcount]


def jitted(
    function: Callable[..., Any],
    types: Sequence[str],
    *,
    cache: bool = True,
    parallel: bool = False,
    counted: bool = True,
) -> Any:
    """Compile a function that takes arrays of these types and returns nothing.

    `counted` has a call count its references to the arrays, as it must where it could keep one.
    """
    import numba

    signature = numba.void(*(getattr(numba, each)[::1] for each in types))
    options: dict[str, Any] = {"error_model": "numpy", "parallel": parallel, "_nrt": counted}
    dispatcher: Any = numba.njit(**options)(function)
    if cache:
        try:
            _numba_cache.share(dispatcher)
        except RuntimeError as error:
            if "cannot cache function" not in str(error):
                raise  # but where no directory can be written there is no cache
    dispatcher.compile(signature)
    dispatcher.disable_compile()
    return dispatcher


def _keep_facts(dispatcher: Any, compiled: Any, dtype: Dtype) -> Compiled:
    """Read the code of a function that was compiled in this process; keep what it says beside another of the same."""
    ((signature, code),) = compiled.inspect_llvm().items()
    facts = _generated_code.facts(signature, code, dtype)
    _numba_cache.keep(dispatcher, _generated_code.edition(), asdict(facts))
    return facts


def _reason(said: str, formula: Formula) -> str:
    """Return of numba's many lines the innermost that tells what it does not know, and where in the user's code."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    at = max((number for number, line in enumerate(lines) if TELLING.match(line)), default=0)
    what = lines[at]
    if what.endswith("for signature:"):
        what += next((line.removeprefix(">>>") for line in lines[at:] if line.startswith(">>>")), "")
    places = [found.groups() for line in lines[at:] for found in PLACE.finditer(line)]
    code = formula.__code__
    path, number = next((place for place in places if place[0] == Path(code.co_filename).name), ("", ""))
    return f"{what} ({path or Path(code.co_filename).name}, line {number or code.co_firstlineno})"


def _bound(dispatcher: Any, start: float) -> Bound:
    return Bound(dispatcher, time.perf_counter() - start, from_cache=bool(dispatcher.stats.cache_hits))
