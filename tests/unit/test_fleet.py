"""One plan on every host of a cluster."""

from __future__ import annotations

import errno
import pickle
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
from click.testing import Result

from actbench import registry
from actbench.api import fleet_process
from actbench.api.fleet_files import FleetFiles
from actbench.api.fleet_process import HostTask
from actbench.engine.requests import RunRequest
from actbench.model.plan import LeftOut
from actbench.runs import plan_file
from actbench.runs.archive import load
from tests.conftest import Actbench
from tests.support.cluster import SCHEDULER, Cluster, EndedTask, other_kind, other_numpy, states, three
from tests.support.compared import BLOCK
from tests.support.fake import FakeBench, crash
from tests.support.selections import SMALL, TWO_BLOCKS

NEW = ("fleet", "run", *TWO_BLOCKS, "--rounds", "6", *SCHEDULER, "-o", "fleet")

RESUMED = ("fleet", "run", "--resume", "fleet", *SCHEDULER)


def test_every_host_measures_the_plan_once_however_many_workers_it_has(actbench: Actbench, cluster: Cluster) -> None:
    result = actbench(*NEW)
    assert result.exit_code == 0, result.output
    assert states() == dict.fromkeys(("kind1-host1", "kind1-host2", "kind1-host3"), "complete")
    assert cluster.measured_on == ["tcp://127.0.0.2:1", "tcp://127.0.0.3:1", "tcp://127.0.0.4:1"]
    actbench("run", *TWO_BLOCKS, "--rounds", "6", "-o", "alone")
    assert {load(path).plan for path in Path("fleet").iterdir() if path.is_dir()} == {load(Path("alone")).plan}
    assert "kind1-host2: round 6" in result.stderr
    assert "speedups on 3 hosts" in actbench("compare", "--by", "host", "fleet").stdout


def test_a_host_whose_dask_worker_is_busy_is_reported(actbench: Actbench, cluster: Cluster) -> None:
    cluster.tasks = {"tcp://127.0.0.2:1": [], "tcp://127.0.0.3:1": ["of another fleet"]}
    result = actbench(*NEW)
    assert result.exit_code == 0
    (line,) = (line for line in result.stderr.splitlines() if "waits" in line)
    assert line == "kind1-host2: waits, since its Dask worker is busy: is another fleet measuring?"


def test_one_host_of_each_kind_is_enough_with_kinds(actbench: Actbench, cluster: Cluster) -> None:
    cluster.hosts["tcp://127.0.0.4:1"] = other_kind
    assert actbench(*NEW, "--kinds").exit_code == 0
    assert cluster.measured_on == ["tcp://127.0.0.2:1", "tcp://127.0.0.4:1"]


def test_links_to_runs_of_a_fleet_count_as_no_hosts(actbench: Actbench, cluster: Cluster) -> None:
    assert actbench(*NEW[:-1], "results").exit_code == 0
    assert Path("results/latest").is_symlink()
    cluster.hosts["tcp://127.0.0.9:1"] = three()["tcp://127.0.0.3:1"]
    cluster.measured_on.clear()
    actbench("fleet", "run", "--resume", "results", *SCHEDULER)
    assert cluster.measured_on == ["tcp://127.0.0.9:1"]


@pytest.mark.parametrize(
    ("task", "why"),
    [
        (EndedTask(AttributeError("no\nHostTask")), "its Dask task failed: AttributeError: no\\nHostTask"),
        (EndedTask(), "its Dask task was given up"),
    ],
)
def test_a_host_whose_task_ends_without_a_message_has_failed(
    actbench: Actbench, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, task: EndedTask, why: str
) -> None:
    monkeypatch.setattr("actbench.api.fleet.POLL", 0.01)
    cluster.silent = {"tcp://127.0.0.3:1": task}
    result = actbench(*NEW)
    assert result.exit_code == 4
    assert f"kind1-host2: {why}; what is finished is kept" in result.stderr
    assert states() == {"kind1-host1": "complete", "kind1-host3": "complete"}


