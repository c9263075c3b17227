"""A process that waits for a processor is told from one that hangs, by what it used and what it waits for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest

from actbench.host import starvation
from actbench.host.starvation import ProcessorTime

ALLOWED = 0.1
"""Seconds."""


@contextmanager
def running(code: str) -> Iterator[int]:
    """Run Python code that prints a line when it begins, and yield the id of its process."""
    with subprocess.Popen([sys.executable, "-c", f"print(flush=True)\n{code}"], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        try:
            yield process.pid
        finally:
            process.kill()


def test_a_process_that_computes_may_use_the_processor_time_that_it_was_allowed() -> None:
    with running("while True: pass") as pid:
        taken = ProcessorTime(pid)
        deadline = time.monotonic() + 60
        while taken.used <= ALLOWED and time.monotonic() < deadline:
            time.sleep(0.05)
        assert taken.patience(ALLOWED) == 0
        assert taken.patience(1000 * ALLOWED) > 0
        assert str(taken).endswith(" % of a processor")


def test_a_process_that_waits_for_something_else_is_hung() -> None:
    with running("import time; time.sleep(60)") as pid:
        taken = ProcessorTime(pid)
        time.sleep(ALLOWED)
        assert taken.patience(ALLOWED) == 0


def stop(pid: int) -> None:
    """Stop a process, and wait until it is."""
    os.kill(pid, signal.SIGSTOP)
    os.waitpid(pid, os.WUNTRACED)


@contextmanager
def limited(pid: int) -> Iterator[None]:
    """Stop a process and let it go on again and again, as cpulimit does."""
    ended = Event()

    def limit() -> None:
        while not ended.wait(0.09):
            os.kill(pid, signal.SIGCONT)
            time.sleep(0.01)
            os.kill(pid, signal.SIGSTOP)

    limiting = Thread(target=limit)
    limiting.start()
    try:
        yield
    finally:
        ended.set()
        limiting.join()


def test_a_process_without_a_processor_is_waited_for_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    with running("while True: pass") as pid:
        stop(pid)
        taken = ProcessorTime(pid)
        with limited(pid):
            assert 0 < taken.patience(60) <= 60
            monkeypatch.setattr(starvation, "MOST_PATIENCE", 0.0)
            assert taken.patience(60) == 0


def test_a_process_that_stopped_itself_is_hung(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starvation, "STOPPED_SECONDS", 0.1)
    with running("import time; time.sleep(60)") as pid:
        stop(pid)
        assert ProcessorTime(pid).patience(60) == 0


def test_a_process_that_has_ended_is_not_waited_for() -> None:
    with running("pass") as pid:
        taken = ProcessorTime(pid)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert taken.patience(ALLOWED) == 0
