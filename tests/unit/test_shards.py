"""A plan in a file, its shards, and their runs joined into one."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from actbench import registry
from actbench.analysis.within_run import Axis, compare
from actbench.cli import main
from actbench.engine import calibration
from actbench.errors import InputError
from actbench.host import variables
from actbench.report import compared_axis
from actbench.runs import record
from actbench.runs.archive import load
from tests.conftest import SLICE_SECONDS, Actbench
from tests.support.declaring import STRATEGY
from tests.support.fake import FakeBench
from tests.support.selections import edit, rows

PLANNED = ("-a", "logistic,tanh", "-b", "numpy", "-s", "recompute,cached", "-d", "float32,float64", "-n", "1000,9000")

LIMITS = ("--rounds", "6", "-q")


def written(actbench: Actbench, *selection: str, name: str = "plan.json") -> str:
    """Write a plan, and return its file."""
    result = actbench("run", *selection, "--seed", "1", "--dry-run", "--format", "json")
    assert result.exit_code == 0, result.stderr
    Path(name).write_text(result.stdout)
    return name


def sharded(actbench: Actbench, plan: str, count: int) -> list[str]:
    """Measure every shard, and return their directories."""
    for number in range(1, count + 1):
        result = actbench("run", "--plan", plan, "--shard", f"{number}/{count}", "-o", f"shard{number}", *LIMITS)
        assert result.exit_code == 0, result.stderr
    return [f"shard{number}" for number in range(1, count + 1)]


def test_shards_that_are_merged_are_the_run_of_the_whole_plan(actbench: Actbench) -> None:
    plan = written(actbench, *PLANNED)
    assert actbench("run", "--plan", plan, "-o", "whole", *LIMITS).exit_code == 0
    merged = actbench("merge", *reversed(sharded(actbench, plan, 3)), "-o", "merged")
    assert merged.exit_code == 0, merged.stderr
    assert load(Path("merged")).plan == load(Path("whole")).plan
    assert rows(Path("merged/speedups.csv")) == rows(Path("whole/speedups.csv"))
    assert rows(Path("merged/cases.csv")) == rows(Path("whole/cases.csv"))
    assert len(rows(Path("merged/probes.csv"))) == len(rows(Path("whole/probes.csv"))) > 0
    assert actbench("compare", "merged", "whole").exit_code == 0


def test_every_block_is_in_one_shard_with_its_family(actbench: Actbench) -> None:
    plan = written(actbench, *PLANNED)
    blocks = [{block.id for block in load(Path(name)).plan.blocks} for name in sharded(actbench, plan, 4)]
    assert len(set.union(*blocks)) == sum(map(len, blocks)) == 8
    assert all(len({name.rpartition("/")[0] for name in of_shard}) == 1 for of_shard in blocks)


@pytest.fixture(scope="module")
def two_measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with a plan and the runs of its two shards: to be copied and not to be changed."""
    directory = tmp_path_factory.mktemp("shards")

    def command(*arguments: str) -> Result:
        return CliRunner().invoke(main, list(arguments), obj=FakeBench().seams)

    with contextlib.chdir(directory), pytest.MonkeyPatch.context() as patch:
        patch.setattr(calibration, "SLICE_SECONDS", SLICE_SECONDS)
        for name in variables.tuning(os.environ):
            patch.delenv(name)
        sharded(command, written(command, *PLANNED), 2)
    return directory


@pytest.fixture
def two_shards(actbench: Actbench, two_measured: Path) -> Actbench:
    """Return the command line beside two shards of one plan."""
    shutil.copytree(two_measured, Path.cwd(), symlinks=True, dirs_exist_ok=True)
    return actbench


def refused(actbench: Actbench, *runs: str) -> str:
    """Return why runs are not merged, which leaves nothing."""
    result = actbench("merge", *runs, "-o", "merged")
    assert result.exit_code == 5, result.output
    assert not Path("merged").exists()
    return result.stderr


def test_a_shard_that_is_missing_is_named_and_may_be_allowed(two_shards: Actbench) -> None:
    assert "shard 2 of 2 is missing: name its run too" in refused(two_shards, "shard1")
    assert two_shards("merge", "shard1", "-o", "part", "--allow-missing").exit_code == 0
    assert len(load(Path("part")).plan.blocks) == 4


def test_a_repetition_is_refused_with_the_reason(two_shards: Actbench) -> None:
    two_shards("run", "--plan", "plan.json", "--shard", "1/2", "-o", "again", *LIMITS)
    assert "are both shard 1 of 2: repetitions are not merged, since whole runs" in refused(
        two_shards, "shard1", "again", "shard2"
    )


def _other_processor(record: Any) -> None:
    record["environment"]["cpu_model"] = "Abacus 3000"


def _other_numpy(record: Any) -> None:
    record["environment"]["libraries"]["numpy"] = "1.0"


def _other_threads(record: Any) -> None:
    record["settings"]["threads"] = 2


def _code_of_the_user(record: Any) -> None:
    record["loaded"] = [{"kind": "file", "name": "mine.py", "sha256": "0" * 64}]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_code_of_the_user, "it has other code of the user's (--load); measure with the same"),
        (_other_processor, "the hosts differ (cpu model: "),
        (_other_numpy, "the hosts differ (libraries: "),
        (_other_threads, "--threads is 1 there and 2 here"),
    ],
)
def test_what_was_measured_in_another_way_is_refused(two_shards: Actbench, change: Any, reason: str) -> None:
    edit(Path("shard2"), change)
    message = refused(two_shards, "shard1", "shard2")
    assert "shard2 does not belong to shard1" in message
    assert reason in message


