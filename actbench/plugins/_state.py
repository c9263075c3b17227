"""Restoration of the interpreter's and the process's state after the user's code has run.

Otherwise a file could change the behaviour of everything after it: whether numpy raises, the recursion limit, the
destination of stdout, the current directory. The code runs in the environment of a worker: with the same environment
variables, an empty stdin and no arguments, and stdout goes to stderr.
"""

from __future__ import annotations

import builtins
import decimal
import gc
import locale
import math
import os
import random
import resource
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import Any, NamedTuple, NoReturn

import numpy as np

from actbench.host.resource_limits import NUMBERS
from actbench.host.variables import worker_environment

STANDARD = (0, 1, 2)
"""The descriptors of stdin, stdout and stderr."""


class _Slot(NamedTuple):
    """A piece of state: a function that reads it, and one that writes it."""

    get: Callable[[], Any]
    put: Callable[[Any], object]


def _attribute(owner: Any, name: str) -> _Slot:
    return _Slot(lambda: getattr(owner, name), lambda value: setattr(owner, name, value))


def _hook(get: Callable[[], Any], put: Callable[[Any], object]) -> _Slot:
    """Return the slot of a hook, which is written only if it changed: the hook of a profiler cannot be set."""
    return _Slot(get, lambda value: get() is value or put(value))


def _list(owner: Any, name: str) -> _Slot:
    """Return the slot of a list that may be changed in place or replaced."""

    def put(saved: tuple[list[Any], list[Any]]) -> None:
        original, content = saved
        original[:] = content
        setattr(owner, name, original)

    return _Slot(lambda: (getattr(owner, name), [*getattr(owner, name)]), put)


def _names(namespace: dict[str, Any]) -> _Slot:
    """Return the slot of the current names of a namespace; names that imports add later stay."""
    return _Slot(namespace.copy, namespace.update)


def _umask() -> int:
    """Return the umask, which can only be read by setting it."""
    mask = os.umask(0o77)
    os.umask(mask)
    return mask


SLOTS = (
    _Slot(np.geterr, lambda value: np.seterr(**value)),
    _Slot(np.geterrcall, np.seterrcall),
    _Slot(sys.getrecursionlimit, sys.setrecursionlimit),
    _Slot(sys.getswitchinterval, sys.setswitchinterval),
    _Slot(sys.get_int_max_str_digits, sys.set_int_max_str_digits),
    _hook(sys.gettrace, sys.settrace),
    _hook(sys.getprofile, sys.setprofile),
    _hook(threading.gettrace, threading.settrace),
    _hook(threading.getprofile, threading.setprofile),
    *(_attribute(sys, name) for name in ("excepthook", "unraisablehook", "displayhook", "dont_write_bytecode")),
    *(_attribute(sys, name) for name in ("stdin", "stdout", "stderr", "__stdin__", "__stdout__", "__stderr__")),
    _attribute(threading, "excepthook"),
    *(_list(sys, name) for name in ("path", "meta_path", "path_hooks", "argv")),
    _list(gc, "callbacks"),
    _Slot(gc.isenabled, lambda value: gc.enable() if value else gc.disable()),
    _Slot(gc.get_threshold, lambda value: gc.set_threshold(*value)),
    _Slot(gc.get_debug, gc.set_debug),
    _Slot(random.getstate, random.setstate),
    _Slot(lambda: decimal.getcontext().copy(), decimal.setcontext),
    _Slot(lambda: locale.setlocale(locale.LC_ALL), lambda value: locale.setlocale(locale.LC_ALL, value)),
    _Slot(_umask, os.umask),
    *(_names(vars(module)) for module in (builtins, math, np)),
    _names(sys.modules),
)
"""The state that every process has. It is restored in reverse order, since some slots are needed to restore others."""


def _slots() -> Iterator[_Slot]:
    """Yield the slots that exist on this system and in this thread."""
    yield from SLOTS
    if hasattr(os, "sched_getaffinity"):
        yield _Slot(lambda: os.sched_getaffinity(0), lambda value: os.sched_setaffinity(0, value))
    yield from map(_limit, NUMBERS.values())
    if threading.current_thread() is threading.main_thread():
        yield _Slot(lambda: signal.pthread_sigmask(signal.SIG_BLOCK, ()), _unblock)
        yield from map(_handler, signal.valid_signals())
        yield from map(_timer, (signal.ITIMER_VIRTUAL, signal.ITIMER_PROF))


def _limit(number: int) -> _Slot:
    def put(limits: tuple[int, int]) -> None:
        if resource.getrlimit(number) != limits:
            resource.setrlimit(number, limits)

    return _Slot(lambda: resource.getrlimit(number), put)


