"""What show prints of the pipe bound of an inner loop, and where it looks for none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from actbench import plugins, registry
from actbench.backends._limits import mca
from actbench.host import processors
from actbench.host.processors import Description
from tests.conftest import Actbench
from tests.support.exact_times import CYCLE, exact_seconds
from tests.support.fake import FakeBench

CASE = "logistic/recompute/numba-simd/derivative/float32/1000"
BACKWARD = "logistic/recompute/numba-simd/backward/float32/1600"
IN_ASSEMBLY = """\
\t#APP
.Ltmp0:
\tvmulps\t%zmm1, %zmm2, %zmm3
\tvmovups\t%zmm3, (%rax)
\tjne\t.Ltmp0
\t#NO_APP
.LBB0_1:
\tvmulps\t%zmm1, %zmm2, %zmm3
\tvmulps\t%zmm1, %zmm2, %zmm3
\tvmulps\t%zmm1, %zmm2, %zmm3
\tvmulps\t%zmm1, %zmm2, %zmm3
\tvmovups\t%zmm3, (%rax,%rbx,4)
\tjne\t.LBB0_1
"""
OF_STEP = "a training step is many loops, those of its products among them"


@pytest.fixture
def without_mca(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actbench.backends._limits.mca.shutil.which", lambda _: None)


@pytest.fixture
def zen_5(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "description", lambda: Description("AuthenticAMD", 26, 2, frozenset({"avx512f"})))


@pytest.fixture
def shown_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every kernel be 3 products on 16 elements."""
    lines = ["vmulps\t%zmm1, %zmm2, %zmm3"] * 3
    text = "\n".join(
        [".LBB0_1:", *(f"\t{line}" for line in lines), "\tvmovups\t%zmm3, (%rax,%rbx,4)", "\tjne\t.LBB0_1"]
    )
    backend: Any = type(registry.backends()["numba-simd"])
    monkeypatch.setattr(backend, "assembly", lambda *_: text)


