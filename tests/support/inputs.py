"""Files of inputs, and how commands refuse them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.conftest import Actbench


def saved(name: str, array: Any) -> str:
    """Write an array to a file in the current directory."""
    np.save(name, array)
    return name


def refused(actbench: Actbench, *arguments: str) -> str:
    """Return the one line with which a command refuses its input, or its run."""
    result = actbench(*arguments)
    assert result.exit_code in {2, 5}, result.output
    assert not result.stdout
    line = result.stderr.splitlines()[-1]
    return line.removeprefix("actbench: ").removeprefix("Error: Invalid value for '--inputs': ")
