"""What a fleet costs its client: time and memory with many simulated hosts, which send what one run was.

Run: python -m benchmarks.fleet_client [HOSTS]
"""

from __future__ import annotations

import pickle
import queue
import resource
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from actbench.api.fleet import Fleet, FleetHost
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


def recorded() -> tuple[Any, list[Any]]:
    """Measure here once; return the plan's file, and what a host would send."""
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
    return prepared.file(), [*messages, pickle.dumps(Ended(Status.COMPLETE, 1.0))]


def main() -> None:
    """Print time and memory."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else HOSTS
    file, sent = recorded()
    hosts = {
        f"kind1-host{number}": FleetHost(f"kind1-host{number}", f"tcp://{number}") for number in range(1, count + 1)
    }
    messages: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    for message in sent:  # all hosts at once, which holds all of their runs open
        for label in hosts:
            messages.put(pickle.dumps((label, pickle.loads(message))))  # noqa: S301  # ours
    before, start = peak(), time.process_time()
    with tempfile.TemporaryDirectory() as directory:
        request: Any = None
        fleet = Fleet(Path(directory), file, request, lambda _: None, allow_different=False, kinds=False, new=True)
        client = SimpleNamespace(status="closed")
        fleet._follow(client, hosts, messages)
    seconds, memory = time.process_time() - start, peak() - before
    print(f"{count} hosts, {len(file.plan.blocks)} blocks, {ROUNDS} rounds, all at once:")
    print(f"{seconds:.1f} s of the client's processor time, {1000 * seconds / count:.0f} ms a host;")
    print(f"{memory / 1e6:.0f} MB of memory at the peak, {memory / count / 1e3:.0f} kB a host")
    many, messages_of_host = seconds / count * MANY, len(sent)
    print(
        f"{MANY} hosts would take {many:.0f} s and {memory / count * MANY / 1e9:.1f} GB, {MANY} open files, and "
        f"{MANY * messages_of_host} messages: one client keeps up where a run takes longer than that"
    )


def peak() -> int:
    """Return the most memory that this process has had, in bytes."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
