"""What every report says of the whole check, however it ends, and the schema that JSON keeps to."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import Result

from actbench.model.cases import Block, Case
from benchmarks import check_schema
from tests.conftest import Actbench
from tests.support.checked import CACHED, CASES, OTHER, slower
from tests.support.exact_times import exact_seconds
from tests.support.fake import FakeBench, crash
from tests.support.selections import PAIR, SMALL

FORMATS = ("text", "markdown", "github", "junit", "json")
REPORTS = [f"--report={form}=check.{form}" for form in FORMATS]
SCHEMA = json.loads(check_schema.FILE.read_text())


def validated(text: str) -> dict[str, Any]:
    """Return a report in JSON, having held it to the schema."""
    report: dict[str, Any] = json.loads(text)
    jsonschema.Draft202012Validator(SCHEMA).validate(report)
    return report


def written(result: Result) -> dict[str, Any]:
    """Return the report in JSON of a check that wrote all of them, which all say how it ended."""
    report = validated(Path("check.json").read_text())
    assert report["exit_code"] == result.exit_code
    verdict = f"{report['verdict']} (exit code {result.exit_code})"
    for form in ("text", "markdown", "github", "junit"):
        assert verdict in Path(f"check.{form}").read_text()
    for what in (report["baseline"]["what"], report["candidate"]["what"]):
        assert all(what in Path(f"check.{form}").read_text() for form in FORMATS)
    return report


def test_the_schema_is_that_of_the_types() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert check_schema.FILE.read_text() == check_schema.text(), "python -m benchmarks.check_schema writes it"


@pytest.mark.parametrize(
    ("factor", "verdict", "reason"),
    [
        (1.0, "passed", "no case regressed"),
        (1.03, "passed", "no case regressed"),
        (1.07, "regressed", f"{CACHED} regressed: +7.00 % ± 0.00 %"),
        (1.3, "regressed", f"{CACHED} regressed: +30.00 % ± 0.00 %"),
    ],
)
def test_a_change_of_one_case_at_one_size_is_the_verdict_of_that_case_alone(
    actbench: Actbench, bench: FakeBench, factor: float, verdict: str, reason: str
) -> None:
    bench.seconds = slower(factor)
    report = written(actbench(*CASES, "--budget", "30s", *REPORTS))
    assert (report["verdict"], report["reason"]) == (verdict, reason)
    others = {case["verdict"] for case in report["cases"] if case["case"] != CACHED}
    assert others == {"unchanged"}
    assert sum(report["counts"].values()) == 4


def test_both_sides_are_named_with_their_versions(actbench: Actbench, bench: FakeBench) -> None:
    bench.baseline_versions = bench.baseline_versions | {"numpy": "1.0.0"}
    report = written(actbench(*CASES, *REPORTS))
    baseline, candidate = report["baseline"], report["candidate"]
    assert (baseline["what"], candidate["what"]) == ("other", "this environment")
    assert baseline["versions"]["numpy"] == "1.0.0"
    assert candidate["versions"]["numpy"] != "1.0.0"
    assert '<property name="baseline.numpy" value="1.0.0" />' in Path("check.junit").read_text()


def test_a_candidate_of_two_speeds_is_inconclusive_for_that_reason(actbench: Actbench, bench: FakeBench) -> None:
    def seconds(case: Case) -> float:
        return slower(1.4 if bench.workers_started // 3 % 2 else 1.0)(case)

    bench.seconds = seconds
    result = actbench(*CASES, "--budget", "30s", *REPORTS)
    assert result.exit_code == 3
    report = written(result)
    (cached,) = (case for case in report["cases"] if case["case"] == CACHED)
    why = re.compile(
        r"its interval contains \+5 %; its rounds fall into two clusters, \d+ at \+0\.0 % and \d+ at \+40\.0 %"
    )
    assert (cached["verdict"], cached["open_reason"]) == ("inconclusive", "contains the margin")
    assert why.fullmatch(cached["reason"])
    assert report["reason"] == f"{CACHED} inconclusive: {cached['reason']}"
    for form in FORMATS:
        assert "clusters" in Path(f"check.{form}").read_text()


def test_every_case_that_is_open_has_a_reason(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = bench.control_seconds = slower(1.1)
    report = written(actbench(*CASES, *REPORTS))
    assert report["too_noisy"]
    assert report["reason"].startswith("the host is too noisy for a verdict")
    assert all(bool(case["reason"]) == (case["verdict"] == "inconclusive") for case in report["cases"])
    short = written(actbench(*CASES, "--budget", "1ms", *REPORTS))
    assert {case["open_reason"] for case in short["cases"]} <= {"not measured", "too few rounds"}


def test_code_that_is_the_same_on_both_sides_is_named_beside_the_verdict(actbench: Actbench, bench: FakeBench) -> None:
    bench.code = lambda case: case.strategy.name
    bench.baseline_code = lambda case: {"cached": "cached"}.get(case.strategy.name)
    result = actbench(*CASES, *REPORTS)
    same = {case["case"] for case in written(result)["cases"] if case["same_code"]}
    assert same == {CACHED, CACHED.replace("1000", "2000")}
    assert f"{CACHED} unchanged, same code +0.00 %" in " ".join(result.stdout.split())
    assert "2 cases with the same code on both sides" in result.stdout
    for form in ("markdown", "github", "junit"):
        assert "same code" in Path(f"check.{form}").read_text()


def test_a_missing_case_ends_with_3_and_is_the_reason(
    actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from actbench.planning import suite

    offered = suite.offered
    monkeypatch.setattr(
        "actbench.planning.suite.offered", lambda query: [case for case in offered(query) if case.size != 2000]
    )
    monkeypatch.setattr("tests.support.fake.offered", offered)
    bench.baseline_has = lambda case: case.size != 3000
    result = actbench(*OTHER, *PAIR, "-n", "1000,2000,3000", *REPORTS)
    assert result.exit_code == 3
    report = written(result)
    assert report["counts"] == {"missing": 2, "new": 2, "unchanged": 2}
    missing = CACHED.replace("1000", "2000")
    assert report["reason"] == f"2 cases missing, e.g. {missing}: the baseline has it, the candidate does not"
    assert "2 unchanged cases not listed" in Path("check.markdown").read_text(), "what is left out is counted"


def test_annotations_that_github_would_not_show_are_counted(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = lambda case: 1.1 * exact_seconds(case)
    sizes = ",".join(str(size) for size in range(1000, 1008))
    lines = actbench(*OTHER, *PAIR, "-n", sizes, "--budget", "400s", "--format", "github").stdout.splitlines()
    assert sum(line.startswith("::error ") for line in lines) == 10
    assert "16 cases, margin 5 %25: 16 regressed%0A6 more are not annotated%0A" in lines[-1]


# Checks without verdicts


@pytest.fixture
def older(actbench: Actbench) -> None:
    """Reports of an earlier check."""
    del actbench  # it goes to an empty directory
    for form in FORMATS:
        Path(f"check.{form}").write_text("older")


@pytest.mark.usefixtures("older")
def test_where_nothing_can_be_compared_reports_say_so_in_place_of_older_ones(
    actbench: Actbench, bench: FakeBench
) -> None:
    bench.baseline_has = lambda _: False
    result = actbench(*CASES, *REPORTS)
    assert (result.exit_code, result.stdout) == (5, "")
    report = written(result)
    sentence = "--against other: the two environments have no selected case in common"
    assert (report["verdict"], report["reason"], report["cases"]) == ("not comparable", sentence, [])
    assert f"::error title=actbench%3A not comparable::{sentence}" in Path("check.github").read_text()
    assert f'<error message="not comparable: {sentence}"' in Path("check.junit").read_text()
    assert validated(actbench(*CASES, "--format", "json").stdout)["exit_code"] == 5


@pytest.mark.usefixtures("older")
def test_a_baseline_that_does_not_exist_is_reported_in_every_format(actbench: Actbench) -> None:
    actbench("run", *SMALL, "-o", "new")
    result = actbench("check", "new", "--baseline", "nowhere", *REPORTS)
    assert result.exit_code == 5
    report = written(result)
    assert (report["baseline"]["what"], report["candidate"]["what"]) == ("nowhere", "new")


@pytest.mark.usefixtures("older")
def test_where_every_block_failed_reports_say_so(actbench: Actbench, bench: FakeBench) -> None:
    def fail(_: Block) -> None:
        crash("the control was killed by SIGSEGV")

    bench.on_time = fail
    result = actbench(*CASES, *REPORTS)
    assert result.exit_code == 4
    assert written(result)["reason"] == ("logistic/derivative/float64/1000 failed: the control was killed by SIGSEGV")


@pytest.mark.usefixtures("older")
def test_what_was_measured_until_ctrl_c_is_reported_as_interrupted(actbench: Actbench, bench: FakeBench) -> None:
    def interrupt(_: Block) -> None:
        if bench.workers_started > 20:
            raise KeyboardInterrupt

    bench.on_time = interrupt
    result = actbench(*CASES, *REPORTS)
    assert result.exit_code == 130
    assert written(result)["verdict"] == "interrupted"


@pytest.mark.usefixtures("older")
def test_no_older_report_is_left_where_a_mistake_ends_the_check(actbench: Actbench) -> None:
    assert actbench(*CASES, *REPORTS, "-a", "tahn").exit_code == 2
    assert not any(Path(f"check.{form}").exists() for form in FORMATS)
