"""Runs that have rounds in common, or contradict each other, as evidence of a race."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest
from click.testing import Result

from actbench.engine.races.collecting import CollectedRuns
from actbench.errors import ExitCode
from actbench.model.cases import Arm, Block
from actbench.model.names import Dtype, Op
from actbench.model.outcomes import BlockTimes
from actbench.model.plan import LeftOut, LostRace, Plan
from actbench.model.times import Times
from actbench.model.variants import Variant
from actbench.runs.archive import Run
from tests.conftest import Actbench
from tests.support.fake import FakeBench
from tests.support.races import Recommend, one_loses, outcome, taking, unlike

TWO = ("-a", "logistic", "-s", "recompute,cached", "-n", "1000", "--operands", "warm", "--op", "backward", "-q")

A_ROUND_MORE = ("-s", "recompute,cached", "--budget", "1ms", "--format", "json")

JSON = ("--format", "json")


def measure(actbench: Actbench, bench: FakeBench, *options: str) -> None:
    """Run ``actbench run``."""
    bench.seconds = unlike(bench, taking(cached=0.5))
    result = actbench("run", *options)
    assert result.exit_code == 0, result.stderr


def rounds(result: Result) -> int:
    """Return the number of rounds that a race is known from, which are too few."""
    assert result.exit_code == ExitCode.INCONCLUSIVE, result.output
    return int(json.loads(result.stdout)["rounds"])


def test_rounds_of_a_copy_and_of_a_run_that_goes_on_with_one_count_once(
    actbench: Actbench, bench: FakeBench, recommend: Recommend
) -> None:
    measure(actbench, bench, *TWO, "-b", "numpy", "--rounds", "4", "-o", "results/first")
    shutil.copytree("results/first", "results/copy")
    shutil.copytree("results/first", "results/further")
    measure(actbench, bench, "--resume", "results/further", "--rounds", "5", "-q")
    assert rounds(recommend(taking(cached=0.5), *A_ROUND_MORE, fresh=False)) == 6


def test_rounds_of_shards_and_of_the_run_that_merges_them_count_once(
    actbench: Actbench, bench: FakeBench, recommend: Recommend
) -> None:
    planned = actbench("run", *TWO, "-b", "numpy", "-d", "float32,float64", "--dry-run", "--format", "json")
    Path("plan.json").write_text(planned.stdout, encoding="utf-8")
    shards = ["results/shard1", "results/shard2"]
    for number, shard in enumerate(shards, start=1):
        measure(actbench, bench, "--plan", "plan.json", "--shard", f"{number}/2", "--rounds", "4", "-q", "-o", shard)
    assert actbench("merge", *shards, "-o", "results/whole").exit_code == 0
    assert rounds(recommend(taking(cached=0.5), *A_ROUND_MORE, fresh=False)) == 5


@pytest.mark.parametrize("twice", ["latest", "results/first", "copy"])
def test_a_run_that_is_named_twice_counts_once(
    actbench: Actbench, bench: FakeBench, recommend: Recommend, twice: str
) -> None:
    measure(actbench, bench, *TWO, "-b", "numpy", "--rounds", "4", "-o", "results/first")
    shutil.copytree("results/first", "copy")
    named = ("--from", "results/first", "--from", twice)
    result = recommend(taking(cached=0.5), *A_ROUND_MORE, *named, fresh=False)
    assert rounds(result) == 5
    assert sum("it counts, too" in remark for remark in json.loads(result.stdout)["remarks"]) == 1


def test_two_runs_that_contradict_each_other_name_no_winner(recommend: Recommend, bench: FakeBench) -> None:
    strategies = ("-s", "recompute,cached,complement")
    for loser, leader in (("recompute", "cached"), ("cached", "recompute")):
        early = recommend(one_loses(bench, loser, leader, 3.0), *strategies, "--budget", "10s")
        assert early.exit_code == ExitCode.INCONCLUSIVE, early.output
    runs = sorted(str(path) for path in Path("results").glob("*-default*"))
    contradict = f"{', '.join(runs)} contradict each other about what is faster in logistic/backward/float32/1000"
    named = recommend(taking(), *strategies, *(word for run in runs for word in ("--from", run)), fresh=False)
    assert named.exit_code == ExitCode.NOT_COMPARABLE
    assert contradict in named.stderr
    answer = outcome(recommend(taking(cached=0.5), *strategies, *JSON, fresh=False))
    assert answer["choice"]["strategy"] == "cached", "it is measured anew, although complement lost to nothing"
    assert any(remark.startswith(contradict) for remark in answer["remarks"])


def test_after_two_runs_that_contradict_each_other_the_same_command_goes_on(
    recommend: Recommend, bench: FakeBench
) -> None:
    strategies = ("-s", "recompute,cached,complement", *JSON)
    for loser, leader in (("recompute", "cached"), ("cached", "recompute")):
        early = recommend(one_loses(bench, loser, leader, 3.0), *strategies, "--budget", "10s")
        assert early.exit_code == ExitCode.INCONCLUSIVE, early.output
    first, second = (
        recommend(one_loses(bench, "recompute", "cached", 3.0), *strategies, "--budget", "10s", fresh=False)
        for _ in range(2)
    )
    assert rounds(second) > rounds(first) >= 10
    (contradiction,) = (one for one in json.loads(second.stdout)["remarks"] if "contradict each other" in one)
    assert contradiction.endswith("and say nothing about it; runs that were made after them count.")
    assert outcome(recommend(taking(cached=0.5), *strategies, fresh=False))["choice"]["strategy"] == "cached"
    decided = outcome(recommend(taking(recompute=0.5), *strategies, fresh=False))
    assert any("nothing was measured now" in remark for remark in decided["remarks"])


A, B, C, D = (Arm(Variant(name), "numpy") for name in "abcd")

BLOCK = Block("logistic", Op.BACKWARD, Dtype.FLOAT32, 1000, (A, B, C, D))

CASES = {arm: case.id for arm, case in zip(BLOCK.arms, BLOCK.cases, strict=True)}


def run(name: str, *lost: tuple[Arm, Arm], fastest: Arm | None = None, lost_in: str = "") -> Run:
    """Return a run of twelve rounds, in which arms lost to others, or had before; no two runs have the same times."""
    seconds_lost = (1e-6 * ord(lost_in or name),) * 3
    left_out = [LeftOut(CASES[arm], "", lost=LostRace(CASES[to], (2, 2, 2), seconds_lost, 12)) for arm, to in lost]
    plan = Plan((BLOCK,), 0).without(left_out)
    (block,) = plan.blocks
    arms = (*block.arms, *[None] * (len(block.timed) - len(block.arms)))
    seconds = tuple(((1e-6 + 1e-9 * ord(name)) * (0.5 if arm and arm == fastest else 1.0),) for arm in arms)
    rounds = [BlockTimes(block, number, seconds) for number in range(1, 13)]
    return Run(Path(name), plan, Times(plan, rounds), None, {})


@pytest.mark.parametrize(
    "contradicting",
    [
        [run("x", (A, B)), run("y", (B, A))],
        [run("x", (A, B)), run("y", (B, C)), run("z", (C, A))],
        [run("x", (A, B)), run("y", fastest=A)],
    ],
    ids=["two that lost to each other", "three in a circle", "one that was the fastest in the rounds of another run"],
)
def test_runs_that_contradict_each_other_do_not_count_in_whatever_order_they_come(contradicting: list[Run]) -> None:
    for order in permutations([*contradicting, run("k", (D, C))]):
        collected = CollectedRuns(BLOCK, apart=False)
        for one in order:
            collected.add(one)
        findings = collected.findings()
        assert findings.counting == {Path("k")}
        assert {*findings.contradicting} == {one.path for one in contradicting}
        assert findings.evidence is not None
        assert findings.evidence.arms == (A, B, C)
        assert findings.evidence.lost.keys() == {D}
        assert len(findings.evidence.seconds) == 12


@pytest.mark.parametrize(
    ("later", "counts"),
    [
        (run("z", (B, A)), True),
        (run("z", fastest=A), True),
        (replace(run("x", (A, B)), path=Path("z")), False),
        (run("z", (A, B), lost_in="x"), False),
    ],
    ids=["of its own", "with rounds of all", "a copy", "one that went on without what had lost"],
)
def test_a_run_that_is_made_after_those_that_contradict_each_other_counts_where_it_shares_nothing_with_them(
    later: Run, *, counts: bool
) -> None:
    collected = CollectedRuns(BLOCK, apart=False)
    for one in (run("x", (A, B)), run("y", (B, A)), later):
        collected.add(one)
    findings = collected.findings()
    assert findings.counting == ({Path("z")} if counts else set())
    assert {*findings.contradicting} == {Path("x"), Path("y")} | (set() if counts else {Path("z")})


def test_a_run_that_is_removed_while_runs_are_looked_for_does_not_count(
    recommend: Recommend, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert recommend(taking(cached=0.5)).exit_code == 0
    removed = Path("results/removed/run.json")
    real = Path.glob

    def glob(directory: Path, pattern: str) -> Iterator[Path]:
        yield from real(directory, pattern)
        if directory == Path("results"):
            yield removed

    monkeypatch.setattr(Path, "glob", glob)
    assert "nothing was measured now" in recommend(taking(recompute=0.1), fresh=False).stdout
