"""Compilation of functions of arrays with numba, and one-line reasons where numba cannot compile them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from actbench.backends import _numba_cache
from actbench.backends._numba_import import import_compiler
from actbench.model.rule import Formula

CAUSE = re.compile(
    r"Untyped|Unknown attribute|Cannot|Use of|NameError|Invalid use|No implementation of function .*built"
)
"""Beginnings of the lines of numba's messages that name the cause."""

LOCATION = re.compile(r"(?:File \"|at )(?:[^\"]*/)?([^\"/ ]+\.py)\"?(?:, line | \()(\d+)")
"""A location in numba's messages: a file name and a line number."""


INTERLEAVE = "-force-vector-interleave={}"
"""LLVM's option; 0 leaves the number to its cost model, as without the option."""


def parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of a function's parameters."""
    return function.__code__.co_varnames[: function.__code__.co_argcount]


def jitted(  # noqa: PLR0913  # options of numba and LLVM
    function: Callable[..., Any],
    dtypes: Sequence[str],
    *,
    cache: bool = True,
    parallel: bool = False,
    count_references: bool = True,
    interleave: int = 0,
    rows: str = "",
) -> Any:
    """Compile a function that takes contiguous arrays of these dtypes and returns nothing.

    With `rows`, they are rows by columns; the text is part of what the cache knows the code by.

    Without `count_references` a call takes no references to its arrays; the function must then not keep any array.
    `interleave` is the number of vectors that an iteration of its loops processes; LLVM decides where it is 0.
    """
    import numba

    import_compiler()
    contiguous = (slice(None), slice(None, None, 1)) if rows else slice(None, None, 1)
    signature = numba.void(*(getattr(numba, dtype)[contiguous] for dtype in dtypes))
    options: dict[str, Any] = {"error_model": "numpy", "parallel": parallel, "_nrt": count_references}
    dispatcher: Any = numba.njit(**options)(function)
    if cache:
        try:
            _numba_cache.share(dispatcher, interleave, *([rows] if rows else []))
        except RuntimeError as error:
            if "cannot cache function" not in str(error):
                raise  # where no directory is writable, there is no cache
    with interleaving(interleave):
        dispatcher.compile(signature)
    dispatcher.disable_compile()
    return dispatcher


def only_version(dispatcher: Any) -> Callable[..., Any]:
    """Return the compiled code of a dispatcher's only signature. A call of it looks up no code by the arrays' types.

    It checks the size of their elements alone, and misreads arrays with gaps, and those of several dimensions.
    """
    (signature,) = dispatcher.signatures
    version: Callable[..., Any] = dispatcher.get_overload(signature)
    return version


@contextmanager
def interleaving(vectors: int) -> Iterator[None]:
    """Let LLVM's vectoriser process this many vectors per iteration meanwhile, or as many as it likes where it is 0.

    LLVM has no other way than an option of the whole process. numba's lock keeps other compilations out meanwhile.
    """
    from llvmlite import binding
    from numba.core.compiler_lock import global_compiler_lock

    if not vectors:
        yield
        return
    with global_compiler_lock:
        binding.set_option("actbench", INTERLEAVE.format(vectors))
        try:
            yield
        finally:
            binding.set_option("actbench", INTERLEAVE.format(0))


def cause(message: str, formula: Formula) -> str:
    """Return the cause from numba's message of many lines, with the line of the user's code that caused it."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    innermost = max((number for number, line in enumerate(lines) if CAUSE.match(line)), default=0)
    text = lines[innermost]
    if text.endswith("for signature:"):
        text += next((line.removeprefix(">>>") for line in lines[innermost:] if line.startswith(">>>")), "")
    locations = [match.groups() for line in lines[innermost:] for match in LOCATION.finditer(line)]
    code = formula.__code__
    file = Path(code.co_filename).name
    number = next((line for name, line in locations if name == file), code.co_firstlineno)
    return f"{text} ({file}, line {number})"
