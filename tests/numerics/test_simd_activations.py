"""Activations over the branch-free functions, compiled, have the values that they have over numpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numba.extending import register_jitable

from actbench import backends, registry
from actbench.backends import _simd
from actbench.backends._compiling import jitted
from actbench.backends._rewriting import with_literals
from actbench.backends._simd import functions
from actbench.model.names import WIDE, Dtype
from actbench.model.rule import Dialect, names_used
from tests.support.tiers import exhaustive_but


def over_array(formula: Callable[..., Any], values: Any) -> Any:
    inlined = register_jitable(formula)

    def loop(out: Any, values: Any) -> None:
        for i in range(values.size):
            out[i] = inlined(values[i])

    result = np.empty_like(values)
    jitted(loop, [str(values.dtype)] * 2)(result, values)
    return result


def functions_used(name: str) -> frozenset[str]:
    """Return the functions of a namespace that the output of an activation takes."""
    return frozenset(names_used(registry.activation(name).forward(Dialect.ARRAY, functions)))


def with_all_functions() -> frozenset[str]:
    """Return few activations that have between them every function that any of them takes."""
    names: set[str] = set()
    left = {function for name in registry.elementwise() for function in functions_used(name)}
    for name in sorted(registry.elementwise(), key=lambda name: len(functions_used(name)), reverse=True):
        if functions_used(name) & left:
            names.add(name)
            left -= functions_used(name)
    return frozenset(names)


@pytest.mark.parametrize("dtype", exhaustive_but(WIDE, Dtype.FLOAT32.__eq__))
@pytest.mark.parametrize("name", exhaustive_but(registry.elementwise(), with_all_functions().__contains__))
def test_an_activation_has_the_values_that_it_has_over_numpy(name: str, dtype: Dtype) -> None:
    activation = registry.activation(name)
    z = np.linspace(-3.0, 9.0, 999).astype(dtype)
    expected = activation.forward(Dialect.ARRAY, backends.namespace("numpy"))(z)
    formula = activation.forward(Dialect.ARRAY, functions)
    helper = register_jitable(forceinline=True)
    computed = over_array(with_literals(formula, dtype, _simd.edition(), helper), z)
    eps = float(np.finfo(dtype).eps)  # numpy's tanh depends on the processor, and z - tanh z loses its leading digits
    np.testing.assert_allclose(computed, expected, rtol=8 * eps, atol=eps)
