"""The pipe bound of a case, with a short measurement: what `actbench show` adds to the listing."""

from __future__ import annotations

from collections.abc import Iterator

from actbench.analysis.pipe_share import pipe_share
from actbench.engine.launch import StartWorker
from actbench.engine.pipe_share import measured_call
from actbench.host import environment
from actbench.kernels.kernel import Kernel
from actbench.kernels.pipes import loop_bound, may_have_bound, why_none_of_step, why_not_sought
from actbench.kernels.subject import Subject
from actbench.kernels.training import NetworkStep
from actbench.model.cases import Case
from actbench.report import pipe_bound


def bound(subject: Subject, case: Case, start_worker: StartWorker) -> Iterator[str]:
    """Yield the text of a case of vector code that can be read, or why its bound is not known; nothing of others."""
    if not may_have_bound(subject):
        return
    assert isinstance(subject, Kernel)  # noqa: S101  # those may have one
    if why := why_not_sought(subject, case.operands):
        yield pipe_bound.unknown(why)
        return
    of_loop = loop_bound(subject, case.size)
    if isinstance(of_loop, str):
        yield pipe_bound.unknown(of_loop)
        return
    share = None
    if of_loop.cycles is not None:
        in_cache = of_loop.sizes_in_cache(subject.moved_bytes)
        measured = measured_call(start_worker, environment.choose_cpu(None), case, (case.size, *(in_cache or ())))
        share = pipe_share(measured.seconds, in_cache, measured.cycle)
    yield pipe_bound.text(case, of_loop, share)


def of_step(step: NetworkStep, batch: int) -> Iterator[str]:
    """Yield why a training step whose activation is vector code has no bound; nothing of others."""
    if may_have_bound(step.kernel):
        yield pipe_bound.unknown(why_none_of_step(step, batch))
