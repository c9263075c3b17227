"""Call one of the scripts: ``python -m benchmarks.history steps|page|releases``."""

from __future__ import annotations

import sys
from importlib import import_module

SCRIPTS = ("steps", "page", "releases")

if __name__ == "__main__":
    name, arguments = (sys.argv[1] if len(sys.argv) > 1 else ""), sys.argv[2:]
    if name not in SCRIPTS:
        sys.exit(f"{__doc__}\nnot '{name}'")
    import_module(f"benchmarks.history.{name}").main(arguments)
