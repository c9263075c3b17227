"""What a user's kernel is called with, in every op, state of operands and array type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from actbench import backends, registry
from actbench.activations.silu import CROSSES, FEW_DIGITS
from actbench.engine.protocol import Compare, ListDoubts, Prepare, Slice, Sweep, Time
from actbench.kernels.resolution import resolve
from actbench.model.cases import Arm, Block, KernelId
from actbench.model.names import Dtype, Op, OperandState
from actbench.model.plan import Plan
from actbench.model.rule import Dialect
from actbench.model.user_kernels import kernel
from actbench.model.variants import Variant
from tests.support.judged import InProcess, refusal, verification
from tests.support.registered import register

FORMS = ("returning", "filling", "filling first", "filling by name")


def slope(z: Any) -> Any:
    return registry.activation("silu").rule("recompute", Dialect.ARRAY, backends.namespace("numpy")).derivative(z)


class Kernel:
    """A kernel for silu that looks at what it is handed."""

    def __init__(self, keeps: tuple[str, ...]) -> None:
        self.keeps = keeps
        self.seen: set[tuple[str, int, bool, int]] = set()

    def computed(self, dy: Any, *kept: Any) -> Any:
        """Return dy g', after a look at the arrays."""
        by_name = dict(zip(self.keeps, map(np.asarray, kept), strict=True))
        z, finite = by_name["z"], np.abs(by_name["z"]) < 30
        s = 1 / (1 + np.exp(-np.clip(z, -30, 30)))
        for name, right in {"y": z * s, "s": s}.items():
            assert np.allclose(by_name.get(name, right)[finite], right[finite]), f"{name} is another array"
        self.seen |= {
            (str(a.dtype), a.ndim, a.flags.c_contiguous, a.ctypes.data % 64) for a in map(np.asarray, (dy, z))
        }
        return np.asarray(dy) * slope(z)

    def in_form(self, form: str, adopt: Callable[[Any], Any]) -> Callable[..., Any]:
        """Return what is declared, with as many parameters as the kernel takes."""
        names = ", ".join(self.keeps)
        of_context = "adopt(computed(dy, *ctx.saved_tensors))"
        fill = f"np.copyto(np.asarray(out), computed(dy, {names}))"
        body = {
            "returning": f"lambda dy, {names}: adopt(computed(dy, {names}))",
            "of a class": f"type('Mine', (), {{'backward': lambda ctx, dy: ({of_context}, None)}})",
            "filling": f"lambda dy, {names}, out: {fill}",
            "filling first": f"lambda out, dy, {names}: {fill}",
            "filling by name": f"lambda dy, {names}, *, out: {fill}",
        }[form]
        called: Callable[..., Any] = eval(body, {"np": np, "computed": self.computed, "adopt": adopt})  # noqa: S307
        return called


def declared(monkeypatch: pytest.MonkeyPatch, keeps: tuple[str, ...], form: str, backend: str) -> Kernel:
    mine = Kernel(keeps)
    adopt = registry.backend(backend).adopt
    declare = kernel("silu", "mine", keeps=keeps, backends=(backend,), weaknesses=(CROSSES, FEW_DIGITS))
    silu = registry.activation("silu").with_kernel(declare(mine.in_form(form, adopt)))
    register(monkeypatch, silu)
    return mine


def block(op: Op, backend: str, state: OperandState = OperandState.WARM) -> Block:
    return Block("silu", op, Dtype.FLOAT64, 500, (Arm(Variant("mine"), backend),), operands=state)


