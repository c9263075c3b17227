"""Where g' is lost: zones that begin and end between sample points, single points, kinks; and how this is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actbench import registry
from actbench.analysis.accuracy import Zone
from actbench.analysis.stretches import Stretches
from actbench.engine.survey.accuracy import points
from actbench.model.names import Dtype
from actbench.model.variants import Variant
from actbench.report.accuracy import in_words
from actbench.report.json_text import json_text
from tests.conftest import Actbench
from tests.support.fake import FakeBench

STRATEGIES = """
from actbench.formula import strategy

@strategy("softsign")
def holed(m):
    "keep z; 0 for z from 40 up to 40.1, NaN from -7.3 to -7.1, and 2 % too much at 8 alone"
    def derivative(z):
        slope = 1.0 / ((1.0 + abs(z)) * (1.0 + abs(z)))
        slope = m.where((z >= 40.0) & (z < 40.1), 0.0 * z, slope)
        slope = m.where((z > -7.3) & (z < -7.1), float("nan") + 0.0 * z, slope)
        return m.where(z == 8.0, 1.02 * slope, slope)
    return derivative

@strategy("softsign")
def by_sign(m):
    "keep z; right but at 0, where it is 0"
    def derivative(z):
        return m.sign(z) * m.sign(z) / ((1.0 + abs(z)) * (1.0 + abs(z)))
    return derivative

@strategy("hard-tanh")
def closed(m):
    "keep z; 1 on the closed interval"
    def derivative(z):
        return m.where(abs(z) <= 1.0, 1.0 + 0.0 * z, 0.0 * z)
    return derivative

@strategy("silu")
def by_sigmoid(m):
    "keep z; s (1 + z (1 - s)), whose exponential overflows at -709.78"
    def derivative(z):
        s = 1.0 / (1.0 + m.exp(-z))
        return s * (1.0 + z * (1.0 - s))
    return derivative
