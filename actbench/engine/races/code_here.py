"""The code that kernels execute here, which tells whether an earlier run timed the same: versions alone do not.

A developer changes kernels without a new version. Digests of code (`actbench.kernels.code_digest`) are recorded in the
checks of a run and, of an arm that failed or lost, beside what is known of it. A worker finds those of here, as far as
earlier runs have any.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from actbench.engine.launch import Launch, RestartingWorker
from actbench.engine.protocol import Inspect
from actbench.errors import BenchmarkError
from actbench.kernels.resolution import network_step, resolve
from actbench.model.cases import Block, KernelId
from actbench.model.plan import LeftOut
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
        kernels = {case.id: case.kernel for block in blocks for case in block.cases}
        of_checks = record.codes
        there = {(kernel, of_checks[kernel]) for kernel in of_checks.keys() & {*kernels.values()}}
        there |= {(kernels[one.case], one.code) for one in record.plan.left_out if one.code and one.case in kernels}
        self._look_up({kernel for kernel, _ in there} - self.known.keys())
        return frozenset(kernel for kernel, code in there if self.known[kernel] not in {None, code})

    def still_failing(self, record: Record, blocks: Iterable[Block]) -> list[LeftOut]:
        """Return the cases of some blocks that failed in a run, and execute the same code here.

        Of code that has no digest, that is known of the user's alone, where runs of other code are not those of here.
        """
        kernels = {case.id: case.kernel for block in blocks for case in block.cases}
        failed = [one for one in record.plan.left_out if one.failed and one.case in kernels]
        self._look_up({kernels[one.case] for one in failed if one.code} - self.known.keys())
        return [
            one
            for one in failed
            if (self.known[kernels[one.case]] == one.code if one.code else not _is_built_in(kernels[one.case]))
        ]

    def _look_up(self, kernels: Iterable[KernelId]) -> None:
        with RestartingWorker(self.launch) as restarting:
            for kernel in sorted(kernels, key=lambda kernel: kernel.id):
                try:
                    self.known[kernel] = restarting.get().ask(Inspect(kernel.at(1).id)).code
                except BenchmarkError:  # it is checked before it is measured, and then fails with its reason
                    restarting.end()
                    self.known[kernel] = None


def _is_built_in(kernel: KernelId) -> bool:
    """Return whether g' is computed by actbench's own code, or by a framework's."""
    computing = network_step(kernel).kernel if kernel.op.network else resolve(kernel)
    return computing is None or computing.is_built_in


def kernels_of(block: Block) -> frozenset[KernelId]:
    """Return the kernels, or the training steps of any batch, that the cases of a block execute."""
    return frozenset(case.kernel for case in block.cases)
