"""Medians over what is no NaN, as numpy's, which is slower, has them."""

from __future__ import annotations

import numpy as np
import pytest

from actbench.analysis.statistics import medians


@pytest.mark.parametrize("missing", [0, 1, 2, 3, 4])
def test_what_is_missing_has_no_part_in_a_median(missing: int) -> None:
    values = np.random.default_rng(1).standard_normal((20, 7))
    values[::2, :missing] = np.nan
    np.testing.assert_allclose(medians(values), np.nanmedian(values, axis=-1), rtol=1e-15)
