"""The part of Vega-Lite's grammar that the charts use: a mark, and the fields that its channels show.

Specifications are plain objects. Altair, which builds them as well, takes longer to import than the charts of a page
take to make, and copies a chart with every method. Tests validate each chart against Altair's schema of Vega-Lite.
"""

from __future__ import annotations

from typing import Any

Spec = dict[str, Any]
"""A Vega-Lite specification, or a part of one."""


def mark(kind: str, encoding: Spec, *, layer: str | None = None, **options: Any) -> Spec:
    """Return a chart of one mark, over the rows of a `layer` of the data, or over all rows."""
    only = {"transform": [{"filter": f"datum.layer == '{layer}'"}]} if layer else {}
    return only | {"mark": {"type": kind} | options, "encoding": encoding}


def quantitative(field: str, **options: Any) -> Spec:
    """Return a channel that shows a number."""
    return {"field": field, "type": "quantitative"} | options


def nominal(field: str, **options: Any) -> Spec:
    """Return a channel that distinguishes names."""
    return {"field": field, "type": "nominal"} | options


def end(field: str) -> Spec:
    """Return the second end of a span, whose first end has the scale and the axis."""
    return {"field": field}


def dashed(channel: str, value: float) -> Spec:
    """Return a dashed line across the chart, where ``x`` or ``y`` has this value."""
    return mark("rule", {channel: {"datum": value}}, strokeDash=[3, 3])


def scale(domain: list[Any], shown: list[Any]) -> Spec:
    """Return the scale that shows these values for these names."""
    return {"domain": domain, "range": shown}


def tips(*fields: str) -> list[Spec]:
    """Return the tooltip of a mark."""
    return [nominal(field) for field in fields]
