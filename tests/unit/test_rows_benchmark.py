"""Figures of `benchmarks.rows` from the seconds of rounds."""

from __future__ import annotations

from functools import partial

import numpy as np

from actbench.model.kernel_copies import LOOP_COPY
from benchmarks import rows


def rounds(of_ours: float) -> list[rows.Seconds]:
    """Return rounds in which the others take about 2, and each figure's task of ours so many, seconds."""
    others = {(task, "numpy"): 2.0 for figure in rows.FIGURES for task in figure.others}
    ours = {(figure.task, rows.OURS): of_ours for figure in rows.FIGURES}
    copy = {("copy", str(LOOP_COPY)): 1.0, (rows.ELEMENTWISE, rows.OURS): 2.0}
    return [
        {key: value * (1.0 + 0.01 * number) for key, value in (others | ours | copy).items()} for number in range(8)
    ]


def test_a_figure_is_reached_where_the_whole_interval_is_at_or_above_it() -> None:
    fast, slow = ("\n".join(rows.lines(rounds(seconds), 1_000)) for seconds in (1.0, 1.5))
    assert "forward        2.00 ± 0.00 times faster than numpy (forward): 1.5 is reached" in fast
    assert "1.5 is not shown to be reached" in slow


def test_a_backward_pass_is_compared_with_a_copy_of_as_many_bytes() -> None:
    assert "cached, numba-simd: 100" in "\n".join(rows.lines(rounds(1.0), 1_000))
    z = np.zeros((4, 6), np.float32)
    for _, _, maker in rows.copying(z):
        call = maker(np.random.default_rng(0))
        assert isinstance(call, partial)
        to, of = call.args
        assert to.nbytes + of.nbytes == 3 * z.nbytes


def test_a_backward_pass_is_compared_with_an_elementwise_one_over_the_same_arrays() -> None:
    text = "\n".join(rows.lines(rounds(2.5), 1_000))
    assert "cached, numba-simd: 80.0 ± 0.0 % of the rate of the backward pass of logistic from y\n" in text


def test_the_fastest_of_the_others_may_be_a_function_of_their_own() -> None:
    some = [dict(one) | {("shipped", "torch"): 1.2} for one in rounds(1.0)]
    assert rows.fastest(some, rows.FIGURES[3]) == ("shipped", "torch")
