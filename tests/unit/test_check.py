from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import Actbench
from tests.support.checked import slower_strategy
from tests.support.compared import NEW, OLD
from tests.support.exact_times import exact_seconds
from tests.support.fake import FakeBench
from tests.support.selections import PAIR, SMALL, edit
from tests.unit.conftest import MeasuredOnce


@pytest.fixture
def two_runs(actbench: Actbench, bench: FakeBench, measured_once: MeasuredOnce) -> Actbench:
    """A baseline, and a run in which `cached` takes 10 % longer; as long do those that are measured from then on."""
    measured_once({}, *SMALL, "-o", OLD)
    measured_once({"cached": 1.1}, *SMALL, "-o", NEW)
    bench.seconds = slower_strategy(1.1)
    return actbench


def test_a_regression_is_shown_and_ends_with_1(two_runs: Actbench) -> None:
    result = two_runs("check", NEW, "--baseline", OLD)
    assert result.exit_code == 1
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["case", "verdict", "change", "of", "the", "time", "itself", "rounds"] in lines
    row = "logistic/cached/numpy/derivative/float64/1000 regressed +10.00 % ± 0.00 % +10.00 % ± 0.00 % 6, 6"
    assert row.split() in lines
    assert result.stdout.endswith(
        "\nregressed (exit code 1): 2 cases, margin 5 %: 1 regressed, 1 unchanged\nbaseline: old\ncandidate: new\n"
    )
    assert "recompute" not in result.stdout, "what is unchanged is counted, not listed"


def test_a_regression_inside_the_margin_is_none(two_runs: Actbench) -> None:
    result = two_runs("check", NEW, "--baseline", OLD, "--margin", "20")
    assert result.exit_code == 0
    assert "2 cases, margin 20 %: 2 unchanged" in result.stdout


def test_margins_that_no_case_has_are_reported(two_runs: Actbench) -> None:
    margins = ("--margins", "*/cached/*=20", "--margins", "*/cachd/*=3")
    result = two_runs("check", NEW, "--baseline", OLD, *margins)
    assert result.exit_code == 0
    assert result.stdout.count("cachd") == 1
    assert "--margins '*/cachd/*' matches no case" in result.stdout
    assert "*/cached/*'" not in result.output


def test_an_improvement_is_fine(two_runs: Actbench) -> None:
    result = two_runs("check", OLD, "--baseline", NEW)
    assert result.exit_code == 0
    assert "1 improved, 1 unchanged" in result.stdout


@pytest.mark.parametrize("other", [NEW, f"{NEW}/", f"./{NEW}/../{NEW}", f"{NEW}/pyperf.json", "link", "latest"])
def test_a_run_is_not_checked_against_itself_by_whatever_name(two_runs: Actbench, other: str) -> None:
    Path("link").symlink_to(NEW)
    Path("results").mkdir()
    Path("results/latest").symlink_to(Path(NEW).absolute())
    for arguments in (("check", NEW, "--baseline", other), ("compare", other, NEW)):
        result = two_runs(*arguments)
        assert result.exit_code == 2
        assert result.stderr.startswith("actbench: both are the same run, ")
        assert result.stderr.endswith(": name another one to compare with\n")


def test_a_copy_of_a_run_is_unchanged_and_named_as_one(two_runs: Actbench) -> None:
    shutil.copytree(NEW, "copy")
    result = two_runs("check", NEW, "--baseline", "copy")
    assert result.exit_code == 0
    assert "new is a copy of copy, with the same measurements\n" in result.stdout
    assert "is a copy of" not in two_runs("check", NEW, "--baseline", OLD).stdout


def test_too_few_rounds_are_inconclusive_and_end_with_3_and_their_sign_is_explained(actbench: Actbench) -> None:
    for name in (OLD, NEW):
        actbench("run", *SMALL, "--rounds", "3", "-o", name)
    result = actbench("check", NEW, "--baseline", OLD)
    assert result.exit_code == 3
    assert "2 inconclusive" in result.stdout
    assert "+0.0 % ?" in result.stdout
    assert "\n2 cases without an interval (?): too few rounds in a run" in result.stdout


