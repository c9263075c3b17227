"""``python -m actbench``: the same command line as ``actbench``."""

from actbench.cli import main

main(prog_name="actbench")
