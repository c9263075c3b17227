"""The option --residual-dtype."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from actbench import registry
from actbench.planning import presets
from tests.conftest import Actbench
from tests.support import selections
from tests.support.narrow import cases


def test_the_option_adds_variants_beside_the_strategies_that_are_chosen(actbench: Actbench) -> None:
    option = ("--residual-dtype", "bfloat16,float16")
    assert cases(actbench, "-s", "cached", *option) == ["cached", "cached:float16", "cached:bfloat16"]
    assert cases(actbench, "-s", "cached:float16") == ["cached:float16"]
    assert cases(actbench, "-s", "cached:float16,complement", "--residual-dtype", "bfloat16") == [
        *("cached:float16", "complement", "complement:bfloat16")
    ]


def test_without_a_choice_it_adds_to_the_preset_s_strategies(actbench: Actbench) -> None:
    plain = [
        name for name in presets.get("default").axes.strategies if name in registry.activation("logistic").strategies
    ]
    selected = cases(actbench, "--residual-dtype", "float16")
    assert selected == [name for pair in product(plain, ("", ":float16")) for name in ["".join(pair)]]


def test_it_is_a_setting_as_the_other_axes_are(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("actbench.toml").write_text('residual-dtype = "float16"\n', encoding="utf-8")
    assert cases(actbench, "-s", "cached") == ["cached", "cached:float16"]
    monkeypatch.setenv("ACTBENCH_RESIDUAL_DTYPE", "bfloat16")
    assert cases(actbench, "-s", "cached") == ["cached", "cached:bfloat16"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--residual-dtype", "float61"), "unknown residual dtype 'float61': did you mean 'float16'?"),
        (
            ("--preset", "overhead", "--residual-dtype", "float16"),
            "--residual-dtype: no strategy among empty, dispatch, ",
        ),
        (
            ("-s", "cached:float16", "--residual-dtype", "bfloat16"),
            "--residual-dtype: no strategy among cached:float16 keeps",
        ),
    ],
)
def test_a_choice_that_means_nothing_is_one_line_and_exit_code_2(
    actbench: Actbench, arguments: tuple[str, ...], said: str
) -> None:
    result = actbench("list", "cases", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_run_measures_them_side_by_side_and_its_files_know_them_by_name(actbench: Actbench) -> None:
    narrow = ("--residual-dtype", "float16,bfloat16", "-o", "out")
    result = actbench("run", *selections.SMALL, "--rounds", "6", *narrow)
    assert result.exit_code == 0, result.output
    measured = selections.rows(Path("out", "cases.csv"))
    kept = {row["strategy"]: int(row["residual_bytes_per_element"]) for row in measured}
    plain = dict.fromkeys(("recompute", "cached"), 8) | {"yardstick": 0}
    assert kept == plain | dict.fromkeys(
        (f"{name}:{kept_in}" for name in ("recompute", "cached") for kept_in in ("float16", "bfloat16")), 2
    )
    ratios = {
        (row["reference_strategy"], row["candidate_strategy"]): float(row["ratio"])
        for row in selections.rows(Path("out", "speedups.csv"))
    }
    assert ratios["cached", "cached:float16"] == pytest.approx(4 / 3)
    summary = Path("out", "summary.md").read_text(encoding="utf-8")
    heads = "recompute:float16 | recompute:bfloat16 | cached | cached:float16 | cached:bfloat16"
    assert heads in summary
    assert "rounded to 11 significant bits (float16)" in summary
    compared = actbench("compare", "out", "--by", "strategy", "--reference", "cached", "--format", "csv")
    assert ",cached,cached:float16," in compared.stdout


@pytest.mark.parametrize(
    ("backend", "code"),
    [("numpy", "return computed.astype(narrower)"), ("numba", "def float16_to_float32(kept):")],
)
def test_show_prints_how_residuals_are_kept(actbench: Actbench, backend: str, code: str) -> None:
    shown = actbench("show", f"logistic/cached:float16/{backend}/step/float32/1000").stdout
    assert "keeps y:float16: 2 bytes per element; one call moves 20000 bytes" in shown
    assert "return y * (1.0 - y)" in shown
    assert code in shown
    assert "known weakness: what is kept is rounded to 11 significant bits (float16)" in shown
