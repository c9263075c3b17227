"""The code that kernels execute here, which tells whether an earlier run timed the same: versions alone do not.

A developer changes kernels without a new version. Digests of code are recorded in the checks of a run
(`actbench.kernels.code_digest`), and a worker finds those of here, as far as earlier runs have any.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from actbench.engine.launch import Launch, RestartingWorker
from actbench.engine.protocol import Inspect
from actbench.engine.races.recommending import kernel_of
from actbench.errors import BenchmarkError
from actbench.model.cases import Block, KernelId
from actbench.runs.record import Record


@dataclass(frozen=True, slots=True)
class CodeHere:
    """The digests of what kernels execute here. A digest is looked up once."""

    launch: Launch
    """The worker that looks them up."""
    known: dict[KernelId, str | None] = field(default_factory=dict)
    """None where the code is not known."""

    def changed(self, record: Record, blocks: Iterable[Block]) -> frozenset[KernelId]:
        """Return the kernels of some blocks that execute other code here than in a run, as far as both are known."""
        kernels = frozenset[KernelId]().union(*map(kernels_of, blocks))
        there = {check.kernel: check.code for check in record.checks if check.code and check.kernel in kernels}
        self._look_up(there.keys() - self.known.keys())
        return frozenset(kernel for kernel, code in there.items() if self.known[kernel] not in {None, code})

    def _look_up(self, kernels: Iterable[KernelId]) -> None:
        with RestartingWorker(self.launch) as restarting:
            for kernel in sorted(kernels, key=lambda kernel: kernel.id):
                try:
                    self.known[kernel] = restarting.get().ask(Inspect(kernel.at(1).id)).code
                except BenchmarkError:  # it is checked before it is measured, and then fails with its reason
                    restarting.end()
                    self.known[kernel] = None


def kernels_of(block: Block) -> frozenset[KernelId]:
    """Return the kernels that the cases of a block execute for g'."""
    return frozenset(kernel_of(case).identity for case in block.cases)
