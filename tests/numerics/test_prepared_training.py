"""Steps that have been timed are held against what they were, on a batch whose rows have changed places."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from actbench.backends.numpy import Numpy
from actbench.engine.protocol import Prepare, Slice, Sweep, Taken
from actbench.engine.working import prepared_training
from actbench.engine.working.prepared_training import UNTIMED_AFTER_ANOTHER, PreparedTraining
from actbench.errors import InputError
from actbench.formula import Formulas, activation
from actbench.kernels.training import NetworkStep
from actbench.model.inputs import Inputs
from actbench.model.names import Dtype
from actbench.model.training import Optimizer, StepPart
from tests.support.registered import register
from tests.support.training import step

MLP = "mlp:12-16-8-4"

Spoilt = Callable[[Any, Any], Any]
"""From z and g'(z) of a step, what is returned in place of g'(z)."""


def prepared(name: str, of: str, arms: tuple[str, ...], batch: int = 32, inputs: str = "normal") -> PreparedTraining:
    request = Prepare((), 1, inputs=Inputs.parse(inputs), optimizer=Optimizer.SGD)
    return PreparedTraining([step(name, arm, of, dtype=Dtype.FLOAT32) for arm in arms], batch, request)


def mirrored(arms: int, calls: int) -> Sweep:
    """Return slices of so many calls of all arms, there and back."""
    return Sweep(1, tuple(Slice(arm, calls) for arm in (*range(arms), *reversed(range(arms)))))


def spoilt_block(monkeypatch: pytest.MonkeyPatch, spoilt: Spoilt) -> PreparedTraining:
    """Return a block of steps with z^2, in whose backward pass g' is spoilt."""

    @activation
    def mine(m: Any) -> Formulas:
        """z^2."""
        del m

        def forward(z: Any) -> Any:
            return z * z

        def recompute(z: Any) -> Any:
            return spoilt(z, 2.0 * z)

        return Formulas(forward=forward, recompute=recompute)

    register(monkeypatch, mine)
    return prepared(MLP, "mine", ("recompute",))


def doubts_of(monkeypatch: pytest.MonkeyPatch, spoilt: Spoilt) -> list[str]:
    """Return the doubts about steps whose g' is spoilt."""
    return [doubt.fault for doubt in spoilt_block(monkeypatch, spoilt).doubts()]


def test_a_gradient_that_is_remembered_from_the_step_before_is_doubted(monkeypatch: pytest.MonkeyPatch) -> None:
    remembered: dict[tuple[int, ...], Any] = {}
    (fault,) = doubts_of(monkeypatch, lambda z, slope: remembered.setdefault(z.shape, slope))
    assert fault.startswith("its gradients are not the same after it was timed as before")


