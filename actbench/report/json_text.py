"""JSON for other programs, in which infinite numbers differ from missing ones.

JSON has no infinity. Here it is the string "inf" or "-inf"; null means that there is no such number.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from actbench.runs.files import encoded


def json_text(value: Any) -> str:
    """Return a value of mappings, sequences and dataclasses as indented JSON; NaN is null.

    What is not UTF-8 in the name of a file is escaped, as `encoded` does.
    """
    return msgspec.json.format(msgspec.json.encode(plain(value)), indent=2).decode()


def plain(value: Any) -> Any:
    """Return a value with finite numbers only: NaN becomes None, infinity a string."""
    return _plain(msgspec.to_builtins(value, enc_hook=str))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_plain(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, str) and not value.isascii():
        return encoded(value).decode()
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value
