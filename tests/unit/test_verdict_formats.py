from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from actbench.host import software
from actbench.model.cases import Block, Case
from actbench.report.verdict_github import as_github
from actbench.report.verdicts import as_markdown
from tests.conftest import Actbench
from tests.support.exact_times import exact_seconds
from tests.support.fake import FakeBench, crash
from tests.support.reports import ended, failed
from tests.support.selections import TWO_BLOCKS

LIVE = ("check", "--against", "other", *TWO_BLOCKS, "--format")
CACHED = "logistic/cached/numpy/derivative/float64/1000"
SAME = "the same versions on both sides: " + ", ".join(
    f"{name} {version}" for name, version in software.versions().items()
)

SAME_IN_MARKDOWN = SAME.replace("_", "\\_")
SIDES = ["baseline: other", "candidate: this environment"]
LISTED_SIDES = "".join(f"- {line}\n" for line in SIDES)
IN_NOTICE = "%0A".join(["", *SIDES, ""])
NOISE = (
    "the host is too noisy for a verdict: the baseline differed from itself beyond the margin in 1 case, "
    f"e.g. {CACHED} +10.00 % ± 0.00 %"
)
REASON = "the control was killed by SIGSEGV; its last words: in *p <at> __main__ & 100 %"
WHY = "the host is too noisy for a verdict"
HEAD = """\
### Against the baseline

Change of the time, and of the baseline's against itself in a second process, the control, side by side; above 0 the \
case got slower. ± is the longer side of the 95 % interval; an interval is shown as (low to high) where one side is at \
least 1.5 times the other, or where ± would misleadingly include 0 %. Rounds are the baseline's, then the \
candidate's.{rest}

| case | verdict | change | control | rounds |{column}
| --- | --- | ---: | ---: | ---: |{rule}
"""


def head(rest: str, *, why: bool = False) -> str:
    """Return what is above the rows of the table."""
    column, rule = (" why inconclusive |", " --- |") if why else ("", "")
    return HEAD.format(rest=f" {rest}", column=column, rule=rule)


def slower(case: Case) -> float:
    return exact_seconds(case) * (1.1 if (case.strategy, case.size) == ("cached", 1000) else 1.0)


def failing(size: int, reason: str) -> Callable[[Block], None]:
    """Return what lets the blocks of one size fail."""

    def fail(block: Block) -> None:
        if block.size == size:
            crash(reason)

    return fail


@pytest.fixture
def regressed_and_failed(actbench: Actbench, bench: FakeBench) -> Actbench:
    """A case takes 10 % longer, and another block fails."""
    bench.seconds = slower
    bench.on_time = failing(2000, REASON)
    return actbench


@pytest.fixture
def noisy(actbench: Actbench, bench: FakeBench) -> Actbench:
    """A case takes 10 % longer wherever it is measured but the first time."""
    bench.seconds = bench.control_seconds = slower
    return actbench


def test_text_tells_failures_even_beside_a_regression(regressed_and_failed: Actbench) -> None:
    result = regressed_and_failed(*LIVE, "text")
    assert result.exit_code == 1
    assert result.stdout.partition("\n\nregressed (exit code 1): 2 cases")[2].splitlines() == [
        ", margin 5 %: 1 regressed, 1 unchanged",
        f"logistic/derivative/float64/2000 failed: {REASON}",
        *SIDES,
        f"{CACHED} was measured again: +10.00 % ± 0.00 %, regressed again",
        SAME,
    ]


def test_markdown_tells_failures_as_they_were_worded(regressed_and_failed: Actbench) -> None:
    assert regressed_and_failed(*LIVE, "markdown").stdout == (
        "**regressed (exit code 1): 2 cases, margin 5 %: 1 regressed, 1 unchanged**\n\n"
        f"{head('1 unchanged case not listed.')}"
        f"| {CACHED} | regressed | +10.00 % ± 0.00 % | +0.00 % ± 0.00 % | 8, 8 |\n\n"
        "- logistic/derivative/float64/2000 failed: the control was killed by SIGSEGV; its last words: in \\*p \\<at> "
        "\\_\\_main\\_\\_ \\& 100 %\n"
        f"{LISTED_SIDES}"
        f"- {CACHED} was measured again: +10.00 % ± 0.00 %, regressed again\n"
        f"- {SAME_IN_MARKDOWN}\n"
    )