"""


@pytest.fixture
def lost(actbench: Actbench, tmp_path: Path) -> Callable[[str], dict[str, list[tuple[str, float, Any]]]]:
    (tmp_path / "strategies.py").write_text(STRATEGIES)

    def look(chosen: str) -> dict[str, list[tuple[str, float, Any]]]:
        """Return the zones of ``ACTIVATION/STRATEGY`` by tail, in float64: what is lost, from and to."""
        activation, strategy = chosen.split("/")
        result = actbench(
            *("accuracy", "--load", "strategies.py", "-a", activation, "-s", strategy, "-b", "numpy", "-d", "float64"),
            *("--points", "60", "--format", "json", "-q"),
        )
        assert result.exit_code == 0, result.output
        rows = [row for row in json.loads(result.stdout) if "zones" in row]
        return {row["part"]: [(zone["lost"], zone["from"], zone["to"]) for zone in row["zones"]] for row in rows}

    return look


def test_zones_between_two_sample_points_are_reported_to_the_float(lost: Callable[[str], Any]) -> None:
    looked_at = points(registry.activation("softsign"), Dtype.FLOAT64, 60, 0)
    assert not any(looked_at == 8.0)
    left, right = (np.nextafter(7.1, inf), np.nextafter(7.3, 0)), (40.0, np.nextafter(40.1, 0))
    assert lost("softsign/holed") == {
        "left": [("wrong", *left), ("nan", *left)],
        "right": [("wrong", 8.0, 8.0), ("wrong", *right), ("zero", *right)],
    }


def test_a_result_that_is_lost_at_0_alone_is_reported_as_one_point(lost: Callable[[str], Any]) -> None:
    assert lost("softsign/by-sign") == {"left": [], "right": [("wrong", 0.0, 0.0), ("zero", 0.0, 0.0)]}


def test_kinks_are_looked_at_also_where_g_prime_is_0(lost: Callable[[str], Any]) -> None:
    assert lost("hard-tanh/closed") == {"left": [("wrong", 1.0, 1.0)], "right": [("wrong", 1.0, 1.0)]}


def test_a_zone_ends_with_the_last_normal_number_of_g_prime(lost: Callable[[str], Any]) -> None:
    (wrong, zero) = lost("silu/by-sigmoid")["left"]
    assert wrong == ("wrong", *zero[1:])
    assert zero[1] == pytest.approx(709.782712893384, rel=1e-15)  # log of the largest number of float64
    assert zero[2] == pytest.approx(714.967255633, rel=1e-11)  # where z e^z is the smallest normal number


def test_every_number_gives_the_zones_that_the_numbers_have() -> None:
    z = np.arange(0x7F80_0000 - 3000, 0x7F80_0000, dtype=np.uint32).view(np.float32)
    hits = np.zeros(3000, dtype=bool)
    hits[[*range(10, 20), 900, *range(2500, 3000)]] = True
    for pieces in (1, 3, 30):
        whole = Stretches()
        for some, mine in zip(np.split(z, pieces), np.split(hits, pieces), strict=True):
            whole.add(some, mine)
        assert whole.zones() == (Zone(float(z[10]), inf, whole=False),)
    apart = Stretches()
    apart.add(np.array([1.0, 1.5, 2.0, 2.1, 2.15], dtype=np.float32), np.array([True, False, True, False, True]))
    assert apart.zones() == (Zone(1.0, 1.0), Zone(2.0, float(np.float32(2.15)), whole=False))


@pytest.mark.parametrize(
    ("zones", "words"),
    [
        ([], ""),
        ([Zone(0.0, 0.0)], "at 0"),
        ([Zone(12.04, inf)], "12.0 on"),
        ([Zone(1.0, 1.0), Zone(709.78, 714.96)], "at 1, 710 to 715"),
        ([Zone(1.0, 1.0000004)], "1.0000000 to 1.0000004"),
        ([Zone(1.0, 2.0), Zone(3.0, 4.0), Zone(5.0, 6.0), Zone(7.0, inf)], "1.00 to 2.00, 3.00 to 4.00, 2 more"),
    ],
)
def test_zones_are_shown_in_the_digits_in_which_their_ends_differ(zones: list[Zone], words: str) -> None:
    assert in_words(zones, 3) == words


def test_json_tells_infinite_from_missing() -> None:
    value = {"a": inf, "b": [-inf, None, 1.5], "c": float("nan")}
    assert json.loads(json_text(value)) == {"a": "inf", "b": ["-inf", None, 1.5], "c": None}


def test_an_infinite_error_and_a_percentile_of_too_few_points_are_distinguished(actbench: Actbench) -> None:
    chosen = ("accuracy", "-a", "logistic", "-s", "textbook", "-b", "numpy", "-d", "float32", "--points")
    rows = json.loads(actbench(*chosen, "10", "--format", "json").stdout)
    whole = {row["part"]: row for row in rows if (row["low"], row["high"]) == (0.0, "inf")}
    assert whole["left"]["max_ulp"] == "inf"
    assert whole["left"]["nan_to"] == "inf"
    assert whole["right"]["nan_from"] is whole["right"]["nan_to"] is None
    assert (whole["normal"]["points"], whole["normal"]["p99_ulp"]) == (90, None)
    line, _ = [line for line in actbench(*chosen, "10").stdout.splitlines() if line.startswith("logistic ")]
    assert line.split()[4] == "-"
    assert json.loads(actbench(*chosen, "12", "--format", "json").stdout)[0]["p99_ulp"] > 0
    assert "88.72" in line


def test_a_kernel_is_called_on_few_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some backends compile for every size."""
    from actbench.engine.protocol import Evaluate
    from actbench.engine.survey.accuracy import Survey
    from actbench.engine.wire import A, Request
    from actbench.kernels import resolution
    from actbench.model.cases import KernelId
    from actbench.model.names import Op
    from tests.support.fake import FakeWorker

    sizes: list[int] = []
    ask = FakeWorker.ask

    def counted(self: FakeWorker, request: Request[A]) -> A:
        if isinstance(request, Evaluate):
            sizes.extend(request.z.shape)
        return ask(self, request)

    monkeypatch.setattr(FakeWorker, "ask", counted)
    bench = FakeBench()
    kernel = KernelId("softsign", Variant("cached"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    assert list(Survey(20).of([resolution.kernel(kernel)], bench.launch))
    assert len({*sizes}) < 12 < len(sizes)
