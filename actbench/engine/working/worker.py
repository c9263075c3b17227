"""The worker: a plain process that answers requests, with seconds. It knows no policy.

It is pinned before numpy or numba is imported, keeps the garbage collector out of the slices, and ends when its input
does. What kernels print goes to stderr, so that it cannot be taken for an answer.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from actbench.engine import protocol, protocol_limits, protocol_training, wire
from actbench.engine.protocol import Doubts, PackedDoubt
from actbench.engine.wire import A, PackedArray, Request
from actbench.engine.working.undisturbed import by_sweep, undisturbed
from actbench.engine.working.worker_errors import in_one_line, with_place
from actbench.errors import InputError, WrongKernelError
from actbench.host import processors
from actbench.model.outcomes import NOT_INSTALLED

if TYPE_CHECKING:
    from actbench.engine.working.prepared import PreparedBlock
    from actbench.engine.working.prepared_training import PreparedTraining
    from actbench.host.code_placement import CodePlacement
    from actbench.model.cases import Case
    from actbench.verification.behaviour.guarded import GuardedCalls


SETTLING = (32 << 20) - (64 << 10)
"""Bytes allocated and freed at the start, so that every block finds the allocator in the same state.

glibc returns a freed array to the system at once, and pays a page fault a page on the next call, until it has once
seen a larger one freed, up to 32 MiB: a block would be fast or slow by which blocks came before it. This is the state
of any process that has lived for a while; MALLOC_MMAP_THRESHOLD_=131072 in the environment shows the other one.
"""


HANDLERS: dict[type[Request[Any]], Callable[[Server, Any], Any]] = {}
"""What answers a request, by its type."""


def handles(request: type[Request[A]]) -> Callable[[Callable[[Server, Any], A]], Callable[[Server, Any], A]]:
    """Let a method answer the requests of a type."""

    def registered(method: Callable[[Server, Any], A]) -> Callable[[Server, Any], A]:
        HANDLERS[request] = method
        return method

    return registered


class Server:
    """Answers requests, holding one block at a time."""

    def __init__(self) -> None:
        """Hold no block yet."""
        self._block: PreparedBlock | PreparedTraining | None = None
        self._code: CodePlacement | None = None
        self._calls: GuardedCalls | None = None

    def answer(self, request: Request[A]) -> A:
        """Answer a request."""
        answer: A = HANDLERS[type(request)](self, request)
        return answer

    @handles(protocol.Start)
    def start(self, request: protocol.Start) -> protocol.Started:
        """Pin the process to a processor, then import."""
        if request.cpu is not None:
            processors.pin(request.cpu, request.threads, together=request.together)
        os.environ["NUMBA_NUM_THREADS"] = str(request.threads)
        if request.together:
            processors.share(request.threads)
        import numpy as np

        import actbench.kernels.resolution  # noqa: F401  # only now: thread pools are sized on import
        from actbench.host.code_placement import CodePlacement

        self._code = CodePlacement()

        np.empty(SETTLING, dtype=np.uint8)
        gc.collect()
        gc.freeze()
        gc.disable()
        return protocol.Started(tuple(sorted(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else None)

    @handles(protocol.Describe)
    def describe(self, _: protocol.Describe) -> protocol.Described:
        """Say what this process runs on."""
        from actbench import backends, plugins, registry
        from actbench.host import software

        versions = software.versions(backends.libraries(registry.backends().values()))
        return protocol.Described(protocol.PROTOCOL, versions, plugins.loaded())

    @handles(protocol.LocateDevice)
    def locate_device(self, request: protocol.LocateDevice) -> protocol.LocatedDevice:
        """Name the device in whose memory a backend's operands lie."""
        from actbench import registry

        device = registry.backend(request.backend).device()
        if device is None:
            raise RuntimeError(f"{request.backend} has the processor's memory")
        return protocol.LocatedDevice(device.name, device.versions)

    @handles(protocol.Load)
    def load(self, request: protocol.Load) -> protocol.LoadedAll:
        """Load the user's own code."""
        from actbench import plugins

        for source in request.sources:
            plugins.load(source.name, source.sha256, source.path)
        return protocol.LoadedAll()

    @handles(protocol.Offer)
    def offer(self, request: protocol.Offer) -> protocol.Offered:
        """List the requested cases that exist here."""
        from actbench.planning import costs, suite

        cases = suite.offered(request.query)
        return protocol.Offered(tuple(case.id for case in cases), tuple(map(costs.kept_bytes, cases)))

    @handles(protocol_training.OfferSteps)
    def offer_steps(self, request: protocol_training.OfferSteps) -> protocol_training.OfferedSteps:
        """List the requested training steps that exist here; none where a name is unknown here."""
        from actbench.model.variants import Variant
        from actbench.planning import training

        fields = {name: getattr(request, name) for name in protocol_training.OF_SELECTION}
        fields |= {"strategies": tuple(map(Variant, request.strategies)), "predictors": ()}
        try:
            plan = training.plan(training.TrainingSelection(**fields), request.room, seed=0)
        except InputError:
            return protocol_training.OfferedSteps(())
        return protocol_training.OfferedSteps(tuple(case.id for case in plan.cases))

    @handles(protocol.Evaluate)
    def evaluate(self, request: protocol.Evaluate) -> protocol.Evaluated:
        """Call a kernel on the request's inputs."""
        import numpy as np

        from actbench.kernels.kernel import Kernel
        from actbench.kernels.operands import Operands
        from actbench.kernels.resolution import resolve
        from actbench.model.cases import Case
        from actbench.model.names import Op
        from actbench.model.rule import Dialect
        from actbench.verification.behaviour.guarded import Answer, GuardedCalls

        case = Case.parse(request.case)
        subject = resolve(case)
        bound = subject.bound_at(case.size)
        residuals = {name: array.unpack() for name, array in request.residuals.items()}
        operands = Operands(subject.activation, request.z.unpack(), request.dy.unpack(), residuals)
        self._calls = self._calls or GuardedCalls()
        try:
            with np.errstate(all="ignore"):
                answer = self._calls.call(subject, operands)
            raised = None
        except (ArithmeticError, ValueError) as error:  # math raises either, of one number
            if isinstance(error, ValueError) and subject.backend.dialect is Dialect.ARRAY:
                raise with_place(case, error) from None
            answer, raised = Answer((), ()), repr(error)
        outputs = () if answer.faults else answer.outputs
        ends = outputs
        if outputs and isinstance(subject, Kernel):  # without what a step keeps, perhaps in a type of its own
            ends = (*outputs[: subject.op is Op.STEP], subject.gradient(outputs))
        packed = tuple(map(PackedArray.pack, ends))
        return protocol.Evaluated(packed, raised, bound.compile_seconds, bound.from_cache, answer.faults)

    @handles(protocol.Inspect)
    def inspect(self, request: protocol.Inspect) -> protocol.Inspected:
        """Read what the compiler made of a kernel; of a training step, the digest of its code."""
        from actbench.kernels.resolution import network_step, resolve
        from actbench.model.cases import Case

        case = Case.parse(request.case)
        if case.op.network:
            return protocol.Inspected(None, network_step(case).code)
        subject = resolve(case)
        return protocol.Inspected(subject.compiled, subject.code)

    @handles(protocol.Prepare)
    def prepare(self, request: protocol.Prepare) -> protocol.Prepared:
        """Take up a block, its cases first, then its yardsticks: bind its kernels and draw its inputs."""
        from actbench.engine.working.prepared import PreparedBlock
        from actbench.kernels.resolution import subjects
        from actbench.model.cases import Case

        self._block = None
        gc.collect()
        cases = [*map(Case.parse, request.cases)]
        if cases[0].op.network:
            self._block = self._training(request, cases)
            return protocol.Prepared(self._block.network.digest)
        arms = subjects(cases)
        for case, subject in arms.items():
            subject.bound_at(case.size)
        gc.freeze()  # numba alone brings so many objects that the next collection would take 60 ms
        self._block = PreparedBlock(arms, request.seed, request.inputs, request.cache, whole=request.whole)
        return protocol.Prepared()

    def _training(self, request: protocol.Prepare, cases: Sequence[Case]) -> PreparedTraining:
        """Take up a block of training steps."""
        from actbench.engine.working.prepared_training import PreparedTraining
        from actbench.kernels.resolution import network_step

        steps = [network_step(case) for case in cases if not case.is_yardstick]
        for step in steps:
            step.load()
        gc.freeze()  # libraries, but no steps: what is frozen in reference cycles is never freed
        return PreparedTraining(steps, cases[0].size, request)

    @handles(protocol_training.CheckStep)
    def check_step(self, request: protocol_training.CheckStep) -> protocol_training.CheckedStep:
        """Hold the gradients of a training step to a reference."""
        from actbench.kernels.resolution import network_step
        from actbench.kernels.training_arrays import drawn
        from actbench.model.cases import Case
        from actbench.verification import training

        gc.collect()
        case = Case.parse(request.case)
        step = network_step(case)
        gc.freeze()
        arrays = drawn(step.network, case.size, case.dtype, request.seed, request.inputs)
        try:
            check, fault = training.check(step, arrays, request.optimizer), ""
        except WrongKernelError as error:
            check, fault = None, str(error)
        return protocol_training.CheckedStep(check, fault, step.network.digest)

    @handles(protocol.Compare)
    def compare(self, _: protocol.Compare) -> Doubts:
        """Call every arm of the block once on all of its operands, and list what differs from the reference."""
        return Doubts(tuple(map(PackedDoubt.pack, self._prepared().compared())))

    @handles(protocol.ListDoubts)
    def list_doubts(self, _: protocol.ListDoubts) -> Doubts:
        """List what was seen in the calls after timed values."""
        return Doubts(tuple(map(PackedDoubt.pack, self._prepared().doubts())))

    @handles(protocol.Time)
    def time(self, request: protocol.Time) -> protocol.Timed:
        """Time the slices of each sweep."""
        block = self._prepared()
        if request.parts:
            from actbench.engine.working.prepared_training import PreparedTraining

            if not isinstance(block, PreparedTraining):
                raise RuntimeError("the prepared block has no training steps")  # as `_prepared` does
            return block.instrument(request.sweeps, self._code)
        return by_sweep(block.sweep(sweep, self._code) for sweep in request.sweeps)

    @handles(protocol_limits.MeasureLimits)
    def measure_limits(self, request: protocol_limits.MeasureLimits) -> protocol_limits.MeasuredLimits:
        """Measure how fast this processor computes, and copies arrays of so many bytes."""
        from actbench.engine.working import roofs

        return roofs.measured(request.copies, request.repeats, undisturbed)

    @handles(protocol_limits.MeasureCall)
    def measure_call(self, request: protocol_limits.MeasureCall) -> protocol_limits.MeasuredCall:
        """Measure the calls of a case, and the clock."""
        from actbench.engine.working import pipes
        from actbench.kernels.resolution import resolve
        from actbench.model.cases import Case

        case = Case.parse(request.case)
        return pipes.measured(resolve(case), request.sizes, request.seed, request.repeats, undisturbed)

    def _prepared(self) -> PreparedBlock | PreparedTraining:
        if self._block is None:
            raise RuntimeError("no block is prepared")
        return self._block


def main() -> None:
    """Answer requests from stdin until it ends; what kernels read there is nothing, lest they take requests."""
    with os.fdopen(os.dup(0)) as requests, os.fdopen(os.dup(1), "w", buffering=1) as answers:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)
        server, process = Server(), os.getpid()
        for line in requests:
            try:
                reply = wire.encoded_answer(server.answer(wire.decoded_request(line)))
            except InputError as error:
                reply = wire.encoded_error(str(error).splitlines()[0], refused=True)
            except ModuleNotFoundError as error:
                reply = wire.encoded_error(f"it needs {error.name or error}, {NOT_INSTALLED}", refused=True)
            except BaseException as error:  # noqa: BLE001  # a kernel may raise anything; the conductor decides
                reply = wire.encoded_error(in_one_line(error), refused=False)
            if os.getpid() != process:
                os._exit(0)  # a kernel has forked it
            answers.write(reply)
    os._exit(0)  # there is nothing to save, and taking numba down takes 0.2 s