def test_github_gets_an_error_for_a_block_that_failed(regressed_and_failed: Actbench) -> None:
    changed = "+10.00 %25 ± 0.00 %25, measured again +10.00 %25 ± 0.00 %25, margin 5 %25"
    assert regressed_and_failed(*LIVE, "github").stdout.splitlines() == [
        f"::error title=actbench%3A failed::logistic/derivative/float64/2000 failed: {REASON.replace('%', '%25')}",
        f"::error title=actbench%3A regressed::{CACHED}: {changed}",
        (
            "::notice title=actbench::regressed (exit code 1): 2 cases, margin 5 %25: 1 regressed, 1 unchanged"
            f"{IN_NOTICE}{CACHED} was measured again: +10.00 %25 ± 0.00 %25, regressed again%0A{SAME}"
        ),
    ]


def test_github_gets_one_warning_for_a_host_that_is_too_noisy(noisy: Actbench) -> None:
    result = noisy(*LIVE, "github")
    escaped = NOISE.replace("%", "%25")
    assert result.exit_code == 3
    assert result.stdout.splitlines() == [
        f"::warning title=actbench%3A too noisy::{escaped}",
        f"::warning title=actbench%3A inconclusive::{CACHED}: +10.00 %25 ± 0.00 %25, margin 5 %25: {WHY}",
        (
            "::notice title=actbench::inconclusive (exit code 3): 4 cases, margin 5 %25: 1 inconclusive, 3 unchanged; "
            f"{escaped}{IN_NOTICE}{SAME}"
        ),
    ]


def test_markdown_heads_with_a_host_that_is_too_noisy(noisy: Actbench) -> None:
    assert noisy(*LIVE, "markdown").stdout == (
        f"**inconclusive (exit code 3): 4 cases, margin 5 %: 1 inconclusive, 3 unchanged; {NOISE}**\n\n"
        f"{head('3 unchanged cases not listed.', why=True)}"
        f"| {CACHED} | inconclusive | +10.00 % ± 0.00 % | +10.00 % ± 0.00 % | 9, 9 | {WHY} |\n\n"
        f"{LISTED_SIDES}"
        f"- {SAME_IN_MARKDOWN}\n"
    )


def test_json_tells_failures_with_their_round(regressed_and_failed: Actbench) -> None:
    report = json.loads(regressed_and_failed(*LIVE, "json").stdout)
    (failure,) = report["failures"]
    assert (failure["block"], failure["round"]) == ("logistic/derivative/float64/2000", 0)
    assert failure["reason"].startswith("the control was killed by SIGSEGV")


def test_where_every_block_failed_there_is_no_table(actbench: Actbench, bench: FakeBench) -> None:
    def fail(_: Block) -> None:
        crash("the control was killed by SIGSEGV")

    bench.on_time = fail
    result = actbench(*LIVE, "markdown")
    assert result.exit_code == 4
    assert result.stdout == (
        "**failed (exit code 4): 0 cases, margin 5 %: none measured**\n\n"
        "- logistic/derivative/float64/1000 failed: the control was killed by SIGSEGV\n"
        "- logistic/derivative/float64/2000 failed: the control was killed by SIGSEGV\n"
        f"{LISTED_SIDES}"
        f"- {SAME_IN_MARKDOWN}\n"
    )


def test_cases_that_one_side_lacks_say_so_and_are_not_taken_for_a_stored_run_s(actbench: Actbench) -> None:
    from actbench.planning import suite

    offered = suite.offered
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "actbench.planning.suite.offered", lambda query: [case for case in offered(query) if case.size != 2000]
        )
        patch.setattr("tests.support.fake.offered", offered)
        assert "| case | verdict | change | control | rounds |" in actbench(*LIVE, "markdown").stdout
        assert actbench(*LIVE, "github").stdout.splitlines()[0] == (
            "::warning title=actbench%3A missing::logistic/cached/numpy/derivative/float64/2000: the baseline has it, "
            "the candidate does not"
        )


def test_lines_that_a_reader_would_take_for_its_own_stay_text() -> None:
    report = ended("first\n::error::second\n# third")
    assert as_github(report).splitlines()[0] == ("::error title=actbench%3A refused::first%0A::error::second%0A# third")
    of_a_block = failed("first\n::error::second\r\n# third", block="block")
    assert as_github(of_a_block).splitlines()[0] == (
        "::error title=actbench%3A failed::block failed: first\\n::error::second\\r\\n# third"
    )
    assert as_markdown(of_a_block).splitlines()[2] == r"- block failed: first\\n::error::second\\r\\n# third"
    assert not any(line.startswith(("::", "#")) for line in as_markdown(report).splitlines())
