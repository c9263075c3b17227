from __future__ import annotations

import math

import psutil
import pytest

from actbench.analysis.interval import Interval
from actbench.host import environment, noise
from actbench.report import host
from actbench.report.numbers import change, count, duration, low_to_high, plus_minus, ratio, significant, span

NOTHING = math.nan


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (3.4123, 3.39, 3.43, "3.41 ± 0.02"),
        (3.4123, 3.4, 3.426, "3.412 ± 0.014"),
        (3.4123, 3.0, 3.7, "3.4 ± 0.4"),
        (100.0, 80.0, 115.0, "100 ± 20"),
        (1.0, 0.9004, 1.1, "1.00 ± 0.10"),
        (1.0, 0.9804, 1.014, "1.00 ± 0.02"),
        (1.0, 0.99001, 1.007, "1.000 ± 0.010"),
        (0.000123, 0.000121, 0.000125, "0.000123 ± 0.000002"),
        (12345.0, 12000.0, 12600.0, "12345 ± 345"),
    ],
)
def test_a_figure_has_the_digits_that_its_half_width_deserves(value: float, low: float, high: float, text: str) -> None:
    assert plus_minus(Interval(value, low, high)) == text


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (6.199, 3.58, 6.59, "6.2 (3.6 to 6.6)"),
        (2.0, 1.99, 2.05, "2.00 (1.99 to 2.05)"),
        (2.0, 1.94, 2.02, "2.00 (1.94 to 2.02)"),
        (12.45, 12.43, 12.463, "12.45 (12.43 to 12.46)"),
        (3.4123, 3.0, 3.5, "3.41 (3.00 to 3.50)"),
        (100.0, 80.0, 105.0, "100 (80 to 105)"),
        (12345.0, 12000.0, 12400.0, "12345 (12000 to 12400)"),
        (1.0, 0.625, 1.25, "1.0 (0.6 to 1.2)"),
        (1.0, 0.9004, 1.0, "1.00 (0.90 to 1.00)"),
        (2.0, 1.7, 2.00001, "2.00 (1.70 to 2.00)"),
    ],
)
def test_an_interval_with_one_side_half_as_long_again_as_the_other_is_shown_by_its_bounds(
    value: float, low: float, high: float, text: str
) -> None:
    assert plus_minus(Interval(value, low, high)) == text


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (0.988, 0.973, 0.997, "0.988 (0.973 to 0.997)"),
        (0.98, 0.95, 0.9996, "0.9800 (0.9500 to 0.9996)"),
        (1.07, 1.03, 1.17, "1.07 (1.03 to 1.17)"),
        (1.02, 1.0000001, 1.04, "1.0200 (1.0000 to 1.0400)"),
        (1.07, 0.97, 1.17, "1.07 ± 0.10 ≈"),
        (2.0, 1.2, 5.0, "2.0 (1.2 to 5.0)"),
        (145.0, 100.0, 351.0, "145 (100 to 351)"),
        (4.2, 3.9, 8.4, "4.2 (3.9 to 8.4)"),
        (0.99921, 0.998359, 0.999987, "0.99921 (0.99836 to 0.99999)"),
    ],
)
def test_where_plus_and_minus_would_hold_what_the_interval_does_not_it_is_shown_by_its_bounds(
    value: float, low: float, high: float, text: str
) -> None:
    assert ratio(Interval(value, low, high)) == text


def test_the_half_width_is_the_longer_side() -> None:
    assert plus_minus(Interval(2.0, 1.96, 2.05)) == "2.00 ± 0.05"
    assert plus_minus(Interval(2.0, 1.95, 2.04)) == "2.00 ± 0.05"


@pytest.mark.parametrize(("value", "text"), [(4.0, "4.00 ± 0.00"), (0.0512, "0.0512 ± 0.0000"), (512.0, "512 ± 0")])
def test_an_interval_of_no_width_leaves_three_digits(value: float, text: str) -> None:
    assert plus_minus(Interval(value, value, value)) == text


@pytest.mark.parametrize(("value", "text"), [(4.0, "4.00 ?"), (0.05123, "0.0512 ?"), (1e-7, "1.00e-7 ?")])
def test_without_an_interval_three_digits_are_marked(value: float, text: str) -> None:
    assert plus_minus(Interval(value, NOTHING, NOTHING)) == text
    assert ratio(Interval(value, NOTHING, NOTHING)) == text


