"""The evidence of ``actbench bisect`` on disk, and what programs read of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from actbench.model.cases import Block
from tests.conftest import Actbench
from tests.support.bisected import SELECTED, hashes, levels, project_of_four, steps
from tests.support.checked import CACHED
from tests.support.fake import FakeBench


@pytest.fixture(autouse=True)
def project(actbench: Actbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a project with four commits, and go there."""
    del actbench
    project_of_four(tmp_path, monkeypatch)


def test_evidence_that_is_damaged_is_refused(actbench: Actbench, bench: FakeBench, tmp_path: Path) -> None:
    levels(bench, hashes(), steps(2))
    actbench("bisect", "HEAD~3", *SELECTED)
    (file,) = (tmp_path / "caches").rglob("bisect.json")
    for damaged in (file.read_text()[:-5], '{"pages":' + 100_000 * "["):
        file.write_text(damaged)
        result = actbench("bisect", "HEAD~3", *SELECTED, "--resume")
        assert (result.exit_code, "leave --resume out, to begin again" in result.stderr) == (2, True)


def test_evidence_of_another_host_or_another_actbench_is_refused(
    actbench: Actbench, bench: FakeBench, tmp_path: Path
) -> None:
    levels(bench, hashes(), steps(2))
    actbench("bisect", "HEAD~3", *SELECTED)
    (file,) = (tmp_path / "caches").rglob("bisect.json")
    evidence = json.loads(file.read_text())
    by = evidence["measured_by"]
    for edited, reason in (
        ({"measured_by": by | {"source": "another"}}, "another actbench, whose code differs from that of this one"),
        (
            {"measured_by": by | {"environment": by["environment"] | {"libc": "glibc 2.1"}}},
            f"another host or other software (libc: glibc 2.1 then, {by['environment']['libc']} now)",
        ),
        ({"schema": 1}, "another version of actbench"),
    ):
        file.write_text(json.dumps(evidence | edited))
        result = actbench("bisect", "HEAD~3", *SELECTED, "--resume")
        assert (result.exit_code, result.stdout) == (5, "")
        sentence = f"--resume: what is there was measured by {reason}: leave --resume out, to begin again"
        assert result.stderr == f"actbench: {sentence}\n"


def test_going_on_with_another_seed_is_refused_and_with_the_same_it_is_not(
    actbench: Actbench, bench: FakeBench
) -> None:
    levels(bench, hashes(), steps(2))
    actbench("bisect", "HEAD~3", *SELECTED, "--seed", "5")
    refused = actbench("bisect", "HEAD~3", *SELECTED, "--resume", "--seed", "6")
    assert refused.exit_code == 5
    assert "--resume: what is there was measured with --seed 5: leave --seed out" in refused.stderr
    assert actbench("bisect", "HEAD~3", *SELECTED, "--resume", "--seed", "5").exit_code == 1


def test_the_duration_of_a_bisect_that_goes_on_is_that_of_all_its_rounds(actbench: Actbench, bench: FakeBench) -> None:
    levels(bench, hashes(), steps(2))
    first, later = (
        json.loads(actbench("bisect", "HEAD~3", *SELECTED, "--format", "json", *resume).stdout)
        for resume in ((), ("--resume",))
    )
    assert later["rounds"] == first["rounds"]
    assert later["seconds"] >= first["seconds"] > 0


def test_the_check_of_bad_is_in_the_json_and_figures_without_an_interval_are_explained(
    actbench: Actbench, bench: FakeBench
) -> None:
    levels(bench, hashes(), steps(2), scatter=0.02)
    short = ("bisect", "HEAD~3", *SELECTED, "--budget", "1s")
    assert "? marks figures of too few rounds for an interval" in " ".join(actbench(*short).stdout.split())
    report = json.loads(actbench(*short, "--format", "json").stdout)
    assert CACHED in report["undecided"]
    by_case = {one["case"]: one for one in report["check"]}
    assert by_case[CACHED]["verdict"] == "inconclusive"
    assert by_case[CACHED]["change"] == {"ratio": pytest.approx(1.1, rel=0.05), "low": None, "high": None}


def interrupt_at_once(_: Block) -> None:
    raise KeyboardInterrupt


def test_an_interruption_in_the_first_round_leaves_nothing_to_go_on_with_and_says_so(
    actbench: Actbench, bench: FakeBench
) -> None:
    levels(bench, hashes(), steps(2))

    bench.on_time = interrupt_at_once
    result = actbench("bisect", "HEAD~3", *SELECTED)
    assert result.exit_code == 130
    assert "the same command begins again: nothing was measured yet (exit code 130)\n" in result.stdout
    assert "\n3 commits, 0 of them measured in 0 rounds, " in result.stdout
    assert actbench("bisect", "HEAD~3", *SELECTED, "--resume").exit_code == 2


def test_an_interrupted_round_is_not_counted(actbench: Actbench, bench: FakeBench) -> None:
    levels(bench, hashes(), steps(2))
    started: list[int] = []

    def interrupt(_: Block) -> None:
        if len(started) and bench.workers_started > started[0] + 3:
            raise KeyboardInterrupt
        started.append(bench.workers_started)

    bench.on_time = interrupt
    result = actbench("bisect", "HEAD~3", *SELECTED, "--format", "json")
    report = json.loads(result.stdout)
    assert result.exit_code == 130
    assert {one["rounds"] for one in report["check"]} == {report["rounds"]}
    bench.on_time = interrupt_at_once
    later = actbench("bisect", "HEAD~3", *SELECTED, "--format", "json", "--resume")
    assert later.exit_code == 130, later.output
    after = json.loads(later.stdout)
    assert (after["rounds"], after["check"]) == (report["rounds"], report["check"]), "what there was is shown"
    assert "with --resume goes on" in after["reason"]
