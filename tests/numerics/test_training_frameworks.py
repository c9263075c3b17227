from __future__ import annotations

from functools import cache
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest

from actbench import registry
from actbench.backends import _nvidia
from actbench.backends._shipped import JAX, TORCH
from actbench.errors import InputError
from actbench.kernels.training_memory import predicted
from actbench.model.names import WIDE
from actbench.model.training import CHECKPOINT, FREE, LEARNING_RATE, SHIPPED, Optimizer
from tests.support.peers import usable
from tests.support.tiers import EXHAUSTIVE, exhaustive_but
from tests.support.trained import Case, Facts, changes, facts, ours, points, values
from tests.support.training import BATCH, DECLARED, ODD, arms, arrays, step

KEEPS_Y, KEEPS_Z = ("logistic", "tanh"), ("gelu", "silu")
"""What torch's own gradient keeps."""

EAGER, JITTED, COMPILED = usable("torch"), usable("jax"), usable("torch-compile")

ON_DEVICE = [usable("torch-cuda"), usable("torch-compile-cuda")]

each_framework = pytest.mark.parametrize("backend", [EAGER, JITTED, COMPILED, *ON_DEVICE])

WITH_PARAMETERS = ("elu:alpha=0.5", "celu:alpha=2", "leaky-relu:slope=0.2", "squareplus:b=1")


FEW = ("glu-ffn:6-8",)
"""The network that is enough where every step is compiled for seconds."""


@cache
def of(backend: str, activation: str, networks: tuple[str, ...] = DECLARED) -> dict[Case, Facts]:
    """Return the facts of all arms of an activation in networks."""
    chosen = product(networks, [activation], [SHIPPED, *arms(activation)])
    return facts(backend, [case for case in chosen if step(case[0], case[2], activation, backend).unsupported is None])


def by_arm(found: dict[Case, Facts], network: str) -> dict[str, Facts]:
    return {case[2]: fact for case, fact in found.items() if case[0] == network}


@pytest.mark.parametrize(
    ("activation", "networks"),
    exhaustive_but(product((*KEEPS_Y, *KEEPS_Z), (FEW, DECLARED)), lambda case: case == ("logistic", FEW)),
)
@each_framework
def test_every_arm_has_the_gradients_of_numpy_but_the_one_without_a_derivative(
    backend: str, activation: str, networks: tuple[str, ...]
) -> None:
    found = of(backend, activation, networks)
    for network in networks:
        assert {*by_arm(found, network)} == {SHIPPED, *arms(activation)}
    assert [fact.case for fact in found.values() if fact.case[2] != FREE and not fact.error < 1e-9] == []
    assert all(fact.error > 0.01 for fact in found.values() if fact.case[2] == FREE)


@pytest.mark.parametrize("backend", [EAGER])
def test_gradients_are_those_of_numpy_in_odd_networks_too(backend: str) -> None:
    found = of(backend, "silu", tuple(ODD))
    assert len(found) > 20
    assert all(fact.error < 1e-9 for fact in found.values() if fact.case[2] != FREE)


@pytest.mark.parametrize(
    ("backend", "table"),
    [pytest.param(*kind.values, table, marks=kind.marks) for kind, table in ((EAGER, TORCH), (JITTED, JAX))],
)
def test_what_a_framework_ships_is_the_activation_of_that_name(backend: str, table: dict[str, object]) -> None:
    """To a few ULP; where g is small, theirs may be what is left of numbers of the size of z."""
    assert {*table} <= {*registry.activations()}
    offered = (*(name for name in table if name in registry.elementwise()), *WITH_PARAMETERS)
    names = [name for name in offered if registry.backend(backend).ships(name)]
    for dtype in WIDE:
        size = np.abs(points(dtype)).clip(1)
        for name, computed in values(backend, names, dtype).items():
            expected = ours(name, dtype)
            allowed = np.maximum(8 * np.spacing(np.abs(expected)), 4 * np.finfo(dtype).eps * size)
            assert np.all(np.abs(np.array(computed, dtype=dtype) - expected) <= allowed), name
    found = facts(backend, [("dense:6-5", name, SHIPPED) for name in names])
    inaccurate = {case[1]: fact.error for case, fact in found.items() if not fact.error < 1e-9}
    if backend == "torch":
        assert inaccurate.pop("hard-sigmoid") < 1e-7, "its 1/6 is that of float32, in float64 too"
    assert inaccurate == {}


@pytest.mark.parametrize("backend", ["torch", "torch-compile", "torch-cuda", "jax"])
def test_what_a_framework_lacks_is_not_compared_with_what_it_ships(backend: str) -> None:
    assert registry.backends()[backend].ships("gaussian") is None
    unsupported = step("dense:6-5", SHIPPED, "gaussian", backend).unsupported
    assert unsupported == f"{backend} has no gaussian of its own"


@pytest.mark.parametrize("activation", exhaustive_but((*KEEPS_Y, *KEEPS_Z), lambda name: name in {"tanh", "gelu"}))
@pytest.mark.parametrize("backend", [EAGER, ON_DEVICE[0]])
def test_eager_steps_keep_what_their_strategies_declare(backend: str, activation: str) -> None:
    found = of(backend, activation)
    assert [fact.case for fact in found.values() if fact.predicted not in {None, fact.kept}] == []
    for network in DECLARED:
        fact = by_arm(found, network)
        hidden = sum(step(network, FREE, activation, backend).network.activated)
        assert fact["recompute"].kept == fact[FREE].kept + BATCH * hidden * 8
        assert fact[SHIPPED].kept == fact["cached" if activation in KEEPS_Y else "recompute"].kept
        assert fact[CHECKPOINT].kept == fact[FREE].kept


