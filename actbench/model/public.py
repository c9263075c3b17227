"""Texts that a run may hold and a terminal may show, of errors and of the user's code."""

from __future__ import annotations

import re

from actbench.errors import printable


def public_text(text: str) -> str:
    """Return the text without the directories of its paths, which may name a user or a host."""
    return re.sub(r"(?<![\w.])~?(?:/[^\s/'\":,;()]+)+/", ".../", text)


def public_reason(reason: str) -> str:
    """Return a reason without directories, and with escapes for what does not print; the same for one that is so."""
    return printable(public_text(reason))
