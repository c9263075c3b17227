"""What runs that are there already say about races."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from actbench.engine.launch import UnsupportedError
from actbench.errors import ExitCode
from actbench.model.cases import Arm, Block
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant
from actbench.runs.archive import load
from tests.conftest import Actbench
from tests.support.fake import FakeBench
from tests.support.races import LOGISTIC, Recommend, one_loses, outcome, taking, undecided
from tests.support.selections import edit

JSON = ("--format", "json")

THREE = ("-s", "recompute,cached,complement")

ARMS = tuple(Arm(Variant(name), "numpy") for name in THREE[1].split(","))

RACE = Block("logistic", Op.BACKWARD, Dtype.FLOAT32, 1000, ARMS)


def runs() -> list[Path]:
    """Return the runs in the order in which they were measured."""
    return sorted(Path("results").glob("*-default*"), key=lambda path: path.stat().st_mtime)


def test_arms_that_have_lost_drop_out_while_others_are_open(recommend: Recommend, bench: FakeBench) -> None:
    assert recommend(undecided(bench), "--budget", "8s").exit_code == ExitCode.INCONCLUSIVE
    (run,) = runs()
    plan = load(run).plan
    assert [str(arm.strategy) for arm in plan.blocks[0].arms] == ["cached", "complement"]
    reasons = {one.case.split("/")[1]: one.reason for one in plan.left_out}
    assert re.match(r"it takes [0-9.]+ \([0-9.]+ to [0-9.]+\) times as long as ", reasons["recompute"])


def test_runs_that_are_there_are_used_before_anything_is_measured(recommend: Recommend) -> None:
    assert recommend(taking(cached=0.5), fresh=False).exit_code == 0
    later = recommend(taking(recompute=0.1), fresh=False)
    assert "keep y (cached)" in later.stdout
    assert "nothing was measured now (--fresh measures anew)" in later.stdout
    assert "keep z (recompute)" in recommend(taking(recompute=0.1)).stdout


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("-n", "2000"), "it has no size 2000, but 1000"),
        (("-a", "tanh"), "it has no activation tanh, but logistic"),
        (("-d", "float64"), "it has no dtype float64, but float32"),
        (("--op", "step"), "it has no op step, but backward"),
        (("--inputs", "normal:0,2"), "its inputs, engine, optimizer or number of threads are not those of here"),
        (("-b", "numpy-blocked"), "it has no backend numpy-blocked, but numpy"),
        (
            ("--residual-dtype", "float16", "-s", "cached"),
            "it has no strategy cached:float16, but textbook, recompute, cached, complement",
        ),
    ],
)
def test_a_named_run_that_says_nothing_is_refused_with_what_it_has_not(
    recommend: Recommend, options: tuple[str, ...], why: str
) -> None:
    assert recommend(taking(cached=0.5), "--budget", "1ms").exit_code == ExitCode.INCONCLUSIVE
    refused = recommend(taking(), *options, "--from", "latest", fresh=False)
    assert refused.exit_code == ExitCode.NOT_COMPARABLE, refused.stderr
    assert f"--from latest: {why}: leave --from out to measure" in refused.stderr


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--within", "dense:16-8", "--batch", "16"), "it has no batch of 16, but 8"),
        (("--within", "dense:16-4", "--batch", "8"), "it has no training step of dense:16-4, but dense:16-8"),
        (("-n", "1000"), "it has training steps alone, of dense:16-8"),
    ],
)
def test_a_named_run_of_training_steps_is_refused_in_words_of_networks_and_batches(
    actbench: Actbench, options: tuple[str, ...], why: str
) -> None:
    named = ("recommend", "-a", "logistic", "-b", "numpy", "-q")
    measured = actbench(*named, "--within", "dense:16-8", "--batch", "8", "--budget", "1ms")
    assert measured.exit_code == ExitCode.INCONCLUSIVE, measured.stderr
    refused = actbench(*named, *options, "--from", "latest")
    assert refused.exit_code == ExitCode.NOT_COMPARABLE, refused.stderr
    assert f"--from latest: {why}: leave --from out to measure" in refused.stderr


def test_a_named_run_is_refused_with_the_cases_that_it_lacks_and_without_its_record(
    actbench: Actbench, recommend: Recommend, bench: FakeBench
) -> None:
    def on_time(block: Block) -> None:
        if block.size == 2000 and any(case.strategy == "cached" for case in block.cases):
            raise UnsupportedError("it does not work")

    bench.on_time = on_time
    named = ("-s", "recompute,cached", "-n", "2000")
    both = (*LOGISTIC, *named, "-b", "numpy", "-d", "float32", "-n", "1000,2000")
    assert actbench("run", *both, "-o", "here", "--rounds", "1").exit_code == 0
    refused = recommend(taking(), *named, "--from", "here", fresh=False)
    assert refused.exit_code == ExitCode.NOT_COMPARABLE
    lacking = "it has no logistic/cached/numpy/backward/float32/2000 (-s and --operands choose what races)"
    assert f"--from here: {lacking}: leave --from out to measure" in refused.stderr
    Path("here/pyperf.json").rename("alone.json")
    refused = recommend(taking(), "-s", "recompute,cached", "--from", "alone.json", fresh=False)
    assert "alone.json: it is without run.json, which says where and how it was made" in refused.stderr


def test_a_named_run_of_derivatives_says_that_it_has_no_training_steps(
    actbench: Actbench, recommend: Recommend
) -> None:
    assert recommend(taking(cached=0.5), "--budget", "1ms").exit_code == ExitCode.INCONCLUSIVE
    refused = actbench("recommend", "-a", "logistic", "--within", "dense:16-8", "-q", "--from", "latest")
    assert refused.exit_code == ExitCode.NOT_COMPARABLE, refused.stderr
    assert "--from latest: it has no training steps: leave --from out to measure" in refused.stderr


def test_what_was_decided_stays_decided_and_only_what_is_open_is_measured(
    recommend: Recommend, bench: FakeBench
) -> None:
    assert recommend(undecided(bench), "--budget", "8s").exit_code == ExitCode.INCONCLUSIVE
    later = recommend(taking(cached=0.5, recompute=0.1), *JSON, fresh=False)
    answer = outcome(later)
    assert answer["choice"]["strategy"] == "cached", "recompute has lost, and is not measured again"
    standing = {arm["strategy"]: (arm["standing"], arm["rounds"]) for arm in answer["arms"]}
    before, after = (load(run) for run in runs())
    assert [str(arm.strategy) for arm in after.plan.blocks[0].arms] == ["cached", "complement"]
    lost = next(one.lost for one in before.plan.left_out if "/recompute/" in one.case)
    assert lost is not None
    assert standing["recompute"] == ("slower", lost.rounds)
    rounds = [len(run.times.rounds(run.times.blocks[0])) for run in (before, after)]
    assert standing["cached"] == ("fastest", sum(rounds)), "rounds of both runs are rounds of one race"
    assert answer["remarks"][0].endswith("it counts, too (--fresh measures anew).")
    again = outcome(recommend(taking(), *JSON, fresh=False))
    assert again["choice"]["strategy"] == "cached"
    assert len(runs()) == 2, "both together decide it"


def test_what_was_shown_of_an_arm_that_lost_is_read_strictly(recommend: Recommend, bench: FakeBench) -> None:
    assert recommend(undecided(bench), "--budget", "8s").exit_code == ExitCode.INCONCLUSIVE
    (run,) = runs()

    def impossible(record: Any) -> None:
        lost = next(one["lost"] for one in record["plan"]["left_out"] if one["lost"])
        lost["ratio"][0] = -1.0

    edit(run, impossible)
    named = recommend(taking(), "--from", str(run), fresh=False)
    assert named.exit_code == ExitCode.BAD_INPUT
    assert re.search(r"lost\.ratio\[0\] is -1, and can be", named.stderr)
    without = recommend(taking(cached=0.5), fresh=False)
    assert without.exit_code == 0, "a damaged run does not count"
    assert re.search(r"Without a run that cannot be read: .*lost\.ratio\[0\] is -1", " ".join(without.stdout.split()))


def test_the_command_that_is_printed_after_a_named_run_goes_on_with_what_was_measured_since(
    recommend: Recommend,
) -> None:
    shortly = ("--budget", "1ms", *JSON)
    assert recommend(taking(cached=0.5), *shortly).exit_code == ExitCode.INCONCLUSIVE
    sources = ["--from", "latest"]
    for rounds in (2, 3, 4):
        later = recommend(taking(cached=0.5), *shortly, *sources, fresh=False)
        assert later.exit_code == ExitCode.INCONCLUSIVE
        assert json.loads(later.stdout)["rounds"] == rounds, "one of every call so far"
        sources = [word for run in runs() for word in ("--from", str(run))]
        assert f"the same command with {' '.join(sources)} goes on" in later.stderr


def of_another_host(record: Any) -> None:
    record["environment"]["cpu_model"] = "another processor"


def test_a_run_of_another_host_counts_where_it_is_named_and_what_differs_is_told(recommend: Recommend) -> None:
    assert recommend(taking(cached=0.5)).exit_code == 0
    (run,) = runs()
    edit(run, of_another_host)
    named = recommend(taking(recompute=0.5), "--from", str(run), fresh=False)
    assert "keep y (cached)" in named.stdout
    assert "cpu model was another processor, is " in named.stdout
    assert "keep z (recompute)" in recommend(taking(recompute=0.5), fresh=False).stdout


def test_rounds_of_another_host_are_not_continued_here(recommend: Recommend, bench: FakeBench) -> None:
    assert recommend(undecided(bench), "--budget", "4s").exit_code == ExitCode.INCONCLUSIVE
    (run,) = runs()
    edit(run, of_another_host)
    later = recommend(taking(recompute=0.5), "--from", str(run), fresh=False)
    apart = "on its own, since rounds of here do not continue those of elsewhere"
    assert f"{run} does not decide it: measuring, {apart}\n" in later.stderr
    assert "keep z (recompute), the fastest" in later.stdout
    early = recommend(taking(recompute=0.9), "--from", str(run), "--budget", "1ms", fresh=False)
    assert "the same command without --from goes on" in early.stderr


def test_where_no_run_can_be_written_the_way_out_is_no_option_that_recommend_lacks(recommend: Recommend) -> None:
    Path("results").write_text("mine")
    refused = recommend(taking())
    assert refused.exit_code == ExitCode.BAD_INPUT
    assert refused.stderr.endswith(": Not a directory; change to a directory in which results/ can be written\n"), (
        refused.stderr
    )


def test_an_arm_that_lost_by_less_than_a_wider_margin_is_a_tie_then_and_may_be_recommended(
    recommend: Recommend, bench: FakeBench
) -> None:
    early = recommend(one_loses(bench, "cached", "recompute", 1.04), *THREE, "--budget", "10s")
    assert early.exit_code == ExitCode.INCONCLUSIVE, early.output
    answer = outcome(recommend(taking(complement=2.0), *THREE, "--margin", "10", *JSON, fresh=False))
    assert answer["choice"]["strategy"] == "cached", "of ties it keeps the fewest bytes beside y"
    assert answer["choice"]["time_over_fastest"]["value"] == pytest.approx(1.04)
    standing = {arm["strategy"]: arm["standing"] for arm in answer["arms"]}
    assert standing == {"recompute": "fastest", "cached": "tie", "complement": "slower"}