def test_runs_of_other_plans_are_refused(two_shards: Actbench) -> None:
    other = written(two_shards, *PLANNED, "--op", "backward", name="other.json")
    two_shards("run", "--plan", other, "--shard", "2/2", "-o", "other", *LIMITS)
    assert "it is of another plan" in refused(two_shards, "shard1", "other")
    two_shards("run", *PLANNED, "-o", "plain", *LIMITS)
    assert "plain is not a run of a plan in a file" in refused(two_shards, "shard1", "plain")


def test_a_shard_says_in_its_record_which_one_it_is_and_that_is_sealed(two_shards: Actbench) -> None:
    def as_first(record: Any) -> None:
        assert record["shard"]["number"] == 2
        record["shard"]["number"] = 1

    edit(Path("shard2"), as_first)
    result = two_shards("merge", "shard1", "shard2")
    assert result.exit_code == 2
    assert "is damaged" in result.stderr


def test_a_shard_goes_on_where_it_was(two_shards: Actbench) -> None:
    assert two_shards("run", "--resume", "shard1", "--rounds", "8", "-q").exit_code == 0
    assert two_shards("merge", "shard1", "shard2", "-o", "merged").exit_code == 0
    assert {row["rounds"] for row in rows(Path("merged/speedups.csv"))} == {"6", "8"}


@pytest.mark.parametrize("recorded", [True, False], ids=["as merged now", "as merged before shards were recorded"])
def test_what_is_of_different_shards_is_not_compared_within_the_merged_run(
    two_shards: Actbench, *, recorded: bool
) -> None:
    assert two_shards("merge", "shard1", "shard2", "-o", "merged").exit_code == 0
    if not recorded:
        path = Path("merged/run.json")
        of = msgspec.json.decode(path.read_bytes(), type=record.Record, dec_hook=record.of_text)
        of.merged = []
        path.write_bytes(record.encode(of))
    result = two_shards("compare", "merged", "--by", "dtype")
    assert result.exit_code == 2
    assert "by dtype: it was merged, and they are of different shards, which other hosts may have" in result.stderr
    assert two_shards("compare", "merged", "--by", "size").exit_code == 0
    assert two_shards("compare", "merged", "--by", "strategy").exit_code == 0


def test_pairs_that_are_left_out_are_counted_and_the_others_are_compared(two_shards: Actbench) -> None:
    two_shards("merge", "shard1", "shard2", "-o", "merged")
    times = load(Path("merged")).times
    compared = compare(times, Axis.DTYPE, None, lambda one, _: one.activation == "tanh", "run")
    assert {comparison.activation for comparison in compared.comparisons} == {"tanh"}
    (remark,) = compared_axis.remarks(compared)
    assert remark.startswith("left out of this run: 4 pairs of cases, since it was merged, and they are of different")


def test_a_backend_that_is_not_here_is_left_out_with_the_reason_and_the_rest_is_measured(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = written(actbench, "-a", "logistic", "-b", "numpy,python", "-n", "100", "-d", "float64")
    there = registry.backend

    def backend(name: str) -> Any:
        if name == "python":
            raise InputError("backend 'python' is not available: there is no snake")
        return there(name)

    monkeypatch.setattr(registry, "backend", backend)
    result = actbench("run", "--plan", plan, "--dry-run")
    assert result.exit_code == 0
    assert "there is no snake" in result.stdout
    assert "logistic/cached/numpy/derivative/float64/100\n" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--plan", "plan.json", "-a", "tanh"), "leave out what selects (activation)"),
        (("--plan", "plan.json", "--shard", "1/9"), "at most 1 (one for each activation, op and dtype): write K/1"),
        (("--plan", "none.json"), "--plan: cannot read none.json: No such file or directory"),
        (("--plan", "changed.json"), "changed.json is not as it was written"),
        (("--plan", "broken.json"), "broken.json is not the file of a plan"),
        (("--shard", "1/2"), "name it with --plan"),
        (("--plan", "plan.json", "--shard", "3/2"), "'3/2' is no part"),
        (("--plan", "plan.json", "--resume", "run"), "leave --plan and --shard out"),
        (("--dry-run", "--resume", "run"), "--dry-run shows a new run: leave --resume out"),
        (("--resume", "run", "-o", "other"), "--resume goes on in its own directory: leave -o out"),
        (("--format", "json"), "add --dry-run"),
    ],
)
def test_bad_input_is_one_sentence(
    actbench: Actbench, bench: FakeBench, arguments: tuple[str, ...], message: str
) -> None:
    one_family = written(actbench, "-a", "logistic", "-b", "numpy", "-d", "float64", "-n", "1000")
    plan = json.loads(Path(one_family).read_text())
    plan["plan"]["seed"] = 7
    Path("changed.json").write_text(json.dumps(plan))
    Path("broken.json").write_text("{}")
    result = actbench("run", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert bench.workers_started == 0


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--inputs", "uniform:0,1", "--plan: the plan has inputs from normal:0,1, not uniform:0,1: name the same"),
        ("--load", "mine.py", "--plan: this is not the code that the plan was made with: leave --load out"),
    ],
)
def test_a_plan_is_measured_on_its_inputs_and_with_its_code(
    actbench: Actbench, option: str, value: str, message: str
) -> None:
    plan = written(actbench, "-a", "logistic", "-b", "numpy", "-d", "float64", "-n", "1000")
    Path("mine.py").write_text(STRATEGY)
    result = actbench("run", "--plan", plan, option, value)
    assert (result.exit_code, result.stderr) == (5, f"actbench: {message}\n")
