"""The check of every kernel of a plan by the oracle, as a worker executes it, before anything is timed.

A kernel that is wrong, or that cannot be compiled or run, is refused, and the others are checked in a fresh worker.
What that means for a run, its session and conductor decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from actbench.engine.launch import (
    Launch,
    RestartingWorker,
    UnsupportedError,
    Worker,
    is_crash,
)
from actbench.engine.protocol import Compare, Inspect, PackedDoubt, Prepare
from actbench.engine.protocol_training import CheckStep
from actbench.engine.races.typical_error import TypicalErrors
from actbench.engine.working.examined import Examined
from actbench.engine.working.same_network import require_planned
from actbench.errors import BenchmarkError, InputError, WrongKernelError, listed
from actbench.kernels import resolution
from actbench.kernels.kernel import Kernel
from actbench.kernels.subject import Subject
from actbench.model.cases import Block, Case, KernelId
from actbench.model.checks import Check, StepCheck
from actbench.model.events import Checked, StepChecked
from actbench.model.plan import LeftOut, Plan
from actbench.verification import oracle

C = TypeVar("C")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Refused:
    """A kernel, or a training step, that did not pass its check."""

    kernel: KernelId
    reason: str
    failed: bool = True
    """Whether it is wrong, crashed, hung or raised; otherwise it is unsupported here."""
    step: Case | None = None
    """The training step, which is refused at its batch alone; None for a kernel, which is at all sizes."""
    code: str | None = None
    """Digest of all code that it executes, where no check has it; None where that is not known."""
    wrong: bool = True
    """Whether it was checked and computes something else; otherwise it could not be checked."""

    @property
    def id(self) -> str:
        """The id of the kernel or the training step."""
        return self.step.id if self.step else self.kernel.id

    @property
    def sentence(self) -> str:
        """What happened, with the id."""
        return self.reason if self.failed else f"{self.id} cannot be measured: {self.reason}"

    def of(self, case: Case) -> Refused:
        """Return this of what another case calls, which alone can be the cause."""
        reason = self.reason.replace(self.kernel.id, case.kernel.id)
        return replace(self, kernel=case.kernel, reason=reason, step=_step(case))

    def cases_in(self, plan: Plan) -> tuple[Case, ...]:
        """Return the cases of a plan that cannot be measured for this."""
        return tuple(case for case in plan.calling(self.kernel) if self.step in {None, case})


class RefusedError(WrongKernelError):
    """Kernels did not pass their checks: for every strategy the reason of the first, and the names of the others."""

    def __init__(self, refused: Sequence[Refused]) -> None:
        """Take at least one."""
        self.refused = tuple(refused)
        first: dict[tuple[str, str], Refused] = {}
        for one in refused:
            first.setdefault((one.kernel.activation, one.kernel.strategy), one)
        others = [one.id for one in refused if one not in first.values()]
        also = [f"refused as well: {listed(others)}"] if others else []
        super().__init__("; ".join([*(one.sentence for one in first.values()), *also]))


class NoneSupportedError(InputError):
    """No case is left to measure, and no kernel failed: the reasons of all."""

    def __init__(self, refused: Sequence[Refused]) -> None:
        """Take at least one."""
        self.refused = tuple(refused)
        reasons = {one.reason for one in refused}
        why = refused[0].reason if len(reasons) == 1 else "; ".join(one.sentence for one in refused)
        super().__init__(f"no case is left to measure, because {why}")


class Verification:
    """Checks of the kernels of a plan against the truth, as workers execute them; names are looked up once, here."""

    def __init__(self, plan: Plan) -> None:
        """Look the names up; `InputError` for one that is not known."""
        self._plan = plan
        self._subjects = {kernel: resolution.resolve(kernel) for kernel in plan.kernels}
        self._typical_errors = TypicalErrors(plan)

    def check_kernels(self, launch: Launch) -> Iterator[Checked | Refused]:
        """Check each kernel."""
        with RestartingWorker(launch) as restarting:
            for done, subject in enumerate(self._subjects.values(), start=1):
                check = tried(restarting, subject.identity, partial(self._check, subject))
                yield (
                    _with_code(check, subject.identity.at(1), restarting)
                    if isinstance(check, Refused)
                    else Checked(check, done, len(self._subjects))
                )

    def _check(self, subject: Subject, worker: Worker) -> Check:
        return self._typical_errors.added_to(_check(subject, worker), subject, Examined(worker))

    def check_steps(self, launch: Launch) -> Iterator[StepChecked | Refused]:
        """Check each training step."""
        steps = self._plan.steps
        with RestartingWorker(launch) as restarting:
            for done, case in enumerate(steps, start=1):
                check = tried(restarting, case.kernel, partial(self._check_step, case), case)
                yield (
                    _with_code(check, case, restarting)
                    if isinstance(check, Refused)
                    else StepChecked(check, done, len(steps))
                )

    def _check_step(self, case: Case, worker: Worker) -> StepCheck:
        assert self._plan.training is not None  # noqa: S101  # it has this step
        optimizer = self._plan.training.optimizer
        answer = worker.ask(CheckStep(case.id, self._plan.seed, self._plan.inputs, optimizer))
        require_planned(case.op, answer.network)
        if answer.check is None:
            raise WrongKernelError(answer.fault)
        return replace(answer.check, batch=case.size)

    def is_built_in(self, block: Block) -> bool:
        """Return whether a block times kernels of actbench only; then comparing elements of results is enough."""
        subjects = (self._subjects.get(case.kernel) for case in block.cases)
        return all(subject is not None and subject.is_built_in for subject in subjects)

    def needs_comparison(self, block: Block) -> bool:
        """Return whether a block's results are compared as a whole: not of training steps, whose gradients are."""
        return not (block.op.network or self.is_built_in(block))

    def is_of_loaded_code(self, refused: RefusedError) -> bool:
        """Return whether a refused kernel is the user's own."""
        subjects = (self._subjects.get(one.kernel) for one in refused.refused)
        return any(subject is not None and not subject.is_built_in for subject in subjects)

    def compare(self, block: Block, worker: Worker) -> None:
        """Call every kernel between guard bytes on the operands that will be timed, and check each element.

        The worker must have prepared the block. Elements that differ from another formula are compared with the truth;
        `RefusedError` says what is wrong.
        """
        self.settle(block, worker.ask(Compare()).doubts)

    def compare_blocks(self, launch: Launch) -> Iterator[Refused]:
        """Compare every block, for an engine without our workers; one that fails is reported when it is measured."""
        with RestartingWorker(launch) as restarting:
            for block in self._plan.blocks:
                try:
                    worker = restarting.get()
                    worker.ask(Prepare.of(block, self._plan))
                    self.compare(block, worker)
                except RefusedError as error:
                    yield from error.refused
                except BenchmarkError:
                    restarting.end()

    def settle(self, block: Block, doubts: Iterable[PackedDoubt]) -> None:
        """Raise `RefusedError` for the doubts of a worker about a block, unless the truth clears them.

        It names the yardstick where a kernel that is not known changed operands which all share.
        """
        refused: dict[Case, Refused] = {}
        for doubt in doubts:
            case = block.timed[doubt.arm]
            try:
                self._settle(block, doubt)
            except WrongKernelError as error:
                refused.setdefault(case, Refused(case.kernel, str(error), step=_step(case)))
        if refused:
            raise RefusedError([*refused.values()])

    def _settle(self, block: Block, doubt: PackedDoubt) -> None:
        case = block.timed[doubt.arm]
        if doubt.fault:
            raise WrongKernelError(f"{case.kernel.id} is wrong: {doubt.fault}")
        z, dy, computed = doubt.z.unpack(), doubt.dy.unpack(), doubt.computed.unpack()
        if z.size:
            kernel = self._subjects[case.kernel]
            assert isinstance(kernel, Kernel)  # noqa: S101  # only kernels have elements to compare
            oracle.settle(kernel, case.size, z, dy, computed, of_output=doubt.of_output)