def test_a_process_that_cannot_be_started_is_the_hosts_trouble(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = actbench("run", *TWO_BLOCKS, "--dry-run", "--format", "json").stdout_bytes

    def refused(*_: object, **__: object) -> NoReturn:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setattr("actbench.api.fleet_process.subprocess.Popen", refused)
    task = HostTask("topic", "kind1-host1", FleetFiles(plan), RunRequest(), {})
    (ended,) = fleet_process.messages(task, "127.0.0.9")
    assert ended.why == "its measuring process cannot be started: Cannot allocate memory"


def test_a_scheduler_that_is_lost_is_told(
    actbench: Actbench, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actbench.api.fleet.POLL", 0.01)
    cluster.dies_after = {"tcp://127.0.0.4:1": 10}
    cluster.status = "closed"
    result = actbench(*NEW)
    assert result.exit_code == 4
    assert "kind1-host3: the scheduler was lost" in result.stderr


def test_a_host_with_other_versions_is_left_out_unless_that_is_allowed(actbench: Actbench, cluster: Cluster) -> None:
    cluster.hosts["tcp://127.0.0.3:1"] = other_numpy
    result = actbench(*NEW)
    assert result.exit_code == 5
    assert "(numpy 1.0, here " in result.stderr
    assert [*states().values()] == ["complete"] * 2
    assert actbench(*NEW[:-1], "all", "--allow-different").exit_code == 0


def test_warnings_of_dask_are_not_printed(
    actbench: Actbench, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def warning(*_: object, **__: object) -> Cluster:
        warnings.warn_explicit("Mismatched versions found", Warning, "client.py", 1595, module="distributed.client")
        return cluster

    monkeypatch.setattr(sys.modules["distributed"], "Client", warning)
    with warnings.catch_warnings(record=True) as shown:
        assert actbench(*NEW).exit_code == 0
    assert not shown


def test_a_host_is_left_out_for_another_version_of_an_optional_library_and_not_for_lacking_it(
    actbench: Actbench, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(registry.backends()["numpy"]), "libraries", ("msgspec",))
    cluster.hosts["tcp://127.0.0.3:1"] = lambda here: replace(here, libraries=here.libraries | {"msgspec": "0.0"})
    cluster.hosts["tcp://127.0.0.4:1"] = lambda here: replace(
        here, libraries={name: release for name, release in here.libraries.items() if name != "msgspec"}
    )
    result = actbench(*NEW)
    assert result.exit_code == 5
    assert "left out: host 2 of the cluster (msgspec 0.0, here " in result.stderr
    assert cluster.measured_on == ["tcp://127.0.0.2:1", "tcp://127.0.0.4:1"]


def test_training_steps_leave_out_a_host_with_another_blas(actbench: Actbench, cluster: Cluster) -> None:
    cluster.hosts["tcp://127.0.0.3:1"] = lambda here: replace(here, blas="another 1.0")
    steps = ("dense:8-4", "-a", "logistic", "-b", "numpy", "-s", "recompute,cached", "--batch", "4", "--rounds", "6")
    result = actbench("fleet", "train", *steps, *SCHEDULER, "-o", "fleet")
    assert result.exit_code == 5
    assert "(BLAS another 1.0, here " in result.stderr
    assert len(cluster.measured_on) == 2


def test_a_host_without_actbench_is_left_out(actbench: Actbench, cluster: Cluster) -> None:
    cluster.hosts["tcp://127.0.0.3:1"] = lambda _: ModuleNotFoundError("No module named 'actbench'")  # type: ignore[assignment,return-value]
    result = actbench(*NEW)
    assert result.exit_code == 5
    assert "ModuleNotFoundError: No module named 'actbench'" in result.stderr


def test_what_a_host_cannot_measure_is_told_and_the_rest_goes_on(
    actbench: Actbench, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    del cluster
    lacking = [
        LeftOut(f"logistic/{one}/numpy/derivative/float64/2000", "it has no numpy") for one in ("recompute", "cached")
    ]
    monkeypatch.setattr("actbench.engine.planned_elsewhere._unsupported", lambda *_: lacking)
    result = actbench(*NEW)
    assert result.exit_code == 0, result.output
    assert "kind1-host2: 2 cases left out: it has no numpy\n" in result.stderr
    assert [block.size for block in load(Path("fleet/kind1-host2")).plan.blocks] == [1000]


def test_a_benchmark_that_fails_on_hosts_is_told(actbench: Actbench, cluster: Cluster, bench: FakeBench) -> None:
    del cluster

    bench.on_time = lambda block: crash("the bench is on fire") if block.size == 2000 else None
    result = actbench(*NEW)
    assert result.exit_code == 4
    assert "kind1-host1: failed: logistic/derivative/float64/2000 (see above)" in result.stderr
    assert load(Path("fleet/kind1-host1")).times.blocks[0].size == 1000


@pytest.mark.parametrize(
    ("command", "selected"), [("run", TWO_BLOCKS), ("train", ("dense:8-4", "-a", "tanh", "--seed", "1"))]
)
def test_a_dry_run_prints_what_each_host_would_measure_without_a_scheduler(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch, command: str, selected: tuple[str, ...]
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    shown = actbench("fleet", command, *selected, "--dry-run")
    assert shown.exit_code == 0, shown.output
    here = actbench(command, *selected, "--dry-run").stdout
    hosts = "on every host of the cluster, all at the same time; times are those of a host like this one\n"
    assert shown.stdout == here + hosts
    of_kinds = actbench("fleet", command, *selected, "--dry-run", "--kinds").stdout
    assert of_kinds == here + hosts.replace("every host", "one host of each kind")
    plan = actbench("fleet", command, *selected, "--dry-run", "--format", "json")
    assert plan_file.decode(plan.stdout_bytes, "the plan").plan.command == command
    assert not any(Path.cwd().iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*SMALL, "-o", "new"), "name the Dask scheduler with --scheduler, tcp://HOST:PORT"),
        (("--dry-run", "--resume", "here"), "--dry-run shows a new fleet: leave --resume out"),
        ((*SMALL, *SCHEDULER, "-o", "new", "--format", "json"), "--format json is the plan of a --dry-run"),
        ((*SMALL, *SCHEDULER), "name the directory of a new fleet with -o"),
        (("--resume", "none", *SCHEDULER), "--resume none: there is no fleet"),
        (
            ("-a", "tanh", "--resume", "here", *SCHEDULER),
            "--resume here: the plan decides what is measured, and how: leave out what selects (activation)",
        ),
        ((*SMALL, "--scheduler", "nonsense", "-o", "new"), "--scheduler nonsense: write the address"),
        ((*SMALL, "--scheduler", "tcp://a:b", "-o", "new"), "--scheduler tcp://a:b: write the address"),
        ((*SMALL, *SCHEDULER, "-o", "here"), "here holds a fleet: go on with it"),
    ],
)
def test_bad_input_is_one_sentence(actbench: Actbench, arguments: tuple[str, ...], message: str) -> None:
    Path("here").mkdir()
    Path("here/plan.json").write_text(actbench("run", *SMALL, "--dry-run", "--format", "json").stdout)
    result = actbench("fleet", "run", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr


@pytest.mark.parametrize("place", ["results", "results/laptop"])
def test_a_new_fleet_takes_no_directory_with_runs(actbench: Actbench, cluster: Cluster, place: str) -> None:
    actbench("run", *TWO_BLOCKS, "--rounds", "6", "-o", place)
    refused = actbench(*NEW[:-1], "results")
    assert refused.exit_code == 2
    assert f"results has a run that is not of a fleet ({place}): name a new directory with -o" in refused.stderr
    assert not cluster.measured_on


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "{}", '{"rounds": true, "target": 1, "budget": 1, "timeout": 1}'),
        '{"rounds": 6, "target": 1, "budget": 1, "timeout": 1, "allow_different": [1]}',
    ],
)
def test_damaged_limits_are_refused(actbench: Actbench, text: str) -> None:
    Path("here").mkdir()
    Path("here/plan.json").write_text(actbench("run", *SMALL, "--dry-run", "--format", "json").stdout)
    resume = ("fleet", "run", "--resume", "here", *SCHEDULER)
    assert "its limits cannot be read (limits.json: " in actbench(*resume).stderr
    Path("here/limits.json").write_text(text)
    refused = actbench(*resume)
    assert refused.exit_code == 2
    assert "here/limits.json has no limits of a fleet; restore it from a copy" in refused.stderr


def test_without_dask_the_way_to_install_it_is_told_and_nothing_is_left(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    result = actbench(*NEW)
    assert result.exit_code == 2
    assert "python -m pip install 'actbench-derivatives[fleet]'" in result.stderr
    assert not Path("fleet").exists()


def test_a_cluster_without_workers_is_told(actbench: Actbench, cluster: Cluster) -> None:
    cluster.hosts.clear()
    result: Result = actbench(*NEW)
    assert result.exit_code == 2
    assert "the cluster has no worker" in result.stderr
    assert not Path("fleet").exists()


def test_a_block_takes_no_hash_to_another_process() -> None:
    """The hash of a text differs there."""
    hash(BLOCK)
    assert "_hash" not in vars(pickle.loads(pickle.dumps(BLOCK)))  # noqa: S301
