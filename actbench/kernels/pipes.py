"""The inner loop of a kernel that is vector code, and how few cycles a call of it can take."""

from __future__ import annotations

from dataclasses import dataclass

from actbench.backends._limits.inner_loop import InnerLoop, vector_loops
from actbench.backends._limits.mca import McaBound, mca_bound
from actbench.backends._limits.port_model import Family, PipeBound, family, lowest
from actbench.backends.numba_simd import NumbaSimd
from actbench.host import processors
from actbench.kernels.kernel import Kernel
from actbench.kernels.subject import Subject
from actbench.kernels.training import NetworkStep
from actbench.model.names import Op, OperandState
from actbench.model.number_formats import numpy_dtype

OPS = frozenset({Op.DERIVATIVE, Op.BACKWARD, Op.SECOND})
"""The ops whose kernels are one loop."""

FIRST_LEVEL_BYTES = 16 << 10
"""Half of the smallest first-level cache that processors with a port model have."""


@dataclass(frozen=True, slots=True)
class LoopBound:
    """The bound of an inner loop, in cycles of an iteration."""

    loop: InnerLoop
    elements: int
    """Of an iteration."""
    sizes: range
    """The numbers of elements that it can be measured on in the first-level cache; empty where there are none."""
    family: Family | None
    """None where there is no port model of the processor."""
    pipes: PipeBound | None
    """By the port model; None where there is none, or it does not know an instruction."""
    unknown: str
    """Why there is none; empty where there is one."""
    mca: McaBound | None

    @property
    def cycles(self) -> float | None:
        """The bound by the port model, else by llvm-mca; None where neither knows."""
        if self.pipes:
            return self.pipes.cycles
        return self.mca.cycles if self.mca else None

    @property
    def vectors(self) -> int:
        """The vectors of results of an iteration."""
        return len(self.loop.stores)

    @property
    def pipe_count(self) -> int:
        """The number of execution pipes for vectors of this loop's width; 0 without a port model."""
        return self.family.pipe_count(self.loop.bits) if self.family else 0

    def sizes_in_cache(self, bytes_of_element: int) -> tuple[int, int] | None:
        """Return two of the sizes, of whole iterations, whose operands are in that cache; None where there are none."""
        if not self.sizes:
            return None
        least = -(-self.sizes.start // self.elements)
        most = min(FIRST_LEVEL_BYTES // bytes_of_element, self.sizes[-1]) // self.elements
        return max(least, most // 3) * self.elements, most * self.elements


def may_have_bound(subject: Subject | None) -> bool:
    """Return whether a subject is made of vector code that can be read: of a formula, in one thread."""
    return (
        isinstance(subject, Kernel)
        and subject.has_formula
        and isinstance(subject.backend, NumbaSimd)
        and subject.backend.one_thread_works
    )


def why_not_sought(kernel: Kernel, operands: OperandState) -> str | None:
    """Return why the bound of a case is not looked for; None where it is, since it is one loop on arrays in cache."""
    if operands is not OperandState.WARM:
        return "it is of operands in cache alone: leave the state of operands out of the id"
    if kernel.is_row:
        return "a row takes several loops"
    if kernel.activation.is_gated:
        return "the loop of a gated activation writes two gradients"
    if kernel.op not in OPS:
        return f"a {kernel.op} is two loops: see {Op.BACKWARD} for the second"
    return None


def why_none_of_step(step: NetworkStep, batch: int) -> str:
    """Return why a training step on so many rows has no bound, and which case of its activation has one."""
    why = "a training step is many loops, those of its products among them"
    if not step.alone():
        return why
    backward = step.alone()[0].identity.at(batch * step.network.activated[0])
    return f"{why}: see {backward.id} for the backward pass of its activation"


def loop_bound(kernel: Kernel, size: int) -> LoopBound | str:
    """Return the bound of the inner loop that a kernel applies to so many elements; or why there is none.

    The kernel is compiled anew, so that its code can be read.
    """
    assert isinstance(kernel.backend, NumbaSimd)  # noqa: S101  # see `has_bound`
    loops, sizes = _executed(kernel.backend, kernel, size)
    if not loops:
        return "the generated code has no loop of vectors that is known here"
    here = family(processors.description())
    best = lowest(loops, here) if here else "there is no port model of this processor"
    loop, pipes, unknown = (loops[-1], None, best) if isinstance(best, str) else (*best, "")
    elements = loop.stored // numpy_dtype(kernel.dtype).itemsize
    return LoopBound(loop, elements, sizes, here, pipes, unknown, mca_bound(loop))


def _executed(backend: NumbaSimd, kernel: Kernel, size: int) -> tuple[list[InnerLoop], range]:
    """Return the versions of the loop that is applied to so many elements, and the sizes to measure it on.

    Where a kernel has a loop in assembly, that of LLVM is applied to arrays beyond the cache, and to the smallest. A
    processor still stores the results of those after the call: on Zen 5, which stores a register a cycle, y (1 - y)
    took half a cycle for every further register, up to 40.
    """
    code = backend.assembly(kernel.op.bound_as, kernel.rule, kernel.dtype)
    if written := vector_loops(code, inline=True):
        sizes = backend.sizes_in_assembly(kernel.rule.derivative, kernel.dtype)
        return (written, sizes) if size in sizes else (vector_loops(code), range(0))
    return vector_loops(code), range(FIRST_LEVEL_BYTES)
