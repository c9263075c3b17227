"""Colours, dashes and shapes belong to names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal

import pytest

from actbench import registry
from actbench.model.cases import YARDSTICKS, Case
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant
from actbench.report.charts.grammar import Spec
from actbench.report.charts.signs import COPY_NAME, DASHES, PALETTE, PLAINLY, Signs
from actbench.runs.archive import Run
from tests.support.drawn import drawn


def scale(channel: Spec) -> dict[str, Any]:
    """Return by name what a channel shows it as."""
    spec = channel["scale"]
    return dict(zip(spec["domain"], map(str, spec["range"]), strict=True))


def signs(names: Iterable[str], of: Literal["backend", "strategy"] = "strategy") -> Signs:
    plain = Case("logistic", Variant("cached"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64, 1)
    return Signs.of(
        replace(plain, backend=name) if of == "backend" else replace(plain, strategy=Variant(name)) for name in names
    )


def test_colours_dashes_and_shapes_belong_to_a_name_whatever_else_is_measured() -> None:
    alone, among = (
        scale(signs(names, "backend").backend_colour(names)) for names in (["numba"], ["python", "numpy", "numba"])
    )
    assert alone["numba"] == among["numba"]
    assert len(set(among.values())) == 3
    assert scale(signs(["textbook", "cached"]).strategy_dash(["textbook", "cached"]))["cached"] == "[1, 0]"
    for others in ([], ["recompute", "of-my-own", "cached:float16"]):
        assert scale(signs([*others, "complement"]).strategy_shape(["complement"]))["complement"] == "triangle-up"


def test_the_yardstick_has_a_shape_that_no_strategy_has_whatever_else_is_shown() -> None:
    for others in (["cached"], ["cached", "recompute", "complement", "textbook", "my-own", "cached:float16"]):
        shapes = scale(signs(others).strategy_shape([*others, "yardstick"]))
        assert shapes["yardstick"] == "triangle-left"
        assert len(set(shapes.values())) == len(shapes)


def test_a_name_has_one_sign_in_all_charts_of_a_run_also_one_that_is_not_known(loaded_run: Run) -> None:
    names = {"textbook": Variant("my-own"), "complement": Variant("cached:float16")}
    blocks = tuple(
        replace(block, arms=tuple(replace(arm, strategy=names.get(arm.strategy, arm.strategy)) for arm in block.arms))
        for block in loaded_run.plan.blocks
    )
    of_run = Signs.of(case for block in blocks for case in block.cases)
    shown = [["cached", "my-own"], ["my-own", "cached:float16", "recompute"], ["cached:float16", "yardstick", "my-own"]]
    for channel in (of_run.strategy_dash, of_run.strategy_shape):
        scales = [scale(channel(present)) for present in shown]
        for name in ("my-own", "cached:float16"):
            assert len({signs_of[name] for signs_of in scales if name in signs_of}) == 1
        assert scales[0]["my-own"] != scales[1]["cached:float16"]
        known = {*scale(signs(PLAINLY).strategy_shape(PLAINLY)).values(), *map(str, DASHES[: len(PLAINLY)])}
        assert not {scales[0]["my-own"], scales[1]["cached:float16"]} & known, "while there are others"


@pytest.mark.parametrize("kind", ["speedup", "time", "accuracy", "rounds"])
def test_every_chart_tells_backends_by_colour_and_strategies_by_dash_or_shape(loaded_run: Run, kind: str) -> None:
    of_run = Signs.of(loaded_run.plan.cases)
    expected = {"color": of_run.backend_colour, "strokeDash": of_run.strategy_dash, "shape": of_run.strategy_shape}
    present = {
        name: channel
        for layer in drawn(kind, loaded_run).spec["spec"]["layer"]
        for name, channel in layer["encoding"].items()
        if isinstance(channel, dict) and "scale" in channel and name in expected
    }
    assert present.keys() >= {"color", "shape"}
    for name, channel in present.items():
        assert channel == expected[name](channel["scale"]["domain"])


def test_the_yardstick_has_the_colour_of_a_copy_among_rounds(loaded_run: Run) -> None:
    shown = drawn("rounds", loaded_run).rows
    is_copy = shown.strategy.isin(YARDSTICKS)
    assert {*shown[is_copy].strategy} == {"yardstick"}
    assert set(shown[is_copy].backend) == {COPY_NAME}
    assert COPY_NAME not in set(shown[~is_copy].backend)


def test_backends_shown_together_have_different_colours() -> None:
    names = [*registry.backends()]
    for first in names:
        shown = scale(signs(["numpy", first], "backend").backend_colour(["numpy", first, COPY_NAME]))
        assert len(set(shown.values())) == len(shown)
        assert shown["numpy"] == scale(signs(["numpy"], "backend").backend_colour(["numpy"]))["numpy"]


def test_backends_have_colours_of_their_own() -> None:
    names = [*registry.backends()][: len(PALETTE)]
    assert len(set(scale(signs(names, "backend").backend_colour(names)).values())) == len(PALETTE)
