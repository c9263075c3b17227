"""Moving code to new physical addresses: by default the page cache decides where a library's code lies.

Two byte-identical files of numpy differ by up to 5 % in calls of a microsecond, in every process, until their pages
leave the page cache: new processes and random virtual addresses do not change which physical pages hold the code. So a
worker copies the code of the interpreter, libc, libm and numpy's core into private memory, and again from time to time.
Two files that differed by 2.1 % and 4.2 % then differ by +0.1 % and -0.5 %, with intervals of ± 1 %. Code that numba
compiles is in private memory anyway.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

MOVED = re.compile(r"(libc|libm|libpython[\d.]*|math|_multiarray_umath)\b[-.\w]*\.so\b")
"""Names of the files whose code is timed, in addition to the interpreter's."""

READ, WRITE, EXECUTE = 1, 2, 4
PRIVATE, ANONYMOUS, POPULATE = 0x02, 0x20, 0x8000
MAY_MOVE, FIXED = 1, 2
"""Linux's constants for mmap, mprotect and mremap."""


class Region(NamedTuple):
    """Executable memory: its first address, and its bytes."""

    address: int
    size: int


class CodePlacement:
    """Moves the code of this process to other physical pages, at the same virtual addresses."""

    def __init__(self) -> None:
        """Collect the regions that can be moved: none on other systems than Linux."""
        self._regions = tuple(_regions()) if sys.platform == "linux" else ()

    def move(self) -> bool:
        """Copy all regions to other physical pages; return whether the system allows that."""
        return bool(self._regions) and all(_moved(region) for region in self._regions)


def _regions() -> Iterator[Region]:
    executable = os.path.realpath("/proc/self/exe")
    for line in Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines():
        addresses, permissions, _, _, _, *file = line.split(maxsplit=5)
        if permissions == "r-xp" and file and (file[0] == executable or MOVED.match(Path(file[0]).name)):
            start, end = (int(address, 16) for address in addresses.split("-"))
            yield Region(start, end - start)


def _moved(region: Region) -> bool:
    """Replace a region by a copy in one step; execution continues in the copy."""
    libc = ctypes.CDLL(None)
    libc.mmap.restype = libc.mremap.restype = ctypes.c_void_p
    size = ctypes.c_size_t(region.size)
    copy = libc.mmap(None, size, READ | WRITE, PRIVATE | ANONYMOUS | POPULATE, -1, ctypes.c_long(0))
    if copy in {None, ctypes.c_void_p(-1).value}:
        return False
    ctypes.memmove(copy, region.address, region.size)
    at = ctypes.c_void_p(copy)
    if libc.mprotect(at, size, READ | EXECUTE):
        libc.munmap(at, size)
        return False
    return bool(libc.mremap(at, size, size, MAY_MOVE | FIXED, ctypes.c_void_p(region.address)) == region.address)