@pytest.mark.parametrize(
    ("value", "low", "high", "marked"),
    [
        (1.02, 0.99, 1.05, True),
        (1.0, 1.0, 1.0, True),
        (1.02, 1.0, 1.04, True),
        (0.98, 0.96, 1.0, True),
        (1.02, 1.001, 1.04, False),
        (0.98, 0.96, 0.999, False),
    ],
)
def test_a_ratio_is_marked_exactly_when_its_interval_holds_1(
    value: float,
    low: float,
    high: float,
    marked: bool,  # noqa: FBT001
) -> None:
    assert ratio(Interval(value, low, high)).endswith("≈") is marked


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.0, 3, "0"),
        (-0.0, 3, "0"),
        (math.inf, 2, "∞"),
        (math.nan, 2, "-"),
        (2.2148, 2, "2.2"),
        (-5.079, 3, "-5.08"),
        (294.589, 3, "295"),
        (12345.0, 2, "12345"),
        (0.00012345, 3, "0.000123"),
        (0.0000999, 2, "1.0e-4"),
        (1e-10, 2, "1.0e-10"),
        (5e-324, 2, "4.9e-324"),
        (1e6, 2, "1.0e6"),
        (8.993e15, 2, "9.0e15"),
        (1.5e308, 3, "1.50e308"),
    ],
)
def test_significant_digits(value: float, digits: int, text: str) -> None:
    assert significant(value, digits) == text


def test_rounding_up_to_the_next_power_of_ten_adds_no_digit() -> None:
    assert significant(9.996, 3) == "10.0"
    assert significant(0.9996, 3) == "1.00"


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (999, "999"), (1000, "1\u202f000"), (4_000_000, "4\u202f000\u202f000")]
)
def test_counts_are_grouped_by_three(number: int, text: str) -> None:
    assert count(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 s"),
        (0.6, "1 s"),
        (45.2, "45 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (60.0, "1 min"),
        (125.0, "2 min 5 s"),
        (3599.6, "1 h"),
        (5400.0, "1 h 30 min"),
        (7200.0, "2 h"),
        (3600 * 30.0, "30 h"),
    ],
)
def test_durations_are_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (1.072, 1.068, 1.075, "+7.2 % ± 0.4 %"),
        (0.9, 0.7, 1.05, "-10 % ± 20 %"),
        (0.9, 0.7, 1.0, "-10 % (-30 % to +0 %)"),
        (1.08, 1.05, 1.09, "+8.0 % (+5.0 % to +9.0 %)"),
        (1.0, 1.0, 1.0, "+0.00 % ± 0.00 %"),
        (0.99999, 0.99998, 1.00001, "+0.00 % ± 0.00 %"),
        (2.0, 1.9, 2.095, "+100 % ± 10 %"),
        (1.02, 1.004, 1.049, "+2.0 % (+0.4 % to +4.9 %)"),
        (0.98, 0.95, 0.9996, "-2.00 % (-5.00 % to -0.04 %)"),
        (1.5, math.nan, math.nan, "+50.0 % ?"),
        (math.nan, math.nan, math.nan, "-"),
    ],
)
def test_a_ratio_of_times_is_a_change_in_percent(value: float, low: float, high: float, text: str) -> None:
    assert change(Interval(value, low, high)) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (1.096, 1.136, "1.10 to 1.14"),
        (0.95, 1.08, "0.950 to 1.08"),
        (1.03, 6.54, "1.03 to 6.5"),
        (2.61, 2.64, "2.6"),
        (0.88, 3.5, "0.88 to 3.5"),
        (1.0801, 1.0803, "1.08"),
    ],
)
def test_both_ends_of_a_range_have_the_digits_that_tell_them_apart(low: float, high: float, text: str) -> None:
    assert span(low, high) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (1.28119, 1.28231, "1.2812 to 1.2823"),
        (4.61, 4.64, "4.610 to 4.640"),
        (9.99, 10.12, "9.99 to 10.1"),
        (0.512, 31.23, "0.512 to 31.2"),
        (2.0, 2.0, "2.00 to 2.00"),
        (0.0, math.inf, "0 to ∞"),
    ],
)
def test_bounds_of_an_interval_have_the_digits_that_tell_them_apart(low: float, high: float, text: str) -> None:
    assert low_to_high(Interval(low, low, high)) == text


def test_one_processor_is_no_plural(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "cpu_count", lambda **_: 1)
    assert next(noise.host_properties()).state.endswith(" on 1 processor")
    assert ", 1 processor (" in host.line(environment.collect(None))
