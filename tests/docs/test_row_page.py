"""The page about row activations: its file is short, and the oracle accepts it."""

from __future__ import annotations

from pathlib import Path

import pytest

from actbench.planning import presets
from tests.conftest import Actbench
from tests.support.documents import files, read
from tests.support.tiers import exhaustive_but

MOST_LINES = 50


@pytest.mark.parametrize("backends", exhaustive_but(["numpy", ",".join(presets.CORE)], "numpy".__eq__))
def test_the_file_of_the_page_is_short_and_every_strategy_of_it_is_measured(actbench: Actbench, backends: str) -> None:
    ((name, code),) = files(read("how-to/write-a-row-activation.md"))
    assert len(code.splitlines()) <= MOST_LINES
    Path(name).write_text(code, encoding="utf-8")
    result = actbench("run", "--load", name, "-a", "unit-length", "-b", backends, "-n", "4x25", "--rounds", "1")
    assert result.exit_code == 0, result.output
    assert "unit-length, backward" in result.output
    assert "4x25" in result.output
    assert "intermediate" in result.output
    words = " ".join(result.output.split())
    assert "Along rows, as in softmax, it is the error of the gradient of z, in units of the last place of" in words
    assert "bytes a row are of what is kept one number a row" in words
    assert "Of gated activations" not in words
    assert "FAILED" not in result.output


def test_a_strategy_that_takes_no_dy_is_refused_with_what_to_write(actbench: Actbench) -> None:
    ((name, code),) = files(read("how-to/write-a-row-activation.md"))
    Path(name).write_text(code.replace("def recompute(dy, z):", "def recompute(z):"), encoding="utf-8")
    result = actbench("list", "activations", "--load", name)
    assert result.exit_code == 2
    assert "strategy 'recompute' of unit-length works along rows" in result.stderr
    assert "as in def recompute(dy, z)" in result.stderr


OF_TARGETS = """\
from actbench import Formulas, activation


@activation
def log_distance(m):
    \"""log(1 + sum((z - z[target])^2))\"""

    def forward(z, target):
        off = z - m.pick(z, target)
        return m.log1p(m.sum(off * off))

    def recompute(dy, z, target):
        off = z - m.pick(z, target)
        share = 2.0 / (1.0 + m.sum(off * off))
        return m.replace(off, target, -m.sum(off)) * (share * dy)

    return Formulas(forward=forward, recompute=recompute, uncached="y does not tell z")
"""


@pytest.mark.exhaustive
def test_an_activation_with_targets_of_a_file_is_measured(actbench: Actbench) -> None:
    Path("loss.py").write_text(OF_TARGETS, encoding="utf-8")
    result = actbench(
        "run",
        "--load",
        "loss.py",
        "-a",
        "log-distance",
        "-b",
        ",".join(presets.CORE),
        "-n",
        "4x25",
        "--rounds",
        "1",
    )
    assert result.exit_code == 0, result.output
    assert "FAILED" not in result.output


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("recompute(dy, z, target)", "recompute(dy, target, z)"), "keeps (target, z): it can keep dy and then (z)"),
        (
            ("forward(z, target)", "forward(z)"),
            "keeps target, which its forward does not take: let forward take (z, target)",
        ),
        (("recompute(dy, z, target)", "recompute(z, target)"), "works along rows, by m.sum or m.max"),
    ],
)
def test_what_is_wrong_with_targets_is_told_with_what_to_write(
    actbench: Actbench, change: tuple[str, str], reason: str
) -> None:
    Path("loss.py").write_text(OF_TARGETS.replace(*change), encoding="utf-8")
    result = actbench("list", "activations", "--load", "loss.py")
    assert result.exit_code == 2
    assert reason in result.stderr
