"""What a fleet costs its client: time and memory with many simulated hosts, which send what one run was.

Run: python -m benchmarks.fleet_client [HOSTS]
"""

from __future__ import annotations

import os
import pickle
import queue
import resource
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

from actbench.api.fleet import Fleet, FleetHost
from actbench.api.fleet_files import FleetFiles
from actbench.api.fleet_process import Ended, UnwrittenRun
from actbench.engine.preparing import prepare
from actbench.engine.requests import RunRequest
from actbench.engine.session import Seams, Session
from actbench.model.sizes import sizes
from actbench.model.times import Times
from actbench.planning.selection import Selection
from actbench.runs.record import Status

HOSTS = 200

ROUNDS = 6

MANY = 10_000
"""Hosts for which time and memory are extrapolated: both grow with their number."""


def recorded() -> tuple[FleetFiles, list[bytes]]:
    """Measure here once; return what a fleet would send to a host, and what the host would send back."""
    selection = Selection(activations=("logistic",), backends=("numpy",), sizes=sizes(1000, 10000))
    prepared = prepare(RunRequest(preset="smoke", selection=selection, rounds=ROUNDS, seed=1))
    seams = Seams()
    record = prepared.record(seams.start_worker)
    messages = [pickle.dumps(record)]
    run = UnwrittenRun(Path(), record, Times(record.plan))
    session = Session(record, run.times, seams.clock(), 1, seams)
    for event in session.events():
        run.take(event)
        messages.append(pickle.dumps(event))
    return FleetFiles.of(prepared.file()), [*messages, pickle.dumps(Ended(Status.COMPLETE, 1.0))]


def main() -> None:
    """Print time, memory, messages and writes, and what follows for many hosts."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else HOSTS
    files, sent = recorded()
    hosts = {
        f"kind1-host{number}": FleetHost(f"kind1-host{number}", f"tcp://{number}") for number in range(1, count + 1)
    }
    messages: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    for message in sent:  # all hosts at once, which holds all of their runs open
        for label in hosts:
            messages.put(pickle.dumps((label, pickle.loads(message))))  # noqa: S301  # ours
    before, start = peak(), time.process_time()
    with tempfile.TemporaryDirectory() as directory, patch.object(os, "fsync", wraps=os.fsync) as fsync:
        limits = RunRequest(rounds=ROUNDS)
        fleet = Fleet(Path(directory), files, limits, lambda _: None, allow_different=False, kinds=False, new=True)
        fleet._follow(SimpleNamespace(status="closed"), hosts, messages)
    seconds, memory = (time.process_time() - start) / count, (peak() - before) / count
    size, writes = sum(map(len, sent)), fsync.call_count / count
    print(f"{count} hosts, {len(fleet.plan.blocks)} blocks, {ROUNDS} rounds, all at once. A host costs the client:")
    print(f"{1000 * seconds:.0f} ms of processor time, {memory / 1e3:.0f} kB of memory at the peak, 1 open file,")
    print(f"{len(sent)} messages of {size / 1e3:.0f} kB in all, {writes:.0f} writes that wait for the disk:")
    print(f"{1000 * seconds / len(sent):.1f} ms and {size / len(sent) / 1e3:.1f} kB a message.")
    print(f"{MANY} hosts would cost it {MANY} times as much:")
    print(f"{MANY * seconds:.0f} s of processor time, {MANY * memory / 1e9:.1f} GB of memory, {MANY} open files,")
    print(f"{MANY * len(sent)} messages of {MANY * size / 1e9:.1f} GB, {MANY * writes:.0f} writes")


def peak() -> int:
    """Return the most memory that this process has had, in bytes."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
