"""A worker as the conductor sees it: start it, ask it, and notice when it crashes or hangs."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from actbench.errors import BenchmarkError
from actbench.host.variables import worker_environment
from actbench.kernels.kernel import Array
from actbench.measure import protocol
from actbench.model.cases import Block, Case, Kernel
from actbench.planning.suite import Selection

A = TypeVar("A")

PACKAGE = Path(__file__).resolve().parents[1]
"""The directory of actbench's own code."""

BOOT = "import sys; sys.path.append(sys.argv[1]); from actbench.measure.worker import main; main()"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python environment that workers can run in."""

    python: str
    packages: str
    """A directory that is appended to the environment's own path, for what it does not have itself."""
    variables: Mapping[str, str]
    """The environment variables of its workers."""


def here() -> Interpreter:
    """Return the environment that this process runs in."""
    return Interpreter(sys.executable, str(PACKAGE.parent), worker_environment(os.environ))


ROLE = "worker"
"""What errors call a worker that has no other role."""


class WorkerLostError(BenchmarkError):
    """The worker crashed or hung, and is gone."""


class NotLoadedError(BenchmarkError):
    """A worker could not load the user's own code."""


class Worker(Protocol):
    """What the conductor needs of a worker. Times are in seconds."""

    def describe(self) -> protocol.Described:
        """Tell what the worker runs on."""

    def device(self, backend: str) -> protocol.Device:
        """Tell in which device's memory a backend's operands lie."""

    def offer(self, selection: Selection) -> list[Case]:
        """Tell which cases of a selection exist in the worker's environment."""

    def evaluate(
        self, kernel: Kernel, z: Array, dy: Array, residuals: Mapping[str, Array] | None = None
    ) -> protocol.Evaluated:
        """Call a kernel once, untimed; on residuals of one's own, where they are given."""

    def inspect(self, kernel: Kernel) -> protocol.Inspected:
        """Read what the compiler made of a kernel."""

    def prepare(self, block: Block, seed: int, *, whole: bool = False) -> None:
        """Take up a block; `seed` draws its inputs. With `whole`, every element of large results is looked at once."""

    def compare(self) -> tuple[protocol.Doubt, ...]:
        """Call every arm of the prepared block once, and tell which elements differ from the reference."""

    def doubts(self) -> tuple[protocol.Doubt, ...]:
        """Tell what was seen in the calls after timed values of the prepared block."""

    def time(self, sweeps: Sequence[protocol.Sweep], timeout: float) -> protocol.Timed:
        """Time the slices of each sweep, of the prepared block, the operands at new addresses."""

    def limits(self, copies: Sequence[int], repeats: int) -> protocol.Limited:
        """Measure how fast the processor computes, and copies arrays of so many bytes."""

    def close(self) -> None:
        """End the worker."""


StartWorker = Callable[[], Worker]


