"""Copies as a kernel could make them, unlike numpy's, which may be microcode: names and what they are."""

from __future__ import annotations

from actbench.model.variants import Variant

LOOP_COPY, NON_TEMPORAL_COPY = Variant("yardstick-loop"), Variant("yardstick-non-temporal")

KERNEL_COPIES = {
    LOOP_COPY: "a copy by a vectorised loop of loads and stores",
    NON_TEMPORAL_COPY: "a copy by a vectorised loop whose stores bypass the caches",
}
"""What stands in a strategy's place for these copies."""

COPYING = "numba-simd"
"""The backend that compiles them."""
