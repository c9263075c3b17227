"""Verdicts as JSON for other programs, in a versioned schema.

``check.schema.json`` beside this module is the JSON Schema of these types. A change that a reader would notice raises
`SCHEMA`; fields may be added without that.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from actbench.analysis.clusters import Cluster
from actbench.analysis.interval import Interval
from actbench.analysis.regression import Change, OpenReason, Verdict
from actbench.analysis.rounds_needed import Need
from actbench.model.outcomes import Failure
from actbench.model.sides import KeptOnSides, Side
from actbench.report.check_report import OverallVerdict, Report
from actbench.report.json_text import json_text
from actbench.report.open_reasons import reason
from actbench.report.verdicts import sentence

SCHEMA = 1
"""Version of the schema.

1: first version with a number.
"""

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Number = Annotated[float | None, msgspec.Meta(description="null where there is no such number")]


class RatioJson(msgspec.Struct, kw_only=True):
    """A ratio of times, above 1 where the case got slower, with its 95 % interval."""

    ratio: Number
    low: Number
    high: Number


class CaseJson(RatioJson, kw_only=True):
    """The verdict on a case, and the ratio of its times."""

    case: str
    verdict: Verdict
    reason: str
    """Why it is inconclusive; empty if it is not."""
    open_reason: OpenReason | None
    """The same for programs."""
    clusters: tuple[Cluster, Cluster] | None
    """Two clusters into which the rounds of an inconclusive case fall, if they do."""
    same_code: bool
    """Whether both sides are known to execute the same code, so that only its placement can differ."""
    margin: float
    p_value: Number
    """Of the verdict regressed or improved, corrected for the number of cases."""
    baseline_rounds: int
    rounds: int
    absolute: RatioJson | None
    """Between two runs: of the time itself; `ratio` is relative to the yardstick."""
    control: RatioJson | None
    """In a live check: of the baseline against itself."""
    confirmation: RatioJson | None
    """In a live check: of the rounds that were repeated to confirm a suspected regression."""
    kept: KeptOnSides | None
    """Bytes kept for the backward pass, per element of a kernel, per step of training; null where not known."""
    need: Need | None
    """In a live check, of an inconclusive case: what it takes to decide a difference as large as the margin."""


class CheckJson(msgspec.Struct, kw_only=True):
    """The result of ``actbench check``."""

    schema: int
    verdict: OverallVerdict
    exit_code: int
    """The code with which the check ends."""
    reason: str
    summary: str
    """How many cases have which verdict, in words."""
    counts: dict[Verdict, int]
    """The number of cases by verdict, of the verdicts that occur."""
    margin: float
    too_noisy: bool
    seconds: float
    need: Need | None
    baseline: Side
    candidate: Side
    remarks: list[str]
    failures: list[Failure]
    cases: list[CaseJson]
    """All of them."""


def schema() -> dict[str, Any]:
    """Return the JSON Schema of what `as_json` returns."""
    return {"$schema": DIALECT, "title": f"actbench check, schema {SCHEMA}"} | msgspec.json.schema(CheckJson)


def as_json(report: Report) -> str:
    """Return a JSON object; missing values are null."""
    baseline, candidate = report.sides
    conclusion = report.conclusion
    return json_text(
        CheckJson(
            schema=SCHEMA,
            verdict=conclusion.verdict,
            exit_code=report.exit_code,
            reason=conclusion.reason,
            summary=sentence(report),
            counts=report.counts,
            margin=report.margin,
            too_noisy=bool(report.noise),
            seconds=report.seconds,
            need=report.need,
            baseline=baseline,
            candidate=candidate,
            remarks=[*report.remarks],
            failures=[*report.failures],
            cases=[*map(_case, report.changes)],
        )
    )


def _case(change: Change) -> CaseJson:
    return CaseJson(
        **_bounds(change.ratio),
        case=change.case.id,
        verdict=change.verdict,
        reason=reason(change),
        open_reason=change.open_reason,
        clusters=change.clusters,
        same_code=change.same_code,
        margin=change.margin,
        p_value=change.p_value,
        baseline_rounds=change.baseline_rounds,
        rounds=change.rounds,
        absolute=_ratio(change.absolute),
        control=_ratio(change.control),
        confirmation=_ratio(change.confirmation),
        kept=change.kept,
        need=change.need,
    )


def _ratio(interval: Interval | None) -> RatioJson | None:
    return None if interval is None else RatioJson(**_bounds(interval))


def _bounds(interval: Interval) -> dict[str, float]:
    return dict(zip(("ratio", "low", "high"), interval, strict=True))
