"""numba's cache, used by one process at a time.

All kernels of a loop share an index. numba numbers a new entry's file by what the index holds, writes the index, then
the file: of two processes that do so at once, one may be given the other's machine code from then on (numba 0.68).
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any


def share(dispatcher: Any) -> None:
    """Let a dispatcher load from the cache and save there while no other process does.

    `RuntimeError` where numba finds no directory for it.
    """
    dispatcher.enable_caching()
    entries = dispatcher._cache._cache_file  # noqa: SLF001  # numba has no other way to it
    lock = Path(dispatcher._cache.cache_path, f"{entries._index_name}.lock")  # noqa: SLF001
    for name in ("load", "save"):
        setattr(entries, name, alone(lock, getattr(entries, name)))


def keep(dispatcher: Any, name: str, value: dict[str, Any]) -> None:
    """Keep something about a compiled function beside it, where there is a cache; under a name, plain values."""
    entries = _entries(dispatcher)
    if entries is not None:
        entries.save(_key(dispatcher, name), value)


def kept(dispatcher: Any, name: str) -> dict[str, Any] | None:
    """Return what was kept about this function, or the same from another process; None where nothing was."""
    entries = _entries(dispatcher)
    return None if entries is None else entries.load(_key(dispatcher, name))


def _entries(dispatcher: Any) -> Any:
    return getattr(dispatcher._cache, "_cache_file", None)  # noqa: SLF001


def _key(dispatcher: Any, name: str) -> tuple[Any, ...]:
    (signature,) = dispatcher.signatures
    return name, dispatcher._cache._index_key(signature, dispatcher.targetctx.codegen())  # noqa: SLF001


def alone(lock: Path, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that waits until no other process is in one with the same lock."""

    @wraps(function)
    def call(*arguments: Any) -> Any:
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            handle = lock.open("ab")
        except OSError:  # what cannot be written is written by nobody
            return function(*arguments)
        with handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            return function(*arguments)

    return call
