"""What the tests of accuracy share."""

from __future__ import annotations

import csv
import io
from functools import cache

from actbench.analysis.accuracy import Accuracy
from actbench.engine.survey.accuracy import Survey
from actbench.kernels import resolution
from actbench.model.cases import KernelId
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant
from tests.support.fake import FakeBench

EXACT = Survey(points=60, exact=True)


def kernel(activation: str, strategy: str, dtype: Dtype = Dtype.FLOAT64, backend: str = "numpy") -> KernelId:
    return KernelId(activation, Variant(strategy), backend, Op.DERIVATIVE, dtype)


@cache
def accuracies(*kernels: KernelId, survey: Survey = EXACT) -> tuple[Accuracy, ...]:
    results = survey.of(map(resolution.kernel, kernels), FakeBench().launch)
    return tuple(result for result in results if isinstance(result, Accuracy))


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))
