"""What `latest` means: to read, the latest complete run; to go on with, the latest that was begun and not refused."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from actbench import measure
from actbench.api import measuring
from actbench.errors import WrongKernelError
from actbench.model.cases import Case
from actbench.runs import latest
from tests.conftest import Actbench
from tests.support.fake import FakeBench
from tests.support.selections import SMALL, record


@pytest.fixture
def interrupted(bench: FakeBench) -> FakeBench:
    """Ctrl-C in the second round of every run; `on_time` is to be set back."""

    def on_time(_: object) -> None:
        if bench.workers_started % 100 == 4:
            raise KeyboardInterrupt

    bench.on_time = on_time
    return bench


def test_an_interrupted_run_is_not_the_latest_until_it_is_complete(actbench: Actbench, bench: FakeBench) -> None:
    assert actbench("run", *SMALL, "--rounds", "2").exit_code == 0
    first = Path("results/latest").resolve()

    def on_time(_: object) -> None:
        if bench.workers_started == before + 4:
            raise KeyboardInterrupt

    before, bench.on_time = bench.workers_started, on_time
    assert actbench("run", *SMALL, "--rounds", "3").exit_code == 130
    assert Path("results/latest").resolve() == first
    assert ", 2 " in actbench("compare", "latest", "--format", "markdown").stdout.replace("|", ",")
    bench.on_time = lambda _: None
    assert actbench("run", "--resume", "latest").exit_code == 0
    assert Path("results/latest").resolve() != first
    assert record(Path("results/latest"))["rounds"] == 3


def test_a_run_that_ended_while_its_kernels_were_checked_can_go_on(actbench: Actbench, bench: FakeBench) -> None:
    def interrupted(_: Case) -> None:
        raise KeyboardInterrupt

    assert actbench("run", *SMALL, "--rounds", "1").exit_code == 0
    bench.code = interrupted
    assert actbench("run", *SMALL, "--rounds", "2").exit_code == 130
    bench.code = lambda _: None
    assert actbench("run", "--resume", "latest").exit_code == 0
    assert record(Path("results/latest"))["rounds"] == 2


def test_a_refused_run_is_not_the_latest(actbench: Actbench, bench: FakeBench) -> None:
    def refused(_: Case) -> None:
        raise WrongKernelError("it is wrong")

    assert actbench("run", *SMALL, "--rounds", "1").exit_code == 0
    bench.code = refused
    assert actbench("run", *SMALL, "--rounds", "2").exit_code == 4
    bench.code = lambda _: None
    assert actbench("run", "--resume", "latest", "--rounds", "3").exit_code == 0
    assert record(Path("results/latest"))["rounds"] == 3


def test_without_a_complete_run_there_is_no_latest_to_read_but_one_to_go_on_with(
    actbench: Actbench, interrupted: FakeBench
) -> None:
    assert actbench("run", *SMALL, "--rounds", "3").exit_code == 130
    for arguments in (("compare", "latest"), ("report", "results/latest")):
        result = actbench(*arguments)
        assert result.exit_code == 2
        assert "no run under results/ is complete: go on with the latest (--resume latest)" in result.stderr
    interrupted.on_time = lambda _: None
    assert actbench("run", "--resume", "results/latest").exit_code == 0
    assert actbench("compare", "latest").exit_code == 0


@pytest.mark.parametrize("name", ["latest", ".newest"])
def test_a_copy_in_place_of_a_link_is_refused_before_anything_is_measured(
    actbench: Actbench, bench: FakeBench, name: str
) -> None:
    Path("results", name).mkdir(parents=True)
    result = actbench("run", *SMALL)
    assert result.exit_code == 2
    assert f"results/{name} is a directory, and not the link to a run: rename it, or remove it" in result.stderr
    assert not bench.workers_started
    assert actbench("run", *SMALL, "-o", "elsewhere", "--rounds", "1").exit_code == 0


def test_runs_that_end_at_the_same_time_make_a_link_to_one_of_them(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert actbench("run", *SMALL, "--rounds", "1").exit_code == 0
    real, times = Path.symlink_to, count()

    def beaten(link: Path, target: str) -> None:
        real(link, target)
        if next(times) < 2:
            link.rename(link.with_name("latest"))

    monkeypatch.setattr(Path, "symlink_to", beaten)
    before = Path("results/latest").resolve()
    latest.point("latest", before)
    assert Path("results/latest").resolve() == before


def test_a_link_to_a_run_elsewhere_means_that_run(actbench: Actbench) -> None:
    assert actbench("run", *SMALL, "-o", "elsewhere/run", "--rounds", "1").exit_code == 0
    Path("results/run").mkdir(parents=True)
    Path("results/latest").symlink_to("../elsewhere/run")
    assert latest.target("latest") == Path("elsewhere/run").resolve()
    Path("results/latest").unlink()
    Path("results/latest").symlink_to("run")
    assert latest.target("latest") == Path("results/run")


@pytest.mark.parametrize("name", ["latest", ".newest"])
def test_where_no_link_can_be_made_the_run_ends_as_usual_and_says_so(
    actbench: Actbench, bench: FakeBench, name: str
) -> None:
    def on_time(_: object) -> None:
        link = Path("results", name)
        if not link.is_dir() or link.is_symlink():
            link.unlink(missing_ok=True)
            link.mkdir()

    bench.on_time = on_time
    result = actbench("run", *SMALL, "--rounds", "1")
    assert result.exit_code == 0, result.output
    assert "recompute" in result.stdout
    (line,) = (line for line in result.stderr.splitlines() if "cannot be made a link" in line)
    assert line.startswith(f"results/{name} does not lead to this run, since it cannot be made a link (Is a directory)")
    assert not [*Path("results").glob(".*.part")]


def test_where_no_link_can_be_made_from_python_that_is_a_warning(
    actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    del actbench  # it has made an empty directory the current one
    monkeypatch.setattr(measuring, "Seams", lambda: bench.seams)
    bench.on_time = lambda _: Path("results/latest").mkdir(exist_ok=True)
    with pytest.warns(UserWarning, match="results/latest does not lead to this run") as caught:
        run = measure("logistic", backends="numpy", sizes=1000, dtypes="float64", rounds=1, quiet=True)
    assert run.path.is_dir()
    assert {Path(warning.filename).name for warning in caught} == {"test_latest.py"}
