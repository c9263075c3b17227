"""The conductor's side of a worker process: start it, send it requests, and notice when it crashes or hangs."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import msgspec

from actbench.engine import protocol
from actbench.engine.launch import (
    ROLE,
    NotLoadedError,
    UnsupportedError,
    WorkerHungError,
    WorkerLostError,
    WorkerOptions,
)
from actbench.engine.wire import A, Request
from actbench.errors import BenchmarkError
from actbench.host import processors
from actbench.host.starvation import ProcessorTime
from actbench.host.variables import worker_environment
from actbench.model.cases import Case
from actbench.runs.record import of_text

PACKAGE_DIRECTORY = Path(__file__).resolve().parents[1]
"""The directory of actbench's own code."""

QUICK = 0.25
"""Seconds within which most answers come. The processor time of a worker is looked at from then on: a look takes as
long as hundreds of timed calls, since it reads the states of all processes of the host."""

ENDING = 2.0
"""Seconds after which a worker that does not end is killed."""

SHORTEST_PAUSE, LONGEST_PAUSE = 0.0005, 0.05
"""Seconds between looks at whether it has ended."""

OF_THE_BLOCK = (protocol.Time, protocol.Compare, protocol.ListDoubts)
"""Requests with which a worker goes on with the prepared block."""

WAITS_UNREAPED = hasattr(os, "waitid")
"""Whether Python can wait for a process without reaping it: on macOS it can from 3.13 on."""

BOOT = "import sys; sys.path.append(sys.argv[1]); from actbench.engine.working.worker import main; main()"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python environment in which workers can run."""

    python: str
    packages: str
    """A directory that is appended to the environment's search path, for packages that it lacks."""
    variables: Mapping[str, str]
    """The environment variables of its workers."""


def here() -> Interpreter:
    """Return the environment of this process."""
    return Interpreter(sys.executable, str(PACKAGE_DIRECTORY.parent), worker_environment(os.environ))


