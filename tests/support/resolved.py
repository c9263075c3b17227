"""The call of a case, from its id."""

from __future__ import annotations

from actbench.kernels.placement import Invocation, Memory
from actbench.kernels.resolution import resolve
from actbench.model.cases import Case


def prepare(case: Case, memory: Memory) -> Invocation:
    return resolve(case).invocation(case.size, memory)
