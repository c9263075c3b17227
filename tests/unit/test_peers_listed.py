"""Which optional backends there are, and what is said of those that are missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from actbench import registry
from actbench.backends import _nvidia
from actbench.backends.torch import Torch
from actbench.errors import InputError
from actbench.model.cases import Case
from actbench.model.names import Dtype, Op
from actbench.model.rule import Rule
from actbench.model.variants import Variant
from actbench.planning import presets, suite
from actbench.planning.selection import CaseQuery, Room
from tests.conftest import Actbench
from tests.support.peers import OPTIONAL, each_usable


def without(monkeypatch: pytest.MonkeyPatch, name: str) -> str:
    """Take a backend's library away, and return what is then missing."""
    monkeypatch.setattr(type(registry.backends()[name]), "requires", "no_such_library")
    return "no_such_library is not installed; python -m pip install no_such_library"


def test_a_class_without_a_name_of_its_own_stands_in_nobodys_place() -> None:
    assert type(registry.backends()["torch"]) is Torch
    assert all("name" in vars(type(backend)) for backend in registry.backends().values())


def test_backends_are_listed_by_rank_and_the_optional_ones_are_these() -> None:
    ranks = [backend.rank for backend in registry.backends().values()]
    assert ranks == sorted(set(ranks))
    assert OPTIONAL == ["numexpr", "torch", "torch-compile", "torch-cuda", "torch-compile-cuda", "jax", "onednn"]
    assert {registry.backends()[name].requires for name in OPTIONAL} == {"numexpr", "torch", "jax", "onednn-cpu-gomp"}


@pytest.mark.parametrize("name", OPTIONAL)
def test_a_missing_library_is_reported_with_what_brings_it(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    reason = without(monkeypatch, name)
    assert registry.backends()[name].unavailable == reason
    with pytest.raises(InputError) as refused:
        registry.backend(name)
    assert str(refused.value) == f"backend '{name}' is not available: {reason}"


def test_torch_compile_needs_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = registry.backends()["torch-compile"]
    monkeypatch.setattr(type(backend), "requires", "numpy")
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert backend.unavailable == "torch.compile needs a C++ compiler: no-such-compiler is not found"
    monkeypatch.setenv("CXX", sys.executable)
    assert backend.unavailable is None


def test_torch_cuda_needs_a_device(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    backend = registry.backends()["torch-cuda"]
    monkeypatch.setattr(type(backend), "requires", "numpy")
    monkeypatch.setattr(_nvidia, "DEVICES", ((str(tmp_path), "nvidia[0-9]*"), ("/no/such", "dxg")))
    (tmp_path / "nvidiactl").touch()
    assert backend.unavailable == "no NVIDIA device is found"
    (tmp_path / "nvidia0").touch()
    assert backend.unavailable is None


def test_a_torch_that_cannot_use_the_device_is_reported_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: False), __version__="9.9+cpu")
    monkeypatch.setattr(_nvidia, "library", lambda: torch)
    with pytest.raises(InputError, match=r"^backend 'torch-cuda' cannot run: torch 9\.9\+cpu finds no CUDA device$"):
        registry.backends()["torch-cuda"].bind(Op.DERIVATIVE, Rule(abs, abs, None), Dtype.FLOAT32)


def test_listing_backends_imports_none_of_their_libraries() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from actbench.cli import main; "
        "text = CliRunner().invoke(main, ['list', 'backends']).output; "
        "print(len(text.splitlines()), sorted({'numba', 'numexpr', 'torch', 'jax'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"{len(registry.backends())} []\n"


def test_list_gives_the_reason_of_what_is_missing(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    reason = without(monkeypatch, "torch-compile")
    lines = actbench("list", "backends").stdout.splitlines()
    (line,) = (line for line in lines if line.startswith("torch-compile "))
    assert line.split(maxsplit=1) == ["torch-compile", f"not available: {reason}"]


def test_a_run_with_what_is_missing_ends_with_its_reason(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    reason = without(monkeypatch, "torch-compile")
    result = actbench("run", "--preset", "smoke", "-b", "torch-compile")
    assert result.exit_code == 2
    assert result.stderr == f"actbench: backend 'torch-compile' is not available: {reason}\n"


def test_presets_leave_optional_backends_out_but_for_the_one_that_compares_them() -> None:
    for name, preset in presets.catalogue().items():
        assert name == "peers" or not {*preset.axes.backends} & {*OPTIONAL}


@each_usable
def test_an_environment_offers_what_is_asked_for_by_name(name: str) -> None:
    query = CaseQuery("smoke", {"backends": (name,), "dtypes": ("float32",)}, "*", Room(1 << 33, max_call=1.0))
    assert {case.backend for case in suite.offered(query)} == {name}


def test_numexpr_has_no_error_function(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(registry.backends()["numexpr"]), "requires", "numpy")
    result = actbench("list", "cases", "-a", "gelu", "-b", "numexpr", "-d", "float64", "-n", "10")
    assert result.stdout.splitlines() == [
        f"gelu/{strategy}/numexpr/derivative/float64/10" for strategy in ("intermediate", "pair")
    ]
    assert "numexpr has no erf" in result.stderr
    assert "numexpr has no erfc" in result.stderr


def test_a_hyphen_in_a_name_is_read_back() -> None:
    case = Case("logistic", Variant("cached"), "torch-compile", Op.STEP, Dtype.FLOAT32, 1000)
    assert case.id == "logistic/cached/torch-compile/step/float32/1000"
    assert Case.parse(case.id) == case
