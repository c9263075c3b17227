"""Where files of this user are kept between commands."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import platformdirs

NAME_DIGITS = 20
"""Hexadecimal digits of the name of a directory for something: no two things will ever share one."""


def cache() -> Path:
    """Return the directory of what can be made again, which may not exist yet; $XDG_CACHE_HOME moves it."""
    return platformdirs.user_cache_path("actbench")


def name_for(text: str) -> str:
    """Return the name of a directory for what a text describes, which may be too long for a name: a digest."""
    return sha256(text.encode()).hexdigest()[:NAME_DIGITS]
