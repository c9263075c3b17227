"""An audit of this host, in words, and as JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import Any

from actbench.analysis.audit import Audit, CaseAudit
from actbench.analysis.statistics import proportion
from actbench.host.noise import Finding
from actbench.report.json_text import json_text
from actbench.report.numbers import counted, duration, significant
from actbench.report.table import Table


def lines(audit: Audit, check_budget: float, needed: float) -> list[str]:
    """Say how often a check would cry wolf here, and what it would see; `needed` is what one check takes. Seconds."""
    checks = f"{counted(audit.check_rounds, 'round')}, which {duration(check_budget)} allow for"
    if not audit.checks:
        rounds = counted(audit.rounds, "round")
        return [f"{rounds}: too few for one check of {checks}; --budget {math.ceil(needed)}s would do"]
    slowdowns = _range([case.burden for case in audit.cases if case.burden])
    seen = _share(audit.seen, audit.burdened, "times") if audit.burdened else "never"
    alarmed = _share(audit.alarmed_checks, audit.checks, "checks")
    called = _share(audit.called, audit.judged, "cases")
    return [
        f"{counted(audit.rounds, 'round')} for {counted(audit.checks, 'check')} of {checks}; margin {_margin(audit)}.",
        f"False alarms, before anything is measured anew: {alarmed} called a case regressed.",
        f"Called regressed or improved, though the same: {called}.",
        f"Smallest slowdown that is called regressed in 95 % of cases and checks: {_percent(audit.least)}.",
        f"Slowdowns put in ({slowdowns}) were called regressed {seen}.",
        f"Their measured ratios are {_errors(audit)} of the true ones.",
    ]


def table(audit: Audit) -> Table:
    """Return one row a backend: what makes its times scatter, and the smallest slowdown seen."""
    backends = dict.fromkeys(case.case.backend for case in audit.cases)
    rows = tuple(_row(name, [case for case in audit.cases if case.case.backend == name]) for name in backends)
    return Table(
        "What makes times scatter",
        "Standard deviations, medians over cases: from value to value in a process (placement), from process to "
        "process beyond that (round), from check to check beyond both (run); side by side for the ratio of two "
        "processes, then for the time over the yardstick's in one. Last, the smallest slowdown seen in 95 % of checks, "
        "in the worst case.",
        ("backend", "cases", *KINDS, *(f"{kind}, yardstick" for kind in KINDS), "seen from"),
        rows,
        labels=1,
    )


KINDS = ("placement", "round", "run")


def advice(findings: Sequence[Finding], stolen: float | None) -> list[str]:
    """Say what makes this host's timings scatter; `stolen` is the share of time taken by the hypervisor meanwhile."""
    said = [f"{item.subject}: {item.state}: {item.advice}" for item in findings if not item.good]
    if stolen is not None:
        said.append(f"stolen time during the audit: {100 * stolen:.2f} %")
    return said


def as_json(audit: Audit, check_budget: float, said: Sequence[str]) -> str:
    """Return the audit as a JSON object; a smallest change of "inf" says that none would be seen."""
    false_alarms = {
        "checks": _interval(audit.alarmed_checks, audit.checks),
        "cases": _interval(audit.called, audit.judged),
    }
    found = {
        "margin": audit.margin,
        "check_budget": check_budget,
        "rounds": audit.rounds,
        "check_rounds": audit.check_rounds,
        "checks": audit.checks,
        "false_alarms": false_alarms,
        "smallest_change": audit.least,
        "injected": _interval(audit.seen, audit.burdened),
        "cases": [_record(case) for case in audit.cases],
        "advice": list(said),
    }
    return json_text(found)


def _row(backend: str, cases: Sequence[CaseAudit]) -> tuple[str, ...]:
    spreads = [[case.side_by_side for case in cases], [case.over_yardstick for case in cases]]
    cells = [_percent(median(getattr(spread, kind) for spread in of)) for of in spreads for kind in KINDS]
    return (backend, str(len(cases)), *cells, _percent(max(case.least for case in cases)))


def _record(case: CaseAudit) -> dict[str, Any]:
    return {
        "case": case.case.id,
        "side_by_side": {kind: getattr(case.side_by_side, kind) for kind in KINDS},
        "over_yardstick": {kind: getattr(case.over_yardstick, kind) for kind in KINDS},
        "smallest_change": case.least,
        "injected": case.burden,
        "measured": {name: getattr(case.found, name) for name in ("value", "low", "high")},
    }


def _interval(hits: int, trials: int) -> dict[str, float | int]:
    share, low, high = proportion(hits, trials) if trials else (math.nan, math.nan, math.nan)
    return {"hits": hits, "trials": trials, "share": share, "low": low, "high": high}


def _share(hits: int, trials: int, noun: str) -> str:
    """Return ``0 of 40 checks (0 % to 8.8 %)``."""
    _, low, high = (100 * share for share in proportion(hits, trials))
    return f"{hits} of {trials} {noun} ({low:.2g} % to {significant(high, 2)} %)"


def _margin(audit: Audit) -> str:
    return f"{100 * audit.margin:g} %"


def _errors(audit: Audit) -> str:
    """Say how the measured slowdowns compare with those that were put in: the median case, and all."""
    ratios = [100 * case.found.value / (1 + case.burden) for case in audit.cases if case.burden]
    return f"{median(ratios):.2f} % ({min(ratios):.2f} % to {max(ratios):.2f} %)" if ratios else "no share"


def _range(shares: Sequence[float]) -> str:
    if not shares:
        return "none, for slices have too few calls"
    least, most = (f"{100 * share:.3g} %" for share in (min(shares), max(shares)))
    return least if least == most else f"{least} to {most}"


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else "none" if math.isinf(share) else f"{100 * share:.2g} %"
