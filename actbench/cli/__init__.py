"""The command line: parse, call, echo. One file per command."""

from actbench.cli.main import main

__all__ = ["main"]
