from __future__ import annotations

import numpy as np
import pytest

from actbench.verification.wording import distinct, extent, place


def test_numbers_are_shown_with_the_digits_in_which_they_differ() -> None:
    assert distinct(0.1, 0.2) == ("0.1", "0.2")
    assert distinct(1.0, np.nextafter(1.0, 2.0)) == ("1", "1.0000000000000002")
    assert distinct(8.0004, 8.0, 3) == ("8.0004", "8")
    assert distinct(np.float32(0.1), np.nextafter(np.float32(0.1), np.float32(1))) == ("0.100000001", "0.100000009")


def test_a_z_is_shown_with_the_digits_that_distinguish_it() -> None:
    z = np.array([1.0, np.nextafter(3.0, 0.0), 3.0, -0.0, 0.0])
    all_wrong = np.ones(z.size, dtype=bool)
    assert [place(z, at, all_wrong) for at in range(5)] == ["1", "2.9999999999999996", "3", "0", "0"]
    assert place(z, 3, z == 1) == "-0"


@pytest.mark.parametrize(
    ("z", "said"),
    [
        ([-2, -1, 0, 1, 2], "for every z"),
        ([0], "for z = 0 alone"),
        ([1, 2], "for z >= 1"),
        ([-2, -1], "for z <= -1"),
        ([-1, 0], "for z from -1 to 0"),
        ([-2, 2], "for |z| >= 2"),
        ([-2, 1, 2], "for z <= -2 and z >= 1"),
        ([-1, 1], "at 2 of 5 z, from -1 to 1"),
    ],
)
def test_sets_of_z_are_shown_in_words(z: list[float], said: str) -> None:
    points = np.array([2.0, 0.0, -1.0, -2.0, 1.0, -0.0])
    assert extent(points, np.isin(points, z)) == said
