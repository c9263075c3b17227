from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest

from actbench.model.cases import Block, Case
from actbench.planning import suite
from actbench.report.junit import as_junit
from tests.conftest import Actbench
from tests.support.exact_times import exact_seconds
from tests.support.fake import FakeBench, crash
from tests.support.reports import NOTHING, ended, failed
from tests.support.selections import PAIR, SMALL

LIVE = ("check", "--against", "other", *PAIR, "--budget", "10s", "--format", "junit")

EVERY_VERDICT = """\
<testsuites>
  <testsuite name="actbench" package="actbench" id="0" hostname="localhost" timestamp="NOW" time="TIME" \
tests="9" failures="1" errors="1" skipped="3">
    <properties />
    <testcase name="logistic/recompute/numpy/derivative/float64/1000" classname="actbench.logistic.derivative" time="0">
      <skipped message="inconclusive: +0 % (+0 % to +40 %), margin 5 %: its interval contains +5 %NEED" \
type="inconclusive">inconclusive: +0 % (+0 % to +40 %), margin 5 %: its interval contains +5 %NEED
the baseline against itself: +0.00 % &#177; 0.00 %</skipped>
    </testcase>
    <testcase name="logistic/cached/numpy/derivative/float64/1000" classname="actbench.logistic.derivative" time="0">
      <failure message="regressed: +10.00 % &#177; 0.00 %, measured again +10.00 % &#177; 0.00 %, margin 5 %" \
type="regressed">regressed: +10.00 % &#177; 0.00 %, measured again +10.00 % &#177; 0.00 %, margin 5 %
the baseline against itself: +0.00 % &#177; 0.00 %</failure>
    </testcase>
    <testcase name="logistic/recompute/numpy/derivative/float64/5000" classname="actbench.logistic.derivative" \
time="0" />
    <testcase name="logistic/cached/numpy/derivative/float64/5000" classname="actbench.logistic.derivative" time="0" />
    <testcase name="logistic/recompute/numpy/derivative/float64/3000" classname="actbench.logistic.derivative" time="0">
      <skipped message="missing: the baseline has it, the candidate does not" type="missing">\
missing: the baseline has it, the candidate does not</skipped>
    </testcase>
    <testcase name="logistic/cached/numpy/derivative/float64/3000" classname="actbench.logistic.derivative" time="0">
      <skipped message="missing: the baseline has it, the candidate does not" type="missing">\
missing: the baseline has it, the candidate does not</skipped>
    </testcase>
    <testcase name="logistic/recompute/numpy/derivative/float64/4000" classname="actbench.logistic.derivative" \
time="0" />
    <testcase name="logistic/cached/numpy/derivative/float64/4000" classname="actbench.logistic.derivative" time="0" />
    <testcase name="logistic/derivative/float64/2000" classname="actbench.block" time="0">
      <error message="failed: the control was killed by SIGSEGV" type="failed">\
failed: the control was killed by SIGSEGV</error>
    </testcase>
    <system-out>regressed (exit code 1): 8 cases, margin 5 %: 1 regressed, 2 missing, 1 inconclusive, 2 new, 2 unchanged
logistic/derivative/float64/2000 failed: the control was killed by SIGSEGV
baseline: other
candidate: this environment
logistic/cached/numpy/derivative/float64/1000 was measured again: +10.00 % &#177; 0.00 %, regressed again
1 case inconclusive after N rounds: by the scatter of rounds, ROUNDS of them decide a difference as large as the \
margin with 95 % probability: --budget BUDGET
numpy: 1.0.0 in the baseline, VERSION here</system-out>
    <system-err />
  </testsuite>
</testsuites>
"""


@cache
def schema() -> Any:
    import xmlschema  # which takes long

    return xmlschema.XMLSchema(Path(__file__).parents[1] / "support" / "schemas" / "junit.xsd")


def valid(text: str) -> Element:
    """Return the document, having held it to the schema."""
    schema().validate(text)
    return fromstring(text)  # noqa: S314  # our own


def one(document: Element, path: str) -> Element:
    (element,) = document.findall(path)
    return element


