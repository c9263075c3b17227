"""A slow function of many z has calls that end in time, and results at fewer z; a fast one is called at all of them."""

from __future__ import annotations

import numpy as np
import pytest

from actbench.engine.survey.paced import AT_ONCE, CALL_SECONDS, PROBED, SECONDS, PacedCalls
from actbench.kernels.operands import Array


class SlowFunction:
    """The square of z, which takes the same time for every z, and once longer; it has a clock of its time."""

    def __init__(self, seconds: float, at_first: float = 0.0) -> None:
        self._seconds, self._at_first = seconds, at_first
        self._now = 0.0
        self.calls: list[float] = []

    def __call__(self, z: Array) -> Array:
        """Return squares, later."""
        duration = z.size * self._seconds + (0.0 if self.calls else self._at_first)
        self.calls.append(duration)
        self._now += duration
        return z * z

    def clock(self) -> float:
        """Return the seconds that calls took so far."""
        return self._now


Z = np.linspace(-1.0, 1.0, 1 << 20)


@pytest.mark.parametrize("seconds", [1e-4, 1e-3])
def test_no_call_of_a_slow_function_takes_long_and_all_of_them_end_in_time(seconds: float) -> None:
    slow = SlowFunction(seconds)
    step, results = PacedCalls(slow, slow.clock).at(Z)
    assert max(slow.calls) <= 1.01 * CALL_SECONDS
    assert sum(slow.calls) <= SECONDS + 2 * PROBED * seconds + 1e-6
    assert step > 1
    assert results.tolist() == (Z[::step] ** 2).tolist()


@pytest.mark.parametrize("count", [0, 1, PROBED, PROBED + 1, 3 * PROBED, AT_ONCE + 1, Z.size])
@pytest.mark.parametrize("seconds", [1e-9, 1.5e-5])
def test_what_is_fast_enough_is_called_once_at_every_z(seconds: float, count: int) -> None:
    slow = SlowFunction(seconds)
    step, results = PacedCalls(slow, slow.clock).at(Z[:count])
    assert step == 1
    assert results.tolist() == (Z[:count] ** 2).tolist()


def test_a_first_call_that_compiles_makes_no_function_slow() -> None:
    slow = SlowFunction(1e-7, at_first=30.0)
    step, results = PacedCalls(slow, slow.clock).at(Z)
    assert step == 1
    assert len(slow.calls) == 2 + -(-(Z.size - 2 * PROBED) // AT_ONCE)
    assert results.size == Z.size
