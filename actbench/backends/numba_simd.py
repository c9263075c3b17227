"""numba-simd: the array formula, branch-free, in a compiled loop over functions that LLVM vectorises.

numba calls libm once per element, and a loop that contains a call stays scalar. Here exp and its relatives are
arithmetic (`actbench.backends._simd`), inlined into the loop, and ``where`` is a select, so the whole formula becomes
vector code. Numbers of 16 bits are computed with in float32. Where the processor has AVX-512, a formula with an
exponential is applied to whole registers instead, without LLVM's vectoriser (`actbench.backends._register_loops`).

A call takes no references to its arrays, since its caller holds them: on a Sapphire Rapids Xeon that saved 18 ns per
array, a quarter of a small call. numba's option for it, ``_nrt``, is undocumented. And it is one of the compiled code
itself (``Dispatcher.get_overload``): numba's dispatcher looks the code up by the types of the arrays in every call,
which takes more than half of a call on one element (``python -m benchmarks.small_calls``). Operands have one type here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from actbench.backends import _simd
from actbench.backends._compiling import only_version
from actbench.backends._listing import sources
from actbench.backends._loops import elementwise, formulas_of
from actbench.backends._numba_cache import inlined
from actbench.backends._rewriting import unchanged
from actbench.backends._row_compiling import ASKING, VECTOR, gathered
from actbench.backends._row_functions import passes_of
from actbench.backends._row_notation import RowNotation
from actbench.backends.numba import Numba, computed_in
from actbench.errors import InputError
from actbench.model.helpers import helpers
from actbench.model.names import NARROW, WIDE, Dtype, Op, Storage
from actbench.model.row_graph import Tracing
from actbench.model.rule import Conversion, Dialect, Formula, Rule

INTERLEAVED = 4
"""Vectors that an iteration of a loop that computes works on: it waits less for the results of single instructions."""


def dispatch(out, y) -> None:
    """Take the operands. numba's cache holds another `dispatch`, of the base class, whose code counts references."""


