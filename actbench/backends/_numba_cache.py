"""A lock around numba's cache, so that only one process uses it at a time.

All kernels of a loop share an index. numba numbers the file of a new entry by the entries in the index, writes the
index, and then the file. If two processes do so at once, one of them may load the other's code from then on (numba
0.68).
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any


def share(dispatcher: Any) -> None:
    """Enable a dispatcher's cache, with a lock around loading and saving.

    `RuntimeError` where numba finds no directory that it can write.
    """
    dispatcher.enable_caching()
    entries = dispatcher._cache._cache_file  # noqa: SLF001  # numba has no public access to it
    lock = Path(dispatcher._cache.cache_path, f"{entries._index_name}.lock")  # noqa: SLF001
    for name in ("load", "save"):
        setattr(entries, name, alone(lock, getattr(entries, name)))


def keep(dispatcher: Any, name: str, value: dict[str, Any]) -> None:
    """Store plain values about a compiled function beside it in the cache, under a name; do nothing without a cache."""
    entries = _entries(dispatcher)
    if entries is not None:
        entries.save(_key(dispatcher, name), value)


def kept(dispatcher: Any, name: str) -> dict[str, Any] | None:
    """Return the values that any process stored about this function; None where there are none."""
    entries = _entries(dispatcher)
    return None if entries is None else entries.load(_key(dispatcher, name))


def _entries(dispatcher: Any) -> Any:
    return getattr(dispatcher._cache, "_cache_file", None)  # noqa: SLF001


def _key(dispatcher: Any, name: str) -> tuple[Any, ...]:
    (signature,) = dispatcher.signatures
    return name, dispatcher._cache._index_key(signature, dispatcher.targetctx.codegen())  # noqa: SLF001


def alone(lock: Path, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that holds the lock during each call."""

    @wraps(function)
    def call(*arguments: Any) -> Any:
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            handle = lock.open("ab")
        except OSError:  # a cache that is not writable needs no lock
            return function(*arguments)
        with handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            return function(*arguments)

    return call
