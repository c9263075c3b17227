"""The activations and their derivatives over z, as in a textbook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from actbench import backends
from actbench.errors import InputError
from actbench.formula import Activation
from actbench.model.rule import Dialect
from actbench.report.charts.grammar import mark, nominal, quantitative, scale
from actbench.report.charts.signs import PALETTE
from actbench.report.charts.style import Drawn, Picture, faceted, picture

LARGEST_Z = 6.0
"""The chart shows z from -6 to 6."""

POINTS_PER_CURVE = 145
"""An odd number, so that 0 is among the points."""

TOP = 3.0
"""Values beyond this are not drawn, since exp would flatten all others."""


COLUMNS = ["activation", "curve", "piece", "z", "value"]


def functions(activations: Sequence[Activation]) -> Picture:
    """Return the chart, one panel per activation; `InputError` where one cannot be evaluated."""
    rows = pd.DataFrame([row for activation in activations for row in _rows(activation)], columns=COLUMNS)
    names = [activation.name for activation in activations]
    curves = {"g": [1, 0], "g'": [6, 3]}
    encoding = {
        "x": quantitative("z", axis={"title": "z", "tickCount": 5, "labelFlush": False}),
        "y": quantitative("value", scale={"padding": 4}, axis={"title": None, "tickCount": 5}),
        "color": nominal("curve", scale=scale([*curves], [*PALETTE[:2]]), title=None),
        "strokeDash": nominal("curve", scale=scale([*curves], [*curves.values()]), title=None),
        "detail": nominal("piece"),
    }
    panel = mark("line", encoding, clip=True, strokeWidth=2) | {"width": 170, "height": 120}
    resolve = {"axis": {"x": "independent"}, "scale": {"y": "independent"}}
    return picture(
        "functions",
        "Activations g and their derivatives g'",
        f"Curves, a panel an activation: g (solid) and g' (dashed) for z from {-LARGEST_Z:g} to {LARGEST_Z:g}: "
        f"{', '.join(names)}. Values beyond {TOP:g} either way are not drawn.",
        Drawn(faceted(panel, "activation", names, 4, resolve)),
        rows,
    )


def _rows(activation: Activation) -> Iterator[tuple[str, str, str, float, float]]:
    """Yield points of both curves, cut where g' jumps."""
    m = backends.namespace("numpy")
    z = np.linspace(-LARGEST_Z, LARGEST_Z, POINTS_PER_CURVE)
    kinks = sorted(activation.formulas.kinks)
    try:
        with np.errstate(all="ignore"):
            output = activation.forward(Dialect.ARRAY, m)(z)
            slope = activation.rule("recompute", Dialect.ARRAY, m).derivative(z)
    except Exception as error:  # noqa: BLE001  # a user's own formula may raise anything
        raise InputError(f"{activation.name} cannot be drawn: it raised {type(error).__name__}: {error}") from None
    for curve, values in (("g", output), ("g'", slope)):
        for at, value in zip(z.tolist(), np.broadcast_to(values, z.shape).tolist(), strict=True):
            piece = sum(kink < at for kink in kinks) if curve == "g'" else 0
            if abs(value) <= TOP and at not in kinks:
                yield activation.name, curve, f"{curve}{piece}", at, value
