"""Loops over rows, as they are laid out from formulas."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from actbench import registry
from actbench.backends._row_compiling import ASKING, STREAMED, STREAMED_ASKING, VECTOR
from actbench.backends._row_functions import function_of, passes_of
from actbench.backends._row_notation import RowNotation
from actbench.backends.numba_simd import NumbaSimd
from actbench.backends.numba_simd_streaming import NumbaSimdStreaming
from actbench.host import processors
from actbench.host.processors import Description
from actbench.model.names import Op
from actbench.model.row_graph import TRACING, traced
from actbench.model.rule import Dialect


def test_the_loops_of_a_step_have_a_pass_for_every_reduction_that_waits_and_one_exponential_an_element() -> None:
    rule = registry.activation("softmax").rule("intermediate", Dialect.ARRAY, TRACING)
    function = function_of(passes_of(Op.BACKWARD, rule), VECTOR)
    assert function.arrays == ("dz", "dy", "z", "top", "total")
    assert function.source == LOOPS


LOOPS = """\
def kernel(dz, dy, z, top, total):
    vector_width.widest()
    for r in span(len(z)):
        columns = len(z[0])
        top1 = top[r, 0]
        total2 = total[r, 0]
        row3 = (c0 / total2)
        sum4, rest_sum4 = 0.0, 0.0
        for begin in range(0, columns, block):
            z_now = z[r, begin : begin + block]
            dy_now = dy[r, begin : begin + block]
            kept_now = dz[r, begin : begin + block]
            part_sum4 = zero
            for k in range(min(block, columns - begin)):
                t5 = functions.exp((z_now[k] - top1))
                kept_now[k] = t5
                part_sum4 = any_order.plus(part_sum4, (dy_now[k] * t5))
            sum4, rest_sum4 = gathered(sum4, rest_sum4, part_sum4)
        sum4 = real(sum4 + rest_sum4)
        row6 = (sum4 * row3)
        for i in range(columns):
            dz[r, i] = ((dz[r, i] * row3) * (dy[r, i] - row6))"""


def lines_of(name: str, strategy: str, notation: RowNotation) -> list[str]:
    rule = registry.activation(name).rule(strategy, Dialect.ARRAY, TRACING)
    return [line.strip() for line in function_of(passes_of(Op.BACKWARD, rule), notation).source.splitlines()]


def test_over_large_arrays_the_slowest_pass_asks_for_what_the_next_row_reads() -> None:
    lines = lines_of("softmax", "recompute", ASKING)
    assert lines[1] == "if dz.nbytes + dy.nbytes + z.nbytes > distant:"
    asks = [line for line in lines if "prefetch" in line]
    assert asks == [f"prefetch.ask_block({name}, (r + 1) * columns + begin)" for name in ("z", "dy")]
    at = lines.index(asks[-1])
    assert any("functions.exp" in line for line in lines[at : at + 8])


@pytest.mark.parametrize(
    ("processor", "expected"),
    [
        (Description("AuthenticAMD", 25, 33, frozenset({"avx2"})), (ASKING, STREAMED_ASKING)),
        (Description("AuthenticAMD", 25, 17, frozenset({"avx2", "avx512f"})), (VECTOR, STREAMED)),
        (Description("GenuineIntel", 6, 143, frozenset({"avx2", "avx512f"})), (VECTOR, STREAMED)),
        (Description(), (VECTOR, STREAMED)),
    ],
)
def test_loops_ask_for_the_next_row_where_that_was_measured_to_help(
    monkeypatch: pytest.MonkeyPatch, processor: Description, expected: tuple[RowNotation, RowNotation]
) -> None:
    monkeypatch.setattr(processors, "description", lambda: processor)
    assert (NumbaSimd().row_notation(), NumbaSimdStreaming().row_notation()) == expected


def test_where_no_pass_computes_the_first_one_asks_for_the_place_of_the_result_and_the_last_one_for_the_next_row() -> (
    None
):
    lines = lines_of("softmax", "cached", ASKING)
    first, *last = (line for line in lines if "prefetch" in line)
    assert first == "prefetch.ask_block(dz, r * columns + begin)"
    assert last == [f"prefetch.ask_block({name}, (r + 1) * columns + begin)" for name in ("y", "dy")]


def test_results_that_bypass_the_caches_are_computed_aside_with_what_a_pass_keeps() -> None:
    lines = lines_of("softmax-cross-entropy", "textbook", STREAMED_ASKING)
    assert any(line.startswith("kept_now[k] = ") for line in lines)
    assert "lines_dz[k] = (functions.where(begin + k == target1, row7, (kept_now[k] * row5)) * dy2)" in lines
    assert "streaming.lines(dz, r * columns + begin, lines_dz, 0)" in lines


def test_what_is_picked_is_computed_in_the_column_of_the_target_and_what_is_replaced_where_the_column_is_it() -> None:
    rule = registry.activation("softmax-cross-entropy").rule("textbook", Dialect.ARRAY, TRACING)
    lines = function_of(passes_of(Op.BACKWARD, rule), VECTOR).source.splitlines()
    assert lines[-5:] == [
        "        row5 = (c0 / sum3)",
        "        row6 = (dz[r, target1] * row5)",
        "        row7 = (row6 - c0)",
        "        for i in range(columns):",
        "            dz[r, i] = (functions.where(i == target1, row7, (dz[r, i] * row5)) * dy2)",
    ]


def test_what_is_replaced_is_an_element_and_by_a_number_of_its_row() -> None:
    with pytest.raises(TypeError, match=r"m\.replace takes one number an element, and a value that is one"):
        traced(lambda z, target: TRACING.replace(z, target, z))


@pytest.mark.parametrize("wrong", [lambda z, target: z - target, lambda z, target: TRACING.pick(target, z)])
def test_a_target_is_for_pick_and_replace(wrong: Callable[..., object]) -> None:
    with pytest.raises(TypeError, match=r"m.pick\(x, target\) and m.replace\(x, target, value\), and nothing else"):
        traced(wrong)
