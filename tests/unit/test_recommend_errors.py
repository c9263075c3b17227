"""What a recommendation says of errors: real ones, at exact times."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from actbench import plugins, registry
from actbench.engine.survey.searched_points import on_interval
from actbench.model.names import Dtype
from tests.support.races import Recommend, outcome, taking, unwrapped

CUBIC = """
from actbench import Formulas, activation

@activation
def cubic(m):
    \"""z³ - 3z\"""

    def forward(z):
        return z * z * z - 3 * z

    def recompute(z):
        return 3 * (z * z - 1)

    return Formulas(forward=forward, recompute=recompute)
"""


def test_beside_a_root_the_sentence_says_that_rounding_of_z_is_not_counted_and_what_it_comes_to(
    recommend: Recommend,
) -> None:
    answer = unwrapped(recommend(taking(), "-a", "silu", "-s", "recompute", "--on=-3:0"))
    assert re.search(
        r"not counting what one rounding of z causes\. With that, it is off by up to \d\.\d+e7 ULP \(z = -1\.278\)",
        answer,
    ), answer


def test_an_error_that_one_rounding_of_z_explains_is_not_called_nothing(
    recommend: Recommend, request: pytest.FixtureRequest
) -> None:
    Path("mine.py").write_text(CUBIC, encoding="utf-8")
    request.addfinalizer(plugins.unload)
    answer = unwrapped(recommend(taking(), "--load", "mine.py", "-a", "cubic", "--on=0.9:1.1"))
    assert re.search(
        r"With recompute, g' is not off by more than what one rounding of z causes: by up to \S+ ULP \(z = 1\), and by "
        r"up to 1\.8e-7 as a difference: a search of \d+k z on 0\.9 to 1\.1 met nothing worse\.",
        answer,
    ), answer


def test_an_error_in_a_tail_says_where_it_is_how_large_g_is_there_and_the_difference(recommend: Recommend) -> None:
    answer = unwrapped(recommend(taking(cached=0.5), "-a", "tanh", "-s", "recompute,cached"))
    assert re.search(
        r"With cached, g' is off by more than 1 %, not counting what one rounding of z causes, only where \|g'\| is "
        r"7\.\de-6 or less, first at \|z\| = 6\.5[78]: there by up to 0\.16 of g' \(z = -?7\.\d+, \|g'\| = \S+\)\. As "
        r"a difference, with rounding, it is off by up to 1\.\de-7: a search of \d+k z on -8 to 8 met nothing worse\.",
        answer,
    ), answer


def test_an_error_just_above_a_bound_has_the_digits_that_show_it(recommend: Recommend) -> None:
    options = ("-a", "tanh", "-s", "recompute", "--on=0:1")
    (arm,) = outcome(recommend(taking(), *options, "--format", "json"))["arms"]
    bound = 0.999 * arm["max_relative_error"]["size"]
    result = recommend(taking(), *options, "--max-error", repr(bound))
    shown = re.search(r"off by (\S+) of g'", result.stderr)
    assert shown
    assert float(shown[1]) > bound


@pytest.mark.parametrize(
    ("options", "constant"),
    [(("-a", "identity"), "1 at all z on -8 to 8"), (("-a", "relu", "--on=-8:-1"), "0 at all z")],
)
def test_where_g_is_a_constant_nothing_need_be_kept(
    recommend: Recommend, options: tuple[str, ...], constant: str
) -> None:
    answer = unwrapped(recommend(taking(), *options, "-s", "recompute"))
    assert f"Nothing need be kept: g' is {constant}" in answer
    (arm,) = outcome(recommend(taking(), *options, "-s", "recompute", "--format", "json"))["arms"]
    assert arm["constant_gradient"] == float(constant[0])


def test_where_g_is_no_constant_what_is_kept_is_needed(recommend: Recommend) -> None:
    assert "Nothing need be kept" not in unwrapped(recommend(taking(), "-a", "relu", "-s", "recompute"))


@pytest.mark.parametrize(("dtype", "most"), [("float32", "3.40282e+38"), ("float64", "1.79e+308")])
def test_an_interval_beyond_the_format_ends_at_the_format(
    recommend: Recommend, recwarn: pytest.WarningsRecorder, dtype: str, most: str
) -> None:
    result = recommend(taking(cached=0.5), "-a", "tanh", "-d", dtype, "--on=-1.79e308:1.79e308", "--format", "json")
    errors = {arm["strategy"]: arm["max_relative_error"]["size"] for arm in json.loads(result.stdout)["arms"]}
    assert errors["recompute"] < 1e-6
    z = on_interval(registry.activation("tanh"), Dtype(dtype), -1.79e308, 1.79e308)
    assert np.isfinite(np.nextafter(z, np.array(np.inf, dtype=z.dtype))).all()
    assert f"{z[-1]:.6g}" == most
    assert not recwarn.list


def test_where_g_overflows_nothing_is_warned_of(recommend: Recommend) -> None:
    result = recommend(taking(), "-a", "exp", "--op", "derivative", "--on=0:100")
    assert result.exit_code == 0, result.output
    assert "Warning" not in result.stderr


def test_where_g_overflows_everywhere_it_is_not_called_exact(recommend: Recommend) -> None:
    options = ("--op", "derivative", "-s", "recompute", "-d", "float32")
    answer = unwrapped(recommend(taking(), "-a", "exp", *options, "--on=700:1000"))
    assert re.search(
        r"With recompute, g' is infinite, as the true one is, and there is nothing finite to judge: a search of \S+ z "
        r"on 700 to 1000 met no finite value of it\.",
        answer,
    ), answer
