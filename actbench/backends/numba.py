"""numba: the scalar formula in a compiled loop over preallocated output; ``math`` calls the platform's libm.

Two things keep a float32 kernel free of float64 arithmetic. The signature is explicit, and the formula's literals have
the kernel's dtype, because numba promotes float32 with a Python float to float64 (numpy's NEP 50 does not).

Compiled code is cached on disk. The key contains the formula's byte code and constants: the formula reaches the loop
through a closure, and keys contain what closures hold, plain functions and the loops that steps are made of.

All loops and formulas are inlined, whatever LLVM's cost model says. numba names functions by a counter that restarts in
every process. If two kernels from the cache had loops of the same name that were not inlined, the second kernel would
call the loop of the first.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from actbench.backends import (
    _compiling,
    _gated_widening_loops,
    _generated_code,
    _libm,
    _numba_cache,
    _row_compiling,
    _row_functions,
    _row_loops,
    _row_notation,
    _row_passes,
    _simd,
    _widening_loops,
)
from actbench.backends._backend import Backend, Bound
from actbench.backends._compiling import cause, jitted, only_version, parameters
from actbench.backends._listing import sources
from actbench.backends._loops import RESIDUALS, formulas_of
from actbench.backends._narrowing import BITS_DTYPE, as_bits
from actbench.backends._numba_cache import inlined
from actbench.backends._rewriting import unchanged, with_literals
from actbench.backends._row_compiling import RowLoops
from actbench.backends._row_functions import forward_of, passes_of
from actbench.backends._row_passes import Pass
from actbench.backends._rungs import COPY_RULE, PRODUCT_RULE, empty
from actbench.errors import InputError
from actbench.model.checks import Compiled
from actbench.model.names import NARROW, WIDE, Dtype, Op, Storage
from actbench.model.rule import Conversion, Dialect, Formula, Rule


def dispatch(out, y) -> None:
    """Take the operands."""


class Numba(RowLoops, Backend):
    """A compiled loop over the scalar formula."""

    name = "numba"
    summary = "the scalar formula in an njit loop over preallocated output, exponentials from libm"
    requires = "numba"
    dialect = Dialect.SCALAR
    dtypes: ClassVar[tuple[Dtype, ...]] = WIDE
    rank = 20
    preallocates = True
    takes_gated = True
    planning_ns = 15.0
    counts_references: ClassVar[bool] = True
    """Whether a call takes a reference to each of its arrays, as numba does by default."""
    looks_up: ClassVar[bool] = True
    """Whether a call looks up the compiled code by the types of its arguments, as numba's dispatcher does."""
    ladder: ClassVar = {
        "empty": empty,
        "dispatch": dispatch,
        "allocation": "compiled loops write into a preallocated result",
        "loop": COPY_RULE,
        "arithmetic": PRODUCT_RULE,
    }

    def namespace(self) -> Any:
        """``math``, which numba compiles to calls of libm."""
        return _libm

    def span(self) -> Callable[[int], Any]:
        """Return the range function of the loops."""
        return range

    def jitable(self, formula: Formula) -> Formula:
        """Let compiled loops inline the formula, however large it is: LLVM does not vectorise a loop with a call."""
        from numba.extending import register_jitable

        inlined: Formula = register_jitable(forceinline=True)(formula)
        return inlined

    def edition(self, rule: Rule) -> str:
        """Return a digest of the functions, besides the formulas and libm, that are compiled into a kernel."""
        return _simd.edition() if rule.conversion or rule.arithmetic else ""

    def conversion(self, storage: Storage, dtype: Dtype) -> Conversion:
        """Return the conversions between the arithmetic's type and `storage`; numba sees 16-bit numbers as integers."""
        from actbench.backends._simd import sixteen_bits

        widen, narrow = (getattr(sixteen_bits, f"{a}_to_{b}") for a, b in ((storage, dtype), (dtype, storage)))
        return Conversion(storage, widen, narrow)

    def adopt(self, array: Any) -> Any:
        """Return the same array, or the bits of 16-bit floats."""
        return as_bits(array)

    def bind(self, op: Op, rule: Rule, dtype: Dtype) -> Bound:
        """Compile the loop, or load it from numba's cache."""
        start = time.perf_counter()
        bound = self._bound(self._compile(op, rule, dtype, cache=True), start)
        if not bound.from_cache:
            _keep_facts(bound.compiled, bound.compiled, dtype)
        return bound

    def bind_forward(self, rule: Rule, dtype: Dtype) -> Bound:
        """Compile the loop of the forward pass, or load it from numba's cache."""
        start = time.perf_counter()
        if rule.is_row:
            return self._bound(self._compiled_over_rows([forward_of(rule)], dtype, cache=True), start)
        loop, formula = self._forward_loop(rule), rule.save or rule.forward
        return self._bound(self._compiled_loops([loop], [formula], None, rule, dtype, cache=True), start)

    def bind_call(self, function: Callable[..., Any], dtype: Dtype) -> Bound:
        """Compile a function that takes arrays and returns nothing, or load it from numba's cache."""
        from numba.core.errors import NumbaPerformanceWarning

        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NumbaPerformanceWarning)  # an empty function has no loop to parallelise
            compiled = self._jitted(function, [array_of(dtype)] * len(parameters(function)), cache=True)
        return self._bound(compiled, start)

    def execution(self, op: Op, rule: Rule) -> str:
        """Return the source of the loops, of their wrappers, and of the step that calls them."""
        if rule.is_row:
            return self.row_source(passes_of(op, rule))
        return sources(self._executed(op, rule))

    def forward_execution(self, rule: Rule) -> str:
        """Return the source of the loop of the forward pass, and of its wrapper."""
        if rule.is_row:
            return self.row_source([forward_of(rule)])
        return sources(self._wrapped([self._forward_loop(rule)]))

    def loop_over(self, factory: Callable[..., Any], formula: Formula) -> Callable[..., Any]:
        """Return the factory of the loop over a formula, in place of the usual one; here it returns that one."""
        del formula
        return factory

    def _loops_of(self, op: Op, rule: Rule) -> list[Callable[..., Any]]:
        factories = _loops_for(rule).loops_of(op, rule)
        return [self.loop_over(*pair) for pair in zip(factories, formulas_of(op, rule), strict=True)]

    def _forward_loop(self, rule: Rule) -> Callable[..., Any]:
        return self.loop_over(_loops_for(rule).forward_of(rule), rule.save or rule.forward)

    def _executed(self, op: Op, rule: Rule) -> list[Callable[..., Any]]:
        return [
            *self._wrapped(self._loops_of(op, rule)),
            *([_loops_for(rule).step_of(rule)] if op is Op.STEP else []),
        ]

    def _wrapped(self, factories: Sequence[Callable[..., Any]]) -> list[Callable[..., Any]]:
        around = dict.fromkeys(self._around(factory(range, unchanged)) for factory in factories)
        around.pop(unchanged, None)
        return [*factories, *around]

    def around(self, arrays: Sequence[str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Return a function that wraps a loop over the arrays of these names; here it returns the loop itself."""
        del arrays
        return unchanged

    def compiled(self, bound: Bound, op: Op, rule: Rule, dtype: Dtype) -> Compiled:
        """Return the facts that were read from LLVM's optimised code at compilation, from the cache.

        If the cache has none, the kernel is compiled again, because the code of a cached kernel cannot be read.
        """
        kept = _numba_cache.kept(bound.compiled, _generated_code.edition())
        if kept is not None:
            return Compiled(**kept)
        return _keep_facts(bound.compiled, self._compile(op, rule, dtype, cache=False), dtype)

    def _bound(self, dispatcher: Any, start: float) -> Bound:
        function = dispatcher if self.looks_up else only_version(dispatcher)
        hit = bool(dispatcher.stats.cache_hits)
        return Bound(function, time.perf_counter() - start, from_cache=hit, compiled=dispatcher)

    def _around(self, loop: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        return self.around(parameters(loop))

    def _wrap(self, loop: Callable[..., Any]) -> Callable[..., Any]:
        """Return a loop with what this backend puts around it."""
        wrap = self._around(loop)
        return loop if wrap is unchanged else wrap(inlined(loop))

    def interleave(self, formulas: Sequence[Formula]) -> int:
        """Return the number of vectors that loops over these formulas process per iteration; 0 leaves it to LLVM."""
        del formulas
        return 0

    def _jitted(self, function: Callable[..., Any], dtypes: Sequence[str], *, cache: bool, interleave: int = 0) -> Any:
        return jitted(
            function,
            dtypes,
            cache=cache,
            parallel=self.threaded,
            count_references=self.counts_references,
            interleave=interleave,
        )

    def _compile(self, op: Op, rule: Rule, dtype: Dtype, *, cache: bool) -> Any:
        if rule.is_row:
            return self._compiled_over_rows(passes_of(op, rule), dtype, cache=cache)
        step = _loops_for(rule).step_of(rule) if op is Op.STEP else None
        return self._compiled_loops(self._loops_of(op, rule), formulas_of(op, rule), step, rule, dtype, cache=cache)

    def _compiled_over_rows(self, passes: Sequence[Pass], dtype: Dtype, *, cache: bool) -> Any:
        return _row_compiling.compiled(self, passes, dtype, edition=_edition(), cache=cache)

    def _loop(self, factory: Callable[..., Any], formula: Formula, dtype: Dtype, rule: Rule) -> Callable[..., Any]:
        """Return a loop over a formula of a rule, with literals of the dtype."""
        from numba.extending import register_jitable

        edition = _edition() + self.edition(rule)
        typed = with_literals(formula, computed_in(dtype), edition, register_jitable(forceinline=True))
        loop: Callable[..., Any] = factory(self.span(), self.jitable(typed))
        return loop

    def _compiled_loops(  # noqa: PLR0913  # what a kernel is made of
        self,
        factories: Sequence[Callable[..., Any]],
        formulas: Sequence[Formula],
        step: Callable[..., Any] | None,
        rule: Rule,
        dtype: Dtype,
        *,
        cache: bool,
    ) -> Any:
        """Compile one loop, or two by the function that makes a step of them."""
        from numba.core.errors import NumbaError

        parts = zip(factories, formulas, strict=True)
        loops = [self._loop(factory, formula, dtype, rule) for factory, formula in parts]
        executed = [self._wrap(loop) for loop in loops]
        whole = step(*map(inlined, executed)) if step else None
        residuals = dtype_of_residuals(rule, dtype)
        dtypes = [residuals if name in RESIDUALS else array_of(dtype) for name in parameters(whole or loops[0])]
        try:
            return self._jitted(whole or executed[0], dtypes, cache=cache, interleave=self.interleave(formulas))
        except (NumbaError, AttributeError) as error:  # AttributeError where the namespace lacks a function
            reason = cause(str(error), rule.derivative)
            raise InputError(f"numba cannot compile {rule.derivative.__name__}: {reason}") from None


def _loops_for(rule: Rule) -> ModuleType:
    """Return the module of the loops around the formulas of a rule."""
    return _gated_widening_loops if rule.is_gated else _widening_loops


@cache
def _edition() -> str:
    """Return a digest of the compiling modules, since numba's cache tracks only the files of the functions."""
    modules = (_compiling, _numba_cache, _row_compiling, _row_functions, _row_loops, _row_notation, _row_passes)
    paths = (__file__, *(str(module.__file__) for module in modules))
    return sha256(b"".join(Path(path).read_bytes() for path in paths)).hexdigest()


def computed_in(dtype: Dtype) -> Dtype:
    """Return the type of arithmetic for arrays of a dtype: float32 for those of 16 bits."""
    return Dtype.FLOAT32 if dtype in NARROW else dtype


def array_of(dtype: Dtype) -> str:
    """Return numba's name for the type of an array's elements: integers for floats of 16 bits."""
    return str(BITS_DTYPE) if dtype in NARROW else dtype


def dtype_of_residuals(rule: Rule, dtype: Dtype) -> str:
    """Return the dtype of the arrays that hold residuals, under numba's name."""
    if rule.conversion is None:
        return array_of(dtype)
    return "float32" if rule.conversion.kept_in == Storage.FLOAT32 else str(BITS_DTYPE)


def _keep_facts(dispatcher: Any, compiled: Any, dtype: Dtype) -> Compiled:
    """Read the code of a function that this process compiled, and store the facts beside it in the cache."""
    ((signature, code),) = compiled.inspect_llvm().items()
    machine_code = _generated_code.machine_code(compiled.overloads[signature].library)
    facts = replace(_generated_code.facts(signature, code, computed_in(dtype)), code=machine_code)
    _numba_cache.keep(dispatcher, _generated_code.edition(), asdict(facts))
    return facts
