"""Accuracy over all numbers of a format."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from actbench import registry
from actbench.analysis.accuracy import Accuracy, Part, is_zero
from actbench.engine.launch import WorkerLostError
from actbench.engine.protocol import Evaluate
from actbench.engine.survey import exhaustive
from actbench.engine.survey.accuracy import Survey
from actbench.engine.wire import A, Request
from actbench.errors import InputError
from actbench.kernels import resolution
from actbench.model.cases import Case
from actbench.model.names import Dtype, Op
from actbench.verification import oracle
from tests.conftest import Actbench
from tests.support.fake import FakeBench, FakeWorker
from tests.support.surveyed import EXACT, kernel, rows
from tests.support.tiers import exhaustive_but


@pytest.mark.parametrize(
    ("strategy", "exact"),
    exhaustive_but(
        product(["cached", "complement", "recompute"], [True, False]),
        {("cached", True), ("cached", False), ("complement", True), ("recompute", False)}.__contains__,
    ),
)
def test_an_exhaustive_survey_finds_the_errors_that_mpmath_finds(
    few: np.ndarray[tuple[int], np.dtype[np.float32]], strategy: str, *, exact: bool
) -> None:
    bench = FakeBench()
    of = kernel("logistic", strategy, Dtype.FLOAT32)
    *going, last = exhaustive.survey([resolution.kernel(of)], bench.launch, Survey(10, exact=exact))
    assert len(going) == 2
    assert isinstance(last, Accuracy)
    assert last.exhaustive
    truth, y = oracle.truth_at(registry.activation("logistic"), few)
    residuals = oracle.residuals_at(registry.activation("logistic"), strategy, few, lambda: y) if exact else None
    worker = bench.launch.start()
    answer = worker.ask(Evaluate.of(of, few, few, residuals)).outputs[-1].unpack()
    error = truth.error(answer)
    right = last.tails[Part.RIGHT]
    assert right.points == few.size
    assert right.largest.size == pytest.approx(error.max(), rel=1e-6)
    assert right.median == pytest.approx(np.quantile(error, 0.5, method="inverted_cdf"), rel=0.05)
    assert right.p99 == pytest.approx(np.quantile(error, 0.99, method="inverted_cdf"), rel=0.05)
    zero = is_zero(answer, truth)
    assert [zone.first for zone in last.losses[Part.RIGHT].zero][:1] == few[zero][:1].tolist()


@pytest.mark.parametrize(("dtype", "infinity"), [("float16", 0x7C00), ("float32", 1050)])
def test_all_finite_numbers_are_looked_at_once(monkeypatch: pytest.MonkeyPatch, dtype: str, infinity: int) -> None:
    assert exhaustive._count(np.dtype(np.float32)) == 0x7F80_0000
    assert exhaustive._count(np.dtype(np.float16)) == 0x7C00
    monkeypatch.setattr(exhaustive, "_count", lambda _: infinity)
    monkeypatch.setattr(exhaustive, "NUMBERS_AT_ONCE", 100)
    kind = np.dtype(dtype)
    chunks = list(exhaustive._numbers(kind))
    assert len(chunks) == 2 * -(-infinity // 100)
    right, left = (
        np.concatenate([z.view(f"u{kind.itemsize}") for chunk_part, z in chunks if chunk_part is part])
        for part in (Part.RIGHT, Part.LEFT)
    )
    assert right.tolist() == [*range(infinity)]
    assert (left - (1 << (8 * kind.itemsize - 1))).tolist() == [*range(1, infinity)]


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("deaths", [1, 2])
def test_an_exhaustive_survey_outlives_its_workers(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch, deaths: int
) -> None:
    real, left = FakeWorker.ask, iter(range(deaths))

    def ask(self: FakeWorker, request: Request[A]) -> A:
        if isinstance(request, Evaluate):
            case = Case.parse(request.case)
            if case.size == 4000 and case.strategy == "cached" and next(left, None) is not None:
                raise WorkerLostError("the worker was killed by SIGKILL")
        return real(self, request)

    monkeypatch.setattr(FakeWorker, "ask", ask)
    chosen = ("-a", "identity,softsign", "-s", "recompute,cached", "-b", "numpy", "-d", "float32", "--points", "10")
    result = actbench("accuracy", *chosen, "--exhaustive", "--format", "csv", "-q")
    looked_at = {(row["activation"], row["strategy"]) for row in rows(result.stdout)}
    both = {("identity", "recompute"), ("softsign", "recompute")}
    if deaths == 1:
        assert result.exit_code == 0
        assert looked_at == {*both, ("softsign", "cached")}
    else:
        assert result.exit_code == 4
        assert looked_at == both
        assert result.stderr == (
            "actbench: softsign/cached/numpy/derivative/float32 cannot be surveyed: the worker was killed by SIGKILL, "
            "between z = 1e-30 and 90.0038071\n"
        )


def test_an_activation_without_a_stable_form_cannot_be_looked_at_exhaustively(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exhaustive, "STABLE", "anything")
    bench, of = FakeBench(), kernel("logistic", "cached", Dtype.FLOAT32)
    with pytest.raises(InputError, match="logistic has no strategy 'anything'"):
        next(exhaustive.survey([resolution.kernel(of)], bench.launch, EXACT))


def test_a_stable_form_that_loses_digits_in_float64_is_no_truth_of_float32() -> None:
    y = replace(kernel("tanh-shrink", "recompute", Dtype.FLOAT32), op=Op.STEP)
    with pytest.raises(
        InputError, match=r"'recompute' in float64 for the truth, which is off by .* ULP of float32 at z"
    ):
        next(exhaustive.survey([resolution.kernel(y)], FakeBench().launch, EXACT))
