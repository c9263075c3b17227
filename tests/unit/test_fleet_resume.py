"""A fleet goes on with what was lost or interrupted."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from actbench.runs.archive import load
from tests.conftest import Actbench
from tests.support.cluster import SCHEDULER, Cluster, other_numpy, states, three
from tests.support.selections import TWO_BLOCKS, record

NEW = ("fleet", "run", *TWO_BLOCKS, "--rounds", "6", *SCHEDULER, "-o", "fleet")

RESUMED = ("fleet", "run", "--resume", "fleet", *SCHEDULER)

STEPS = ("dense:8-4", "-a", "logistic", "-b", "numpy", "-s", "recompute,cached", "--batch", "4,8", "--rounds", "2")


@pytest.fixture(autouse=True)
def losses_are_noticed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at which hosts are still there more often than every second."""
    monkeypatch.setattr("actbench.api.fleet.POLL", 0.01)


def test_a_kind_that_is_resumed_is_not_started_on_a_second_host(actbench: Actbench, cluster: Cluster) -> None:
    cluster.dies_after = {"tcp://127.0.0.2:1": 5}
    lost = actbench(*NEW, "--kinds", "--allow-different")
    assert lost.exit_code == 4
    resumed = (*RESUMED, "--kinds", "--allow-different")
    assert f"; actbench {' '.join(resumed).replace(SCHEDULER[1], 'ADDRESS')} goes on" in lost.stderr
    cluster.measured_on.clear()
    assert actbench(*resumed).exit_code == 0
    assert states() == {"kind1-host1": "complete"}
    assert len(cluster.measured_on) == 1


def test_a_fleet_of_other_versions_goes_on_with_these(actbench: Actbench, cluster: Cluster) -> None:
    cluster.hosts["tcp://127.0.0.3:1"] = other_numpy
    assert actbench(*NEW, "--allow-different").exit_code == 0
    complete = actbench(*RESUMED)
    assert complete.exit_code == 0
    assert "every host has measured all of the plan: nothing is missing" in complete.stderr
    cluster.hosts["tcp://127.0.0.9:1"] = other_numpy
    assert actbench(*RESUMED).exit_code == 0
    assert len(states()) == 4


def test_nothing_is_said_to_be_missing_only_where_no_host_is_left_out(actbench: Actbench, cluster: Cluster) -> None:
    cluster.hosts["tcp://127.0.0.3:1"] = other_numpy
    assert actbench(*NEW).exit_code == 5
    left_out = actbench(*RESUMED)
    assert left_out.exit_code == 5
    assert "every host that can be used has measured all of the plan\n" in left_out.stderr
    assert "nothing is missing" not in left_out.stderr
    assert actbench(*RESUMED, "--allow-different").exit_code == 0
    assert actbench(*RESUMED).exit_code == 0


@pytest.mark.parametrize("lost", [1, 3])
def test_with_kinds_one_of_several_runs_of_a_kind_goes_on_and_none_where_one_is_complete(
    actbench: Actbench, cluster: Cluster, lost: int
) -> None:
    workers = ("tcp://127.0.0.2:1", "tcp://127.0.0.3:1", "tcp://127.0.0.4:1")
    cluster.dies_after = dict.fromkeys(workers[:lost], 12)
    assert actbench(*NEW).exit_code == 4
    cluster.hosts |= three()
    cluster.measured_on.clear()
    resumed = actbench(*RESUMED, "--kinds")
    assert resumed.exit_code == 0, resumed.stderr
    assert len(cluster.measured_on) == (1 if lost == len(workers) else 0)
    assert "complete" in states().values()
    assert "one host of each kind has measured all of the plan" in actbench(*RESUMED, "--kinds").stderr
    assert actbench(*RESUMED).exit_code == 0
    assert {*states().values()} == {"complete"}


@pytest.mark.parametrize("messages", [0, 2, 3, 12, 20])
def test_a_host_that_is_lost_costs_what_it_had_not_finished(
    actbench: Actbench, cluster: Cluster, messages: int
) -> None:
    cluster.dies_after = {"tcp://127.0.0.3:1": messages}
    result = actbench(*NEW)
    assert result.exit_code == 4
    assert "kind1-host2: its Dask worker was lost; what is finished is kept; actbench fleet run --" in result.stderr
    assert {"kind1-host1": "complete", "kind1-host3": "complete"}.items() <= states().items()
    before = load(Path("fleet/kind1-host2")).times if messages else None
    cluster.hosts["tcp://127.0.0.9:1"] = three()["tcp://127.0.0.3:1"]
    cluster.measured_on.clear()
    assert actbench(*RESUMED).exit_code == 0
    assert len(cluster.measured_on) == 1, "any host of the kind goes on with it"
    assert states() == dict.fromkeys(("kind1-host1", "kind1-host2", "kind1-host3"), "complete")
    first, second = (record(Path("fleet", name))["settings"] for name in ("kind1-host1", "kind1-host2"))
    assert first == second, "limits are those of the fleet"
    after = load(Path("fleet/kind1-host2")).times
    for finished in before.finished() if before else ():
        assert (after.seconds(finished.block)[finished.round - 1] == finished.seconds).all()


@pytest.mark.parametrize("messages", [1, 2, 4])
def test_training_steps_that_were_checked_before_a_host_was_lost_are_recorded_once(
    actbench: Actbench, cluster: Cluster, messages: int
) -> None:
    cluster.hosts = {"tcp://127.0.0.2:1": three()["tcp://127.0.0.2:1"]}
    cluster.dies_after = {"tcp://127.0.0.2:1": messages}
    assert actbench("fleet", "train", *STEPS, *SCHEDULER, "-o", "fleet").exit_code == 4
    cluster.hosts |= three()
    assert actbench("fleet", "train", *RESUMED[2:], "--kinds").exit_code == 0
    run = load(Path("fleet/kind1-host1"))
    assert run.record is not None
    assert [check.case for check in run.record.step_checks] == [*run.plan.steps]


@pytest.mark.parametrize(
    ("call", "outcome"),
    [
        ("run", "nothing was measured yet"),
        ("submit", f"what is finished is kept; actbench {' '.join(RESUMED)} goes on"),
    ],
)
def test_an_interrupted_fleet_names_the_command_that_goes_on_only_where_there_is_one(
    actbench: Actbench, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, call: str, outcome: str
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cluster, call, interrupted)
    result = actbench(*NEW)
    assert result.exit_code == 130
    assert f"interrupted: {outcome}\n" in result.stderr
    assert Path("fleet/plan.json").exists() is (call == "submit")


def test_what_is_left_of_a_host_s_run_without_its_record_is_refused_before_anything_is_measured(
    actbench: Actbench, cluster: Cluster
) -> None:
    assert actbench(*NEW, "--kinds").exit_code == 0
    left = Path("fleet/kind1-host1")
    (left / "run.json").unlink()
    cluster.measured_on.clear()
    refused = actbench(*RESUMED, "--kinds")
    assert refused.exit_code == 2
    assert f"{left} holds values.csv and no run.json: put that back, or remove the directory, and" in refused.stderr
    assert not cluster.measured_on
    shutil.rmtree(left)
    assert actbench(*RESUMED, "--kinds").exit_code == 0
    assert states() == {"kind1-host1": "complete"}
