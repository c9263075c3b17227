"""The worker: a plain process that does what it is told and answers with seconds. It knows no policy.

It is pinned before numpy or numba is imported, keeps the garbage collector out of the slices, and ends when its input
does. What kernels print goes to stderr, so that it cannot be taken for an answer.
"""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING, Any

from actbench.errors import InputError
from actbench.host import processors
from actbench.measure.protocol import (
    PROTOCOL,
    Array,
    Described,
    Device,
    Doubt,
    Doubts,
    Evaluated,
    Inspected,
    Limited,
    LoadedAll,
    Offered,
    Prepared,
    Started,
    Taken,
    Timed,
)
from actbench.measure.undisturbed import undisturbed

if TYPE_CHECKING:
    from actbench.host.code_placement import CodePlacement
    from actbench.kernels.kernel import Operands
    from actbench.model.cases import Case
    from actbench.verification import behaviour
    from actbench.verification.behaviour.guarded import GuardedCalls
    from actbench.verification.behaviour.watch import Watch


SETTLING = (32 << 20) - (64 << 10)
"""Bytes allocated and freed at the start, so that every block finds the allocator in the same state.

glibc returns a freed array to the system at once, and pays a page fault a page on the next call, until it has once
seen a larger one freed, up to 32 MiB: a block would be fast or slow by which blocks came before it. This is the state
of any process that has lived for a while; MALLOC_MMAP_THRESHOLD_=131072 in the environment shows the other one.
"""


