"""Elementary functions without branches, tables or calls, which LLVM vectorises in a numba loop: import `functions`.

Nothing here imports numba, so that looking for backends stays quick.
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
