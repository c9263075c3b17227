"""The import of numba's compiler without that of ``scipy.linalg``, which takes a third of the time.

numba imports ``scipy.linalg`` only to see whether there is a BLAS for compiled matrix products, and imports it again
when it compiles one. A live check starts three processes a round, none of which compiles any. So an empty module stands
in for it meanwhile. Nothing that is executed later differs.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

COMPILER = "numba.np.arraymath"
"""What looks for a BLAS when it is imported; numba imports it when it first compiles, or loads from its cache."""

STOOD_IN_FOR = ("scipy.linalg", "scipy.linalg.cython_blas")


def import_compiler() -> None:
    """Import numba's compiler, unless it has been imported."""
    if COMPILER in sys.modules:
        return
    import numba  # noqa: F401  # it imports scipy itself, whose version it needs

    missing = [name for name in STOOD_IN_FOR if name not in sys.modules] if find_spec("scipy") else []
    sys.modules.update({name: ModuleType(name) for name in missing})
    try:
        import_module(COMPILER)
    finally:
        for name in missing:
            del sys.modules[name]