def _timer(number: int) -> _Slot:
    return _Slot(lambda: signal.getitimer(number), lambda value: signal.setitimer(number, *value))


def _unblock(mask: Any) -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _handler(number: int) -> _Slot:
    def put(handler: Any) -> None:
        if signal.getsignal(number) != handler and handler is not None:
            signal.signal(number, handler)

    return _Slot(lambda: signal.getsignal(number), put)


@contextmanager
def preserved() -> Iterator[frozenset[str]]:
    """Restore the state on exit; yield the names of the environment variables that are hidden meanwhile."""
    with ExitStack() as stack:
        saved = [(slot.put, slot.get()) for slot in _slots()]
        stack.callback(_put_back, saved)
        stack.enter_context(warnings.catch_warnings())
        stack.enter_context(same_precision())
        stack.enter_context(_directory())
        hidden = stack.enter_context(_variables())
        stack.enter_context(_streams())
        stack.enter_context(_no_exit())
        yield hidden


def _put_back(saved: list[tuple[Callable[[Any], object], Any]]) -> None:
    for put, value in reversed(saved):
        with suppress(OSError, ValueError):  # a limit that was lowered cannot be raised again
            put(value)


@contextmanager
def same_precision() -> Iterator[None]:
    """Restore the precision of mpmath on exit."""
    bits = _mpmath_precision()
    try:
        yield
    finally:
        _put_mpmath_back(bits)


def _mpmath_precision() -> int | None:
    """Return mpmath's precision in bits; None where mpmath is not imported."""
    module = sys.modules.get("mpmath")
    return None if module is None else int(module.mp.prec)


def _put_mpmath_back(bits: int | None) -> None:
    if (module := sys.modules.get("mpmath")) is not None:
        if bits is None:
            module.mp.dps = 15  # the default
        else:
            module.mp.prec = bits


@contextmanager
def _directory() -> Iterator[None]:
    """Return to the current directory on exit, even if it has been removed."""
    try:
        here = os.open(".", os.O_RDONLY)
    except OSError:
        yield
        return
    try:
        yield
        os.fchdir(here)
    finally:
        with suppress(OSError):
            os.fchdir(here)
        os.close(here)


@contextmanager
def _variables() -> Iterator[frozenset[str]]:
    """Hide the variables that a worker does not get; yield their names."""
    environ = os.environ
    before = dict(environ)
    shown = worker_environment(before)
    _set(environ, shown)
    try:
        yield frozenset(before.keys() - shown.keys())
    finally:
        os.environ = environ  # noqa: B003  # the code may have replaced it with a dictionary
        _set(environ, before)


def _set(environ: os._Environ[str], wanted: dict[str, str]) -> None:
    for name in environ.keys() - wanted.keys():
        del environ[name]
    for name, value in wanted.items():
        if environ.get(name) != value:
            environ[name] = value


@contextmanager
def _streams() -> Iterator[None]:
    """Make stdin empty and send stdout to stderr; restore all three descriptors on exit."""
    saved = [os.dup(number) for number in STANDARD]
    nothing = os.open(os.devnull, os.O_RDONLY)
    try:
        os.dup2(nothing, 0)
        os.dup2(2, 1)
        with (
            open(nothing, closefd=False) as empty,  # a descriptor
            _copied(sys.stderr) as messages,
            redirect_stdout(messages),
            redirect_stderr(messages),
        ):
            sys.stdin = sys.__stdin__ = empty  # type: ignore[misc]  # the code may close it
            sys.__stdout__ = sys.__stderr__ = messages  # type: ignore[misc]  # likewise
            yield
    finally:
        for number, copy in zip(STANDARD, saved, strict=True):
            os.dup2(copy, number)
            os.close(copy)
        with suppress(OSError):
            os.close(nothing)


@contextmanager
def _copied(stream: Any) -> Iterator[Any]:
    """Yield a wrapper of a stream that the code may close; flush the stream on exit."""
    yield _Wrapper(stream)
    with suppress(Exception):
        stream.flush()


class _Wrapper:
    """A wrapper of a stream whose `close` leaves the stream open."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.closed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def close(self) -> None:
        """Close the wrapper."""
        self.closed = True


@contextmanager
def _no_exit() -> Iterator[None]:
    """Make `os._exit` raise, so that the error is reported with an exit code of actbench; a forked child exits."""
    real, parent = os._exit, os.getpid()

    def leave(status: int) -> NoReturn:
        if os.getpid() != parent:
            real(status)
        raise SystemExit(f"os._exit({status})")

    os._exit = leave
    try:
        yield
    finally:
        os._exit = real
        if os.getpid() != parent:
            real(0)
