"""The JavaScript that draws Vega-Lite in a page: bundled by vl-convert, and kept for the pages after.

Bundling takes a second or more. Another process does that while the page is made, once for every version of vl-convert:
the user's cache directory keeps the result.
"""

from __future__ import annotations

import gzip
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

import platformdirs

from actbench.errors import InputError
from actbench.host import regular
from actbench.runs import files

BUNDLE = "import sys, vl_convert; sys.stdout.write(vl_convert.javascript_bundle('window.vegaEmbed = vegaEmbed;'))"


@contextmanager
def library() -> Iterator[Callable[[], bytes]]:
    """Yield what returns the JavaScript, packed by gzip: it defines ``vegaEmbed``.

    `RuntimeError` from that where it could not be made.
    """
    path = platformdirs.user_cache_path("actbench") / f"vega-embed-{version('vl-convert-python')}.js.gz"
    kept = _kept(path)
    if kept is not None:
        yield lambda: kept
        return
    command = [sys.executable, "-P", "-X", "utf8", "-c", BUNDLE]
    with (
        ThreadPoolExecutor(1) as reader,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process,
    ):
        making = reader.submit(_made, process, path)  # what it writes is taken in as it comes: it ends no sooner
        try:
            yield making.result
        finally:
            process.kill()


def _kept(path: Path) -> bytes | None:
    """Return what was kept; None where that is nothing, or not whole."""
    try:
        packed = regular.read(path)
        whole = gzip.decompress(packed)
    except (OSError, EOFError, zlib.error):
        return None
    return packed if whole else None


def _made(process: subprocess.Popen[bytes], path: Path) -> bytes:
    made, complaints = process.communicate()
    if process.returncode:
        raise RuntimeError(f"vl-convert could not bundle Vega-Lite: {complaints.decode(errors='replace')}")
    packed = gzip.compress(made)
    with suppress(OSError, InputError):  # where it cannot be kept, the next page makes it again
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(path, packed)
    return packed
