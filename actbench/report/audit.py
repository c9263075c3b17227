"""The audit of this host, in words and as JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import Any

from actbench.analysis.audit import Audit, CaseAudit
from actbench.analysis.interval import NO_ESTIMATE
from actbench.analysis.statistics import wilson_interval
from actbench.host.noise import HostProperty
from actbench.report.json_text import json_text
from actbench.report.numbers import counted, duration, significant
from actbench.report.table import Table


def lines(audit: Audit, check_budget: float, needed: float) -> list[str]:
    """Return the false alarms and detected slowdowns of a check here; `needed` are the seconds that one check takes."""
    checks = f"{counted(audit.check_rounds, 'round')}, which {duration(check_budget)} allow for"
    if not audit.checks:
        rounds = counted(audit.rounds, "round")
        return [f"{rounds}: too few for one check of {checks}; --budget {math.ceil(needed)}s would do"]
    slowdowns = _range([case.injected for case in audit.cases if case.injected])
    detected = _share(audit.detected, audit.injected, "times") if audit.injected else "never"
    alarmed = _share(audit.alarmed_checks, audit.checks, "checks")
    called = _share(audit.called, audit.judged, "cases")
    return [
        f"{counted(audit.rounds, 'round')} for {counted(audit.checks, 'check')} of {checks}; margin {_margin(audit)}.",
        f"False alarms, before any case is repeated: {alarmed} called a case regressed.",
        f"Called regressed or improved without any difference: {called}.",
        f"Smallest slowdown that is called regressed in 95 % of cases and checks: {_percent(audit.smallest_slowdown)}.",
        f"Injected slowdowns ({slowdowns}) were called regressed {detected}.",
        f"Their measured ratios are {_errors(audit)} of the true ones.",
    ]


def table(audit: Audit) -> Table:
    """Return one row per backend: its sources of variance, and the smallest detectable slowdown."""
    backends = dict.fromkeys(case.case.backend for case in audit.cases)
    rows = tuple(_row(name, [case for case in audit.cases if case.case.backend == name]) for name in backends)
    return Table(
        "Sources of variance",
        "Standard deviations, medians over cases: from value to value in a process (placement), from process to "
        "process beyond that (round), from check to check beyond both (run); first of the ratio of two processes side "
        "by side, then of the time over the yardstick's in one. Last, the smallest slowdown that 95 % of checks "
        "detect, in the worst case.",
        ("backend", "cases", *SOURCES, *(f"{source}, yardstick" for source in SOURCES), "detected from"),
        rows,
        labels=1,
    )


SOURCES = ("placement", "round", "run")


def advice(findings: Sequence[HostProperty], stolen: float | None) -> list[str]:
    """Return advice on noisy settings of this host; `stolen` is the share of time that the hypervisor took."""
    lines = [f"{item.subject}: {item.state}: {item.advice}" for item in findings if not item.good]
    if stolen is not None:
        lines.append(f"stolen time during the audit: {100 * stolen:.2f} %")
    return lines


def as_json(audit: Audit, check_budget: float, advice: Sequence[str]) -> str:
    """Return the audit as a JSON object; a smallest change of "inf" means that none would be detected."""
    false_alarms = {
        "checks": _interval(audit.alarmed_checks, audit.checks),
        "cases": _interval(audit.called, audit.judged),
    }
    record = {
        "margin": audit.margin,
        "check_budget": check_budget,
        "rounds": audit.rounds,
        "check_rounds": audit.check_rounds,
        "checks": audit.checks,
        "false_alarms": false_alarms,
        "smallest_change": audit.smallest_slowdown,
        "injected": _interval(audit.detected, audit.injected),
        "cases": [_record(case) for case in audit.cases],
        "advice": list(advice),
    }
    return json_text(record)


def _row(backend: str, cases: Sequence[CaseAudit]) -> tuple[str, ...]:
    spreads = [[case.side_by_side for case in cases], [case.over_yardstick for case in cases]]
    cells = [_percent(median(getattr(spread, source) for spread in column)) for column in spreads for source in SOURCES]
    return (backend, str(len(cases)), *cells, _percent(max(case.smallest_slowdown for case in cases)))


def _record(case: CaseAudit) -> dict[str, Any]:
    return {
        "case": case.case.id,
        "side_by_side": {source: getattr(case.side_by_side, source) for source in SOURCES},
        "over_yardstick": {source: getattr(case.over_yardstick, source) for source in SOURCES},
        "smallest_change": case.smallest_slowdown,
        "injected": case.injected,
        "measured": case.measured._asdict(),
    }


def _interval(hits: int, trials: int) -> dict[str, float | int]:
    share, low, high = wilson_interval(hits, trials) if trials else NO_ESTIMATE
    return {"hits": hits, "trials": trials, "share": share, "low": low, "high": high}


def _share(hits: int, trials: int, noun: str) -> str:
    """Return ``0 of 40 checks (0 % to 8.8 %)``."""
    _, low, high = wilson_interval(hits, trials).scaled(100)
    return f"{hits} of {trials} {noun} ({low:.2g} % to {significant(high, 2)} %)"


def _margin(audit: Audit) -> str:
    return f"{100 * audit.margin:g} %"


def _errors(audit: Audit) -> str:
    """Compare the measured slowdowns with the injected ones: the median case, and all."""
    ratios = [100 * case.measured.value / (1 + case.injected) for case in audit.cases if case.injected]
    return f"{median(ratios):.2f} % ({min(ratios):.2f} % to {max(ratios):.2f} %)" if ratios else "no share"


def _range(shares: Sequence[float]) -> str:
    if not shares:
        return "none, for slices have too few calls"
    least, most = (f"{100 * share:.3g} %" for share in (min(shares), max(shares)))
    return least if least == most else f"{least} to {most}"


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else "none" if math.isinf(share) else f"{100 * share:.2g} %"
