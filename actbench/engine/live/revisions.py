"""A revision of the project in the current directory, as git knows it."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from actbench.errors import NoRevisionError, NotComparableError, OutputError

GIT = "git:"
"""Prefix of a revision, as in ``git:main``."""

SHALLOW = (
    "the clone is shallow, and does not reach that far: fetch the whole history ('git fetch --unshallow'; with "
    "actions/checkout, fetch-depth: 0)"
)

GIT_WITHOUT_HOOKS = f"git -c core.hooksPath={os.devnull}"
"""The command that runs no hooks of the user's: one that fails after a checkout says nothing about a commit."""

TREES = "actbench-"
"""Prefix of the temporary directories that hold worktrees; the number of the process follows."""

SUBMODULES = ".gitmodules"
"""The file at the root of a worktree that has submodules."""

UPDATING = ("update", "--init", "--recursive", "--quiet")
"""What fetches the submodules of a worktree at the commits that it names, and theirs."""

SUBMODULES_TIMEOUT = 900.0
"""Seconds."""

NO_REPOSITORY = "not a git repository"
"""What git writes outside of repositories, in the locale C."""

FULL = os.strerror(errno.ENOSPC)
"""What programs write when a disk is full."""

NOTICE_PREFIXES = ("note:", "hint:", "[notice]", "ERROR: Exception:")
"""Prefixes of lines of git and pip that are not error messages, or say no more than that there is one."""

BULLETS = "×╰─> "
"""What begins the lines in which pip explains an error."""

ERROR = re.compile(r"^[×╰]|\berror:|Error: |\bfatal:|\bundefined reference\b", re.IGNORECASE)
"""What marks a line of a program's output as the cause of a failure."""

SEPARATOR = re.compile(r"([,;] )")
"""What separates the items of a list, such as that of the versions that pip knows."""

MOST_ITEMS = 12
"""A list of more is shortened."""

LAST_ITEMS = 3
"""How many of the last items of a long list are kept: the newest versions."""

TEMPORARY = re.compile(rf"(?:file:/)?/[^\s'\"]*?/(?:{TREES}\d+-[^/\s'\"]+/tree|pip-[\w-]+)(?:/(?P<file>[^\s'\":]*))?")
"""A path in a worktree, or in a temporary directory of pip's; its file is relative to that."""


class Revision:
    """A commit of the repository that contains the current directory, and its files."""

    def __init__(self, name: str, place: Path) -> None:
        """Find the commit that ``git:REV`` names; `NotComparableError` where there is none.

        Its files will lie in the directory `place`, once they are needed.
        """
        self.name = name
        self._option = f"--against {name}"
        self.directory_in_tree = execute(self._option, "git rev-parse", "--show-prefix")
        """The current directory, relative to the root of the repository."""
        self.commit = resolve(self._option, name.removeprefix(GIT))
        """Its full hash."""
        self.root = Path(execute(self._option, "git rev-parse", "--show-toplevel"))
        """The root of the repository."""
        self._place = place

    @cached_property
    def tree(self) -> Path:
        """A temporary worktree with the files of the commit, and with those of its submodules."""
        _remove_abandoned_trees()
        execute(
            self._option, f"{GIT_WITHOUT_HOOKS} worktree", "add", "--detach", "--quiet", str(self._place), self.commit
        )
        if (self._place / SUBMODULES).is_file():
            command = f"{GIT_WITHOUT_HOOKS} submodule"
            execute(self._option, command, *UPDATING, directory=self._place, timeout=SUBMODULES_TIMEOUT)
        return self._place

    def remove_tree(self) -> None:
        """Remove the worktree, if there is one; also one of which git was interrupted."""
        if self._place.exists():
            _remove_tree(self._place)

    def path_of(self, name: str, line: str | None = None) -> str | None:
        """Return the path of a file of the project, relative to the root of the repository; None for another file.

        A file is part of the project where the commit has it, git knows it here, or a commit of `line` changes it: a
        range of commits that are measured, such as ``v1..main``, so that it is part of all of them or of none.
        """
        path = Path(name).absolute()
        try:
            relative = (path.parent.resolve() / path.name).relative_to(self.root.resolve()).as_posix()
        except ValueError:
            return None
        file = f":(top,literal){relative}"
        known = self.has(relative) or succeeds("git ls-files", "--error-unmatch", "--", file)
        if not known and line is not None:
            known = bool(execute(self._option, "git rev-list", "-1", "--full-history", line, "--", file))
        return relative if known else None

    def has(self, path: str) -> bool:
        """Return whether the commit has a file at a path, relative to the root of the repository."""
        return succeeds("git cat-file", "-e", f"{self.commit}:{path}")


