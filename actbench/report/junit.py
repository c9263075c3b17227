"""Verdicts as JUnit XML, which continuous integration servers show as test results."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from actbench.analysis.regression import Change, Verdict
from actbench.report.numbers import change as change_in_percent
from actbench.report.verdicts import Report, sentence

FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to write."""

OPEN = {Verdict.INCONCLUSIVE, Verdict.MISSING}


def as_junit(report: Report, now: datetime | None = None) -> str:
    """Return one test a case: failed where it regressed, skipped where it is open; an error a block that failed.

    The host is called localhost, whatever it is called.
    """
    suites = Element("testsuites")
    suite = SubElement(
        suites,
        "testsuite",
        name="actbench",
        timestamp=(now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%S"),
        hostname="localhost",
        package="actbench",
        id="0",
        tests=str(len(report.changes) + len(report.failures)),
        failures=str(sum(change.verdict is Verdict.REGRESSED for change in report.changes)),
        errors=str(len(report.failures)),
        skipped=str(sum(change.verdict in OPEN for change in report.changes)),
        time=f"{report.seconds:.3f}",
    )
    SubElement(suite, "properties")
    for change in report.changes:
        _add_case(suite, change)
    for failure in report.failures:
        test = SubElement(suite, "testcase", name=failure.block, classname="actbench.block", time="0")
        SubElement(test, "error", message=_clean(failure.reason), type="failed")
    SubElement(suite, "system-out").text = _clean("\n".join([sentence(report), *report.remarks]))
    SubElement(suite, "system-err")
    indent(suites)
    return tostring(suites, encoding="unicode", xml_declaration=False)


def _add_case(suite: Element, change: Change) -> None:
    case = change.case
    test = SubElement(suite, "testcase", name=case.id, classname=f"actbench.{case.activation}.{case.op}", time="0")
    said = f"{change.verdict}: {change_in_percent(*change.ratio)}, margin {100 * change.margin:g} %"
    if change.verdict is Verdict.REGRESSED:
        SubElement(test, "failure", message=said, type=change.verdict)
    elif change.verdict in OPEN:
        SubElement(test, "skipped", message=said)


def _clean(text: str) -> str:
    return FORBIDDEN.sub("?", text)
