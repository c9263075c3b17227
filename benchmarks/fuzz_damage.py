"""What chance may do to the files of a run: `fuzz` does it."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actbench.runs.names import JOURNAL, MEASUREMENTS

DAMAGED_FILES = (*MEASUREMENTS, JOURNAL)


@dataclass(slots=True)
class Damager:
    """Does damage by chance to files."""

    rng: random.Random
    directory: Path
    other: Path
    """Where another run's files are."""

    def __call__(self) -> str:
        """Do one; return what was done."""
        name = self.rng.choice(DAMAGED_FILES)
        path = self.directory / name
        if not path.is_file():
            return f"nothing to {name}"
        kinds = [self.bytes_, self.bytes_, self.lines, self.lines, self.numbers, self.numbers, self.whole]
        kinds += [self.fields] * 4 if name.endswith(".json") else []
        kind = self.rng.choice(kinds)
        return f"{kind.__name__} {name}: {kind(path)}"

    def bytes_(self, path: Path) -> str:
        """Cut, flip, insert or remove bytes."""
        data = bytearray(path.read_bytes())
        at = self.rng.randrange(len(data) + 1)
        match self.rng.randrange(5):
            case 0:
                data = data[:at]
            case 1:
                data = data[: -self.rng.randint(1, 3)]
            case 2 if data:
                data[at % len(data)] ^= 1 << self.rng.randrange(8)
            case 3:
                data[at:at] = self.rng.randbytes(self.rng.randint(1, 4))
            case _:
                del data[at : at + self.rng.randint(1, 200)]
        path.write_bytes(data)
        return f"at {at}"

    def lines(self, path: Path) -> str:
        """Double, remove, exchange, move or mix lines."""
        lines = path.read_bytes().splitlines(keepends=True)
        if len(lines) < 2:
            return "nothing"
        first, last = sorted(self.rng.choices(range(len(lines)), k=2))
        match self.rng.randrange(6):
            case 0:
                lines[first:first] = [lines[last]]
            case 1:
                del lines[first : last + 1]
            case 2:
                lines[first], lines[last] = lines[last], lines[first]
            case 3:
                lines[first : last + 1] = lines[first : last + 1][::-1]
            case 4:
                del lines[first]
            case _:
                theirs = (self.other / path.name).read_bytes().splitlines(keepends=True)
                lines[first : last + 1] = theirs[first : last + 1]
        path.write_bytes(b"".join(lines))
        return f"{first} to {last}"

    def numbers(self, path: Path) -> str:
        """Change a digit, a sign or the magnitude of a number in the text."""
        data = bytearray(path.read_bytes())
        digits = [place for place, byte in enumerate(data) if chr(byte).isdigit()]
        if not digits:
            return "nothing"
        at = self.rng.choice(digits)
        match self.rng.randrange(4):
            case 0:
                data[at] = ord(self.rng.choice("0123456789"))
            case 1:
                data[at:at] = b"-"
            case 2:
                data[at + 1 : at + 1] = self.rng.choice([b"e300", b"e-300", b"0", b"9" * 30, b".5"])
            case _:
                del data[at]
        path.write_bytes(data)
        return f"at {at}"

    def fields(self, path: Path) -> str:
        """Remove a field of JSON, or give it another type, sign or magnitude."""
        try:
            document = json.loads(path.read_bytes())
        except ValueError:
            return "nothing"
        places = [*_places(document)]
        if not places:
            return "nothing"
        holder, key = self.rng.choice(places)
        was = holder[key]
        if self.rng.random() < 0.2:
            del holder[key]
        else:
            holder[key] = self.rng.choice(self._instead(was))
        path.write_text(json.dumps(document))
        return f"{key}: {str(was)[:40]}"

    def _instead(self, was: Any) -> list[Any]:
        if isinstance(was, bool) or not isinstance(was, int | float):
            emptied: list[Any] = [None, 0, -1, 1.5, "", "x", "a\nb", [], {}, [was], was]
            return [*emptied, was[: len(was) // 2]] if isinstance(was, list | str) else emptied
        return [-was, was + 1, was * 2, was / 2, 0, 1e308, 2**62, 10**40, -1, None, str(was), [was], True]

    def whole(self, path: Path) -> str:
        """Remove a file, empty it, put another thing in its place, or the other run's file."""
        kind = self.rng.choice(["gone", "empty", "directory", "pipe", "device", "link", "theirs", "copied", "part"])
        name = self.rng.choice(DAMAGED_FILES)
        if kind == "copied":
            path.write_bytes((self.other / name).read_bytes())
            return f"{kind} from {name}"
        if kind == "part":
            path.rename(path.with_name(f".{path.name}.part"))
            return kind
        path.unlink()
        match kind:
            case "empty":
                path.touch()
            case "directory":
                path.mkdir()
            case "pipe":
                os.mkfifo(path)
            case "device":
                path.symlink_to("/dev/zero")
            case "link":
                path.symlink_to(self.other / path.name)
            case "theirs":
                shutil.copy(self.other / path.name, path)
        return kind


def _places(document: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every holder and key in a JSON document."""
    if isinstance(document, dict | list):
        for key in document if isinstance(document, dict) else range(len(document)):
            yield document, key
            yield from _places(document[key])