class WorkerProcess:
    """A worker in a separate process, which leads a session of its own: what kernels start in it ends with it."""

    _ended = False
    """Whether the process, and what it had started, were ended and reaped."""

    def __init__(self, options: WorkerOptions, interpreter: Interpreter) -> None:
        """Start the worker in an environment, and wait until it is ready."""
        self.timeout = options.timeout
        self._role, self._subject = options.role, options.subject
        self._words = tempfile.TemporaryFile()  # noqa: SIM115  # stays open as long as the worker lives
        self._pending = b""
        self._doing = ""
        try:
            self._process = subprocess.Popen(
                [interpreter.python, "-P", "-c", BOOT, interpreter.packages],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._words,
                env=dict(interpreter.variables),
                start_new_session=True,  # the conductor handles Ctrl-C
            )
        except OSError as error:
            self._words.close()
            raise WorkerLostError(f"{self._subject} cannot be started: {error.strerror}") from None
        assert self._process.stdin is not None  # noqa: S101  # both are pipes, as requested above
        assert self._process.stdout is not None  # noqa: S101
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        try:
            self.ask(protocol.Start(options.cpu, options.threads, options.together))
        except BenchmarkError:
            self.close()
            raise

    def load(self, sources: Sequence[protocol.Source]) -> None:
        """Load a user's own code; `NotLoadedError` where that fails, and the worker has ended."""
        try:
            self.ask(protocol.Load(tuple(sources)))
        except BenchmarkError as error:
            self.close()
            raise NotLoadedError(str(error)) from None

    def ask(self, request: Request[A], more_time: float = 0.0) -> A:
        """Return the answer, as `actbench.engine.launch.Worker.ask` does."""
        line = b""
        if not isinstance(request, OF_THE_BLOCK):
            self._doing = _doing(request)
        with suppress(BrokenPipeError):
            self._stdin.write(_encoded(request))
            self._stdin.flush()
            line = self._read_line(self.timeout + more_time)
        if not line:
            raise WorkerLostError(f"{self._subject} {self._end()}{self._last_words()}")
        try:
            reply = msgspec.json.decode(line, type=_Reply)
            if reply.error is not None:
                raise (UnsupportedError if reply.refused else BenchmarkError)(
                    self._sentence(reply.error, refused=reply.refused)
                )
            answer: A = msgspec.json.decode(reply.answer, type=request.answer_type, dec_hook=of_text)
        except msgspec.MsgspecError as error:
            raise BenchmarkError(f"{self._subject} answered nonsense: {error}") from None
        return answer

    def move_to(self, cpu: int) -> None:
        """Pin the process to another processor; one that has ended is found out by the next request."""
        processors.move(self._process.pid, cpu)

    def close(self) -> None:
        """End the process, by closing its input if it reacts to that, and what it has started."""
        with suppress(BrokenPipeError):
            self._stdin.close()
        self._wait_for_end_of_output()
        self._ends_alone()
        self._kill()
        self._stdout.close()
        self._words.close()

    def _sentence(self, error: str, *, refused: bool) -> str:
        """Return the worker's error in words; if the worker refused its input, they are a sentence for the user."""
        if refused:
            return error if self._role == ROLE else f"in {self._subject}, {error}"
        return f"{self._subject} raised {error}"

    def _read_line(self, allowed: float) -> bytes:
        """Return the next line, or b"" where the worker has ended; `WorkerHungError` after the `allowed` seconds."""
        deadline = time.monotonic() + allowed
        taken: ProcessorTime | None = None
        while b"\n" not in self._pending:
            left = max(0.0, deadline - time.monotonic())
            ready, _, _ = select.select([self._stdout], [], [], left if taken else min(QUICK, left / 2))
            if not ready:
                if taken is None:
                    taken = ProcessorTime(self._process.pid)
                    continue
                if patience := taken.patience(allowed):
                    deadline = time.monotonic() + patience
                    continue
                limit = f"the {allowed:.3g} s that a case may take (--timeout allows more)"
                slow = f"took longer than {limit}{self._doing}: {taken}"
                self._kill()
                raise WorkerHungError(f"{self._subject} {slow}{self._last_words()}")
            chunk = os.read(self._stdout.fileno(), 1 << 16)
            if not chunk:
                return b""
            self._pending += chunk
        line, _, self._pending = self._pending.partition(b"\n")
        return line

    def _wait_for_end_of_output(self) -> None:
        """Wait until the process has closed its output, as when it ends: `Popen.wait` would look at it now and then."""
        deadline = time.monotonic() + ENDING
        while not self._stdout.closed and (left := deadline - time.monotonic()) > 0:
            ready, _, _ = select.select([self._stdout], [], [], left)
            if ready and not os.read(self._stdout.fileno(), 1 << 16):
                return

    def _ends_alone(self) -> bool:
        """Wait until the process has ended, but do not reap it: until then its number can be no other process's."""
        deadline, pause = time.monotonic() + ENDING, SHORTEST_PAUSE
        while running := self._runs():
            if time.monotonic() > deadline:
                break
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        return not running

    def _runs(self) -> bool:
        """Return whether the process has not ended.

        Where this process ignores the ends of its children, the system reaps them.
        """
        if self._process.returncode is not None:
            return False
        if not WAITS_UNREAPED:
            return self._process.poll() is None
        try:
            return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        except ChildProcessError:
            return False

    def _kill(self) -> None:
        """Kill the process and its children, and reap it: an interpreter may be a script that starts another one.

        Kernels may have started children, too, which live on when the process has ended.
        """
        if self._ended:
            return
        if self._process.returncode is None or not WAITS_UNREAPED:
            with suppress(ProcessLookupError, PermissionError):  # macOS forbids it once all of them have ended
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._ended = True

    def _end(self) -> str:
        alone = self._ends_alone()
        self._kill()
        code = self._process.returncode
        if not alone:
            return "closed its output"
        if code >= 0:
            return f"exited with status {code}"
        names = {number.value: number.name for number in signal.Signals}
        return f"was killed by {names.get(-code, f'signal {-code}')}"

    def _last_words(self) -> str:
        self._words.seek(0)
        lines = self._words.read().decode(errors="replace").split("\n")
        spoken = [line.strip() for line in lines if line.strip()]
        return f"; its last words: {spoken[-1]}" if spoken else ""


def _doing(request: Request[Any]) -> str:
    """Return what a worker does, for errors: where it is at a start, a case or a block; "" for what has no name."""
    match request:
        case protocol.Start():
            return ", before it was ready"
        case protocol.Load():
            return ", while it loaded code"
        case protocol.Prepare():
            cases = [case for case in map(Case.parse, request.cases) if not case.is_yardstick]
            return f", with {cases[0].id if len(cases) == 1 else cases[0].empty_block.id}" if cases else ""
    case = getattr(request, "case", None)
    return f", with {case}" if case else ""


def _encoded(request: Request[Any]) -> bytes:
    """Return the line that represents a request."""
    values = {field.name: getattr(request, field.name) for field in fields(request)}
    return msgspec.json.encode({"request": request.name} | values) + b"\n"


class _Reply(msgspec.Struct):
    """Either an answer, still encoded, or the error that the request raised."""

    answer: msgspec.Raw = msgspec.Raw(b"")
    error: str | None = None
    refused: bool = False
    """Whether the error is a sentence of actbench about the request."""