def test_a_missing_case_ends_with_3_and_a_new_one_with_0(actbench: Actbench) -> None:
    actbench("run", *SMALL, "-o", OLD)
    actbench("run", *PAIR, "-n", "1000,2000", "-o", NEW)
    fewer = actbench("check", OLD, "--baseline", NEW)
    assert (fewer.exit_code, "2 missing, 2 unchanged" in fewer.stdout) == (3, True)
    more = actbench("check", NEW, "--baseline", OLD)
    assert (more.exit_code, "2 new, 2 unchanged" in more.stdout) == (0, True)


@pytest.mark.parametrize(
    ("drift", "verdict", "itself"),
    [(1.04, "unchanged", "+4.00 % ± 0.00 %"), (0.8, "not slower", "-20.00 % ± 0.00 %")],
)
def test_a_drift_of_the_host_within_the_margin_or_to_faster_is_no_regression(
    actbench: Actbench, bench: FakeBench, drift: float, verdict: str, itself: str
) -> None:
    actbench("run", *SMALL, "-o", OLD)
    bench.seconds = lambda case: drift * exact_seconds(case)
    actbench("run", *SMALL, "-o", NEW)
    result = actbench("check", NEW, "--baseline", OLD)
    assert result.exit_code == 0
    assert f"{verdict} +0.00 % ± 0.00 % {itself}" in " ".join(result.stdout.split())


# Formats


def test_json_holds_every_case_and_the_margin(two_runs: Actbench) -> None:
    result = two_runs("check", NEW, "--baseline", OLD, "--format", "json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert report["margin"] == 0.05
    assert {case["case"]: case["verdict"] for case in report["cases"]} == {
        "logistic/recompute/numpy/derivative/float64/1000": "unchanged",
        "logistic/cached/numpy/derivative/float64/1000": "regressed",
    }
    (cached,) = (case for case in report["cases"] if "cached" in case["case"])
    assert cached["ratio"] == pytest.approx(1.1)
    assert cached["rounds"] == cached["baseline_rounds"] == 6


def test_json_has_null_where_there_is_no_interval(actbench: Actbench) -> None:
    for name in (OLD, NEW):
        actbench("run", *SMALL, "--rounds", "1", "-o", name)
    (first, _) = json.loads(actbench("check", NEW, "--baseline", OLD, "--format", "json").stdout)["cases"]
    assert first["low"] is None


def test_markdown_goes_to_the_step_summary_as_well(
    two_runs: Actbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    result = two_runs("check", NEW, "--baseline", OLD, "--format", "markdown")
    assert result.stdout.startswith(
        "**regressed (exit code 1): 2 cases, margin 5 %: 1 regressed, 1 unchanged**\n\n### Against the baseline\n"
    )
    assert "| logistic/cached/numpy/derivative/float64/1000 | regressed | +10.00 % ± 0.00 % |" in result.stdout
    assert summary.read_text() == f"before\n{result.stdout}\n"


def test_a_step_summary_that_cannot_be_written_is_refused_before_the_verdict_in_one_sentence(
    two_runs: Actbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "nowhere" / "summary.md"))
    result = two_runs("check", NEW, "--baseline", OLD, "--format", "markdown")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("actbench: cannot write to $GITHUB_STEP_SUMMARY")
    assert result.stderr.count("\n") == 1


def test_github_gets_an_annotation_a_case_with_percent_signs_escaped(two_runs: Actbench) -> None:
    result = two_runs("check", NEW, "--baseline", OLD, "--format", "github")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        (
            "::error title=actbench%3A regressed::logistic/cached/numpy/derivative/float64/1000: "
            "+10.00 %25 ± 0.00 %25, margin 5 %25"
        ),
        (
            "::notice title=actbench::regressed (exit code 1): 2 cases, margin 5 %25: 1 regressed, 1 unchanged"
            "%0Abaseline: old%0Acandidate: new"
        ),
    ]


# What cannot be checked


