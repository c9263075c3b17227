from __future__ import annotations

import random

import pytest

from benchmarks import since


@pytest.mark.exhaustive
def test_kernels_are_as_fast_as_their_equals_and_what_either_side_lacks_is_left_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cases: list[since.Case] = [("logistic", "recompute", "float32", 4096), ("unheard-of", "recompute", "float32", 4096)]
    rng = random.Random(1)  # noqa: S311  # not for cryptography
    rounds = [since.round_of(cases, (since.HERE, since.HERE), 2, rng) for _ in range(6)]
    assert all(list(one) == cases[:1] for one in rounds)
    assert all(0.2 < 2.0 ** one[cases[0]][0] < 5.0 for one in rounds)
    since.report(rounds)
    assert "logistic/recompute/float32/4096" in capsys.readouterr().out
