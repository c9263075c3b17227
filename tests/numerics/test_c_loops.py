"""Loops in C, beside which numba-simd is measured: they compute the derivative, or say why they are not there."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from actbench import registry
from actbench.model.names import Dtype
from actbench.verification.truth import truth_at
from benchmarks import c_loops
from benchmarks.c_loops import FUNCTIONS, LIBRARIES, VectorLibrary

CLOSE = 16.0
"""ULP, where the derivative crosses no zero."""


@pytest.mark.parametrize("library", LIBRARIES, ids=[library.name for library in LIBRARIES])
def test_a_loop_in_c_computes_the_derivative_of_every_element(library: VectorLibrary) -> None:
    if reason := c_loops.skipped(library):  # a compiler is asked, which is nothing for every process that collects
        pytest.skip(f"{library.name}: {reason}")
    for activation, dtype in (*((name, Dtype.FLOAT32) for name in FUNCTIONS), ("tanh", Dtype.FLOAT64)):
        z = np.linspace(-15.0, 15.0, 203).astype(dtype)
        out = np.full(z.size + 1, 7.0, dtype)
        c_loops.loop(library, activation, dtype)(out[:-1], z)
        error = truth_at(registry.activation(activation), z)[0].error(out[:-1])
        assert error[abs(z + 1.278) > 0.5].max() < CLOSE
        assert out[-1] == 7.0


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    reasons = [c_loops.skipped(library) for library in LIBRARIES]
    monkeypatch.setattr(c_loops, "_vector_bytes", lambda: 0)
    assert c_loops.skipped(LIBRARIES[0]) in {"the processor has no AVX2", "gcc is not found"}
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert {c_loops.skipped(library) for library in LIBRARIES} == {"gcc is not found"}
    assert all(reason is None or "\n" not in reason for reason in reasons)


def test_every_library_has_an_exponential_for_each_dtype_and_width() -> None:
    expected = {(dtype, size) for dtype in (Dtype.FLOAT32, Dtype.FLOAT64) for size in (64, 32)}
    for library in LIBRARIES:
        assert {*library.exponentials} == expected
