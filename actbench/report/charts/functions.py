"""The activations and their derivatives over z, as in a textbook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actbench import backends
from actbench.errors import InputError
from actbench.formula import Activation
from actbench.model.rule import TARGETED, Dialect
from actbench.report.charts.grammar import mark, nominal, quantitative, scale
from actbench.report.charts.signs import PALETTE
from actbench.report.charts.style import Drawn, Picture, faceted, picture

LARGEST_Z = 6.0
"""The chart shows z from -6 to 6."""

POINTS_PER_CURVE = 145
"""An odd number, so that 0 is among the points."""

TOP = 3.0
"""Values beyond this are not drawn, since exp would flatten all others."""

COLUMNS = ["layer", "activation", "curve", "piece", "z", "value", "leaves"]


def functions(activations: Sequence[Activation]) -> Picture:
    """Return the chart, one panel per activation; `InputError` where one cannot be evaluated."""
    rows = pd.DataFrame([row for activation in activations for row in _rows(activation)], columns=COLUMNS)
    names = [activation.name for activation in activations]
    curves = {"g": [1, 0], "g'": [6, 3]}
    of_lines = {"symbolType": "stroke", "symbolStrokeWidth": 2}
    encoding = {
        "x": quantitative("z", axis={"title": "z", "tickCount": 5, "labelFlush": False}),
        "y": quantitative("value", scale={"padding": 4}, axis={"title": None, "tickCount": 5}),
        "color": nominal("curve", scale=scale([*curves], [*PALETTE[:2]]), title=None, legend=of_lines),
        "strokeDash": nominal("curve", scale=scale([*curves], [*curves.values()]), title=None, legend=of_lines),
        "detail": nominal("piece"),
    }
    arrows = nominal("leaves", scale=scale(["up", "down"], ["triangle-up", "triangle-down"]), legend=None)
    unpieced = {channel: of for channel, of in encoding.items() if channel not in {"detail", "strokeDash"}}
    layers = [
        mark("line", encoding, layer="curve", strokeWidth=2),
        mark("point", unpieced | {"shape": arrows}, layer="cut", filled=True, size=60, opacity=1),
    ]
    panel = {"layer": layers, "width": 170, "height": 120}
    resolve = {"axis": {"x": "independent"}, "scale": {"y": "independent"}}
    return picture(
        "functions",
        "Activations g and their derivatives g'",
        f"Curves, a panel an activation: g (solid) and g' (dashed) for z from {-LARGEST_Z:g} to {LARGEST_Z:g}: "
        f"{', '.join(names)}. Arrows: the curve goes on beyond {TOP:g}, or -{TOP:g}.",
        Drawn(faceted(panel, "activation", names, 4, resolve)),
        rows,
        "; ".join(_inputs(activations)),
    )


def _inputs(activations: Sequence[Activation]) -> Iterator[str]:
    """Yield at which inputs those are drawn that have more than one z."""
    if gated := [activation.name for activation in activations if activation.is_gated]:
        yield f"{', '.join(gated)}: z is a, and b is 1"
    if along_rows := [activation.name for activation in activations if activation.is_row]:
        yield f"{', '.join(along_rows)}: the first column of rows of two, z and 0"


def _rows(activation: Activation) -> Iterator[tuple[str, str, str, str, float, float, str]]:
    """Yield points of both curves, cut where g' jumps, and where they leave the chart."""
    m = backends.namespace("numpy")
    z = np.linspace(-LARGEST_Z, LARGEST_Z, POINTS_PER_CURVE)
    kinks = sorted(activation.formulas.kinks)
    try:
        with np.errstate(all="ignore"):
            rule = activation.rule("recompute", Dialect.ARRAY, m)
            if rule.is_row:
                output, slope = _of_one_logit(activation, z)
            elif rule.is_gated:  # g(a), which is y where b is 1
                output, (slope, _) = rule.forward(z, np.ones_like(z)), rule.derivative(z, np.ones_like(z))
            else:
                output, slope = rule.forward(z), rule.derivative(z)
    except Exception as error:  # noqa: BLE001  # a user's own formula may raise anything
        raise InputError(f"{activation.name} cannot be drawn: it raised {type(error).__name__}: {error}") from None
    for curve, values in (("g", output), ("g'", slope)):
        points = [*zip(z.tolist(), np.broadcast_to(values, z.shape).tolist(), strict=True)]
        for at, value in sorted([*points, *_leaving(points)]):
            piece = f"{curve}{sum(kink < at for kink in kinks) * (curve != 'g')}"
            if abs(value) <= TOP and at not in kinks:
                yield "curve", activation.name, curve, piece, at, value, ""
            if abs(value) == TOP:
                yield "cut", activation.name, curve, piece, at, value, "up" if value > 0 else "down"


def _of_one_logit(activation: Activation, z: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the first y of rows of two, z and 0, and its derivative by z, which is in the target's column, if any."""
    rule = activation.rule("recompute", Dialect.ARRAY, backends.built_in()["numpy"].row_namespace())
    rows = np.stack([z, np.zeros_like(z)], axis=-1)
    targets = (np.zeros((len(rows), 1), np.int64),) if rule.inputs == TARGETED else ()
    y = rule.forward(rows, *targets)
    dy = np.zeros_like(y)
    dy[:, 0] = 1.0
    return y[:, 0], rule.derivative(dy, rows, *targets)[:, 0]


def _leaving(points: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Yield where the line through points reaches the top or the bottom of the chart, and goes beyond."""
    for (before, low), (after, high) in pairwise(points):
        for end in (-TOP, TOP):
            if min(low, high) < end < max(low, high):
                yield before + (after - before) * (end - low) / (high - low), end
