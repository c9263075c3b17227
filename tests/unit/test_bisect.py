"""``actbench bisect`` from the command line, on commits of exact times."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from actbench.engine.working.checking import Refused, Verification
from actbench.model.cases import Block, Case
from actbench.planning import presets
from tests.conftest import Actbench
from tests.support.bisected import SELECTED, hashes, history, levels, steps
from tests.support.checked import CACHED
from tests.support.fake import FakeBench, crash
from tests.support.repository import git, repository

RECOMPUTE = CACHED.replace("cached", "recompute")


@pytest.fixture(scope="module")
def seventeen_commits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository of 17 commits, to be copied and not to be changed."""
    directory = tmp_path_factory.mktemp("history") / "project"
    with pytest.MonkeyPatch.context() as patch:
        repository(directory, patch)
        history(17)
    return directory


@pytest.fixture
def commits(actbench: Actbench, seventeen_commits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the hashes of the commits of a project, which is the current directory; GOOD is number 0."""
    del actbench
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    shutil.copytree(seventeen_commits, tmp_path / "project")
    repository(tmp_path / "project", monkeypatch)
    return hashes()


def test_the_commit_with_the_step_is_named_with_subject_date_probability_and_size(
    actbench: Actbench, bench: FakeBench, commits: list[str]
) -> None:
    levels(bench, commits, steps(11))
    result = actbench("bisect", commits[0], *SELECTED)
    assert result.exit_code == 1
    short = commits[11][:12]
    head, name, size, *_ = result.stdout.splitlines()
    assert head == f"1 case slower since {short} (exit code 1)"
    assert re.fullmatch(rf"{short} \d{{4}}-\d\d-\d\d commit 11", name)
    assert size == f"  {CACHED}: +10.00 % ± 0.00 %, probability above 99.9 %"
    rows = [line.split() for line in result.stdout.splitlines() if CACHED in line][1:]
    assert [row[3] for row in rows if row[0] in {"10", "11"}] == ["9", "9"], "both sides of the step"
    assert rows[0][:3] == ["0", commits[0][:12], CACHED], "the control, which is before the step"
    assert len(rows) < 8, "most commits are not measured"


def test_the_expected_duration_is_printed_first(actbench: Actbench, bench: FakeBench, commits: list[str]) -> None:
    levels(bench, commits, steps(11))
    result = actbench("bisect", commits[0], *SELECTED[:-1])
    first = result.stderr.splitlines()[0]
    assert re.fullmatch(
        r"16 commits and 2 cases: .* rounds and up to 6 environments to build, about .*; budget 30 min", first
    )


def test_no_slowdown_is_an_answer_and_ends_with_0(actbench: Actbench, bench: FakeBench, commits: list[str]) -> None:
    levels(bench, commits, steps(11, size=1.02))
    result = actbench("bisect", commits[0], *SELECTED)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"HEAD is not slower than {commits[0]} by more than 5 % (exit code 0)\n")
    assert f"{CACHED} unchanged 8 +2.00 % ± 0.00 %" in " ".join(result.stdout.split())
    assert "16 commits, 1 of them measured in 8 rounds" in result.stdout
    assert len(bench.opened) == 2


def test_what_a_host_that_is_too_noisy_leaves_open_ends_with_3(
    actbench: Actbench, bench: FakeBench, commits: list[str]
) -> None:
    levels(bench, commits, steps(11), scatter=0.5)
    result = actbench("bisect", commits[0], *SELECTED, "--budget", "40s")
    assert result.exit_code == 3
    assert re.match(
        r"whether HEAD is slower than \w+ is undecided in \d cases?, e\.g\. \S+ \(.*\): (the check of BAD has 50 % of "
        r"--budget, and ended after \d+ rounds of the \d+ that it takes: the same command with --resume and --budget "
        r"\d+s goes on|.* rounds: allow a larger --margin, or calm the host) \(exit code 3\)\n",
        result.stdout,
    )


def test_what_a_check_of_usual_length_leaves_open_is_measured_on_in_the_budget_of_the_bisect(
    actbench: Actbench, bench: FakeBench, commits: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else is to be measured before it is known whether anything is slower."""
    presets_as_they_are = presets.get
    monkeypatch.setattr(presets, "get", lambda name: replace(presets_as_they_are(name), budget=20.0))
    rounds = []
    for budget in ("40s", "60s"):
        levels(bench, commits, steps(11), scatter=0.6)
        result = actbench("bisect", commits[0], *SELECTED, "--budget", budget, "--format", "json")
        rounds.append(json.loads(result.stdout)["rounds"])
    assert rounds[1] > 1.3 * rounds[0], "half of either budget is for the check of BAD"


def test_a_suspicion_that_few_rounds_do_not_confirm_is_measured_on_in_the_same_time(
    actbench: Actbench, bench: FakeBench, commits: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    presets_as_they_are = presets.get
    monkeypatch.setattr(presets, "get", lambda name: replace(presets_as_they_are(name), budget=1.0))
    levels(bench, commits, steps(11))
    exact = bench.seconds_there
    assert exact is not None

    def seconds(environment: str, case: Case) -> float:
        every_fourth_round = environment == f"git:{commits[0]}" and bench.workers_started // 3 % 4 == 0
        return exact(environment, case) * (1.1 if every_fourth_round else 1.0)

    bench.seconds_there = seconds
    result = actbench("bisect", commits[0], *SELECTED)
    assert result.stdout.startswith(f"1 case slower since {commits[11][:12]} (exit code 1)\n")


def test_rounds_that_scatter_beyond_half_of_the_step_do_not_lead_astray(
    actbench: Actbench, bench: FakeBench, commits: list[str]
) -> None:
    levels(bench, commits, steps(6), scatter=0.09)
    result = actbench("bisect", commits[0], *SELECTED, "--format", "json")
    report = json.loads(result.stdout)
    (case,) = report["cases"]
    assert [culprit["commits"] for culprit in case["culprits"]] == [[6]]
    assert case["culprits"][0]["change"]["low"] < 1.1 < case["culprits"][0]["change"]["high"]


def test_two_steps_are_both_named(actbench: Actbench, bench: FakeBench, commits: list[str]) -> None:
    levels(bench, commits, steps(4, 12), scatter=0.02)
    result = actbench("bisect", commits[0], *SELECTED)
    assert result.exit_code == 1
    named = re.findall(r"^(\w{12}) \d{4}-", result.stdout, re.MULTILINE)
    assert named == [commits[4][:12], commits[12][:12]]
    assert f"{CACHED} got slower in more than one step (probability above 95 %)" in result.stdout


def test_cases_may_have_different_culprits(actbench: Actbench, bench: FakeBench, commits: list[str]) -> None:
    levels(bench, commits, {**steps(4), **steps(9, case=RECOMPUTE)})
    report = json.loads(actbench("bisect", commits[0], *SELECTED, "--format", "json").stdout)
    named = {case["case"]: case["culprits"][0]["commits"] for case in report["cases"]}
    assert named == {CACHED: [4], RECOMPUTE: [9]}


# Commits that cannot be measured


def test_commits_that_do_not_build_are_skipped_and_not_acquitted(
    actbench: Actbench, bench: FakeBench, commits: list[str]
) -> None:
    levels(bench, commits, steps(11))
    bench.unbuildable = {f"git:{commits[number]}": "the build broke" for number in (9, 10)}
    result = actbench("bisect", commits[0], *SELECTED)
    assert result.exit_code == 1
    assert "1 case slower since " + commits[11][:12] in result.stdout
    before = f"{commits[9][:12]}, {commits[10][:12]}"
    assert f"or a commit before it that cannot be told apart: {before}\n" in result.stdout
    assert re.search(rf"skipped: {commits[10][:12]} \S+ commit 10: the build broke\n", result.stdout)


def test_commits_that_lack_a_case_or_have_a_wrong_kernel_are_skipped(
    actbench: Actbench, bench: FakeBench, commits: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    levels(bench, commits, steps(11))
    bench.has_there = lambda environment, case: environment != f"git:{commits[8]}" or case.id != CACHED
    check_kernels = Verification.check_kernels

    def checked(self: Verification, launch: object) -> object:
        wrong = launch.options.role == f"commit {commits[12][:12]}"  # type: ignore[attr-defined]
        for check in check_kernels(self, launch):  # type: ignore[arg-type]
            yield Refused(check.check.kernel, "it is wrong") if wrong else check  # type: ignore[union-attr]

    monkeypatch.setattr(Verification, "check_kernels", checked)
    result = actbench("bisect", commits[0], *SELECTED)
    assert "1 case slower since " + commits[11][:12] in result.stdout
    assert f"commit 8: it has no {CACHED}\n" in result.stdout
    assert "commit 12: it is wrong\n" in result.stdout


def test_a_commit_whose_workers_are_lost_is_skipped(actbench: Actbench, bench: FakeBench, commits: list[str]) -> None:
    levels(bench, commits, steps(11))

    def lost(_: Block) -> None:
        if bench.opened[-1] == f"git:{commits[8]}":
            crash("killed by SIGSEGV")

    bench.on_time = lost
    result = actbench("bisect", commits[0], *SELECTED)
    assert "1 case slower since " + commits[11][:12] in result.stdout
    assert "commit 8: killed by SIGSEGV\n" in result.stdout


@pytest.mark.parametrize(("number", "what"), [(0, "GOOD"), (16, "BAD")])
def test_an_end_that_does_not_build_ends_with_5(
    actbench: Actbench, bench: FakeBench, commits: list[str], number: int, what: str
) -> None:
    levels(bench, commits, steps(11))
    bench.unbuildable = {f"git:{commits[number]}": "the build broke"}
    result = actbench("bisect", commits[0], *SELECTED)
    assert (result.exit_code, result.stdout) == (5, "")
    sentence = f"{what} {commits[number][:12]}: the build broke: name a {what} that can be measured"
    assert result.stderr == f"actbench: {sentence}\n"


def test_commits_with_the_same_files_are_no_suspects(actbench: Actbench, bench: FakeBench, commits: list[str]) -> None:
    for _ in range(3):
        git("commit", "--quiet", "--allow-empty", "--message", "empty")
    git("rm", "--quiet", "project.py")
    git("commit", "--quiet", "--message", "the only change")
    levels(bench, hashes(), steps(20))
    result = actbench("bisect", commits[16], *SELECTED)
    assert result.exit_code == 1
    assert "the only change\n" in result.stdout
    assert len(bench.opened) == 2, "there is one suspect"


def test_all_environments_have_the_versions_of_the_first(
    actbench: Actbench, bench: FakeBench, commits: list[str]
) -> None:
    levels(bench, commits, steps(11))
    bench.versions_there = {"numpy": "2.0"}
    actbench("bisect", commits[0], *SELECTED)
    first, *others = bench.pins
    assert first == {}
    assert len(others) > 3
    assert all(pins == {"numpy": "2.0"} for pins in others)


# Interruption


def test_an_interrupted_bisect_goes_on_with_what_it_has_measured(
    actbench: Actbench, bench: FakeBench, commits: list[str]
) -> None:
    levels(bench, commits, steps(11))

    def interrupt(_: Block) -> None:
        if len(bench.opened) == 4:
            raise KeyboardInterrupt

    bench.on_time = interrupt
    result = actbench("bisect", commits[0], *SELECTED)
    assert result.exit_code == 130
    assert "interrupted: what was measured is kept" in result.stderr
    assert f"{CACHED}, +10.00 % ± 0.00 % in all, may be slower since" in result.stdout
    bench.on_time = lambda _: None
    started = bench.workers_started
    result = actbench("bisect", commits[0], *SELECTED, "--resume")
    assert "1 case slower since " + commits[11][:12] in result.stdout
    assert re.search(r"in [23]\d rounds", result.stdout), "as many as without an interruption"
    assert bench.workers_started - started < 3 * 24


def test_the_check_of_bad_goes_on_too(actbench: Actbench, bench: FakeBench, commits: list[str]) -> None:
    levels(bench, commits, steps(11))
    rounds = 0

    def interrupt(_: Block) -> None:
        nonlocal rounds
        rounds = bench.workers_started
        if bench.workers_started > 25:
            raise KeyboardInterrupt

    bench.on_time = interrupt
    assert actbench("bisect", commits[0], *SELECTED).exit_code == 130
    bench.on_time = lambda _: None
    result = actbench("bisect", commits[0], *SELECTED, "--resume")
    assert "in 30 rounds" in result.stdout


def test_a_spent_budget_ends_with_3_and_a_larger_one_goes_on(
    actbench: Actbench, bench: FakeBench, commits: list[str]
) -> None:
    levels(bench, commits, steps(11))
    actbench("bisect", commits[0], *SELECTED)
    budget = ("--budget", f"{0.75 * bench.clock.now:.2f}s")
    result = actbench("bisect", commits[0], *SELECTED, *budget)
    assert result.exit_code == 3
    assert "no commit has 99 %: the same command with --resume and a larger --budget goes on" in result.stdout
    assert actbench("bisect", commits[0], *SELECTED, *budget, "--margin", "4", "--resume").exit_code == 2
    assert actbench("bisect", commits[0], *SELECTED, "--resume").exit_code == 1