class Worker:
    """One block at a time, from requests."""

    def __init__(self) -> None:
        """Hold no block yet."""
        self._cases: list[Case] = []
        self._one_thread: list[bool] = []
        self._operands: Operands | None = None
        self._code: CodePlacement | None = None
        self._calls: GuardedCalls | None = None
        self._watch: Watch | None = None

    def start(self, cpu: int | None, threads: int) -> Started:
        """Pin the process to a processor, then import; `threads` is for the backends that have several."""
        if cpu is not None:
            processors.pin(cpu, threads)
        os.environ["NUMBA_NUM_THREADS"] = str(threads)
        import numpy as np

        import actbench.kernels.kernel  # noqa: F401  # only now: thread pools are sized on import
        from actbench.host.code_placement import CodePlacement

        self._code = CodePlacement()

        np.empty(SETTLING, dtype=np.uint8)
        gc.collect()
        gc.freeze()
        gc.disable()
        return Started(tuple(sorted(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else None)

    def describe(self) -> Described:
        """Tell what this process runs on."""
        from actbench import backends, registry
        from actbench.host import software

        return Described(PROTOCOL, software.versions(backends.libraries(registry.backends().values())))

    def device(self, backend: str) -> Device:
        """Tell in which device's memory a backend's operands lie."""
        from actbench import registry

        found = registry.backend(backend).device()
        if found is None:
            raise RuntimeError(f"{backend} has the processor's memory")
        return Device(found.name, found.versions)

    def load(self, sources: list[dict[str, Any]]) -> LoadedAll:
        """Load the user's own code."""
        from actbench import plugins

        for source in sources:
            plugins.load(**source)
        return LoadedAll()

    def offer(self, selection: dict[str, Any]) -> Offered:
        """Tell which cases of a selection exist here."""
        from actbench.planning import suite

        return Offered(tuple(case.id for case in suite.offered(suite.Selection(**selection))))

    def evaluate(
        self, case: str, z: dict[str, Any], dy: dict[str, Any], residuals: dict[str, dict[str, Any]]
    ) -> Evaluated:
        """Call a kernel on given inputs, and residuals where there are any."""
        import numpy as np

        from actbench import registry
        from actbench.kernels import kernel
        from actbench.model.cases import Case
        from actbench.model.rule import Dialect
        from actbench.verification.behaviour.guarded import Answer, GuardedCalls

        wanted = Case.parse(case)
        bound = kernel.bind_at(wanted)
        given = {name: Array(**array).unpack() for name, array in residuals.items()}
        operands = kernel.Operands(wanted.activation, Array(**z).unpack(), Array(**dy).unpack(), given)
        self._calls = self._calls or GuardedCalls()
        try:
            with np.errstate(all="ignore"):
                answer = self._calls.call(wanted, operands)
            raised = None
        except (ArithmeticError, ValueError) as error:  # math raises either, of one number
            if isinstance(error, ValueError) and registry.backend(wanted.backend).dialect is Dialect.ARRAY:
                raise _refusal(wanted, error) from None
            answer, raised = Answer((), ()), repr(error)
        outputs = answer.outputs
        ends = (*outputs[:1], *outputs[1:][-1:])  # between them is what a step keeps, perhaps in a type of its own
        ends = () if answer.faults else ends
        return Evaluated(tuple(map(Array.pack, ends)), raised, bound.compile_seconds, bound.from_cache, answer.faults)

    def inspect(self, case: str) -> Inspected:
        """Read what the compiler made of a kernel."""
        from actbench.kernels import kernel
        from actbench.model.cases import Case

        return Inspected(kernel.compiled(Case.parse(case).kernel))

    def prepare(self, cases: list[str], seed: int, *, whole: bool = False) -> Prepared:
        """Take up a block, its cases first, then its yardsticks: bind its kernels and draw its inputs."""
        from actbench import registry
        from actbench.kernels import kernel
        from actbench.model.cases import Case
        from actbench.verification.behaviour.watch import Watch

        self._operands = self._watch = None
        gc.collect()
        self._cases = [Case.parse(case) for case in cases]
        for case in self._cases:
            if not case.is_yardstick:
                kernel.bind_at(case)
        used = [registry.backend(case.backend) for case in self._cases]
        self._one_thread = [not (backend.threaded or backend.on_device) for backend in used]
        gc.freeze()  # numba alone brings so many objects that the next collection would take 60 ms
        first = self._cases[0]
        self._operands = kernel.Operands.drawn(first.activation, first.dtype, first.size, seed)
        self._watch = Watch(self._cases, self._operands, whole=whole)
        return Prepared()

    def compare(self) -> Doubts:
        """Call every arm of the block once on all of its operands, and tell what differs from the reference."""
        from actbench.verification.behaviour.comparison import compared

        return Doubts(tuple(map(_packed, compared(self._cases, self._prepared()))))

    def doubts(self) -> Doubts:
        """Tell what was seen in the calls after timed values."""
        return Doubts(tuple(map(_packed, self._watch.doubts())) if self._watch else ())

    def time(self, sweeps: list[dict[str, Any]]) -> Timed:
        """Time the slices of each sweep."""
        taken = [self._sweep(**sweep) for sweep in sweeps]
        return Timed(
            tuple(tuple(each.seconds for each in sweep) for sweep in taken),
            tuple(tuple(each.processor for each in sweep) for sweep in taken),
        )

    def limits(self, copies: list[int], repeats: int) -> Limited:
        """Measure how fast this processor computes, and copies arrays of so many bytes."""
        from actbench.measure import roofs

        return roofs.measured(copies, repeats, undisturbed)

    def _sweep(self, seed: int, slices: list[tuple[int, int, int]], *, move: bool) -> list[Taken]:
        """Move operands, and if asked for code, elsewhere in memory; then time the slices."""
        import numpy as np

        from actbench.kernels import kernel

        operands = self._prepared()
        if move and self._code is not None:
            self._code.move()
        placement = kernel.Placement(operands, np.random.default_rng(seed))
        arms = [kernel.prepare(case, placement) for case in self._cases]
        taken = []
        for index, calls, phase in slices:
            arm = arms[index]
            warm = partial(placement.warm, arm, phase)
            taken.append(undisturbed(arm, calls, warm, one_thread=self._one_thread[index]))
        if self._watch is not None and slices:
            self._watch.look(arms, {arm for arm, _, _ in slices}, placement)
        return taken

    def _prepared(self) -> Operands:
        if self._operands is None:
            raise RuntimeError("no block is prepared")
        return self._operands


def _packed(doubt: behaviour.Doubt) -> Doubt:
    """Return a doubt as it is sent."""
    elements = doubt.elements
    arrays = (elements.z, elements.dy, elements.computed)
    return Doubt(doubt.arm, doubt.fault, doubt.of_output, *map(Array.pack, arrays))


def _refusal(case: Case, error: ValueError) -> InputError:
    """Return what to say of a formula that does not take whole arrays, with the place that raised."""
    place = extract_tb(error.__traceback__)[-1]
    way_out = ": it is given a whole array, so choose by m.where, or Piecewise" if "truth value" in str(error) else ""
    at = f"{Path(place.filename).name}, line {place.lineno}"
    return InputError(f"{case.strategy} raised ValueError: {str(error).rstrip('.')} ({at}){way_out}")


def _told(error: BaseException) -> str:
    """Return an exception in one line; its own method that says what it is may raise as well."""
    try:
        return f"{type(error).__name__}: {error}".splitlines()[0].removesuffix(": ")
    except Exception:  # noqa: BLE001  # likewise
        return type(error).__name__


def main() -> None:
    """Answer requests from stdin until it ends; what kernels read there is nothing, lest they take requests."""
    with os.fdopen(os.dup(0)) as requests, os.fdopen(os.dup(1), "w", buffering=1) as answers:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)
        worker = Worker()
        serve: dict[str, Callable[..., Any]] = {
            "start": worker.start,
            "load": worker.load,
            "describe": worker.describe,
            "device": worker.device,
            "offer": worker.offer,
            "evaluate": worker.evaluate,
            "inspect": worker.inspect,
            "prepare": worker.prepare,
            "compare": worker.compare,
            "doubts": worker.doubts,
            "time": worker.time,
            "limits": worker.limits,
        }
        for line in requests:
            request = json.loads(line)
            try:
                reply: dict[str, Any] = {"answer": asdict(serve[request.pop("request")](**request))}
            except InputError as error:
                reply = {"error": str(error).splitlines()[0], "refused": True}
            except BaseException as error:  # noqa: BLE001  # a kernel may raise anything; the conductor decides
                reply = {"error": _told(error)}
            answers.write(json.dumps(reply) + "\n")
    os._exit(0)  # there is nothing to save, and taking numba down takes 0.2 s