def test_gradients_of_the_same_norm_that_point_elsewhere_are_doubted(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[None] = []

    def turned(_: Any, slope: Any) -> Any:
        calls.append(None)
        return slope if len(calls) <= len(MLP.split("-")) - 2 else -slope

    assert doubts_of(monkeypatch, turned)


def test_honest_steps_are_not_doubted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doubts_of(monkeypatch, lambda _, slope: slope) == []


def test_overflows_in_steps_that_are_compared_do_not_warn(monkeypatch: pytest.MonkeyPatch) -> None:
    block = spoilt_block(monkeypatch, lambda z, slope: slope * np.minimum(np.exp(1000.0 * z * z), 1.0))
    assert [*block.compared(), *block.doubts()] == []


@pytest.mark.parametrize("inputs", ["normal:0,1e-30", "uniform:0,255", "normal:0,1e4", "normal:-100,1"])
@pytest.mark.parametrize("batch", [1, 2, 33])
def test_neither_the_order_of_rows_nor_that_of_steps_leaves_a_doubt(inputs: str, batch: int) -> None:
    block = prepared(MLP, "relu", ("recompute", "cached", "checkpoint", "free"), batch, inputs)
    for _ in range(3):
        block.instrument([mirrored(4, 10)], None)
        assert [*block.doubts()] == []


class Counted:
    """A step that counts what is done with it."""

    def __init__(self, done: list[str], name: str, *, compiled: bool = False) -> None:
        self._done, self._name, self._compiled = done, name, compiled

    def __call__(self) -> None:
        """Note that it was done."""
        self._done.append(self._name)

    def gradients(self) -> list[Any]:
        """Note that it was done by another program, which returns gradients."""
        self._done.append(f"{self._name} with gradients")
        return [np.ones(1)]

    def instrumented(self, _: Callable[[], float]) -> dict[StepPart, float] | None:
        """Note that it was done in parts, of a second, where it has parts."""
        if self._compiled:
            return None
        self._done.append(f"{self._name} in parts")
        return dict.fromkeys(StepPart, 1.0)


def test_steps_are_timed_and_instrumented_in_turns_after_untimed_ones() -> None:
    block = prepared(MLP, "relu", ("recompute", "cached"))
    done: list[str] = []
    block._steps = block._arms[:2] = [Counted(done, "a"), Counted(done, "b")]  # type: ignore[list-item, assignment]
    block._libraries = ["numpy", "torch", ""]
    timed = block.instrument([mirrored(2, 2)], None)
    untimed, plain = {name: [name] * UNTIMED_AFTER_ANOTHER for name in "ab"}, {name: [name] * 2 for name in "ab"}
    watched = {name: [f"{name} in parts"] * 2 for name in "ab"}
    first, second = untimed["a"] + watched["a"] + plain["a"], untimed["b"] + plain["b"] + watched["b"]
    third, fourth = watched["b"] + plain["b"], untimed["a"] + plain["a"] + watched["a"]
    assert done == first + second + third + fourth
    assert (len(timed.seconds[0]), timed.parts) == (4, ((1.0,) * len(StepPart),) * 2)


def test_an_arm_without_parts_does_whole_steps_where_others_are_instrumented(monkeypatch: pytest.MonkeyPatch) -> None:
    block = prepared(MLP, "relu", ("recompute", "cached"))
    done: list[str] = []

    def marked(ready: Callable[[], Callable[[], None]], *, one_thread: bool) -> Taken:
        del one_thread
        calls = ready()
        done.append("timed:")
        calls()
        return Taken(1.0, 1.0)

    monkeypatch.setattr(prepared_training, "undisturbed", marked)
    arms = [Counted(done, "a"), Counted(done, "b", compiled=True), Counted(done, "c", compiled=True)]
    block._steps, block._arms, block._libraries = arms[:2], arms, ["numpy", "jax", ""]  # type: ignore[assignment]
    parts = block.instrument([mirrored(3, 1)], None).parts
    there = [*"aaaa", "a in parts", "timed:", "a", *"bbbb", "timed:", "b", "b", *"cccc", "c", "timed:", "c"]
    assert done == [*there, "timed:", "c", "c", *"bbbb", "b", "timed:", "b", *"aaaa", "timed:", "a", "a in parts"]
    assert parts == ((1.0,) * len(StepPart), ())


def test_a_compiled_step_is_done_as_it_is_timed_before_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(Numpy, "compiles_for_a_size", True)
    monkeypatch.setattr(NetworkStep, "step", lambda *_: Counted(done, "a", compiled=True))
    prepared(MLP, "relu", ("recompute",))
    assert sorted(done) == ["a", "a with gradients"]


def test_inputs_with_which_steps_move_the_parameters_are_named_as_the_reason() -> None:
    block = prepared(MLP, "relu", ("recompute", "cached"), inputs="normal:0,1e12")
    with pytest.raises(InputError, match="so large that steps move the parameters that arms share: draw narrower ones"):
        [*block.doubts()]


def test_rows_keep_their_targets() -> None:
    block = prepared(MLP, "relu", ("recompute",))
    before = [array.copy() for array in (block._arrays.x, block._arrays.target)]
    assert [*block.doubts()] == []
    after = block._arrays.x, block._arrays.target
    order = [int(np.flatnonzero((before[0] == row).all(axis=1))[0]) for row in after[0]]
    assert sorted(order) == [*range(len(order))] != order
    for array, was in zip(after, before, strict=True):
        assert np.array_equal(array, was[order])
