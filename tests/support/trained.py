"""Steps of frameworks in a process of their own: jax forbids forking once it is imported, and torch warns of itself."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from actbench import registry
from actbench.backends._framework import Framework
from actbench.kernels.training import NetworkStep, plainest
from actbench.kernels.training_memory import predicted
from actbench.model.names import Dtype
from actbench.model.rule import Dialect
from actbench.model.training import Optimizer
from tests.support.training import BATCH, arrays, step

Case = tuple[str, str, str]
"""The names of a network, an activation and an arm."""


@dataclass(frozen=True)
class Facts:
    """What is known of one arm's step."""

    case: Case
    error: float
    """The largest relative error of a gradient, to numpy's of the plainest strategy, in the Euclidean norm."""
    kept: int
    predicted: int | None
    """Bytes that declarations predict of `kept`."""
    peak: int | None
    parts: float | None
    """The sum of the parts of an instrumented step over its duration; None where there are no parts."""
    shortest: float | None
    """The least of the parts, in seconds."""
    freed: bool
    """Whether another such step, and its parameters, are freed without the garbage collector."""


def facts(backend: str, cases: Iterable[Case], dtype: Dtype = Dtype.FLOAT64) -> dict[Case, Facts]:
    """Return what a process of a framework's finds out of its steps."""
    answers = _ask("facts", backend, dtype, [*cases])
    return {tuple(one["case"]): Facts(**one | {"case": tuple(one["case"])}) for one in answers}


def values(backend: str, activations: Iterable[str], dtype: Dtype) -> dict[str, list[float]]:
    """Return the framework's own g at `points`, by activation."""
    return dict(_ask("values", backend, dtype, [*activations]))


def changes(backend: str, optimizer: Optimizer, steps: int) -> list[list[Any]]:
    """Return the parameters of a step at first, after one step and after so many, and the gradients of the first.

    They are in the shapes that the framework has them in.
    """
    answers = _ask("changes", backend, Dtype.FLOAT64, [optimizer, steps])
    return [[np.array(array) for array in arrays] for arrays in answers]


def points(dtype: Dtype) -> Any:
    """Return z as normalised layers see them."""
    return np.concatenate([np.linspace(-8, 8, 801), np.random.default_rng(1).standard_normal(800)]).astype(dtype)


def _ask(what: str, backend: str, dtype: Dtype, arguments: Sequence[Any]) -> Any:
    command = [sys.executable, "-m", __name__, what, backend, dtype, json.dumps(arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _facts(backend: str, dtype: Dtype, cases: Sequence[Case]) -> list[Any]:
    return [asdict(_facts_of(backend, dtype, *case)) for case in cases]


def _facts_of(backend: str, dtype: Dtype, network: str, activation: str, arm: str) -> Facts:
    of = step(network, arm, activation, backend, dtype)
    plain = step(network, plainest(of.activation), activation, "numpy", dtype)
    reference = plain.step(arrays(plain), Optimizer.SGD).gradients()
    executed = of.step(arrays(of), Optimizer.SGD)
    computed = executed.gradients()
    assert [array.shape for array in computed] == [array.shape for array in reference]
    assert {array.dtype for array in computed} == {np.dtype(dtype)}
    errors = [np.linalg.norm(a - b) / np.linalg.norm(b) for a, b in zip(computed, reference, strict=True)]
    declared = predicted(of, BATCH)
    executed.instrumented(time.perf_counter)
    start = time.perf_counter()
    parts = executed.instrumented(time.perf_counter)
    seconds = time.perf_counter() - start
    return Facts(
        (network, activation, arm),
        float(max(errors)),
        executed.kept_bytes(),
        declared.total if declared else None,
        executed.peak_bytes(),
        sum(parts.values()) / seconds if parts else None,
        min(parts.values()) if parts else None,
        _is_freed(of),
    )


def _is_freed(of: NetworkStep) -> bool:
    executed: Any = of.step(arrays(of), Optimizer.SGD)
    executed.gradients()
    executed.instrumented(time.perf_counter)
    executed.kept_bytes()
    references = weakref.ref(executed), weakref.ref(executed._parameters[0][0])
    gc.disable()
    del executed
    freed = all(reference() is None for reference in references)
    gc.enable()
    return freed


def _values(backend: str, dtype: Dtype, activations: Sequence[str]) -> dict[str, list[float]]:
    framework = registry.backend(backend)
    assert isinstance(framework, Framework)
    z = framework.adopt(points(dtype))
    functions = {name: framework.shipped_function(name) for name in activations}
    outputs = {name: framework.release(function(z)) for name, function in functions.items() if function}
    assert all(output.dtype == dtype for output in outputs.values())
    return {name: output.tolist() for name, output in outputs.items()}


def _changes(backend: str, dtype: Dtype, optimizer: str, steps: int) -> list[Any]:
    of = step("ffn:5-8", "shipped", "tanh", backend, dtype)
    executed: Any = of.step(arrays(of), Optimizer(optimizer))

    def parameters() -> list[Any]:
        pairs = executed._parameters
        return [
            np.asarray(part.detach() if hasattr(part, "detach") else part).tolist() for pair in pairs for part in pair
        ]

    before = parameters()
    gradients = [gradient.tolist() for gradient in executed.gradients()]
    after = parameters()
    for _ in range(steps - 1):
        executed()
    return [before, after, parameters(), gradients]


def ours(activation: str, dtype: Dtype) -> Any:
    """Return g by numpy's formula at the same points."""
    function = registry.activation(activation).forward(Dialect.ARRAY, registry.backend("numpy").namespace())
    with np.errstate(all="ignore"):
        return function(points(dtype))


if __name__ == "__main__":
    what, backend, dtype, arguments = sys.argv[1:]
    parsed = json.loads(arguments)
    match what:
        case "facts":
            print(json.dumps(_facts(backend, Dtype(dtype), parsed)))
        case "values":
            print(json.dumps(_values(backend, Dtype(dtype), parsed)))
        case "changes":
            print(json.dumps(_changes(backend, Dtype(dtype), *parsed)))