def test_every_verdict_and_every_failure_is_a_test(
    actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seconds(case: Case) -> float:
        every_third_round = bench.workers_started // 3 % 3 == 0
        factor = {"cached": 1.1, "recompute": 1.4 if every_third_round else 1.0}.get(case.strategy, 1.0)
        return exact_seconds(case) * (factor if case.size == 1000 else 1.0)

    def failing(block: Block) -> None:
        if block.size == 2000:
            crash("the control was killed by SIGSEGV")

    offered = suite.offered
    monkeypatch.setattr(
        "actbench.planning.suite.offered", lambda query: [case for case in offered(query) if case.size != 3000]
    )
    monkeypatch.setattr("tests.support.fake.offered", offered)
    bench.baseline_has = lambda case: case.size != 4000
    here = bench.baseline_versions["numpy"]
    bench.baseline_versions = bench.baseline_versions | {"numpy": "1.0.0"}
    bench.seconds, bench.on_time = seconds, failing
    result = actbench(*LIVE, "-n", "1000,2000,3000,4000,5000")
    assert result.exit_code == 1
    valid(result.stdout)
    moving = {
        r'timestamp="[^"]+"': 'timestamp="NOW"',
        r'time="\d+\.\d{3}"': 'time="TIME"',
        re.escape(here): "VERSION",
        r"after \d+ rounds": "after N rounds",
        r"rounds, \d+ of them": "rounds, ROUNDS of them",
        r"--budget \d+s": "--budget BUDGET",
        r"<properties>[^§]*</properties>": "<properties />",
        r"; its rounds fall into two clusters, \d+ at \+0\.0 % and \d+ at \+40\.0 %; [^\"<\n]*": "NEED",
    }
    shown = result.stdout
    for pattern, name in moving.items():
        shown = re.sub(pattern, name, shown)
    assert shown == EVERY_VERDICT


def test_a_host_that_is_too_noisy_skips_tests_of_the_control(actbench: Actbench, bench: FakeBench) -> None:
    bench.control_seconds = lambda case: exact_seconds(case) * (1.1 if case.strategy == "cached" else 1.0)
    result = actbench(*LIVE, "-n", "1000")
    assert result.exit_code == 3
    test = one(valid(result.stdout), ".//testcase[@classname='actbench.control']")
    assert test.get("name") == "logistic/cached/numpy/derivative/float64/1000"
    said = "too noisy: the baseline differed from itself by +10.00 % ± 0.00 %"
    assert (one(test, "skipped").get("message"), one(test, "skipped").text) == (said, said)
    assert one(valid(result.stdout), "testsuite").get("skipped") == "1"


def test_a_run_against_a_baseline_is_valid_as_well(actbench: Actbench, bench: FakeBench) -> None:
    actbench("run", *SMALL, "-o", "old")
    bench.seconds = lambda case: exact_seconds(case) * (1.1 if case.strategy == "cached" else 1.0)
    actbench("run", *SMALL, "-o", "new")
    result = actbench("check", "new", "--baseline", "old", "--format", "junit")
    failure = one(valid(result.stdout), ".//failure")
    assert failure.text == failure.get("message") == "regressed: +10.00 % ± 0.00 %, margin 5 %"


def test_what_was_said_before_the_end_survives_xml() -> None:
    reason = 'the control exited with status 3; its last words: \x1b[31m<b> & "c" ]]> \x00\ud800 é ☃ 🐍'
    report = failed(reason)
    text = as_junit(report)
    error = one(valid(text), ".//error")
    said = 'failed: the control exited with status 3; its last words: \\x1b[31m<b> & "c" ]]> \\x00\\ud800 é ☃ 🐍'
    assert (error.get("message"), error.text) == (said, said)
    assert text.isascii(), "it is the same in any locale"


def test_words_of_several_lines_are_reported_whole_and_head_the_message_with_the_first() -> None:
    error = one(valid(as_junit(ended("first\nsecond"))), ".//error")
    assert (error.get("message"), error.text) == ("refused: first", "refused: first\nsecond")
    of_a_block = one(valid(as_junit(failed("first\nsecond"))), ".//error")
    assert of_a_block.get("message") == of_a_block.text == "failed: first\\nsecond"


def test_a_check_without_any_case_is_an_empty_suite() -> None:
    empty = one(valid(as_junit(NOTHING)), "testsuite")
    assert (empty.get("tests"), empty.findall("testcase")) == ("0", [])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('name="logistic/step/float32/1000" ', ""),
        (' message="failed: it broke"', ""),
        (">failed: it broke<", "><"),
        ('tests="1"', 'tests="one"'),
        ("<properties>", "<properties><other />"),
    ],
)
def test_the_schema_refuses_what_a_reader_would_miss(old: str, new: str) -> None:
    text = as_junit(failed("it broke"))
    assert old in text
    with pytest.raises(ValueError, match="Schema component:"):
        valid(text.replace(old, new))