def execute(
    what: str,
    command: str,
    *arguments: str,
    program: Sequence[str] = (),
    directory: Path | None = None,
    timeout: float | None = None,
) -> str:
    """Run a command and return its output; `NotComparableError` with its last message where it fails.

    It is an `OutputError` where a disk is full. `program` stands for the command's first word, where that is not on the
    search path. It runs in `directory`, or else the current one; `timeout` is in seconds.
    """
    name, *words = command.split()
    try:
        done = subprocess.run(
            [*(program or (name,)), *words, *arguments],
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            cwd=directory,
            env=os.environ | ({"LC_ALL": "C"} if name == "git" else {}),
        )
    except OSError as error:
        raise NotComparableError(f"{what}: {name} cannot be run ({error.strerror}): install it") from None
    except subprocess.TimeoutExpired:
        raise NotComparableError(f"{what}: '{command}' took longer than {timeout:g} s: build it beforehand") from None
    if done.returncode == 0:
        return done.stdout.strip()
    if FULL in done.stderr:
        raise OutputError(f"{what}: '{command}' failed: {FULL}")
    if name == "git" and NO_REPOSITORY in done.stderr:
        here = f"{Path.cwd()} is in no git repository"
        raise NotComparableError(f"{what}: {here}: change to the directory of your project, or make it one (git init)")
    sentence = _last_words(done.stderr) or _last_words(done.stdout) or "it says no more"
    raise NotComparableError(f"{what}: '{command}' failed: {sentence}")


def place_for_trees() -> str:
    """Return the prefix of the temporary directories that hold worktrees of this process."""
    return f"{TREES}{os.getpid()}-"


def _remove_abandoned_trees() -> None:
    """Remove the worktrees of processes that were killed."""
    for line in execute("", "git worktree", "list", "--porcelain").splitlines():
        place = Path(line.removeprefix("worktree ")).parent
        process, _, _ = place.name.removeprefix(TREES).partition("-")
        abandoned = place.name.startswith(TREES) and process.isdecimal() and not _is_running(int(process))
        if abandoned and place.is_dir():  # elsewhere it may be another container's, with processes of its own
            _remove_tree(place / "tree")
            shutil.rmtree(place, ignore_errors=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)  # sends nothing
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _remove_tree(tree: Path) -> None:
    subprocess.run(["git", "worktree", "remove", "--force", str(tree)], check=False, capture_output=True)  # noqa: S607  # the user's own


def resolve(what: str, revision: str, prefix: str = GIT) -> str:
    """Return the hash of a revision; `NoRevisionError` says why this clone lacks it, where that can be seen.

    `what` begins the sentence, `prefix` is how the user marks a revision.
    """
    lookup = ("git rev-parse", "--verify", "--quiet", "--end-of-options")
    try:
        return execute(what, *lookup, f"{revision}^{{commit}}")
    except NotComparableError:
        if succeeds(*lookup, f"refs/remotes/origin/{revision}^{{commit}}"):
            raise NoRevisionError(
                f"{what}: this clone has no branch of that name, but the repository that it came from has: name "
                f"{prefix}origin/{revision}"
            ) from None
        if is_shallow(what):
            raise NoRevisionError(f"{what}: {SHALLOW}") from None
        raise NoRevisionError(
            f"{what}: that is no revision of this project: name a branch, a tag or a commit ('git log --oneline --all' "
            "lists commits)"
        ) from None


def is_shallow(what: str = "") -> bool:
    """Return whether this clone lacks a part of the history."""
    return execute(what, "git rev-parse", "--is-shallow-repository") == "true"


def succeeds(command: str, *arguments: str) -> bool:
    """Return whether a command ends without an error."""
    try:
        execute("", command, *arguments)
    except NotComparableError:
        return False
    return True


def _last_words(text: str) -> str:
    """Return the last line with a message, after up to two more that name errors.

    Where pip reports a failed build, they are those of the build. Paths of temporary directories are left out.
    """
    before, end, _ = text.partition("[end of output]")
    build = before.rpartition("of output]")[2] if end else before
    stripped = (line.strip() for line in build.splitlines())
    lines = [line for line in stripped if line and not line.startswith(NOTICE_PREFIXES)]
    errors = [line for line in lines[:-1] if ERROR.search(line)]
    causes = dict.fromkeys(_shortened(line.lstrip(BULLETS)) for line in [*errors[-2:], *lines[-1:]])
    return TEMPORARY.sub(lambda path: path["file"] or ".", "; ".join(causes))


def _shortened(line: str) -> str:
    """Return a line with the first item and the last ones of a long list, such as that of all versions of a library."""
    items = SEPARATOR.split(line)[::2]
    if len(items) <= MOST_ITEMS:
        return line
    return ", ".join([items[0], "...", *items[-LAST_ITEMS:]])
