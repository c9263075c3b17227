"""The digest of what a kernel executes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from actbench import plugins
from actbench.engine.protocol import Inspect
from actbench.engine.protocol_training import CheckStep
from actbench.engine.working.worker import Server
from actbench.kernels import code_digest
from actbench.kernels.resolution import network_step, resolve
from actbench.model.cases import Case
from actbench.model.inputs import STANDARD_NORMAL
from actbench.model.training import Optimizer
from tests.support.tiers import exhaustive_but


def code(strategy: str, backend: str, activation: str = "logistic") -> str | None:
    return resolve(Case.parse(f"{activation}/{strategy}/{backend}/derivative/float64/10")).code


@pytest.mark.parametrize("backend", exhaustive_but(["numba", "numba-simd"], "numba".__eq__))
def test_a_compiled_kernel_has_the_digest_of_its_machine_code(backend: str) -> None:
    digests = {strategy: code(strategy, backend) for strategy in ("recompute", "cached")}
    assert all(digests.values())
    assert len({*digests.values()}) == 2
    assert code("cached", backend) == digests["cached"]


def test_a_kernel_of_numpy_has_that_of_its_files_and_changes_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    digest = code("cached", "numpy")
    assert digest is not None
    assert code("recompute", "numpy", "gelu") != digest, "it needs scipy as well"
    assert code("cached", "python") is not None
    with monkeypatch.context() as patch:
        patch.setattr(sys, "version", "another")
        assert code("cached", "numpy") != digest
    monkeypatch.setattr(code_digest, "installed", lambda name: f"another {name}")
    assert code("cached", "numpy") != digest
    monkeypatch.setattr(code_digest, "installed", lambda _: None)
    assert code("cached", "numpy") is None, "files that are not recorded are not known"


def test_files_have_one_digest_in_every_environment_and_another_when_they_change() -> None:
    library = "numpy/core.so,sha256=abc,175\nnumpy/__init__.py,sha256=def,20\n"
    digest = code_digest.of_record(library)
    of_one_environment = "../../../bin/f2py,sha256=123,175\nnumpy-2.0.dist-info/INSTALLER,sha256=456,4\n"
    assert code_digest.of_record(f"{of_one_environment}{library}numpy/__pycache__/a.cpython-311.pyc,,\n") == digest
    assert code_digest.of_record("".join(reversed(library.splitlines(keepends=True)))) == digest
    assert code_digest.of_record(library.replace("abc", "abd")) != digest


def test_what_a_user_s_formula_calls_is_not_known(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "from actbench.formula import Formulas, activation\n"
        "@activation\ndef mine(m):\n    'z / 2'\n"
        "    def forward(z):\n        return z / 2.0\n"
        "    def recompute(z):\n        return 0.5 + 0.0 * z\n"
        "    return Formulas(forward=forward, recompute=recompute)\n"
    )
    plugins.load(str(path))
    try:
        assert code("recompute", "numpy", "mine") is None
        assert code("recompute", "numba", "mine") is not None, "machine code is all of it"
    finally:
        plugins.unload()


def test_a_training_step_has_that_of_its_activation_and_of_what_executes_its_products(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def of_step(arm: str) -> str | None:
        return network_step(Case.parse(f"logistic/{arm}/dense:16-8/float32/8")).code

    compiled, interpreted = of_step("cached/numpy+numba"), of_step("cached/numpy")
    assert compiled not in {None, interpreted, of_step("recompute/numpy+numba")}
    assert of_step("shipped/torch") is None, "a framework's code is its version's"
    monkeypatch.setattr(code_digest, "installed", lambda name: f"a later {name}")
    assert of_step("cached/numpy+numba") != compiled
    assert of_step("cached/numpy") != interpreted


def test_the_check_of_a_training_step_has_the_digest_that_is_looked_up() -> None:
    case = "logistic/cached/numpy/dense:16-8/float32/8"
    checked = Server().answer(CheckStep(case, 0, STANDARD_NORMAL, Optimizer.SGD)).check
    assert checked is not None
    assert checked.code is not None
    assert checked.code == Server().answer(Inspect(case)).code
