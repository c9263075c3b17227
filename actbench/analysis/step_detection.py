"""asv's step detection: the only door to that library, which is optional."""

from __future__ import annotations

from math import log

from actbench.analysis.levels import FindPlaces
from actbench.errors import InputError

INSTALL = "python -m pip install 'actbench-derivatives[history]'"

MEAN_DEVIATION = 0.8
"""Of the absolute value of a standard normal number."""


def finder() -> FindPlaces:
    """Return a function that finds where a series steps, by asv; `InputError` where asv is not installed.

    It minimises the weighted sum of absolute deviations from levels, with a penalty for each level
    (`asv.step_detect.solve_potts_approx`, after F. Friedrich et al., "Complexity penalized M-estimation", Journal of
    Computational and Graphical Statistics 17, 2008). The penalty is asv's for a series of this length, 3 log n mean
    deviations. The mean deviation is known here, as weights are 1 over standard deviations: asv, which has to estimate
    it, solves the problem for a dozen penalties, in ten times the time.
    """
    try:
        from asv.step_detect import solve_potts_approx
    except ImportError:
        raise InputError(f"steps are found by asv, which is not installed: {INSTALL}") from None

    def find_places(values: list[float], weights: list[float]) -> list[int]:
        right, _, _ = solve_potts_approx(values, weights, gamma=3 * MEAN_DEVIATION * log(len(values)))
        return [*right[:-1]]

    return find_places
