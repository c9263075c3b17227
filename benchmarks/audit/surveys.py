"""The accuracy of what torch and jax ship, and of what stands beside."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from actbench import registry
from actbench.analysis.accuracy import Accuracy
from actbench.engine.requests import AccuracyRequest
from actbench.engine.session import Seams
from actbench.engine.survey.accuracy import Unexamined
from actbench.engine.survey.surveys import planned, survey
from actbench.errors import BenchmarkError
from actbench.model.cases import KernelId
from actbench.model.names import NARROW, Dtype
from actbench.model.training import SHIPPED
from actbench.model.variants import Variant
from actbench.planning.selection import Selection
from benchmarks.audit.findings import QUANTITIES

POINTS = 150
"""Points per band of z and tail, in float32 and float64; in 16 bits, every number is evaluated."""

OURS = ("recompute", "numba-simd")
"""The strategy and the backend of actbench that stand beside."""

COMPARED = ((SHIPPED, "torch"), (SHIPPED, "jax"), OURS)


def requests(activations: tuple[str, ...], dtype: str) -> Iterator[AccuracyRequest]:
    """Yield a request for each framework, and one for what stands beside, if it computes in the dtype."""
    for strategy, backend in COMPARED:
        if registry.backend(backend).unsupported(Dtype(dtype)):
            continue
        selection = Selection(activations, (backend,), (Variant(strategy),), dtypes=(dtype,))
        yield AccuracyRequest(
            selection=selection,
            quantities=QUANTITIES,
            exact=False,
            points=POINTS,
            exhaustive=dtype in NARROW,
            seed=0,
        )


def surveyed(activations: tuple[str, ...], dtype: str) -> list[Accuracy]:
    """Survey every activation that a framework has in a dtype; `BenchmarkError` where one cannot be."""
    wanted = list(requests(activations, dtype))
    kernels: list[KernelId] = [kernel for request in wanted for kernel in planned(request).kernels]
    accuracies = []
    for event in survey(kernels, wanted[0], Seams().start_worker):
        if isinstance(event, Unexamined):
            raise BenchmarkError(f"{event.kernel.id} cannot be surveyed: {event.reason}")
        if isinstance(event, Accuracy):
            accuracies.append(event)
            print(event.kernel.id, file=sys.stderr, flush=True)
    return accuracies


def all_surveyed(activations: tuple[str, ...], dtypes: Sequence[str]) -> list[Accuracy]:
    """Survey every dtype, two at a time: one process waits for its worker while the other computes the truth."""
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        return [item for items in pool.map(partial(surveyed, activations), dtypes) for item in items]
