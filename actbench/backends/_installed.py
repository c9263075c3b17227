"""Whether a library can be imported, without importing it."""

from __future__ import annotations

import sys
from functools import cache
from importlib.util import find_spec


def is_installed(name: str) -> bool:
    """Tell whether a module can be imported: every plan asks it of every backend."""
    return _is_on(name, (*sys.path,))


@cache
def _is_on(name: str, path: tuple[str, ...]) -> bool:
    del path
    return find_spec(name) is not None
