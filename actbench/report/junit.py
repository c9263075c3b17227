"""Verdicts as JUnit XML, which continuous integration servers show as test results.

There is no standard: Ant wrote this format first, Jenkins publishes schemas of it, and GitLab and GitHub's annotators
read it. All of them use a test's name and classname. Jenkins shows the message of a failure and GitLab its text, so
both are present. Types must not be words to which Rails gives a meaning in XML (array, file, float, ...), since GitLab
would convert the text.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from actbench.analysis.regression import Change, Verdict
from actbench.report.check_report import Report
from actbench.report.numbers import change as change_in_percent
from actbench.report.verdicts import explained, headline, remark_lines

FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot represent."""

TAGS = {
    Verdict.REGRESSED: "failure",
    Verdict.REGRESSED_IN_MEMORY: "failure",
    Verdict.INCONCLUSIVE: "skipped",
    Verdict.MISSING: "skipped",
}
"""The element in the test of a case, by verdict; with any other verdict, the test passed."""


class TestResult(NamedTuple):
    """The reason why a test did not pass."""

    tag: str
    """failure, error or skipped."""
    kind: str
    message: str
    """The message; details follow on more lines."""


def as_junit(report: Report, now: datetime | None = None) -> str:
    """Return one test per case: failed where it regressed, skipped where it is open; and an error per failed block.

    Where the host is too noisy, a skipped test reports each case whose control left the margin. The host is always
    called localhost. Everything is ASCII, and so the same in every locale.
    """
    suites = Element("testsuites")
    suite = SubElement(suites, "testsuite")
    _add_properties(suite, report)
    for change in report.changes:
        _add_test(suite, change.case.id, f"actbench.{change.case.activation}.{change.case.op}", _result(change))
    for change in report.noise:
        message = f"the baseline differed from itself by {change_in_percent(change.ratio)}"
        _add_test(suite, change.case.id, "actbench.control", TestResult("skipped", "too noisy", message))
    for failure in report.failures:
        _add_test(suite, failure.block, "actbench.block", TestResult("error", "failed", failure.reason))
    if report.error is not None:
        conclusion = report.conclusion
        _add_test(suite, "check", "actbench.check", TestResult("error", conclusion.verdict, conclusion.reason))
    output = "\n".join([headline(report), *remark_lines(report)])
    SubElement(suite, "system-out").text = _clean(output)
    SubElement(suite, "system-err")
    suite.attrib |= {
        "name": "actbench",
        "package": "actbench",
        "id": "0",
        "hostname": "localhost",
        "timestamp": (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%S"),
        "time": f"{report.seconds:.3f}",
        "tests": str(len(suite.findall("testcase"))),
        "failures": str(len(suite.findall("testcase/failure"))),
        "errors": str(len(suite.findall("testcase/error"))),
        "skipped": str(len(suite.findall("testcase/skipped"))),
    }
    indent(suites)
    return tostring(suites).decode()


def _add_properties(suite: Element, report: Report) -> None:
    """Add the overall verdict, and what was measured on either side."""
    conclusion = report.conclusion
    values = {
        "verdict": conclusion.verdict,
        "exit_code": str(int(report.exit_code)),
        "reason": conclusion.reason,
    }
    for name, side in zip(("baseline", "candidate"), report.sides, strict=True):
        values[name] = side.what
        values |= {f"{name}.revision": side.revision} if side.revision else {}
        values |= {f"{name}.{library}": version for library, version in side.versions.items()}
        values |= {f"{name}.loaded.{code.name}": code.digest for code in side.loaded}
    properties = SubElement(suite, "properties")
    for name, value in values.items():
        SubElement(properties, "property", name=_clean(name), value=_clean(value))


def _result(change: Change) -> TestResult | None:
    tag = TAGS.get(change.verdict)
    if tag is None:
        return None
    control = f"\nthe baseline against itself: {change_in_percent(change.control)}" if change.control else ""
    return TestResult(tag, change.verdict, explained(change) + control)


def _add_test(suite: Element, name: str, classname: str, result: TestResult | None) -> None:
    test = SubElement(suite, "testcase", name=name, classname=classname, time="0")
    if result:
        text = _clean(f"{result.kind}: {result.message}")
        SubElement(test, result.tag, message=text.partition("\n")[0], type=result.kind).text = text


def _clean(text: str) -> str:
    """Return text with characters that XML cannot represent in Python's notation, such as ``\\x1b``."""
    return FORBIDDEN.sub(lambda match: ascii(match[0])[1:-1], text)