@pytest.mark.parametrize("backend", [EAGER])
def test_narrow_residuals_are_kept_beside_what_torch_computes(backend: str) -> None:
    chosen = [("ffn:5-8", "tanh", arm) for arm in ("cached:float32", "cached:float16", "recompute:bfloat16")]
    found = facts(backend, chosen)
    assert all(fact.kept == fact.predicted for fact in found.values())
    errors = [fact.error for fact in found.values()]
    assert errors == sorted(errors)
    assert 1e-9 < errors[0] < 1e-7 < errors[1] < 1e-3 < errors[2] < 0.1


@pytest.mark.parametrize("backend", [JITTED])
def test_jax_hands_from_pass_to_pass_what_strategies_declare(backend: str) -> None:
    """Its loss, of squares, keeps the error in place of the output: the last y is not alive anyway."""
    found = of(backend, "logistic", FEW)
    assert [fact.case for fact in found.values() if fact.predicted not in {None, fact.kept}] == []
    last = by_arm(
        facts(backend, [("dense:6-5", "logistic", arm) for arm in ("recompute", "cached", FREE)]), "dense:6-5"
    )
    assert last["cached"].kept == last["recompute"].kept == 2 * last[FREE].kept
    assert all(fact.peak and fact.peak > 0 for fact in found.values())


@pytest.mark.parametrize("backend", [COMPILED])
def test_a_compiler_may_compute_again_what_an_arm_declares_to_keep(backend: str) -> None:
    found = by_arm(of(backend, "logistic", FEW), *FEW)
    assert [fact.case for fact in found.values() if fact.predicted and fact.kept > fact.predicted] == []
    assert found["recompute"].kept == found["cached"].kept == found["cached"].predicted
    assert found[CHECKPOINT].kept < found[FREE].kept, "y is computed again, too"


@each_framework
def test_parts_of_an_eager_step_add_up_to_it_and_compiled_steps_have_none(backend: str) -> None:
    for fact in of(backend, "logistic", FEW).values():
        if backend in {"torch", "torch-cuda"}:
            assert fact.parts is not None
            assert fact.shortest is not None
            assert 0.5 < fact.parts <= 1
            assert fact.shortest >= 0
        else:
            assert fact.parts is fact.shortest is None
        assert (fact.peak is None) == (backend in {"torch", "torch-compile"}), "on the processor"


@pytest.mark.parametrize("backend", [EAGER, JITTED, ON_DEVICE[0]])
def test_a_step_is_freed_with_its_parameters_without_the_garbage_collector(backend: str) -> None:
    assert [fact.case for fact in of(backend, "logistic", FEW).values() if not fact.freed] == []


@pytest.mark.parametrize(
    ("backend", "optimizer"),
    [
        pytest.param(*kind.values, optimizer, marks=[*kind.marks, *marks])
        for kind, optimizer, marks in (
            (EAGER, Optimizer.SGD, ()),
            (EAGER, Optimizer.ADAM, ()),
            (JITTED, Optimizer.SGD, ()),
            (JITTED, Optimizer.ADAM, ()),
            (COMPILED, Optimizer.SGD, [EXHAUSTIVE]),
        )
    ],
)
def test_a_step_updates_its_parameters_and_a_thousand_leave_them_what_they_were(
    backend: str, optimizer: Optimizer
) -> None:
    first, second, last, gradients = changes(backend, optimizer, 1000)
    for before, after, end, gradient in zip(first, second, last, gradients, strict=True):
        change = after - before if gradient.shape == before.shape else (after - before).T
        expected = gradient if optimizer is Optimizer.SGD else np.sign(gradient)
        assert np.allclose(change, -LEARNING_RATE * expected, rtol=1e-2, atol=1e-3 * LEARNING_RATE)
        assert np.allclose(before, end, rtol=0, atol=2000 * LEARNING_RATE)


def test_a_step_needs_a_device_that_torch_can_use(monkeypatch: pytest.MonkeyPatch) -> None:
    without = SimpleNamespace(__version__="2.9", cuda=SimpleNamespace(is_available=lambda: False))
    monkeypatch.setattr(_nvidia, "library", lambda: without)
    of = step("dense:6-5", SHIPPED, "tanh", "torch-cuda")
    with pytest.raises(InputError, match=r"'torch-cuda' cannot run: torch 2\.9 finds no CUDA device"):
        of.step(arrays(of), Optimizer.SGD)


def test_what_ships_with_a_framework_has_the_parameters_of_the_activation() -> None:
    for name, call in (*TORCH.items(), *JAX.items()):
        assert {*call.parameters} <= {*registry.activation(name).parameters}
    assert str(TORCH["elu"].with_parameters({"alpha": 0.5})) == "torch.nn.functional.elu(z, alpha=0.5)"
    assert registry.backends()["torch"].ships("identity") == "torch.nn.Identity()(z)"
    assert registry.backends()["jax"].ships("squareplus:b=1") == "jax.nn.squareplus(z, b=1.0)"
    assert predicted(step("dense:6-5", SHIPPED, "tanh", "torch"), BATCH) is None
