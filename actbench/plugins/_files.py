"""Loading of a user's file as a module."""

from __future__ import annotations

import os
import re
import sys
from hashlib import sha256
from itertools import count
from pathlib import Path
from types import ModuleType

from actbench.errors import InputError
from actbench.host import regular, shared_libraries
from actbench.model.loaded import Loaded, LoadedFrom, UsedFile
from actbench.plugins._declarations import Declarations, declared
from actbench.plugins._guard import Code, guarded

MODULE_PREFIX = "actbench_loaded_"
"""The prefix of these modules' names, so that none shadows a module that can be imported."""


_modules: set[str] = set()
"""The names of the user's own modules that the loaded files have imported."""

_used: dict[tuple[str, str], frozenset[Path]] = {}
"""By path and digest, what a file has opened and imported in this process: a library stays in its memory for good."""


def is_file(name: str) -> bool:
    """Return whether a name is that of a file; otherwise it is that of an installed package."""
    return name.endswith(".py") or os.sep in name or Path(name).is_file()


def read(name: str, place: str | None = None) -> Declarations:
    """Run a file and return what it declares; `InputError` names the line that fails.

    With `place`, the file of that name is there.
    """
    data = _bytes(name, Path(place or name))
    path = str(Path(place or name).absolute())
    try:
        code = compile(data, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        at = f"line {error.lineno} is" if error.lineno else "it is"
        raise InputError(f"--load {name}: {at} not Python ({error.msg}): correct it") from None
    except (ValueError, MemoryError, RecursionError) as error:  # the last two from thousands of nested brackets
        raise InputError(f"--load {name}: it is not Python ({_reason(error)}): name another file") from None
    module, before, names = _module(path), _beside(), frozenset(sys.modules)
    with guarded([Code(name, (path,))]):
        sys.argv[:] = [path]  # as in a worker
        try:
            exec(code, vars(module))  # noqa: S102  # --load runs the user's code
        finally:
            _modules.update(shared_libraries.own_modules().keys() - names)
    digest, beside = sha256(data).hexdigest(), _beside()
    earlier = _used.get((path, digest), frozenset())
    _used[path, digest] = used = (beside - before) | (earlier & beside)
    libraries = tuple(UsedFile(str(one), sha256(one.read_bytes()).hexdigest()) for one in sorted(used))
    loaded = Loaded(LoadedFrom.FILE, name, digest, libraries=libraries)
    return declared(loaded, [path], [(module.__name__, dict(vars(module)))])


def forget_modules() -> None:
    """Remove the modules of loaded files, and those that they have imported: the next load executes what is there."""
    for name in [name for name in sys.modules if name.startswith(MODULE_PREFIX) or name in _modules]:
        del sys.modules[name]
    _modules.clear()


def _beside() -> frozenset[Path]:
    """Return the user's own files that this process uses, libraries of machine code and Python modules."""
    return shared_libraries.opened() | frozenset(shared_libraries.own_modules().values())


def _reason(error: Exception) -> str:
    return str(error) or "it is nested too deeply"


def _module(path: str) -> ModuleType:
    """Return an empty module, registered in `sys.modules`, where dataclasses look for it."""
    stem = MODULE_PREFIX + re.sub(r"\W", "_", Path(path).stem)
    names = (stem if number == 1 else f"{stem}_{number}" for number in count(1))
    module = ModuleType(next(name for name in names if name not in sys.modules))
    module.__file__ = path
    sys.modules[module.__name__] = module
    return module


def _bytes(name: str, path: Path) -> bytes:
    try:
        os.fsencode(name).decode()  # records and requests to workers are JSON
        if not name.isprintable():
            raise InputError(f"--load {name}: its name has characters that do not print: rename it")
        if path.is_dir():
            raise InputError(f"--load {name}: that is a directory: name a file in it")
        if path.exists() and not path.is_file():
            raise InputError(f"--load {name}: that is not a text file: name one of Python")
        return regular.read(path)
    except FileNotFoundError:
        raise InputError(
            f"--load {name}: there is no such file: name one that exists, or let 'actbench init' write one"
        ) from None
    except UnicodeDecodeError:
        raise InputError(f"--load {name}: its name is not valid UTF-8: rename it") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"--load {name}: it cannot be read ({reason}): name another file") from None
