"""Workers that take exactly as long as they are told: real arithmetic, exact times."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache

from actbench.errors import BenchmarkError
from actbench.host import software
from actbench.kernels.kernel import Array
from actbench.measure import protocol
from actbench.measure.baseline import StartRole
from actbench.measure.session import Seams
from actbench.measure.worker import Worker as RealWorker
from actbench.model.cases import Block, Case, Kernel
from actbench.model.names import Dtype
from actbench.planning.suite import Selection, offered

NANOSECOND = 1e-9

STRATEGY_NS = {"textbook": 8.0, "recompute": 4.0, "cached": 1.0, "complement": 2.0, "yardstick": 0.5}
BACKEND_FACTOR = {
    "python": 100.0,
    "numpy": 1.0,
    "numpy-blocked": 0.8,
    "numba": 0.5,
    "numba-simd": 0.4,
    "numba-parallel": 0.2,
}
NARROW_FACTOR = 0.75
"""What keeping residuals in a narrower type makes of a strategy's time."""
RUNG_NS = {"empty": 30.0, "dispatch": 100.0, "allocation": 150.0, "loop": 150.0, "arithmetic": 400.0}


@cache
def exact_seconds(case: Case) -> float:
    """Return the seconds of one call: so many nanoseconds per element by strategy, times the backend's factor.

    A rung of the overhead ladder takes its nanoseconds per call, whatever the size.
    """
    if case.is_rung:
        return NANOSECOND * RUNG_NS[case.strategy] * BACKEND_FACTOR[case.backend]
    strategy, _, narrower = case.strategy.partition(":")
    ns = STRATEGY_NS.get(strategy, 3.0) * (NARROW_FACTOR if narrower else 1.0)
    return NANOSECOND * case.size * ns * BACKEND_FACTOR.get(case.backend, 1.0)


@cache
def inspected(kernel: Kernel) -> protocol.Inspected:
    """Read what the compiler made of a kernel."""
    return RealWorker().inspect(kernel.at(1).id)


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
    processor: Callable[[Case], float] = lambda _: 1.0
    block: Block | None = None

    def describe(self) -> protocol.Described:
        """Tell the versions that the test decided on."""
        return protocol.Described(protocol.PROTOCOL, self.versions)

    def device(self, backend: str) -> protocol.Device:
        """Tell in which device's memory a backend's operands lie, as this process knows it."""
        try:
            return RealWorker().device(backend)
        except RuntimeError as error:
            raise BenchmarkError(f"worker: {type(error).__name__}: {error}") from None

    def offer(self, selection: Selection) -> list[Case]:
        """Tell which of the cases that exist here exist there."""
        return [case for case in offered(selection) if self.has(case)]

    def evaluate(
        self, kernel: Kernel, z: Array, dy: Array, residuals: Mapping[str, Array] | None = None
    ) -> protocol.Evaluated:
        """Call a kernel in this process."""
        inputs = {"z": z, "dy": dy}
        packed, given = (
            {name: asdict(protocol.Array.pack(array)) for name, array in arrays.items()}
            for arrays in (inputs, residuals or {})
        )
        return RealWorker().evaluate(kernel.at(z.size).id, packed["z"], packed["dy"], given)

    def inspect(self, kernel: Kernel) -> protocol.Inspected:
        """Read what the compiler made of a kernel in this process, once."""
        return inspected(kernel)

    def prepare(self, block: Block, seed: int, *, whole: bool = False) -> None:
        """Take up a block."""
        del seed, whole
        self.block = block

    def compare(self) -> tuple[protocol.Doubt, ...]:
        """See nothing."""
        return ()

    def doubts(self) -> tuple[protocol.Doubt, ...]:
        """See nothing."""
        return ()

    def time(self, sweeps: Sequence[protocol.Sweep], timeout: float) -> protocol.Timed:
        """Answer with exact times, and let that much time pass, or more where the processor is shared."""
        del timeout
        assert self.block is not None
        self.on_time(self.block)
        timed = self.block.timed
        taken = tuple(tuple(each.calls * self.seconds(timed[each.arm]) for each in sweep.slices) for sweep in sweeps)
        shares = tuple(tuple(self.processor(timed[each.arm]) for each in sweep.slices) for sweep in sweeps)
        for several, of_sweep in zip(taken, shares, strict=True):
            self.clock.now += sum(seconds / (share or 1.0) for seconds, share in zip(several, of_sweep, strict=True))
        return protocol.Timed(taken, shares)

    def limits(self, copies: Sequence[int], repeats: int) -> protocol.Limited:
        """Answer with exact rates: wider vectors help up to 256 bits, and large arrays are copied more slowly."""
        arithmetic = [
            protocol.Arithmetic(dtype, bits, (rate * 1e9 / dtype.itemsize,) * repeats)
            for dtype in Dtype
            for bits, rate in ((128, 200.0), (256, 400.0), (512, 404.0))
        ]
        copied = [protocol.Copy(nbytes, ((50e9 if nbytes < 1 << 22 else 10e9),) * repeats) for nbytes in copies]
        return protocol.Limited(tuple(arithmetic), tuple(copied))

    def close(self) -> None:
        """End."""


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
    opened: list[str] = field(default_factory=list)
    """Every environment that was opened."""

    def start(self, cpu: int | None, timeout: float, role: str = "worker", threads: int = 1) -> FakeWorker:
        """Start a worker."""
        del cpu, timeout, role, threads
        self.workers_started += 1
        return FakeWorker(
            self.clock,
            lambda case: self.seconds(case),  # noqa: PLW0108  # tests change them
            lambda block: self.on_time(block),  # noqa: PLW0108
            processor=lambda case: self.processor(case),  # noqa: PLW0108
        )

    @contextmanager
    def open_baseline(self, against: str) -> Iterator[StartRole]:
        """Open another environment."""
        self.opened.append(against)

        def start(cpu: int | None, timeout: float, role: str, threads: int) -> FakeWorker:
            del cpu, timeout, threads
            self.workers_started += 1
            taken = self.control_seconds if role == "control" and self.control_seconds else self.baseline_seconds
            on_time = lambda block: self.on_time(block)  # noqa: E731, PLW0108  # tests change it
            return FakeWorker(self.clock, taken, on_time, self.baseline_versions, self.baseline_has)

        yield start

    @property
    def seams(self) -> Seams:
        """What the command line takes as its context object."""
        return Seams(start_worker=self.start, open_baseline=self.open_baseline, clock=self.clock)


def crash(message: str) -> None:
    """Fail as a lost worker does."""
    raise BenchmarkError(message)
