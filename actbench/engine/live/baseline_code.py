"""The user's own code on the baseline's side of a live check: which of it is another version, and what to say of it.

A file of the project is that of the baseline's revision; otherwise a change of the file would not show, since both
sides would run today's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from actbench import plugins
from actbench.engine.live.revisions import Revision
from actbench.engine.protocol import Source
from actbench.errors import InputError, OptionsError
from actbench.host import regular
from actbench.model.loaded import Loaded, LoadedFrom

SAME = "same"
"""The value of --load-baseline for what the candidate loads."""


@dataclass(frozen=True, slots=True)
class BaselineCode:
    """What the baseline loads."""

    sources: tuple[Source, ...]
    remarks: tuple[str, ...]
    lacking: tuple[str, ...]
    """The files of the project that the revision does not have, whose kernels are new."""
    shared: tuple[str, ...]
    """The files that are the same on both sides."""


def code_of(revision: Revision | None, wanted: Sequence[str], line: str | None = None) -> BaselineCode:
    """Return what the baseline loads in place of what is loaded here.

    `wanted` are the values of --load-baseline: one for each code that is loaded here, one for all, or none. Files must
    be equal there to what they are now; packages may differ, if these are compared. `line` is the range of commits of
    which the revision is one, if several are compared: see `Revision.path_of`.
    """
    loaded = plugins.loaded()
    if wanted and len(wanted) != len(loaded) and tuple(wanted) != (SAME,):
        raise OptionsError(
            f"--load-baseline: there are {len(wanted)} for {len(loaded)} of --load: name one for each, in this order, "
            f"or '{SAME}' for all"
        )
    names = tuple(wanted) * len(loaded) if tuple(wanted) == (SAME,) else tuple(wanted)
    sources, remarks, lacking, shared = list[Source](), list[str](), list[str](), list[str]()
    for code, name in zip(loaded, names or (None,) * len(loaded), strict=True):
        if name is not None and name != SAME:
            sources.append(_source(name, Path(name)))
        elif code.kind is LoadedFrom.PACKAGE:
            sources.append(Source(code.name, None))
        elif name is None and revision is not None and (path := revision.path_of(code.name, line)) is not None:
            if revision.has(path):
                sources.append(_source(code.name, revision.tree / path))
            else:
                lacking.append(code.name)
                remarks.append(f"{code.name} is not in {revision.name}: its kernels are new")
        else:
            sources.append(Source(code.name, code.sha256))
            remarks.append(_same_file(code, asked_for=name == SAME))
            shared.append(f"{code.name} ({code.digest})")
    return BaselineCode(tuple(sources), tuple(remarks), tuple(lacking), tuple(shared))


def _source(name: str, path: Path) -> Source:
    try:
        data = regular.read(path)
    except OSError as error:
        raise InputError(
            f"--load-baseline {name}: it cannot be read ({error.strerror}): name a file that exists, or '{SAME}'"
        ) from None
    return Source(name, sha256(data).hexdigest(), str(path.absolute()))


def _same_file(code: Loaded, *, asked_for: bool) -> str:
    line = f"{code.name}: both sides load the same file ({code.digest})"
    if asked_for:
        return line
    return f"{line}, so a change of it does not show; --load-baseline FILE loads another one in the baseline"
