"""Projects that are installed as a copy, which has not what has changed in their directory since."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import Distribution, distributions
from pathlib import Path
from urllib.parse import unquote, urlsplit

LAYOUTS = ("", "src")
"""The directories of a project that have its packages."""


def outdated(project: Path) -> Iterator[str]:
    """Yield a sentence for every installed copy of a project with a file that is another one in its directory now."""
    for distribution in distributions():
        if _copied_from(distribution) == project.resolve() and (changed := _changed(distribution, project)):
            yield (
                f"{distribution.name} is installed as a copy, and {changed} has changed here since: what is installed "
                "is measured; install it again ('python -m pip install .'), or once with --editable"
            )


def _copied_from(distribution: Distribution) -> Path | None:
    """Return the directory that a distribution was installed from; None for another origin, and where it is in use."""
    with suppress(ValueError, TypeError, KeyError, AttributeError):  # what pip wrote may be anything
        origin = json.loads(distribution.read_text("direct_url.json") or "{}")
        address = urlsplit(origin["url"])
        if address.scheme == "file" and not origin["dir_info"].get("editable"):
            return Path(unquote(address.path)).resolve()
    return None


def _changed(distribution: Distribution, project: Path) -> str | None:
    """Return the first Python file that differs from the one in the project's directory; None where none does."""
    for file in distribution.files or ():
        for source in (project / layout / file for layout in LAYOUTS if file.suffix == ".py"):
            with suppress(OSError):
                if source.read_bytes() != Path(str(distribution.locate_file(file))).read_bytes():
                    return str(file)
    return None