class WorkerProcess:
    """A worker in a process of its own."""

    def __init__(
        self,
        *,
        cpu: int | None,
        timeout: float,
        interpreter: Interpreter,
        role: str = ROLE,
        threads: int = 1,
    ) -> None:
        """Start it pinned to `cpu` and wait until it is ready; `timeout` in seconds holds for each request.

        `role` is what errors call it; `threads` is for the backends that have several.
        """
        self._timeout = timeout
        self._role = role
        self._words = tempfile.TemporaryFile()  # noqa: SIM115  # open as long as the worker
        self._pending = b""
        try:
            self._process = subprocess.Popen(
                [interpreter.python, "-P", "-c", BOOT, interpreter.packages],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._words,
                env=dict(interpreter.variables),
                start_new_session=True,  # Ctrl-C is the conductor's to handle
            )
        except OSError as error:
            self._words.close()
            raise WorkerLostError(f"the {role} cannot be started: {error.strerror}") from None
        assert self._process.stdin is not None  # noqa: S101  # both are pipes, as asked for above
        assert self._process.stdout is not None  # noqa: S101
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        try:
            self._ask(protocol.Started, timeout, request="start", cpu=cpu, threads=threads)
        except BenchmarkError:
            self.close()
            raise

    def load(self, sources: Sequence[protocol.Source]) -> None:
        """Load a user's own code; the worker ends where that fails."""
        try:
            self._ask(protocol.LoadedAll, self._timeout, request="load", sources=sources)
        except BenchmarkError as error:
            self.close()
            raise NotLoadedError(str(error)) from None

    def describe(self) -> protocol.Described:
        """Tell what the worker runs on."""
        return self._ask(protocol.Described, self._timeout, request="describe")

    def device(self, backend: str) -> protocol.Device:
        """Tell in which device's memory a backend's operands lie."""
        return self._ask(protocol.Device, self._timeout, request="device", backend=backend)

    def offer(self, selection: Selection) -> list[Case]:
        """Tell which cases of a selection exist in the worker's environment."""
        offered = self._ask(protocol.Offered, self._timeout, request="offer", selection=selection)
        return [Case.parse(case) for case in offered.cases]

    def evaluate(
        self, kernel: Kernel, z: Array, dy: Array, residuals: Mapping[str, Array] | None = None
    ) -> protocol.Evaluated:
        """Call a kernel once, untimed; on residuals of one's own, where they are given."""
        return self._ask(
            protocol.Evaluated,
            self._timeout,
            request="evaluate",
            case=kernel.at(z.size).id,
            z=protocol.Array.pack(z),
            dy=protocol.Array.pack(dy),
            residuals={name: protocol.Array.pack(array) for name, array in (residuals or {}).items()},
        )

    def inspect(self, kernel: Kernel) -> protocol.Inspected:
        """Read what the compiler made of a kernel."""
        return self._ask(protocol.Inspected, self._timeout, request="inspect", case=kernel.at(1).id)

    def prepare(self, block: Block, seed: int, *, whole: bool = False) -> None:
        """Take up a block."""
        cases = [case.id for case in block.timed]
        self._ask(protocol.Prepared, self._timeout, request="prepare", cases=cases, seed=seed, whole=whole)

    def compare(self) -> tuple[protocol.Doubt, ...]:
        """Call every arm of the prepared block once, and tell which elements differ from the reference."""
        return self._ask(protocol.Doubts, self._timeout, request="compare").doubts

    def doubts(self) -> tuple[protocol.Doubt, ...]:
        """Tell what was seen in the calls after timed values of the prepared block."""
        return self._ask(protocol.Doubts, self._timeout, request="doubts").doubts

    def time(self, sweeps: Sequence[protocol.Sweep], timeout: float) -> protocol.Timed:
        """Time the slices of each sweep."""
        return self._ask(protocol.Timed, timeout, request="time", sweeps=sweeps)

    def limits(self, copies: Sequence[int], repeats: int) -> protocol.Limited:
        """Measure how fast the processor computes, and copies arrays of so many bytes."""
        return self._ask(protocol.Limited, self._timeout, request="limits", copies=copies, repeats=repeats)

    def close(self) -> None:
        """End the process, politely if it listens."""
        with suppress(BrokenPipeError):
            self._stdin.close()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._kill()
        self._stdout.close()
        self._words.close()

    def _ask(self, answer: type[A], timeout: float, **request: Any) -> A:
        try:
            self._stdin.write(msgspec.json.encode(request) + b"\n")
            self._stdin.flush()
            line = self._read_line(timeout)
        except BrokenPipeError:
            line = b""
        if not line:
            raise WorkerLostError(f"the {self._role} {self._end()}{self._last_words()}")
        try:
            reply = msgspec.json.decode(line, type=_Reply)
            if reply.error is not None:
                raise BenchmarkError(self._told(reply.error, refused=reply.refused))
            return msgspec.json.decode(reply.answer, type=answer)
        except msgspec.MsgspecError as error:
            raise BenchmarkError(f"the {self._role} answered nonsense: {error}") from None

    def _told(self, error: str, *, refused: bool) -> str:
        """Return what the worker raised; where it refused what it was given, that is a sentence for the user."""
        if refused:
            return error if self._role == ROLE else f"in the {self._role}, {error}"
        return f"the {self._role} raised {error}"

    def _read_line(self, timeout: float) -> bytes:
        """Return the next line, or nothing when the worker has ended."""
        deadline = time.monotonic() + timeout
        while b"\n" not in self._pending:
            ready, _, _ = select.select([self._stdout], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                self._kill()
                raise WorkerLostError(
                    f"the {self._role} took longer than the {self._timeout:g} s that a block may take (--timeout)"
                    f"{self._last_words()}"
                )
            chunk = os.read(self._stdout.fileno(), 1 << 16)
            if not chunk:
                return b""
            self._pending += chunk
        line, _, self._pending = self._pending.partition(b"\n")
        return line

    def _kill(self) -> None:
        """End the process and what it started: an interpreter may be a script that starts another."""
        with suppress(ProcessLookupError, PermissionError):  # macOS forbids it where all of them have ended
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _end(self) -> str:
        code = self._process.wait()
        if code >= 0:
            return f"exited with status {code}"
        names = {each.value: each.name for each in signal.Signals}
        return f"was killed by {names.get(-code, f'signal {-code}')}"

    def _last_words(self) -> str:
        self._words.seek(0)
        lines = self._words.read().decode(errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return f"; its last words: {said[-1]}" if said else ""


class _Reply(msgspec.Struct):
    """Either an answer, still encoded, or the error that the request raised."""

    answer: msgspec.Raw = msgspec.Raw(b"")
    error: str | None = None
    refused: bool = False
    """Whether that is one of actbench's own sentences, about what the worker was given."""
