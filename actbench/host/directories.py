"""Where files of this user are kept between commands."""

from __future__ import annotations

from pathlib import Path

import platformdirs


def cache() -> Path:
    """Return the directory of what can be made again, which may not exist yet; $XDG_CACHE_HOME moves it."""
    return platformdirs.user_cache_path("actbench")