class NumbaSimd(Numba):
    """A compiled loop that is vector code throughout."""

    name = "numba-simd"
    summary = "the array formula in an njit loop, exponentials as branch-free arithmetic in vectors"
    dialect = Dialect.ARRAY
    dtypes = (*NARROW, *WIDE)
    rank = 30
    lacks_far = ("cos", "sin")
    lacks_because = "its reduction by pi/2 ends at 1e4 in float32 and at 1e8 in float64"
    planning_ns = 3.0
    counts_references = False
    looks_up = False
    row_interleave = INTERLEAVED
    in_pieces: ClassVar = False
    """Whether loops run over a few lines of a cache at a time, which have room for blocks of four registers alone."""
    ladder: ClassVar = Numba.ladder | {"dispatch": dispatch}

    def widening(self, dtype: Dtype) -> Conversion | None:
        """Return the conversions of floats of 16 bits, which numba lacks: they are computed with in float32."""
        return self.conversion(Storage(dtype), computed_in(dtype)) if dtype in NARROW else None

    def namespace(self) -> Any:
        """Return branch-free functions of one element."""
        from actbench.backends._simd import functions

        return functions

    def adopt(self, array: Any) -> Any:
        """Return the same array, or the bits of 16-bit floats; `InputError` for one that a call would misread."""
        if array.ndim != 1 or not array.flags.c_contiguous:
            raise InputError(f"{self.name} takes contiguous arrays of one dimension")
        return super().adopt(array)

    def row_namespace(self) -> Any:
        """Return the namespace that traces formulas, with the exponential of what is not positive."""
        return Tracing(["capped_exp"])

    def row_notation(self) -> RowNotation:
        """Return how loops of vectors over rows are written."""
        from actbench.backends._simd import ahead

        return ASKING if ahead.helps_rows() else VECTOR

    def row_functions(self) -> dict[str, Any]:
        """Return what loops over rows call beside the functions of formulas: modules, as `prefetch` says why."""
        from actbench.backends._simd import any_order, prefetch, vector_width

        return {
            "any_order": any_order,
            "functions": self.namespace(),
            "gathered": super().jitable(gathered),
            "prefetch": prefetch,
            "vector_width": vector_width,
        }

    def execution(self, op: Op, rule: Rule) -> str:
        """Return the source of the loop and of all functions that it and the formula call.

        The last of these are functions that emit LLVM's instructions, or generate a loop in assembly.
        """
        from actbench.backends._simd import vector_width

        functions = self.namespace()
        if rule.is_row:
            used = dict.fromkeys(name for one in passes_of(op, rule) for name in one.functions)
            return f"{super().execution(op, rule)}\n\n{sources([], [getattr(functions, name) for name in used])}"
        called = dict.fromkeys(name for formula in formulas_of(op, rule) for name in _called(formula))
        branch_free = [getattr(functions, name) for name in called if name in functions.__all__]
        if not self._computes(formulas_of(op, rule)):
            return sources([*self._executed(op, rule), only_version], branch_free)
        return sources([*self._executed(op, rule), widened, only_version], [vector_width.widest, *branch_free])

    def assembly(self, op: Op, rule: Rule, dtype: Dtype) -> str:
        """Return the assembly of a kernel, which is compiled for it: the code of a cached kernel cannot be read."""
        (assembly,) = self._compile(op, rule, dtype, cache=False).inspect_asm().values()
        return str(assembly)

    def sizes_in_assembly(self, formula: Formula, dtype: Dtype) -> range:
        """Return the numbers of elements that the loop over a formula applies inline assembly to, if it has such."""
        from actbench.backends import _assembly_loops
        from actbench.backends._simd import assembly

        sizes, width = assembly.sizes(_assembly_loops.only_called(formula) or ""), dtype.itemsize
        return range(sizes.start // width, sizes[-1] // width + 1, -(-sizes.step // width)) if sizes else sizes

    def jitable(self, formula: Formula) -> Formula:
        """Let compiled loops inline the formula, with the widest vectors where it computes more than it moves.

        Elsewhere LLVM's default width is better: on a Sapphire Rapids Xeon, 512 bits reduce the rate of y (1 - y) from
        96 to 87 % of a copy's in the L2 cache.
        """
        computed = super().jitable(formula)
        if not self._computes([formula]):
            return computed
        wide = widened(computed, formula.__code__.co_argcount)
        return inlined(wide)  # the width applies to the loop that calls it

    def loop_over(self, factory: Callable[..., Any], formula: Formula) -> Callable[..., Any]:
        """Return the loop over registers, where the processor has those of AVX-512 and the formula gains by a table.

        Of a formula that is one fused multiply-add, return the one with a loop in assembly.
        """
        from actbench.backends import _assembly_loops, _gated_register_loops, _register_loops
        from actbench.backends._simd import assembly, eight_registers, four_registers, vector_width

        fused = _assembly_loops.only_called(formula) if factory is elementwise else None
        if fused in assembly.ORDERS and not (self.in_pieces or self.threaded) and assembly.sizes(fused):
            return _assembly_loops.elementwise_by(fused, assembly.sizes(fused))
        functions, called = self.namespace(), {*_called(formula)}
        gains = bool(called & {*functions.TABULATED}) and not called & {*functions.LONG}
        registers = (_register_loops.REGISTERS | _gated_register_loops.REGISTERS).get(factory)
        if not (registers and gains and vector_width.has_registers() and _register_loops.supports(formula, functions)):
            return factory
        (computed, *more) = called & {*functions.COMPUTED}
        by_eight = computed in functions.BY_EIGHT and not (more or self.in_pieces) and vector_width.is_zen_5()
        return _register_loops.over_blocks(registers, eight_registers if by_eight else four_registers)

    def interleave(self, formulas: Sequence[Formula]) -> int:
        """Return `INTERLEAVED` for loops that compute: LLVM would process one vector after another in those."""
        return INTERLEAVED if self._computes(formulas) else 0

    def _computes(self, formulas: Sequence[Formula]) -> bool:
        """Return whether one of the formulas calls a function of many operations."""
        return bool({name for formula in formulas for name in _called(formula)} & {*self.namespace().COMPUTED})

    def around(self, arrays: Sequence[str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Return the function that adds prefetching, for large arrays, to a loop over these, where that helps."""
        from actbench.backends._simd import ahead

        return ahead.OVER.get(len(arrays), unchanged) if ahead.helps() else unchanged

    def edition(self, rule: Rule) -> str:
        """Return the digest of the functions' source."""
        del rule
        return _simd.edition()


def widened(computed: Formula, residuals: int) -> Formula:
    """Return the formula with widest vectors for the loop that calls it."""
    from actbench.backends._simd import vector_width

    def wide(kept):
        vector_width.widest()
        return computed(kept)

    def wide_from_two(kept, too):
        vector_width.widest()
        return computed(kept, too)

    def wide_from_three(kept, too, third):
        vector_width.widest()
        return computed(kept, too, third)

    return (wide, wide_from_two, wide_from_three)[residuals - 1]


def _called(formula: Formula) -> list[str]:
    """Return the names that a formula and its helpers use."""
    return [name for function in (formula, *helpers(formula)) for name in function.__code__.co_names]
