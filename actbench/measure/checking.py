"""Ask the oracle about every kernel of a plan, as a worker executes it: before anything is timed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from actbench.errors import BenchmarkError, WrongKernelError, listed
from actbench.kernels import resolution
from actbench.kernels.operands import Array
from actbench.kernels.subject import Subject
from actbench.measure.launch import Launch, RestartingWorker, Worker
from actbench.measure.protocol import Compare, Evaluate, Evaluated, Inspect, PackedDoubt, Prepare
from actbench.model.cases import Block, KernelId
from actbench.model.events import Checked
from actbench.model.names import Op
from actbench.model.plan import Plan
from actbench.verification import oracle

Residuals = Callable[[Array], Mapping[str, Array]]


def check_kernels(plan: Plan, launch: Launch) -> Iterator[Checked]:
    """Check each kernel; `WrongKernelError` in the end, of the first that is wrong, naming those that are as well.

    One that crashes the worker is the last that is checked.
    """
    wrong: dict[Subject, WrongKernelError] = {}
    worker = launch.start()
    try:
        for done, wanted in enumerate(map(resolution.resolve, plan.kernels), start=1):
            examined = Examined(worker)
            try:
                check = oracle.check(wanted, examined)
                answer = examined.answer
                oracle.check_calls(wanted, examined)
            except WrongKernelError as error:
                wrong[wanted] = error
                continue
            except BenchmarkError as error:
                wrong[wanted] = WrongKernelError(f"{wanted.id} cannot be checked: {error}")
                break
            compiled = (
                None if answer.compile_seconds is None else worker.ask(Inspect(wanted.identity.at(1).id)).compiled
            )
            compiled_check = replace(
                check, compile_seconds=answer.compile_seconds, from_cache=answer.from_cache, compiled=compiled
            )
            yield Checked(compiled_check, done, len(plan.kernels))
    finally:
        worker.close()
    if wrong:
        raise _of_all(wrong)


def is_built_in(block: Block) -> bool:
    """Say whether all that a block times is actbench's own: then looking at each element of a result is enough."""
    return all(resolution.resolve(case).is_built_in for case in block.cases)


def compare(block: Block, worker: Worker) -> None:
    """Call every kernel between guard bytes on what is going to be timed, and hold each element to another formula.

    The worker has taken up the block. What differs is held to the truth; `WrongKernelError` says what is wrong.
    """
    settle(block, worker.ask(Compare()).doubts)


def compare_blocks(plan: Plan, launch: Launch) -> None:
    """Do so for every block, where an engine has no worker of ours; one that fails is reported when it is measured."""
    with RestartingWorker(launch) as restarting:
        for block in plan.blocks:
            try:
                worker = restarting.get()
                worker.ask(Prepare.of(block, plan))
                compare(block, worker)
            except WrongKernelError:
                raise
            except BenchmarkError:
                restarting.end()


def settle(block: Block, doubts: Iterable[PackedDoubt]) -> None:
    """Raise `WrongKernelError` for what a worker saw of a block, unless the truth says that it is right."""
    for doubt in doubts:
        case = block.timed[doubt.arm]
        if doubt.fault:
            raise WrongKernelError(f"{case.kernel.id} is wrong: {doubt.fault}")
        z, dy, computed = doubt.z.unpack(), doubt.dy.unpack(), doubt.computed.unpack()
        if z.size:
            oracle.settle(resolution.kernel(case), case.size, z, dy, computed, of_output=doubt.of_output)


def _of_all(wrong: Mapping[Subject, WrongKernelError]) -> WrongKernelError:
    """Tell of the first in full, and name the others."""
    (_, first), *others = wrong.items()
    if not others:
        return first
    return WrongKernelError(f"{first}; wrong as well: {listed([kernel.id for kernel, _ in others])}")


class Examined:
    """`oracle.Evaluate` by a worker, keeping its latest answer for all of z, which has the facts of compilation."""

    def __init__(self, worker: Worker, residuals: Residuals | None = None) -> None:
        """Ask this worker, on the residuals that a function of z gives, or on its own."""
        self._worker = worker
        self._residuals = residuals or (lambda _: {})
        self.answer: Evaluated

    def __call__(self, kernel: KernelId, z: Array, dy: Array) -> oracle.Evaluation:
        """Evaluate all at once; where arithmetic raises, in halves of halves, to learn at which z it does."""
        inputs = _CallArguments(z, dy, self._residuals(z))
        self.answer = self._ask(kernel, inputs)
        if self.answer.faults:
            raise WrongKernelError(f"{kernel.id} is wrong: {'; '.join(self.answer.faults)}")
        first, last = self._ends(kernel, inputs, self.answer)
        return oracle.Evaluation(last, first if kernel.op is Op.STEP else None, self.answer.raised)

    def _ask(self, kernel: KernelId, inputs: _CallArguments) -> Evaluated:
        return self._worker.ask(Evaluate.of(kernel, inputs.z, inputs.dy, inputs.residuals))

    def _ends(self, kernel: KernelId, inputs: _CallArguments, answer: Evaluated) -> tuple[Array, Array]:
        """Return the first output and the last, NaN where the call for a single element raised."""
        if answer.raised is None:
            outputs = [output.unpack() for output in answer.outputs]
            return (outputs[0], outputs[-1]) if outputs else (np.empty(0, kernel.dtype),) * 2  # of an empty call
        if inputs.z.size == 1:
            return (np.full(1, np.nan, dtype=kernel.dtype),) * 2
        halves = [self._ends(kernel, half, self._ask(kernel, half)) for half in inputs.halves()]
        first, last = (np.concatenate(parts) for parts in zip(*halves, strict=True))
        return first, last


@dataclass(frozen=True, slots=True)
class _CallArguments:
    """What a kernel is called on."""

    z: Array
    dy: Array
    residuals: Mapping[str, Array]

    def halves(self) -> Iterator[_CallArguments]:
        """Yield the first half of the elements, and the second."""
        middle = self.z.size // 2
        for part in (slice(middle), slice(middle, None)):
            yield _CallArguments(
                self.z[part], self.dy[part], {name: kept[part] for name, kept in self.residuals.items()}
            )
