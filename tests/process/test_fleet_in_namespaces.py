"""A fleet on hosts with addresses of their own: network namespaces, each with a Dask worker, and one with the rest.

What is killed (-9) costs the block that was being measured, and nothing that was finished.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from actbench.model.outcomes import BlockTimes
from actbench.runs import plan_file
from actbench.runs.archive import load
from tests.support.dask_processes import (
    LONGEST,
    Process,
    Processes,
    reached,
    rounds,
    settle,
    wait_for_workers,
    wait_until,
)
from tests.support.tiers import EXHAUSTIVE

pytest.importorskip("distributed", reason="distributed is not installed")

IP = shutil.which("ip") or ""

PORT = 8786

SELECTED = ("-a", "logistic", "-b", "numpy", "-d", "float64", "-n", "150k,200k", "--rounds", "12", "--seed", "1")
"""So large that no round is taken for a disturbed one, which would be measured again."""

LABELS = ("kind1-host1", "kind1-host2", "kind1-host3")


def ip(*words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([IP, *words], capture_output=True, check=False)


def refusal() -> str:
    """Say why there can be no namespaces here; "" where there can."""
    if not IP:
        return "there is no ip (iproute2) on this machine"
    name = f"actbench-{os.getpid()}"
    made = ip("netns", "add", name)
    ip("netns", "delete", name)
    return f"ip netns add: {made.stderr.decode().strip()}" if made.returncode else ""


pytestmark = EXHAUSTIVE


@dataclass
class Rack:
    """Namespaces that are connected to one, in which scheduler and client are."""

    name: str
    processes: Processes

    @property
    def hub(self) -> tuple[str, ...]:
        """Return the command that runs another one in the middle."""
        return (IP, "netns", "exec", f"{self.name}-0")

    def scheduler(self) -> Process:
        """Start a scheduler in the middle."""
        return self.processes.scheduler("0.0.0.0", PORT, self.hub)  # noqa: S104  # of its namespace

    def worker(self, number: int) -> Process:
        """Start a worker on a host."""
        within = (IP, "netns", "exec", f"{self.name}-{number}")
        return self.processes.worker(f"tcp://10.99.{number}.1:{PORT}", f"10.99.{number}.2", within)

    def client(self, *words: str) -> Process:
        """Start a fleet in the middle."""
        there = ("--scheduler", f"tcp://10.99.1.1:{PORT}", "-q")
        return self.processes.start("actbench", "fleet", "run", *words, *there, within=self.hub)

    def wait_for_workers(self, count: int) -> None:
        """Wait until so many workers have come."""
        wait_for_workers(f"tcp://10.99.1.1:{PORT}", count, self.hub)


@pytest.fixture
def rack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rack]:
    """Three hosts, and one in the middle."""
    if why := refusal():
        pytest.skip(why)
    settle(tmp_path, monkeypatch)
    made = Rack(f"actbench-{os.getpid()}", Processes())
    hub = f"{made.name}-0"
    ip("netns", "add", hub)
    ip("-n", hub, "link", "set", "lo", "up")
    for number in (1, 2, 3):
        host, cable = f"{made.name}-{number}", f"to{number}"
        ip("netns", "add", host)
        ip("link", "add", cable, "netns", hub, "type", "veth", "peer", "name", "eth0", "netns", host)
        for where, device, last in ((hub, cable, 1), (host, "eth0", 2)):
            ip("-n", where, "address", "add", f"10.99.{number}.{last}/30", "dev", device)
            ip("-n", where, "link", "set", device, "up")
        ip("-n", host, "link", "set", "lo", "up")
    yield made
    made.processes.end()
    for number in range(4):
        ip("netns", "delete", f"{made.name}-{number}")


def finished() -> dict[str, list[BlockTimes]]:
    """Return the blocks that are kept of every run."""
    return {path.parent.name: [*load(path.parent).times.finished()] for path in Path("fleet").glob("*/run.json")}


def test_workers_schedulers_and_clients_that_are_killed_cost_no_finished_block(rack: Rack) -> None:
    scheduler, workers = rack.scheduler(), {number: rack.worker(number) for number in (1, 2, 3)}
    rack.wait_for_workers(3)
    client = rack.client(*SELECTED, "-o", "fleet")
    wait_until(lambda: reached(1) == 3, "a round of every host")
    workers[2].send_signal(signal.SIGKILL)
    wait_until(lambda: reached(3) >= 2, "three rounds of two hosts")
    scheduler.send_signal(signal.SIGKILL)
    assert client.wait(timeout=LONGEST) == 4
    kept = [finished()]
    assert [status for status, _ in rounds().values()] == ["interrupted"] * 3

    for process in workers.values():
        process.kill()
    rack.scheduler()
    for number in workers:
        rack.worker(number)
    rack.wait_for_workers(3)
    client = rack.client("--resume", "fleet")
    further = 1 + max(done for _, done in rounds().values())
    wait_until(lambda: reached(further) > 0, "another round")
    client.send_signal(signal.SIGKILL)
    client.wait()
    kept.append(finished())

    assert rack.client("--resume", "fleet").wait(timeout=LONGEST) == 0
    assert rounds() == dict.fromkeys(LABELS, ("complete", 12))
    planned = plan_file.decode(Path("fleet/plan.json").read_bytes(), "the plan").plan
    assert {load(Path("fleet", label)).plan for label in LABELS} == {planned}
    for label, times in finished().items():
        now = {(one.block, one.round): one.seconds for one in times}
        for before in (times for earlier in kept for times in earlier[label]):
            for kept_seconds, seconds in zip(before.seconds, now[before.block, before.round], strict=True):
                assert seconds == pytest.approx(kept_seconds, rel=1e-8), "to the digits of files"
