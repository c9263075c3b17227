"""``python -m actbench``, and the command ``actbench``."""

from __future__ import annotations

import atexit
import gc
import sys


def main() -> None:
    """Run the command line; an interrupt while it is being imported ends in no traceback either.

    Python would look through all that was imported once more before it ends, which takes a tenth of a second.
    """
    atexit.register(gc.freeze)
    try:
        from actbench.cli import main as command
    except KeyboardInterrupt:
        sys.exit(130)
    command(prog_name="actbench")


if __name__ == "__main__":
    main()
