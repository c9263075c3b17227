"""Loops in C over a vector library's exponential: what a C program reaches, beside which numba-simd is measured.

The libraries are Intel's SVML (distribution ``intel-cmplr-lib-rt`` or ``icc-rt``), SLEEF (Debian's ``libsleef-dev``)
and glibc's libmvec. gcc compiles the loops where it, the library and AVX2 are there; `skipped` has the reason where
they are not. numba calls them, so that a call costs what one of numba-simd does.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

from actbench.backends._compiling import jitted
from actbench.model.names import Dtype

SOURCE = Path(__file__).with_name("loops.c")

FUNCTIONS = ("logistic", "tanh", "silu")
"""The activations whose derivative from z is there."""

REALS = {Dtype.FLOAT32: "float", Dtype.FLOAT64: "double"}

DESCRIPTION = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class VectorLibrary:
    """A library with exponentials of vectors, by dtype and bytes of a vector, and how gcc links with it."""

    name: str
    exponentials: dict[tuple[Dtype, int], str]
    linking: Callable[[], list[str]]
    """Return the arguments of gcc; `FileNotFoundError` says what is missing."""


def _named(float16: str, float8: str, double8: str, double4: str) -> dict[tuple[Dtype, int], str]:
    names = (float16, float8, double8, double4)
    return dict(zip([(dtype, size) for dtype in REALS for size in (64, 32)], names, strict=True))


def _of_svml() -> list[str]:
    for distribution in ("intel-cmplr-lib-rt", "icc-rt"):
        try:
            installed = files(distribution) or ()
        except PackageNotFoundError:
            continue
        for file in installed:
            if file.name == "libsvml.so":
                path = Path(str(file.locate())).resolve()
                searched = ("--disable-new-dtags", "-rpath", str(path.parent))  # for what the library needs, too
                return [str(path), f"-Wl,{','.join(searched)}", "-Wl,--allow-shlib-undefined"]
    raise FileNotFoundError("neither intel-cmplr-lib-rt nor icc-rt is installed; python -m pip install icc-rt")


def _of_sleef() -> list[str]:
    if not _compiles("#include <sleef.h>\nint main(void) { return 0; }", "-lsleef"):
        raise FileNotFoundError("SLEEF is not installed; apt-get install libsleef-dev")
    return ["-lsleef"]


def _of_libmvec() -> list[str]:
    if not _compiles("int main(void) { return 0; }", "-lmvec"):
        raise FileNotFoundError("this C library has no libmvec")
    return ["-lmvec", "-lm"]


LIBRARIES = (
    VectorLibrary("SVML", _named("__svml_expf16", "__svml_expf8", "__svml_exp8", "__svml_exp4"), _of_svml),
    VectorLibrary("SLEEF", _named(*(f"Sleef_exp{kind}_u10" for kind in ("f16", "f8", "d8", "d4"))), _of_sleef),
    VectorLibrary("libmvec", _named("_ZGVeN16v_expf", "_ZGVdN8v_expf", "_ZGVeN8v_exp", "_ZGVdN4v_exp"), _of_libmvec),
)


def skipped(library: VectorLibrary) -> str | None:
    """Return why no loops over a library can be compiled here; None where they can."""
    if shutil.which("gcc") is None:
        return "gcc is not found"
    if not _vector_bytes():
        return "the processor has no AVX2"
    try:
        library.linking()
    except FileNotFoundError as error:
        return f"{error}"
    return None


def loop(library: VectorLibrary, activation: str, dtype: Dtype) -> Callable[[Any, Any], None]:
    """Return ``call(out, z)``, the derivative of an activation from z over numpy arrays of `dtype`."""
    function = getattr(_compiled(library.name, dtype), f"{activation}_derivative")
    function.argtypes, function.restype = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t), None

    def call(out: Any, z: Any) -> None:
        function(out.ctypes, z.ctypes, z.size)

    compiled: Callable[[Any, Any], None] = jitted(call, [dtype, dtype], cache=False, count_references=False)
    return compiled


def _vector_bytes() -> int:
    """Return the bytes of the widest vectors of the processor that the libraries have; 0 where there are none."""
    flags = {*DESCRIPTION.read_text(encoding="utf-8").split()} if DESCRIPTION.is_file() else set()
    return 64 if {"avx512f", "avx512dq"} <= flags else 32 if {"avx2", "fma"} <= flags else 0


@cache
def _compiled(name: str, dtype: Dtype) -> ctypes.CDLL:
    library = next(one for one in LIBRARIES if one.name == name)
    size = _vector_bytes()
    defined = (f"-DEXP={library.exponentials[dtype, size]}", f"-DREAL={REALS[dtype]}", f"-DBYTES={size}")
    optimised = ("-O3", "-march=native", "-shared", "-fPIC")
    with tempfile.TemporaryDirectory() as directory:  # a library that is loaded needs its file no more
        binary = Path(directory) / "loops.so"
        command = ["gcc", *optimised, *defined, str(SOURCE), *library.linking(), "-o", str(binary)]
        subprocess.run(command, check=True)
        return ctypes.CDLL(str(binary))


@cache
def _compiles(program: str, *arguments: str) -> bool:
    command = ["gcc", "-x", "c", "-", *arguments, "-o", "/dev/null"]
    return subprocess.run(command, input=program, text=True, capture_output=True, check=False).returncode == 0
