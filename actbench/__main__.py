"""``python -m actbench``, and the command ``actbench``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; an interrupt while it is being imported ends in no traceback either."""
    try:
        from actbench.cli import main as command
    except KeyboardInterrupt:
        sys.exit(130)
    command(prog_name="actbench")


if __name__ == "__main__":
    main()