@pytest.mark.usefixtures("zen_5", "shown_loop", "without_mca")
@pytest.mark.skipif(bool(registry.backends()["numba"].unavailable), reason="numba is not installed")
def test_show_prints_the_bound_and_the_share_that_was_measured(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = lambda case: (
        CYCLE * (15.625 + 1.75 * case.size / 16) if case.backend == "numba-simd" else exact_seconds(case)
    )
    assert actbench("show", CASE).stdout.endswith(
        """
pipe bound of the inner loop, if nothing ever waits
    iteration             1 vector of 16 elements of float32
    slots                 3 an iteration, 3 a vector, on 4 pipes
    bound                 1.5 cycles a vector, by the pipes (port model of Zen 5)
    llvm-mca              not installed
    clock                 4.00 ± 0.00 GHz while it was measured
    measured call         2.00 ± 0.00 cycles a vector, 75.0 ± 0.0 % of the bound
    measured loop         1.75 ± 0.00 cycles a vector, 85.7 ± 0.0 % of the bound, in the L1 cache, without the call
"""
    )


@pytest.mark.usefixtures("shown_loop")
@pytest.mark.skipif(bool(registry.backends()["numba"].unavailable), reason="numba is not installed")
@pytest.mark.parametrize("with_mca", [False, True])
def test_show_says_that_there_is_no_model_of_an_unknown_processor(
    actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch, *, with_mca: bool
) -> None:
    monkeypatch.setattr(processors, "description", Description)
    stated = mca.McaBound("19.1.0", "znver9", 3.0) if with_mca else None
    monkeypatch.setattr("actbench.kernels.pipes.mca_bound", lambda _: stated)
    shown = actbench("show", CASE).stdout
    assert "bound                 not known by a port model: there is no port model of this processor" in shown
    assert ("3 cycles a vector (LLVM 19.1.0, znver9)" in shown) == with_mca
    assert ("% of the bound by llvm-mca" in shown) == with_mca
    assert bench.workers_started == with_mca, "nothing is measured where there is nothing to hold it against"


@pytest.mark.usefixtures("shown_loop")
@pytest.mark.skipif(bool(registry.backends()["numba"].unavailable), reason="numba is not installed")
def test_show_says_that_llvm_does_not_know_the_processor(
    actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processors, "description", Description)
    monkeypatch.setattr("actbench.kernels.pipes.mca_bound", lambda _: mca.McaBound("14.0.6", "", None))
    shown = actbench("show", CASE).stdout
    assert "    llvm-mca              has no model of this processor (LLVM 14.0.6)\n" in shown
    assert not bench.workers_started, "nothing is measured where there is nothing to hold it against"


@pytest.mark.usefixtures("zen_5", "shown_loop", "without_mca")
@pytest.mark.skipif(bool(registry.backends()["numba"].unavailable), reason="numba is not installed")
def test_a_call_that_is_shorter_than_an_iteration_is_shown_in_cycles_a_call(
    actbench: Actbench, bench: FakeBench
) -> None:
    bench.seconds = lambda case: CYCLE * (200 + 2 * case.size) if case.backend == "numba-simd" else exact_seconds(case)
    shown = actbench("show", CASE.replace("/1000", "/10")).stdout
    assert "measured call         220 ± 0 cycles a call, whose 10 elements are no whole iteration\n" in shown
    assert "measured loop         32.0 ± 0.0 cycles a vector, " in shown


@pytest.mark.usefixtures("zen_5", "without_mca")
@pytest.mark.skipif(bool(registry.backends()["numba"].unavailable), reason="numba is not installed")
@pytest.mark.parametrize(
    ("size", "bound", "loop"),
    [
        (1023, "2 cycles", "not known: in the L1 cache it is applied to the smallest arrays alone"),
        (1024, "1 cycle", "1.75 ± 0.00 cycles a vector, 57.1 ± 0.0 % of the bound, in the L1 cache"),
        (8192, "1 cycle", "1.75 ± 0.00 cycles a vector, 57.1 ± 0.0 % of the bound, in the L1 cache"),
        (8193, "2 cycles", "not known: in the L1 cache it is applied to the smallest arrays alone"),
    ],
)
def test_the_loop_that_is_shown_is_the_one_that_arrays_of_the_size_of_the_case_take(
    size: int, bound: str, loop: str, *, actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from actbench.backends._simd import assembly

    backend: Any = type(registry.backends()["numba-simd"])
    monkeypatch.setattr(backend, "assembly", lambda *_: IN_ASSEMBLY)
    monkeypatch.setattr(assembly, "sizes", lambda _: range(1 << 12, (1 << 15) + 1))
    bench.seconds = lambda case: (
        CYCLE * case.size / 16 * (1.75 if 1024 <= case.size <= 8192 else 4)
        if case.backend == "numba-simd"
        else exact_seconds(case)
    )
    shown = actbench("show", CASE.replace("/1000", f"/{size}")).stdout
    assert f"bound                 {bound} a vector, by the " in shown
    assert f"measured loop         {loop}" in shown


@pytest.mark.skipif(bool(registry.backends()["numba"].unavailable), reason="numba is not installed")
@pytest.mark.parametrize(
    ("case", "why"),
    [
        ("logistic/recompute/numba-simd/step/float32/1000", "a step is two loops: see backward for the second"),
        (
            "logistic/recompute/numba-simd/derivative/float32/100000/cold",
            "it is of operands in cache alone: leave the state of operands out of the id",
        ),
        ("softmax/recompute/numba-simd/backward/float32/16x16", "a row takes several loops"),
        ("swiglu/recompute/numba-simd/backward/float32/1000", "the loop of a gated activation writes two gradients"),
        (
            "logistic/recompute/numpy+numba-simd/mlp:8-16-4/float32/100",
            f"{OF_STEP}: see {BACKWARD} for the backward pass of its activation",
        ),
        ("logistic/free/numpy+numba-simd/mlp:8-16-4/float32/100", OF_STEP),
    ],
)
def test_show_says_why_it_looks_for_no_bound_of_vector_code(
    actbench: Actbench, bench: FakeBench, case: str, why: str
) -> None:
    assert f"nothing ever waits\n    bound                 not known: {why}\n" in actbench("show", case).stdout
    assert bench.workers_started == 0


def test_show_looks_for_no_bound_of_what_is_no_vector_code(actbench: Actbench, bench: FakeBench) -> None:
    assert "pipe bound" not in actbench("show", "logistic/recompute/numpy/derivative/float32/1000").stdout
    assert "pipe bound" not in actbench("show", "logistic/recompute/numpy/mlp:8-16-4/float32/100").stdout
    assert bench.workers_started == 0


USERS = """
import numpy as np
from actbench import kernel

@kernel("logistic", "mine", backends=("numba-simd",))
def mine(dy, z):
    "keep z"
    s = 1 / (1 + np.exp(-z))
    return dy * s * (1 - s)
"""


@pytest.mark.skipif(bool(registry.backends()["numba"].unavailable), reason="numba is not installed")
def test_a_kernel_of_the_user_gets_no_bound_of_a_formula_that_it_does_not_execute(
    actbench: Actbench, bench: FakeBench, request: pytest.FixtureRequest
) -> None:
    Path("users.py").write_text(USERS, encoding="utf-8")
    request.addfinalizer(plugins.unload)
    shown = actbench("show", "--load", "users.py", "logistic/mine/numba-simd/backward/float64/1000").stdout
    assert "a kernel of yours, called on arrays of numba-simd" in shown
    assert "pipe bound" not in shown
    assert bench.workers_started == 0
