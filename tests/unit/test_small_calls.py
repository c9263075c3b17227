from __future__ import annotations

from benchmarks import small_calls


def test_small_calls_are_compared_with_those_that_numba_looks_up() -> None:
    times = {"looked up": [2e-7, 2e-7, 2e-7], "used": [1e-7, 1e-7, 1e-7]}
    assert {name: interval.value for name, interval in small_calls.faster(times).items()} == {
        "looked up": 1.0,
        "used": 2.0,
    }


def test_what_is_compared_computes_the_same() -> None:
    compared = small_calls.calls()
    assert [*compared] == ["looked up", "used", "numba", "nothing", "len", "loop"]
    assert [compared[name]() for name in ("looked up", "used", "numba", "nothing", "loop")] == [None] * 5
