"""A fleet with code of the user's, with training steps, and one whose blocks failed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actbench import plugins
from actbench.api import fleet_process
from actbench.api.fleet_files import FleetFiles
from actbench.api.fleet_process import Ended, HostTask
from actbench.api.sent_code import SentCode
from actbench.engine.preparing import prepare
from actbench.engine.requests import RunRequest
from actbench.runs.archive import load
from actbench.runs.record import Status
from tests.conftest import Actbench
from tests.support.cluster import SCHEDULER, Cluster, states, three
from tests.support.fake import FakeBench, crash
from tests.support.selections import TWO_BLOCKS, record

PARABOLA = """
from actbench import Formulas, activation

@activation
def parabola(m):
    '''z^2'''
    def forward(z): return z * z
    def recompute(z): return 2.0 * z
    return Formulas(forward=forward, recompute=recompute)
"""

LOADED = (
    *("fleet", "run", "--load", "code/parabola.py", "-a", "parabola", "-b", "numpy", "-d", "float64"),
    *("-n", "1000", "--rounds", "6", *SCHEDULER, "-o", "fleet"),
)

TRAINED = ("dense:8-4", "-a", "logistic", "-b", "numpy", "-s", "recompute,cached", "--batch", "4")

LIMITS = RunRequest(rounds=6)


@pytest.fixture(autouse=True)
def unloaded() -> Iterator[None]:
    yield
    plugins.unload()


@pytest.fixture
def file() -> Path:
    Path("code").mkdir()
    path = Path("code/parabola.py")
    path.write_text(PARABOLA)
    return path


def test_a_file_travels_with_its_digest_and_hosts_say_that_they_load_it(
    actbench: Actbench, cluster: Cluster, file: Path
) -> None:
    result = actbench(*LOADED)
    assert result.exit_code == 0, result.output
    (code,) = record(Path("fleet/kind1-host2"))["loaded"]
    assert code["name"] == "parabola.py"
    assert f"kind1-host2: began, with parabola.py (sha256 {code['sha256'][:12]})" in result.stderr
    assert Path("fleet/loaded", code["sha256"]).read_text() == file.read_text()
    assert cluster.measured_on == ["tcp://127.0.0.2:1", "tcp://127.0.0.3:1", "tcp://127.0.0.4:1"]


def test_a_fleet_goes_on_with_the_code_that_it_keeps_and_refuses_any_other(
    actbench: Actbench, cluster: Cluster, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actbench.api.fleet.POLL", 0.01)
    cluster.dies_after = {"tcp://127.0.0.3:1": 5}
    assert actbench(*LOADED).exit_code == 4
    file.write_text(PARABOLA.replace("2.0", "2.5"))
    resume = ("fleet", "run", "--resume", "fleet", *SCHEDULER)
    changed = actbench(*resume, "--load", str(file))
    assert changed.exit_code == 5
    assert "is not the code that the fleet has" in changed.stderr
    cluster.hosts["tcp://127.0.0.3:1"] = three()["tcp://127.0.0.3:1"]
    assert actbench(*resume).exit_code == 0
    assert [*states().values()] == ["complete"] * 3
    (kept,) = Path("fleet/loaded").iterdir()
    kept.write_text("")
    damaged = actbench(*resume)
    assert damaged.exit_code == 2
    assert "parabola.py is not what the fleet began with" in damaged.stderr


def test_code_that_a_host_cannot_load_is_its_trouble(actbench: Actbench, bench: FakeBench, tmp_path: Path) -> None:
    plan = actbench("run", *TWO_BLOCKS, "--dry-run", "--format", "json").stdout_bytes
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    task = HostTask("topic", "kind1-host1", FleetFiles(plan, (SentCode("x.py", "0" * 64, b"1 / 0"),)), LIMITS, {})
    (ended,) = fleet_process.measured(task, "127.0.0.9", bench.seams, tmp_path / "first")
    assert ended.status is Status.INTERRUPTED
    assert "--load x.py: line 1 raised ZeroDivisionError" in ended.why
    task = HostTask(
        "topic", "kind1-host1", FleetFiles(plan, (SentCode("x.py", "0" * 64, PARABOLA.encode()),)), LIMITS, {}
    )
    (ended,) = fleet_process.measured(task, "127.0.0.9", bench.seams, tmp_path / "second")
    assert "--load x.py changed since this run started" in ended.why


def test_more_threads_than_a_host_has_are_its_trouble(
    actbench: Actbench, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    del cluster
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    new = (*TWO_BLOCKS, "--rounds", "6", "--threads", "64", *SCHEDULER, "-o", "fleet")
    assert '"threads": 64' in actbench("run", *TWO_BLOCKS, "--threads", "64", "--dry-run", "--format", "json").stdout

    assert actbench("fleet", "run", *new, "--dry-run").exit_code == 0
    steps = (*TRAINED, "--threads", "64", "--dry-run", "--format", "json")
    assert '"threads": 64' in actbench("fleet", "train", *steps).stdout

    def with_one_processor(request: RunRequest) -> object:
        monkeypatch.setattr("os.sched_getaffinity", lambda _: {0})
        return prepare(request)

    monkeypatch.setattr("actbench.api.fleet_process.prepare", with_one_processor)
    result = actbench("fleet", "run", *new)
    assert result.exit_code == 4
    assert "--threads 64: this process may run on 1 processor" in result.stderr


def test_training_steps_are_measured_on_every_host(actbench: Actbench, cluster: Cluster) -> None:
    steps = (
        *TRAINED,
        "--rounds",
        "6",
        "--operands",
        "warm",
    )  # the cache that cold operands exceed is measured: not always the same
    result = actbench("fleet", "train", *steps, *SCHEDULER, "-o", "fleet", "--seed", "1")
    assert result.exit_code == 0, result.output
    assert [*states().values()] == ["complete"] * 3
    assert len(cluster.measured_on) == 3
    actbench("train", *steps, "--seed", "1", "-o", "alone")
    alone = load(Path("alone"))
    for number in (1, 2, 3):
        there = load(Path(f"fleet/kind1-host{number}"))
        assert there.plan == alone.plan
        assert (there.path / "gains.csv").exists()
    refused = actbench("fleet", "train", "dense:8-4", "--resume", "fleet", *SCHEDULER)
    assert refused.exit_code == 2
    assert "leave out what selects (network)" in refused.stderr
    assert actbench("run", "--plan", "fleet/plan.json").exit_code == 5


def test_a_block_that_failed_is_tried_again_once_with_each_resume(
    actbench: Actbench, cluster: Cluster, bench: FakeBench
) -> None:
    bench.on_time = lambda block: crash("the bench is on fire") if block.size == 2000 else None
    assert actbench("fleet", "run", *TWO_BLOCKS, "--rounds", "6", *SCHEDULER, "-o", "fleet").exit_code == 4
    resume = ("fleet", "run", "--resume", "fleet", *SCHEDULER)
    again = actbench(*resume)
    assert again.exit_code == 4
    assert "kind1-host2: tries logistic/derivative/float64/2000 again, which failed: " in again.stderr
    bench.on_time = lambda _: None
    cluster.measured_on.clear()
    assert actbench(*resume).exit_code == 0
    assert len(cluster.measured_on) == 3
    of_host = record(Path("fleet/kind1-host2"))
    assert of_host["failures"] == []
    assert {loss["block"] for loss in of_host["losses"]} == {"logistic/derivative/float64/2000"}
    cluster.measured_on.clear()
    assert actbench(*resume).exit_code == 0
    assert cluster.measured_on == []


def test_a_file_that_opens_a_library_of_its_own_is_not_sent(
    actbench: Actbench, cluster: Cluster, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from actbench.host import shared_libraries

    del cluster
    library = file.absolute().with_name("libmine.so")
    library.write_bytes(b"")
    opened = iter([set(), {library}])
    monkeypatch.setattr(shared_libraries, "opened", lambda: next(opened))
    result = actbench(*LOADED)
    assert result.exit_code == 2
    assert "it opens libmine.so, which is not sent to hosts" in result.stderr
    assert not Path("fleet").exists()


def test_the_measuring_process_ends_when_it_is_not_wanted_any_more_and_leaves_nothing_behind(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    plan = actbench("run", *TWO_BLOCKS, "--dry-run", "--format", "json").stdout_bytes
    messages = fleet_process.messages(HostTask("topic", "kind1-host1", FleetFiles(plan), LIMITS, {}), "127.0.0.99")
    first = next(message for message in messages if message is not None)
    assert first.plan.blocks
    messages.close()  # waits for its end
    (lock,) = (tmp_path / "temporary").iterdir()
    assert not [*lock.iterdir()]


def test_a_measuring_process_that_is_killed_is_told(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = actbench("run", *TWO_BLOCKS, "--dry-run", "--format", "json").stdout_bytes
    started: Any = subprocess.Popen

    def dying(command: list[str], **options: object) -> Any:
        del command
        return started([sys.executable, "-c", ""], **options)

    monkeypatch.setattr(subprocess, "Popen", dying)
    *_, last = fleet_process.messages(HostTask("topic", "kind1-host1", FleetFiles(plan), LIMITS, {}), "127.0.0.99")
    assert isinstance(last, Ended)
    assert "its measuring process ended" in last.why
