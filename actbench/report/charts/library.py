"""The JavaScript that draws Vega-Lite in a page: bundled by vl-convert, and cached for later pages.

Bundling takes a second or more. Another process does it while the page is made, once for every version of vl-convert;
the user's cache directory holds the result.
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

from actbench.errors import InputError
from actbench.host import directories, regular
from actbench.runs import files

BUNDLE = "import sys, vl_convert; sys.stdout.write(vl_convert.javascript_bundle('window.vegaEmbed = vegaEmbed;'))"


@contextmanager
def library() -> Iterator[Callable[[], bytes]]:
    """Yield a function that returns the JavaScript, compressed by gzip; the JavaScript defines ``vegaEmbed``.

    The function raises `RuntimeError` where bundling failed.
    """
    path = directories.cache() / f"vega-embed-{version('vl-convert-python')}.js.gz"
    kept = _kept(path)
    if kept is not None:
        yield lambda: kept
        return
    command = [sys.executable, "-P", "-X", "utf8", "-c", BUNDLE]
    with (
        ThreadPoolExecutor(1) as reader,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process,
    ):
        making = reader.submit(_made, process, path)  # reads meanwhile: a full pipe would stop the process
        try:
            yield making.result
        finally:
            process.kill()


def _kept(path: Path) -> bytes | None:
    """Return the cached JavaScript; None where there is none, or it is incomplete."""
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
    with suppress(OSError, InputError):  # without a cache, the next page bundles again
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(path, packed)
    return packed
