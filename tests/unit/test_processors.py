from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system cannot pin")

ALLOWED = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
on_several_processors = pytest.mark.skipif(len(ALLOWED) < 2, reason="there is one processor")

SCRIPT = """
import os, threading
from actbench.host import processors
processors.pin({first}, {threads}, together={together})
stop = threading.Event()
for _ in range({helpers}):
    threading.Thread(target=stop.wait).start()
processors.spread()
own = os.getpid()
for thread in sorted(map(int, os.listdir("/proc/self/task"))):
    print(*sorted(os.sched_getaffinity(thread)))
stop.set()
"""


def affinities(first: int, threads: int, helpers: int, *, together: bool = False) -> list[str]:
    """Return the processors of each thread of a fresh process, its main thread first."""
    script = SCRIPT.format(first=first, threads=threads, helpers=helpers, together=together)
    return subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    ).stdout.splitlines()


def test_one_thread_keeps_everything_on_one_processor() -> None:
    assert affinities(ALLOWED[-1], threads=1, helpers=2) == [str(ALLOWED[-1])] * 3


@on_several_processors
def test_helpers_get_the_other_processors_and_the_caller_stays() -> None:
    first, other = ALLOWED[-1], next(cpu for cpu in ALLOWED if cpu != ALLOWED[-1])
    assert affinities(first, threads=2, helpers=1) == [str(first), str(other)]


@on_several_processors
def test_more_helpers_than_processors_take_turns() -> None:
    first, other = ALLOWED[-1], next(cpu for cpu in ALLOWED if cpu != ALLOWED[-1])
    assert affinities(first, threads=2, helpers=3) == [str(cpu) for cpu in (first, other, first, other)]


@on_several_processors
def test_threads_that_share_processors_are_all_left_on_all_of_them() -> None:
    both = " ".join(map(str, sorted([ALLOWED[-1], ALLOWED[0]])))
    assert affinities(ALLOWED[-1], threads=2, helpers=3, together=True) == [both] * 4


def test_one_thread_is_one_thread_however_it_is_pinned() -> None:
    assert affinities(ALLOWED[-1], threads=1, helpers=2, together=True) == [str(ALLOWED[-1])] * 3
