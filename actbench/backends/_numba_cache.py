"""numba's cache with a lock, so that only one process uses it at a time, and with keys that are alike in all processes.

All kernels of a loop share an index. numba numbers the file of a new entry by the entries in the index, writes the
index, and then the file. If two processes do so at once, one of them may load the other's code from then on (numba
0.68).

numba's key contains a digest of what a function's closure holds, as pickle writes it, and pickle writes a string twice
where two objects hold it. Byte code that was compiled from source shares the name of its file with its module; byte
code that was read from a ``.pyc`` file does not. By numba's key the first process that imports a new version of the
code misses everything that later processes keep, and they compile everything anew. The key here is the digest of a
pickle in which equal strings are one object.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from functools import partial, wraps
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from weakref import WeakSet

_INLINED: WeakSet[Any] = WeakSet()
"""What `inlined` returned. Of other compiled functions numba pickles a random number, and no key is found again."""


def share(dispatcher: Any, *options: object) -> None:
    """Enable a dispatcher's cache, with keys by content and a lock around loading and saving.

    The key contains `options`, with which the code is compiled besides those that numba knows.

    A function is compiled anew in every process, without a cache, where it calls something that cannot be pickled, such
    as a function of ctypes. `RuntimeError` where numba finds no directory that it can write.
    """
    try:
        content = _content(dispatcher.py_func, options)
    except Exception:  # noqa: BLE001  # objects decide themselves what they raise when they are pickled
        return
    dispatcher.enable_caching()
    entries = dispatcher._cache._cache_file  # noqa: SLF001  # numba has no public access to it
    dispatcher._cache._index_key = partial(_key_by_content, content)  # noqa: SLF001
    lock = Path(dispatcher._cache.cache_path, f"{entries._index_name}.lock")  # noqa: SLF001
    for name in ("load", "save"):
        setattr(entries, name, alone(lock, getattr(entries, name)))


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function as one that numba inlines wherever compiled code calls it, and that keys hold by content.

    numba inlines it before it infers types. It would inline a function of `register_jitable` afterwards, and infer the
    types of that function whenever it does those of the caller: nested functions took four times as long to compile.
    """
    import numba

    dispatcher: Callable[..., Any] = numba.njit(inline="always")(function)
    _INLINED.add(dispatcher)
    return dispatcher


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


def _key_by_content(content: str, signature: Any, codegen: Any) -> tuple[Any, ...]:
    """Return the key of a function's code, of which this is the digest, for a signature and a processor."""
    return signature, codegen.magic_tuple(), content


def _content(function: Callable[..., Any], options: tuple[object, ...]) -> str:
    """Return the digest of a function's code, of what it closes over, and of options."""
    cells = tuple(cell.cell_contents for cell in function.__closure__ or ())
    return _digest((function.__code__.co_code, cells, options))


def _digest(content: Any) -> str:
    """Return the digest of numba's pickle of an object, whichever equal strings in it are the same object."""
    from numba.core.dispatcher import Dispatcher
    from numba.core.serialize import NumbaPickler

    class ByContent(NumbaPickler):  # type: ignore[misc]  # numba is untyped
        """A pickler that writes the first of several equal strings in place of all."""

        def persistent_id(self, obj: Any) -> Any:
            return strings.setdefault(obj, obj) if type(obj) in {str, bytes} else None

        def reducer_override(self, obj: Any) -> Any:
            if isinstance(obj, Dispatcher) and obj in _INLINED:
                return type(obj), (obj.py_func,)
            return super().reducer_override(obj)

    strings: dict[Any, Any] = {}
    stream = BytesIO()
    ByContent(stream, protocol=4).dump(content)
    return sha256(stream.getvalue()).hexdigest()


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
