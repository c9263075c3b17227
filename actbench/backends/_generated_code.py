"""Facts about a kernel from the code that LLVM generated: vector width, library calls, conversions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from actbench.model.checks import Compiled
from actbench.model.names import Dtype

LOOP = re.compile(r"^define [^\n]*?(?: i32 @|@__gufunc__)[^\n]*{\n.*?^}", re.MULTILINE | re.DOTALL)
"""The compiled function, and the function that its threads execute, without the wrappers."""

PACKED = re.compile(r"= (?:f(?:add|sub|mul|div) (?:\w+ )*|[^\n]*@llvm\.fmuladd\.v\d+f\d+\()<(\d+) x (?:float|double)>")
CALLED = re.compile(r"call [^@\n]*@(?:llvm\.)?((?:exp|log|pow|sin|cos|a?tan|erf)\w*)(?:\.(?:v\d+)?f(32|64))?\(")
WIDENED = re.compile(r"= fpext [^\n]* to (?:<\d+ x )?double")

WIDEST = 512
"""Bits of the widest vector of any processor: LLVM splits wider ones, which it makes where numbers of 16 bits widen."""


CONSTANTS = b".rodata.cst"
"""Sections of numbers that code loads; other data of an object file may name paths."""


@cache
def edition() -> str:
    """Return the digest of this file: facts that another version of it stored are not used."""
    return sha256(Path(__file__).read_bytes()).hexdigest()


def facts(signature: Iterable[object], code: str, dtype: Dtype) -> Compiled:
    """Return the facts about a compiled function of this signature, from LLVM's optimised code."""
    text = "\n".join(LOOP.findall(code))
    bits = 8 * dtype.itemsize
    return Compiled(
        signature=f"({', '.join(str(argument) for argument in signature)})",
        vector_bits=min(max((int(lanes) * bits for lanes in PACKED.findall(text)), default=0), WIDEST),
        library_calls=tuple(sorted({_library_name(*call) for call in CALLED.findall(text)})),
        double_conversions=len(WIDENED.findall(text)) if dtype is Dtype.FLOAT32 else 0,
    )


def machine_code(library: Any) -> str:
    """Return the digest of the machine code in a library that this process compiled, as linked for the processor.

    In an object file addresses and names of symbols are apart from the code, so it is the same in every process.
    """
    from llvmlite import binding

    compiled = library._compiled_object or library._codegen._tm.emit_object(library._final_module)  # noqa: SLF001  # numba has no public access to it
    sections = binding.ObjectFileRef.from_data(compiled).sections()
    code = [section.data() for section in sections if section.is_text() or CONSTANTS in (section.name() or b"")]
    return sha256(b"".join(code)).hexdigest()


def _library_name(name: str, bits: str) -> str:
    """Return ``expf`` for LLVM's ``llvm.exp.v8f32``, which becomes one call of expf per lane."""
    return f"{name}f" if bits == "32" else name
