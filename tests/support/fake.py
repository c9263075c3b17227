"""Workers whose times are exactly those that a test sets: real arithmetic, exact times."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any

from actbench.engine import protocol, protocol_limits, protocol_training
from actbench.engine.launch import Launch, UnsupportedError, WorkerOptions
from actbench.engine.live.baseline import NO_PINS, BaselineEnvironment
from actbench.engine.live.environment_cache import Tell
from actbench.engine.live.revisions import Revision
from actbench.engine.session import Seams
from actbench.engine.wire import A, Request
from actbench.engine.working.worker import Server
from actbench.errors import BenchmarkError, InputError, NotComparableError
from actbench.host import software
from actbench.model.cases import YARDSTICK, Block, Case
from actbench.model.kernel_copies import KERNEL_COPIES
from actbench.model.loaded import Loaded, LoadedFrom
from actbench.model.names import WIDE
from actbench.planning.costs import kept_bytes
from actbench.planning.suite import grouped, offered
from tests.support.exact_times import CYCLE, exact_seconds
from tests.support.steps import checked, parts


@cache
def inspected(request: protocol.Inspect) -> protocol.Inspected:
    """Read what the compiler made of a kernel, once."""
    return Server().answer(request)


@cache
def block_of(ids: tuple[str, ...]) -> Block:
    """Return the block of these cases and yardsticks, read once."""
    cases = [*map(Case.parse, ids)]
    (block,) = grouped(case for case in cases if not case.is_yardstick)
    copies = (case.backend for case in cases if case.strategy == YARDSTICK and not case.is_plain_copy)
    of_kernels = (case.strategy for case in cases if case.strategy in KERNEL_COPIES)
    return replace(block, copies=tuple(copies), kernel_copies=tuple(of_kernels))


@cache
def own_versions() -> Mapping[str, str]:
    """Return the versions of what is installed here, looked up once."""
    return software.versions()


@dataclass
class Clock:
    """A clock that only the fake workers move. Seconds."""

    now: float = 0.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


@dataclass
class FakeWorker:
    """One worker: evaluates kernels for real, and answers with exact times."""

    clock: Clock
    seconds: Callable[[Case], float]
    on_time: Callable[[Block], None]
    versions: dict[str, str] = field(default_factory=lambda: {**own_versions()})
    has: Callable[[Case], bool] = lambda _: True
    keeps: Callable[[Case], float] = kept_bytes
    check_step: Callable[[protocol_training.CheckStep], protocol_training.CheckedStep] = checked
    loaded: tuple[Loaded, ...] = ()
    code: Callable[[Case], str | None] = lambda _: None
    processor: Callable[[Case], float] = lambda _: 1.0
    block: Block | None = None
    """The prepared one."""
    prepared: list[protocol.Prepare] = field(default_factory=list)
    """What was asked for of every block."""

    def ask(self, request: Request[A], more_time: float = 0.0) -> A:
        """Answer as the test decided, or as a real worker does."""
        del more_time
        answer: A = self._answer(request)
        return answer

    def _answer(self, request: Request[Any]) -> Any:
        answer: Any
        match request:
            case protocol.Describe():
                answer = protocol.Described(protocol.PROTOCOL, self.versions, self.loaded)
            case protocol.Offer():
                there = [case for case in offered(request.query) if self.has(case)]
                answer = protocol.Offered(tuple(case.id for case in there), tuple(map(self.keeps, there)))
            case protocol.Inspect():
                answer = replace(inspected(request), code=self.code(Case.parse(request.case)))
            case protocol.Prepare():
                self.prepared.append(request)
                self.block = block_of(request.cases)
                answer = protocol.Prepared()
            case protocol.Compare() | protocol.ListDoubts():
                answer = protocol.Doubts(())
            case protocol.Time():
                answer = replace(self._time(request.sweeps), parts=self._parts() if request.parts else ())
            case protocol_training.CheckStep():
                answer = self.check_step(request)
                if answer.check:
                    answer = replace(answer, check=replace(answer.check, code=self.code(Case.parse(request.case))))
            case protocol_limits.MeasureLimits() | protocol_limits.MeasureCall():
                answer = limits(request) if isinstance(request, protocol_limits.MeasureLimits) else self._call(request)
            case _:
                answer = real_answer(request)
        return answer

    def _call(self, request: protocol_limits.MeasureCall) -> protocol_limits.MeasuredCall:
        """Answer with the exact time of a call, and of a cycle."""
        case = Case.parse(request.case)
        seconds = [self.seconds(replace(case, size=size)) for size in request.sizes]
        return protocol_limits.MeasuredCall(
            tuple((one,) * request.repeats for one in seconds), (CYCLE,) * request.repeats
        )

    def _time(self, sweeps: Sequence[protocol.Sweep]) -> protocol.Timed:
        """Answer with exact times, and let that much time pass, or more where the processor is shared."""
        assert self.block is not None
        self.on_time(self.block)
        timed = self.block.timed
        timings = tuple(tuple(part.calls * self.seconds(timed[part.arm]) for part in sweep.slices) for sweep in sweeps)
        shares = tuple(tuple(self.processor(timed[part.arm]) for part in sweep.slices) for sweep in sweeps)
        for of_timings, of_sweep in zip(timings, shares, strict=True):
            self.clock.now += sum(seconds / (share or 1.0) for seconds, share in zip(of_timings, of_sweep, strict=True))
        return protocol.Timed(timings, shares)

    def _parts(self) -> tuple[tuple[float, ...], ...]:
        assert self.block is not None
        return parts(self.block, self.seconds)

    def move_to(self, cpu: int) -> None:
        """Stay."""

    def close(self) -> None:
        """End."""


def real_answer(request: Request[A]) -> A:
    """Answer as a real worker does, in this process."""
    try:
        return Server().answer(request)
    except InputError as error:
        raise UnsupportedError(str(error)) from None
    except RuntimeError as error:
        raise BenchmarkError(f"worker: {type(error).__name__}: {error}") from None


def limits(request: protocol_limits.MeasureLimits) -> protocol_limits.MeasuredLimits:
    """Answer with exact rates: wider vectors help up to 256 bits, and large arrays are copied more slowly."""
    arithmetic = [
        protocol_limits.ArithmeticRates(dtype, bits, (rate * 1e9 / dtype.itemsize,) * request.repeats)
        for dtype in WIDE
        for bits, rate in ((128, 200.0), (256, 400.0), (512, 404.0))
    ]
    copied = [
        protocol_limits.CopyRates(nbytes, ((50e9 if nbytes < 1 << 22 else 10e9),) * request.repeats)
        for nbytes in request.copies
    ]
    return protocol_limits.MeasuredLimits(tuple(arithmetic), tuple(copied), (CYCLE,) * request.repeats)


@dataclass
class FakeBench:
    """Everything that a test decides: how long cases take, and what goes wrong when a block is timed."""

    seconds: Callable[[Case], float] = exact_seconds
    clock: Clock = field(default_factory=Clock)
    on_time: Callable[[Block], None] = lambda _: None
    workers_started: int = 0
    baseline_seconds: Callable[[Case], float] = exact_seconds
    """How long cases take in the environment to compare with."""
    processor: Callable[[Case], float] = lambda _: 1.0
    """Which share of the processor cases have; 0 where that is not known."""
    control_seconds: Callable[[Case], float] | None = None
    """How long they take there the second time, if not as long as the first."""
    baseline_versions: dict[str, str] = field(default_factory=lambda: {**own_versions()})
    baseline_has: Callable[[Case], bool] = lambda _: True
    baseline_keeps: Callable[[Case], float] = kept_bytes
    """The bytes per element that cases keep there."""
    baseline_check_step: Callable[[protocol_training.CheckStep], protocol_training.CheckedStep] = checked
    """How training steps are checked there."""
    check_step: Callable[[protocol_training.CheckStep], protocol_training.CheckedStep] = checked
    """How training steps are checked here."""
    prepared: list[protocol.Prepare] = field(default_factory=list)
    """What workers were asked for of every block."""
    opened: list[str] = field(default_factory=list)
    """Every environment that was opened."""
    pins: list[dict[str, str]] = field(default_factory=list)
    """The versions that each of them was to have."""
    unbuildable: dict[str, str] = field(default_factory=dict)
    """The environments that cannot be built, and why."""
    seconds_there: Callable[[str, Case], float] | None = None
    """How long cases take in an environment, by its name; where that is not the same for all."""
    has_there: Callable[[str, Case], bool] | None = None
    """Which cases an environment has, likewise."""
    versions_there: dict[str, str] = field(default_factory=dict)
    """What is installed in environments."""
    revision: Revision | None = None
    """The revision of the other environment."""
    revision_there: Callable[[str], Revision | None] | None = None
    """The revision of an environment, by its name, where there are several."""
    sources_there: dict[str, tuple[protocol.Source, ...]] = field(default_factory=dict)
    """What the workers of each environment were to load."""
    baseline_sources: list[protocol.Source] = field(default_factory=list)
    """What the workers there were to load."""
    code: Callable[[Case], str | None] = lambda _: None
    """The digest of what a case executes."""
    baseline_code: Callable[[Case], str | None] = lambda _: None

    def start(self, options: WorkerOptions) -> FakeWorker:
        """Start a worker."""
        del options
        self.workers_started += 1
        return FakeWorker(
            self.clock,
            lambda case: self.seconds(case),  # noqa: PLW0108  # tests change them
            lambda block: self.on_time(block),  # noqa: PLW0108
            check_step=self.check_step,
            processor=lambda case: self.processor(case),  # noqa: PLW0108
            prepared=self.prepared,
            code=self.code,
        )

    @property
    def launch(self) -> Launch:
        """A worker of this environment, as it is started."""
        return Launch(self.start, WorkerOptions(None, 60.0))

    @contextmanager
    def open_baseline(
        self, against: str, tell: Tell, pins: Mapping[str, str] = NO_PINS, /
    ) -> Iterator[BaselineEnvironment]:
        """Open another environment."""
        del tell
        if against in self.unbuildable:
            raise NotComparableError(f"--against {against}: {self.unbuildable[against]}")
        self.pins.append(dict(pins))
        self.opened.append(against)

        def start(options: WorkerOptions) -> FakeWorker:
            self.workers_started += 1
            again = self.control_seconds if options.role == "control" else None
            on_time = lambda block: self.on_time(block)  # noqa: E731, PLW0108  # tests change it
            return FakeWorker(
                self.clock,
                again or (partial(self.seconds_there, against) if self.seconds_there else self.baseline_seconds),
                on_time,
                self.baseline_versions,
                partial(self.has_there, against) if self.has_there else self.baseline_has,
                self.baseline_keeps,
                self.baseline_check_step,
                tuple(Loaded(LoadedFrom.FILE, source.name, source.sha256 or "") for source in self.baseline_sources),
                prepared=self.prepared,
                code=self.baseline_code,
            )

        def start_with(sources: Sequence[protocol.Source]) -> Callable[[WorkerOptions], FakeWorker]:
            self.baseline_sources[:] = sources
            self.sources_there[against] = tuple(sources)
            return start

        revision = self.revision_there(against) if self.revision_there else self.revision
        yield BaselineEnvironment(start_with, revision, self.versions_there)

    @property
    def seams(self) -> Seams:
        """What the command line takes as its context object."""
        return Seams(
            start_worker=self.start, open_baseline=self.open_baseline, clock=self.clock, places_to_start=lambda _: ()
        )


def crash(message: str) -> None:
    """Fail as a lost worker does."""
    raise BenchmarkError(message)