def all_passing(checks: Iterable[C | Refused]) -> Iterator[C]:
    """Pass on the checks; `RefusedError` after the last one where some did not pass."""
    refused = []
    for check in checks:
        if isinstance(check, Refused):
            refused.append(check)
        else:
            yield check
    if refused:
        raise RefusedError(refused)


def leaving_out(plan: Plan, refused: Refused) -> tuple[LeftOut, ...]:
    """Return the cases of a plan that call what was refused, left out for its reason."""
    return tuple(LeftOut(case.id, refused.reason, refused.failed, code=refused.code) for case in refused.cases_in(plan))


def _with_code(refused: Refused, case: Case, restarting: RestartingWorker) -> Refused:
    """Return what was refused with the digest of its code, as far as a fresh worker can tell it."""
    try:
        return replace(refused, code=restarting.get().ask(Inspect(case.id)).code)
    except BenchmarkError:
        restarting.end()
        return refused


def _step(case: Case) -> Case | None:
    """Return a case that is a training step; None for one that calls a kernel."""
    return case if case.op.network else None


def tried(
    restarting: RestartingWorker, kernel: KernelId, check: Callable[[Worker], T], step: Case | None = None
) -> T | Refused:
    """Check a kernel or a step, again where it crashed the worker; the next gets a worker that no other spoilt."""
    for last in (False, True):
        worker = restarting.get()
        try:
            return check(worker)
        except WrongKernelError as error:
            refused = Refused(kernel, str(error), step=step)
        except BenchmarkError as error:
            failed = not isinstance(error, UnsupportedError)
            reason = f"{kernel.id} cannot be checked: {error}" if failed else str(error)
            refused = Refused(kernel, reason, failed, step, wrong=False)
            if is_crash(error) and not last:
                restarting.end()
                continue
        restarting.end()
        break
    return refused


def _check(subject: Subject, worker: Worker) -> Check:
    """Hold a kernel to the truth, and add the facts of compilation, as the first call and the compiler report them."""
    examined = Examined(worker)
    check = oracle.check(subject, examined)
    answer = examined.answer
    oracle.check_calls(subject, examined)
    inspected = worker.ask(Inspect(check.kernel.at(1).id))
    return replace(
        check,
        compile_seconds=answer.compile_seconds,
        from_cache=answer.from_cache,
        compiled=None if answer.compile_seconds is None else inspected.compiled,
        code=inspected.code,
    )
