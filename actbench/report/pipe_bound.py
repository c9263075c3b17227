"""The pipe bound of a kernel's inner loop, and what was measured of it, in words."""

from __future__ import annotations

from collections.abc import Iterator

from actbench.analysis.interval import Interval
from actbench.analysis.pipe_share import PipeShare, percent_of
from actbench.kernels.pipes import LoopBound
from actbench.model.cases import Case
from actbench.report.listing import section
from actbench.report.numbers import counted, plus_minus

TITLE = "pipe bound of the inner loop, if nothing ever waits"

UNSTEADY = "the host was too unsteady"
TOO_SMALL = "in the L1 cache it is applied to the smallest arrays alone, whose stores end after the call"


def unknown(reason: str) -> str:
    """Return the section of a kernel without one."""
    return section(TITLE, _fact("bound", f"not known: {reason}"))


def text(case: Case, bound: LoopBound, share: PipeShare | None) -> str:
    """Return the section of a case; `share` is what was measured, if it was."""
    return section(TITLE, "\n".join(_facts(case, bound, share)))


def _facts(case: Case, bound: LoopBound, share: PipeShare | None) -> Iterator[str]:
    vectors = bound.vectors
    width = bound.elements // vectors
    yield _fact("iteration", f"{counted(vectors, 'vector')} of {width} elements of {case.dtype}")
    if bound.pipes and bound.family:
        slots = bound.pipes.slots
        yield _fact("slots", f"{slots:g} an iteration, {slots / vectors:.3g} a vector, on {bound.pipe_count} pipes")
        by = f"by the {bound.pipes.limit} (port model of {bound.family.name})"
        yield _fact("bound", f"{_cycles(bound.pipes.cycles / vectors)} a vector, {by}")
    else:
        yield _fact("bound", f"not known by a port model: {bound.unknown}")
    yield _fact("llvm-mca", _mca(bound))
    if share:
        yield _fact("clock", f"{plus_minus(share.gigahertz)} GHz while it was measured")
        yield _fact("measured call", _measured_call(case, bound, share))
        in_cache = f"not known: {UNSTEADY if bound.sizes else TOO_SMALL}"
        if share.element:
            in_cache = f"{_measured(share.element.scaled(width), bound)}, in the L1 cache, without the call"
        yield _fact("measured loop", in_cache)


def _measured_call(case: Case, bound: LoopBound, share: PipeShare) -> str:
    """Return the cycles of a vector beside the bound; of a call shorter than an iteration, those of the call."""
    if case.size < bound.elements:
        return f"{plus_minus(share.cycles)} cycles a call, whose {counted(case.size, 'element')} are no whole iteration"
    return _measured(share.cycles.scaled(bound.elements / bound.vectors / case.size), bound)


def _measured(vector: Interval, bound: LoopBound) -> str:
    """Return the measured cycles of a vector beside the bound."""
    assert bound.cycles is not None  # noqa: S101  # nothing is measured where there is nothing to hold it against
    model = "" if bound.pipes else " by llvm-mca"
    share = plus_minus(percent_of(bound.cycles / bound.vectors, vector))
    return f"{plus_minus(vector)} cycles a vector, {share} % of the bound{model}"


def _mca(bound: LoopBound) -> str:
    if bound.mca is None:
        return "not installed"
    if not bound.mca.processor:
        return f"has no model of this processor (LLVM {bound.mca.version})"
    cycles = bound.mca.cycles
    throughput = "does not take the loop" if cycles is None else f"{_cycles(cycles / bound.vectors)} a vector"
    return f"{throughput} (LLVM {bound.mca.version}, {bound.mca.processor})"


def _cycles(number: float) -> str:
    """Return a number of cycles in three digits: ``1 cycle``, ``1.5 cycles``."""
    text = f"{number:.3g}"
    return f"{text} cycle{'' if text == '1' else 's'}"


def _fact(name: str, value: str) -> str:
    return f"{name:<22}{value}"
