"""The bounds of the numbers in a run and of the options that give them: importing them imports nothing of actbench."""

from __future__ import annotations

import sys

LONGEST_SECONDS = 7 * 24 * 3600.0
"""A week, which no call, block or budget exceeds."""

SHORTEST_SECONDS = 1e-13
"""A thousandth of a processor's cycle, which every call exceeds."""

MOST_ELEMENTS = 10**10
"""Largest size of an array, in elements."""

MOST_ROUNDS = 10**6

LARGEST_SEED = 2**63

LARGEST_COUNT = 2**53
"""Largest count: up to here floats represent integers exactly."""

LONGEST_RUN = 100 * 366 * 24 * 3600.0
"""Longest total duration of all sessions of a run, in seconds."""

TINY, HUGE = 5e-324, sys.float_info.max
"""The smallest positive number, and the largest finite one, which is a z that kernels are checked at."""
