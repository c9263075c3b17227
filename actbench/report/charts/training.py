"""Common parts of the charts of training steps: panels and the names of arms."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from actbench.analysis.training import ArmResult
from actbench.model.training import FREE
from actbench.report.charts.grammar import Spec
from actbench.report.numbers import count
from actbench.report.training.words import arm

PANEL_FIELDS = ("activation", "network", "dtype", "batch")
"""The fields that distinguish steps; the batch in words, ``batch 128``."""

LEGEND: Spec = {"legend": {"labelExpr": f"datum.label == '{FREE}' ? '{FREE} (bound)' : datum.label"}}
"""The legend of strategies, which names the bound as such."""


def of_arms(results: Iterable[ArmResult]) -> pd.DataFrame:
    """Return a row per arm: `PANEL_FIELDS`, backend, strategy, its name in words, and milliseconds with bounds."""
    rows = (
        (
            *(row.case.activation, str(row.case.op), str(row.case.dtype), f"batch {count(row.case.size)}"),
            *(row.case.backend, str(row.case.strategy), f"{row.case.backend}, {arm(row.case)}"),
            *row.seconds.scaled(1e3),
        )
        for row in results
    )
    return pd.DataFrame(rows, columns=[*PANEL_FIELDS, "backend", "strategy", "arm", "ms", "low", "high"])