@pytest.mark.parametrize(
    ("backend", "form", "keeps"),
    [
        ("numpy", "of a class", ("y", "z")),
        ("numpy", "filling", ("z", "s")),
        ("numpy", "filling by name", ("s", "y", "z")),
        ("numba", "returning", ("z", "s")),
        ("numba", "filling first", ("s", "z")),
        ("numba", "filling", ("z",)),
        ("torch", "returning", ("z", "s")),
        ("torch", "filling", ("y", "z")),
    ],
)
def test_a_kernel_gets_what_it_keeps_in_every_op_and_state(
    monkeypatch: pytest.MonkeyPatch, backend: str, form: str, keeps: tuple[str, ...]
) -> None:
    if reason := registry.backends()[backend].unavailable:
        pytest.skip(f"{backend}: {reason}")
    declared(monkeypatch, keeps, form, backend)
    accepted_everywhere(backend)


def test_a_backward_has_saved_tensors_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Mine:
        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy * ctx.alpha

    declare = kernel("silu", "mine", keeps=("z",), backends=("numpy",))
    register(monkeypatch, registry.activation("silu").with_kernel(declare(Mine)))
    assert "ctx.alpha: a kernel has ctx.saved_tensors alone, write the value into its backward" in refusal(
        block(Op.BACKWARD, "numpy")
    )


def accepted_everywhere(backend: str) -> None:
    """Hold a kernel to being right in every op and state of operands."""
    worker = InProcess()
    for op in (Op.BACKWARD, Op.STEP):
        assert not refusal(block(op, backend))
        for state in (OperandState.COLD, OperandState.RESIDUALS_COLD):
            of = block(op, backend, state)
            worker.ask(Prepare.of(of, Plan((of,), seed=1, cache=4096), whole=True))
            verification(of).settle(of, worker.ask(Compare()).doubts)
            worker.ask(Time((Sweep(1, (Slice(0, 7),) * 2),)))
            verification(of).settle(of, worker.ask(ListDoubts()).doubts)


def test_a_kernel_may_let_its_tensors_require_a_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")

    def by_gradient(dy: Any, z: Any) -> Any:
        z.requires_grad_()
        return torch.from_numpy(dy.numpy() * slope(z.detach().numpy()))

    declare = kernel("silu", "mine", backends=("torch",), weaknesses=(CROSSES, FEW_DIGITS))
    register(monkeypatch, registry.activation("silu").with_kernel(declare(by_gradient)))
    accepted_everywhere("torch")


@pytest.mark.parametrize("form", FORMS)
def test_a_kernel_is_handed_only_arrays_that_it_takes(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    mine = declared(monkeypatch, ("z",), form, "numpy")
    assert not refusal(block(Op.BACKWARD, "numpy"))
    assert mine.seen == {("float64", 1, True, 0)}
    in_float32 = KernelId("silu", Variant("mine"), "numpy", Op.BACKWARD, Dtype.FLOAT32)
    assert resolve(in_float32).unsupported == "'mine' takes float64 only (dtypes=)"


def overruns(dy: Any, z: Any, out: Any) -> None:
    np.lib.stride_tricks.as_strided(out, (z.size + 1,))[:] = [*(dy * slope(z)), 1.0]


def leaves_the_last_out(dy: Any, z: Any, out: Any) -> None:
    out[:-1] = (dy * slope(z))[:-1]


def adds(dy: Any, z: Any, out: Any) -> None:
    out[:] = np.nan_to_num(out) + dy * slope(z)


def writes_nothing(dy: Any, z: Any, out: Any) -> Any:
    del out
    return dy * slope(z)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (overruns, "it writes outside of its arrays"),
        (leaves_the_last_out, "on the same elements in reverse it gives another result"),
        (adds, "it gives another result in the next call: it is random, or accumulates something"),
        (writes_nothing, "it gives nan where g' = "),
    ],
)
def test_a_kernel_that_does_not_fill_its_array_and_nothing_else_is_refused(
    monkeypatch: pytest.MonkeyPatch, function: Callable[..., None], words: str
) -> None:
    declare = kernel("silu", "mine", weaknesses=(CROSSES, FEW_DIGITS))
    register(monkeypatch, registry.activation("silu").with_kernel(declare(function)))
    assert words in refusal(block(Op.BACKWARD, "numpy"))
