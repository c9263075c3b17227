"""A fleet whose inputs are an array of the user's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from actbench.api import sent_inputs
from tests.conftest import Actbench
from tests.support.cluster import SCHEDULER, Cluster, states, three
from tests.support.fake import FakeBench
from tests.support.inputs import refused, saved
from tests.support.selections import TWO_BLOCKS, record

STEPS = ("dense:8-4", "-a", "logistic", "-b", "numpy", "-s", "recompute,cached", "--batch", "4", "--operands", "warm")

INPUTS = ("--inputs", "ours/z.npy")

RUN = (*TWO_BLOCKS, "--rounds", "6", *INPUTS)

RESUME = ("--resume", "fleet", *SCHEDULER)


@pytest.fixture(autouse=True)
def array(actbench: Actbench) -> Path:
    """A file of the user's."""
    del actbench  # it has made an empty directory the current one
    Path("ours").mkdir()
    return Path(saved("ours/z.npy", np.linspace(-3, 3, 500)))


@pytest.mark.parametrize(("command", "selected"), [("run", RUN), ("train", (*STEPS, "--rounds", "6", *INPUTS))])
def test_an_array_travels_with_its_digest_and_a_host_records_it_as_a_local_run_does(
    actbench: Actbench, cluster: Cluster, bench: FakeBench, command: str, selected: tuple[str, ...]
) -> None:
    result = actbench("fleet", command, *selected, *SCHEDULER, "-o", "fleet")
    assert result.exit_code == 0, result.output
    there = {Path(request.inputs.file) for request in bench.prepared}
    assert {path.name for path in there} == {"z.npy"}
    assert not any(path.exists() for path in there), "copies of a host last as long as it measures"
    assert len(cluster.measured_on) == 3
    actbench(command, *selected, "-o", "alone")
    runs = (Path("alone"), *Path("fleet").glob("kind1-host*"))
    (alone,) = {str(record(run)["plan"]["inputs"]) for run in runs}
    (kept,) = Path("fleet/inputs").iterdir()
    assert kept.name in alone
    assert kept.read_bytes() == Path("ours/z.npy").read_bytes()


def test_a_fleet_goes_on_with_the_array_that_it_keeps_and_refuses_any_other(
    actbench: Actbench, cluster: Cluster, array: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actbench.api.fleet.POLL", 0.01)
    cluster.dies_after = {"tcp://127.0.0.3:1": 5}
    assert actbench("fleet", "run", *RUN, *SCHEDULER, "-o", "fleet").exit_code == 4
    cluster.hosts |= three()
    saved(str(array), np.zeros(5))
    changed = refused(actbench, "fleet", "run", *RESUME, *INPUTS)
    assert changed.startswith("--resume fleet: the fleet has inputs from z.npy (SHA-256 ")
    assert changed.endswith("leave --inputs out, or start a new one")
    array.unlink()
    assert actbench("fleet", "run", *RESUME).exit_code == 0
    assert [*states().values()] == ["complete"] * 3
    assert {record(path)["plan"]["inputs"]["file"] for path in Path("fleet").glob("kind1-host*")} == {"ours/z.npy"}
    (kept,) = Path("fleet/inputs").iterdir()
    kept.write_bytes(b"")
    damaged = "--resume fleet: z.npy is not what the fleet began with: start a new one"
    assert refused(actbench, "fleet", "run", *RESUME) == damaged
    kept.unlink()
    assert "the fleet needs z.npy, which is not there" in refused(actbench, "fleet", "run", *RESUME)


@pytest.mark.parametrize("where", [("--dry-run",), (*SCHEDULER, "-o", "fleet")])
def test_an_array_that_is_too_large_is_not_sent(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch, where: tuple[str, ...]
) -> None:
    monkeypatch.setattr(sent_inputs, "LARGEST", 1 << 10)
    message = "--inputs ours/z.npy: it has more than 0 MiB, the most that a fleet sends to each host: save fewer"
    assert refused(actbench, "fleet", "run", *RUN, *where).startswith(message)
    assert not Path("fleet").exists()


def test_a_distribution_needs_no_file(actbench: Actbench, cluster: Cluster) -> None:
    del cluster
    uniform = (*TWO_BLOCKS, "--rounds", "6", "--inputs", "uniform:-8,8")
    assert actbench("fleet", "run", *uniform, *SCHEDULER, "-o", "fleet").exit_code == 0
    assert record(Path("fleet/kind1-host2"))["plan"]["inputs"]["parameters"] == [-8.0, 8.0]
    assert actbench("fleet", "run", *RESUME, "--inputs", "uniform:-8,8").exit_code == 0
    assert "not normal:0,1: leave" in refused(actbench, "fleet", "run", *RESUME, "--inputs", "normal")
