"""The pipe bound of a kernel's inner loop, and what was measured of it, in words."""

from __future__ import annotations

from collections.abc import Iterator

from actbench.analysis.pipe_share import PipeShare
from actbench.kernels.pipes import LoopBound
from actbench.model.cases import Case
from actbench.report.listing import section
from actbench.report.numbers import plus_minus

TITLE = "pipe bound of the inner loop, if nothing ever waits"


def unknown(reason: str) -> str:
    """Return the section of a kernel without one."""
    return section(TITLE, _fact("bound", f"not known: {reason}"))


def text(case: Case, bound: LoopBound, share: PipeShare | None) -> str:
    """Return the section of a case; `share` is what was measured, if it was."""
    return section(TITLE, "\n".join(_facts(case, bound, share)))


def _facts(case: Case, bound: LoopBound, share: PipeShare | None) -> Iterator[str]:
    vectors = bound.vectors
    width = bound.elements // vectors
    yield _fact("iteration", f"vectors of {width} elements of {case.dtype}, {vectors} of them in turns")
    if bound.pipes and bound.family:
        slots, cycles = bound.pipes.slots / vectors, bound.pipes.cycles / vectors
        yield _fact("slots", f"{slots:.3g} of the execution pipes a vector")
        yield _fact(
            "bound", f"{cycles:.3g} cycles a vector, by the {bound.pipes.limit} (port model of {bound.family.name})"
        )
    else:
        yield _fact("bound", f"not known by a port model: {bound.unknown}")
    yield _fact("llvm-mca", _mca(bound))
    if share and (cycles_of_call := bound.of_call(case.size)):
        per_vector = share.cycles.scaled(width / case.size)
        yield _fact(
            "measured",
            f"{plus_minus(per_vector)} cycles a vector, calls included, at {plus_minus(share.gigahertz)} GHz",
        )
        model = "" if bound.pipes else " by llvm-mca"
        yield _fact("share", f"{plus_minus(share.of_bound(cycles_of_call))} % of the bound{model}")


def _mca(bound: LoopBound) -> str:
    if bound.mca is None:
        return "not installed"
    cycles = bound.mca.cycles
    throughput = "does not take the loop" if cycles is None else f"{cycles / bound.vectors:.3g} cycles a vector"
    return f"{throughput} (LLVM {bound.mca.version}, {bound.mca.processor})"


def _fact(name: str, value: str) -> str:
    return f"{name:<22}{value}"
