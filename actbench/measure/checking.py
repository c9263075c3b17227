"""The check of every kernel of a plan by the oracle, as a worker executes it, before anything is timed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from actbench.errors import BenchmarkError, WrongKernelError, listed
from actbench.kernels import resolution
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Array
from actbench.kernels.subject import Subject
from actbench.measure.launch import Launch, RestartingWorker, Worker
from actbench.measure.protocol import Compare, Evaluate, Evaluated, Inspect, PackedDoubt, Prepare
from actbench.measure.protocol_training import CheckStep
from actbench.model.cases import Block, KernelId
from actbench.model.checks import Check
from actbench.model.events import Checked, StepChecked
from actbench.model.names import Op
from actbench.model.plan import Plan
from actbench.verification import oracle

Residuals = Callable[[Array], Mapping[str, Array]]


class Verification:
    """Checks of the kernels of a plan against the truth, as workers execute them; names are looked up once, here."""

    def __init__(self, plan: Plan) -> None:
        """Look the names up; `InputError` for one that is not known."""
        self._plan = plan
        self._subjects = {kernel: resolution.resolve(kernel) for kernel in plan.kernels}

    def check_kernels(self, launch: Launch) -> Iterator[Checked]:
        """Check each kernel; at the end, `WrongKernelError` for the first wrong one names the others as well.

        A kernel that crashes the worker is the last one that is checked.
        """
        wrong: dict[Subject, WrongKernelError] = {}
        worker = launch.start()
        try:
            for done, subject in enumerate(self._subjects.values(), start=1):
                examined = Examined(worker)
                try:
                    check = oracle.check(subject, examined)
                    answer = examined.answer
                    oracle.check_calls(subject, examined)
                except WrongKernelError as error:
                    wrong[subject] = error
                except BenchmarkError as error:
                    wrong[subject] = WrongKernelError(f"{subject.id} cannot be checked: {error}")
                    break
                else:
                    yield Checked(_with_compilation(check, answer, worker), done, len(self._subjects))
        finally:
            worker.close()
        if wrong:
            raise _of_all(wrong)

    def check_steps(self, launch: Launch) -> Iterator[StepChecked]:
        """Check each training step; `WrongKernelError` for the first wrong one."""
        if not self._plan.training:
            return
        optimizer, steps = self._plan.training.optimizer, self._plan.steps
        worker = launch.start()
        try:
            for done, case in enumerate(steps, start=1):
                answer = worker.ask(CheckStep(case.id, self._plan.seed, self._plan.inputs, optimizer))
                if answer.check is None:
                    raise WrongKernelError(answer.fault)
                yield StepChecked(answer.check, done, len(steps))
        finally:
            worker.close()

    def is_built_in(self, block: Block) -> bool:
        """Return whether a block times code of actbench only; then comparing elements of results is enough."""
        return all(self._subjects[case.kernel].is_built_in for case in block.cases)

    def compare(self, block: Block, worker: Worker) -> None:
        """Call every kernel between guard bytes on the operands that will be timed, and check each element.

        The worker must have prepared the block. Elements that differ from another formula are compared with the truth;
        `WrongKernelError` says what is wrong.
        """
        self.settle(block, worker.ask(Compare()).doubts)

    def compare_blocks(self, launch: Launch) -> None:
        """Compare every block, for an engine without our workers; one that fails is reported when it is measured."""
        with RestartingWorker(launch) as restarting:
            for block in self._plan.blocks:
                try:
                    worker = restarting.get()
                    worker.ask(Prepare.of(block, self._plan))
                    self.compare(block, worker)
                except WrongKernelError:
                    raise
                except BenchmarkError:
                    restarting.end()

    def settle(self, block: Block, doubts: Iterable[PackedDoubt]) -> None:
        """Raise `WrongKernelError` for the doubts of a worker about a block, unless the truth clears them."""
        for doubt in doubts:
            case = block.timed[doubt.arm]
            if doubt.fault:
                raise WrongKernelError(f"{case.kernel.id} is wrong: {doubt.fault}")
            z, dy, computed = doubt.z.unpack(), doubt.dy.unpack(), doubt.computed.unpack()
            if z.size:
                kernel = self._subjects[case.kernel]
                assert isinstance(kernel, Kernel)  # noqa: S101  # only kernels have elements to compare
                oracle.settle(kernel, case.size, z, dy, computed, of_output=doubt.of_output)


def _with_compilation(check: Check, answer: Evaluated, worker: Worker) -> Check:
    """Return a check with the facts of compilation, from the answer to the first call and the compiler's output."""
    if answer.compile_seconds is None:
        return replace(check, from_cache=answer.from_cache)
    compiled = worker.ask(Inspect(check.kernel.at(1).id)).compiled
    return replace(check, compile_seconds=answer.compile_seconds, from_cache=answer.from_cache, compiled=compiled)


def _of_all(wrong: Mapping[Subject, WrongKernelError]) -> WrongKernelError:
    """Return the error that reports the first wrong kernel in full, and names the others."""
    (_, first), *others = wrong.items()
    if not others:
        return first
    return WrongKernelError(f"{first}; wrong as well: {listed([kernel.id for kernel, _ in others])}")


class Examined:
    """`oracle.Evaluate` by a worker; it keeps its latest answer for all of z, which has the facts of compilation."""

    def __init__(self, worker: Worker, residuals: Residuals | None = None) -> None:
        """Take a worker, and optionally a function of z that returns residuals to use in place of the worker's."""
        self._worker = worker
        self._residuals = residuals or (lambda _: {})
        self.answer: Evaluated

    def __call__(self, kernel: KernelId, z: Array, dy: Array) -> oracle.Evaluation:
        """Evaluate all z at once; where arithmetic raises, bisect, to find the z at which it does."""
        inputs = _CallArguments(z, dy, self._residuals(z))
        self.answer = self._ask(kernel, inputs)
        if self.answer.faults:
            raise WrongKernelError(f"{kernel.id} is wrong: {'; '.join(self.answer.faults)}")
        first, last = self._ends(kernel, inputs, self.answer)
        return oracle.Evaluation(last, first if kernel.op is Op.STEP else None, self.answer.raised)

    def _ask(self, kernel: KernelId, inputs: _CallArguments) -> Evaluated:
        return self._worker.ask(Evaluate.of(kernel, inputs.z, inputs.dy, inputs.residuals))

    def _ends(self, kernel: KernelId, inputs: _CallArguments, answer: Evaluated) -> tuple[Array, Array]:
        """Return the first output and the last; NaN where the call for a single element raised."""
        if answer.raised is None:
            outputs = [output.unpack() for output in answer.outputs]
            return (outputs[0], outputs[-1]) if outputs else (np.empty(0, kernel.dtype),) * 2  # after an empty call
        if inputs.z.size == 1:
            return (np.full(1, np.nan, dtype=kernel.dtype),) * 2
        halves = [self._ends(kernel, half, self._ask(kernel, half)) for half in inputs.halves()]
        first, last = (np.concatenate(parts) for parts in zip(*halves, strict=True))
        return first, last


@dataclass(frozen=True, slots=True)
class _CallArguments:
    """The arguments of a call of a kernel."""

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
