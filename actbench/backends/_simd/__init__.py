"""Elementary functions without branches, tables or calls, which LLVM vectorises in a numba loop: import `functions`.

This file does not import numba, so that the discovery of backends stays fast.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path


@cache
def edition() -> str:
    """Return the digest of the functions' source."""
    texts = (path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    return sha256(b"".join(texts)).hexdigest()