def edited(directory: str, old: str, new: str) -> None:
    path = Path(directory, "run.json")
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_no_baseline_ends_with_5(two_runs: Actbench) -> None:
    result = two_runs("check", NEW, "--baseline", "nowhere")
    assert result.exit_code == 5
    assert result.stderr.startswith("actbench: --baseline: nowhere is not a run")


def test_no_run_is_bad_input(two_runs: Actbench) -> None:
    assert two_runs("check", "nowhere", "--baseline", OLD).exit_code == 2


def test_another_host_is_refused(two_runs: Actbench) -> None:
    edited(OLD, '"logical_cpus": ', '"logical_cpus": 1')
    result = two_runs("check", NEW, "--baseline", OLD)
    assert result.exit_code == 5
    assert result.stderr.startswith("actbench: old is from another host than new (logical cpus: 1")


def test_caches_of_another_host_are_named_in_one_grammatical_sentence(two_runs: Actbench) -> None:
    edit(Path(OLD), lambda record: record["environment"].update(caches={"L1d": 32 << 10}))
    edit(Path(NEW), lambda record: record["environment"].update(caches={"L1d": 48 << 10}))
    result = two_runs("check", NEW, "--baseline", OLD)
    apart = "caches: L1d 32 KiB there, L1d 48 KiB in new"
    assert result.stderr == f"actbench: old is from another host than new ({apart}): measure both on one host\n"
    assert result.exit_code == 5


def test_another_engine_is_refused(two_runs: Actbench) -> None:
    edited(OLD, '"engine": "interleaved"', '"engine": "pyperf"')
    result = two_runs("check", NEW, "--baseline", OLD)
    assert result.exit_code == 5
    assert "measure both by the same" in result.stderr


def test_another_library_version_is_compared_and_reported(two_runs: Actbench) -> None:
    from importlib.metadata import version

    edited(OLD, f'"numpy": "{version("numpy")}"', '"numpy": "1.0.0"')
    result = two_runs("check", NEW, "--baseline", OLD)
    assert result.exit_code == 1
    assert f"numpy was 1.0.0, is {version('numpy')}" in result.stdout


def test_runs_without_a_common_case_are_refused(actbench: Actbench) -> None:
    actbench("run", *SMALL, "-o", OLD)
    actbench("run", *PAIR, "-n", "2000", "-o", NEW)
    result = actbench("check", NEW, "--baseline", OLD)
    assert result.exit_code == 5
    assert "no measured case in common" in result.stderr


def test_a_suite_without_its_run_does_not_tell_its_host(two_runs: Actbench) -> None:
    Path("alone").mkdir()
    Path("alone/pyperf.json").write_bytes(Path(OLD, "pyperf.json").read_bytes())
    result = two_runs("check", NEW, "--baseline", "alone/pyperf.json")
    assert result.exit_code == 5
    assert "does not name its host" in result.stderr


@pytest.mark.parametrize(
    ("name", "damage", "said"),
    [
        ("run.json", lambda text: text.replace('"schema": 2', '"schema": 99'), "is of schema 99"),
        ("run.json", lambda text: text[: len(text) // 2], "is damaged"),
        ("values.csv", lambda text: text.replace(",1,0,", ",1,zero,", 1), "values.csv"),
        ("values.csv", lambda text: "\n".join(text.splitlines()[:-5]) + "\n", "is incomplete"),
    ],
    ids=["future schema", "truncated", "edited by hand", "rows missing"],
)
@pytest.mark.parametrize(("side", "code"), [(NEW, 2), (OLD, 5)])
def test_damaged_runs_are_one_sentence(  # noqa: PLR0917
    two_runs: Actbench, side: str, code: int, name: str, damage: object, said: str
) -> None:
    path = Path(side, name)
    path.write_text(damage(path.read_text()))  # type: ignore[operator]
    result = two_runs("check", NEW, "--baseline", OLD)
    assert result.exit_code == code
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("margin", ["-1", "0", "nan", "much"])
def test_a_margin_that_is_none_is_refused(two_runs: Actbench, margin: str) -> None:
    result = two_runs("check", NEW, "--baseline", OLD, "--margin", margin)
    assert result.exit_code == 2
    assert "is not a percentage" in result.stderr
