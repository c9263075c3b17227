"""Commands as they are entered in a shell."""

from __future__ import annotations

import os
import shlex


def command(*words: object) -> str:
    """Return words, such as names of files, as a shell reads them, on one line whatever is in them."""
    return " ".join(map(_quoted, map(str, words)))


def _quoted(word: str) -> str:
    """Return a word as a shell reads it; what is not printable as octal numbers, which need $''."""
    return shlex.quote(word) if word.isprintable() else f"$'{''.join(map(_escaped, word))}'"


def _escaped(character: str) -> str:
    if character in "\\'":
        return f"\\{character}"
    if character.isprintable():
        return character
    return "".join(f"\\{byte:03o}" for byte in os.fsencode(character))
