"""What the tests of charts share."""

from __future__ import annotations

from typing import Any

import pandas as pd

from actbench.report import pictures
from actbench.report.charts.style import Picture
from actbench.report.results import analyse
from actbench.runs.archive import Run


def drawn(kind: str, loaded_run: Run, **options: Any) -> Picture:
    assert loaded_run.record is not None
    picture = pictures.of_run(kind, loaded_run, analyse(loaded_run.times, loaded_run.record), **options)
    assert picture is not None
    return picture


def layer(shown: Picture, name: str) -> pd.DataFrame:
    return shown.rows[shown.rows["layer"] == name].dropna(axis=1, how="all")
