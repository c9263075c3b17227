"""The cache of environments, with builds that only create files."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from actbench.engine.live import baseline, compiled_cache
from actbench.engine.live.environment_cache import DESCRIPTION, CacheEntry, EnvironmentCache
from actbench.engine.live.revisions import Revision
from actbench.errors import InputError, NotComparableError
from actbench.host import software
from tests.conftest import Actbench
from tests.support.repository import commit, git, repository

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")

HASHES = ("a" * 40, "b" * 40, "c" * 40)

PAGES = 64 << 10


def built(place: Path, version: str = "1.0") -> str:
    """Build an environment without Python and pip: an interpreter, and one package of 64 KiB."""
    (place / "bin").mkdir(parents=True)
    (place / "bin/python").symlink_to(sys.executable)
    info = place / f"lib/python3.11/site-packages/project-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: project\nVersion: {version}\n" + " " * PAGES)
    return "CPython 3.11.7"


class Builds:
    """A cache in a directory, and what it told and built."""

    def __init__(self, directory: Path, most_bytes: int = 1 << 30) -> None:
        """Build nothing yet."""
        self.cache = EnvironmentCache(directory, most_bytes)
        self.told: list[str] = []
        self.count = 0

    def build(self, place: Path) -> str:
        """Build and count."""
        self.count += 1
        return built(place)

    def use(self, sha: str, build: Callable[[Path], str] | None = None) -> CacheEntry:
        """Use the environment of a commit."""
        with self.cache.opened(sha[:20], ("project", sha), build or self.build, self.told.append) as entry:
            assert entry.python.exists()
            return entry

    @property
    def commits(self) -> set[str]:
        """The commits whose environments are there."""
        return {description.commit for entry in self.cache.entries() if (description := entry.description)}


@pytest.fixture
def builds(tmp_path: Path) -> Builds:
    return Builds(tmp_path / "cache")


def test_a_second_use_builds_nothing(builds: Builds) -> None:
    assert builds.use(HASHES[0]) == builds.use(HASHES[0])
    assert builds.count == 1
    assert builds.told[1].startswith("built the environment of aaaaaaaaaa in 0 s")
    assert builds.told[2].startswith("the environment of aaaaaaaaaa is in the cache, built 20")


def test_what_a_broken_build_leaves_is_never_used(builds: Builds) -> None:
    def breaking(place: Path) -> str:
        built(place)
        raise NotComparableError("the build broke")

    with pytest.raises(NotComparableError, match="the build broke"):
        builds.use(HASHES[0], breaking)
    assert not builds.cache.entries()
    built(builds.cache.directory / HASHES[0][:20] / "environment")  # as after SIGKILL
    builds.use(HASHES[0])
    assert builds.count == 1


@pytest.mark.parametrize("damage", ["description", "nesting", "interpreter", "package"])
def test_an_environment_that_is_not_what_was_built_is_built_again(builds: Builds, damage: str) -> None:
    entry = builds.use(HASHES[0])
    match damage:
        case "description":
            (entry.place / DESCRIPTION).write_text("{")
        case "nesting":
            (entry.place / DESCRIPTION).write_text('{"pages":' + 100_000 * "[")
        case "interpreter":
            entry.python.unlink()
        case "package":
            (info,) = entry.environment.glob("lib/*/site-packages/*.dist-info")
            info.rename(info.with_name("project-2.0.dist-info"))
            (info.with_name("project-2.0.dist-info") / "METADATA").write_text("Name: project\nVersion: 2.0\n")
    builds.use(HASHES[0])
    assert builds.count == 2


def test_an_environment_without_a_python_is_refused_and_not_built_for_ever(builds: Builds) -> None:
    with pytest.raises(NotComparableError, match="has no Python that can be run"):
        builds.use(HASHES[0], lambda place: f"nothing in {place}")


def test_the_least_recently_used_go_but_not_those_in_use(tmp_path: Path) -> None:
    builds = Builds(tmp_path / "cache", most_bytes=3 * PAGES)
    for sha in HASHES[:2]:
        os.utime(builds.use(sha).place / DESCRIPTION, (0, 0))
    builds.use(HASHES[0])
    builds.use(HASHES[2])
    assert builds.commits == {HASHES[0], HASHES[2]}, "the second one was used least recently"
    with builds.cache.opened(HASHES[0][:20], ("project", HASHES[0]), builds.build, builds.told.append):
        builds.use(HASHES[1])
        builds.use(HASHES[2])
        assert HASHES[0] in builds.commits


def test_two_checks_do_not_build_into_one_directory(builds: Builds) -> None:
    entry = CacheEntry(builds.cache.directory / HASHES[0][:20])
    builds.cache.directory.mkdir()

    def building(place: Path) -> str:
        with entry.locked(fcntl.LOCK_SH | fcntl.LOCK_NB) as free:
            assert not free
        return built(place)

    builds.use(HASHES[0], building)
    with entry.locked(fcntl.LOCK_EX | fcntl.LOCK_NB) as free:
        assert free


def test_a_cache_that_cannot_be_written_names_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"name another by \$XDG_CACHE_HOME$"):
        Builds(tmp_path / "file" / "cache").use(HASHES[0])


def test_environments_are_listed_and_cleared_by_commit(
    actbench: Actbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    builds = Builds(EnvironmentCache().directory)
    for sha in HASHES[:2]:
        builds.use(sha)
    listed = actbench("cache", "list").stdout
    assert "\naaaaaaaaaa  project, CPython 3.11.7, built 20" in f"\n{listed}"
    assert "\n    project 1.0\n" in listed
    assert {item["commit"] for item in json.loads(actbench("cache", "list", "--format", "json").stdout)} == {
        *HASHES[:2]
    }
    assert actbench("cache", "clear", "d").exit_code == 2
    with builds.cache.opened(HASHES[1][:20], ("project", HASHES[1]), builds.build, builds.told.append):
        result = actbench("cache", "clear")
    assert (result.stdout, builds.commits) == ("removed 1 environment\n", {HASHES[1]})
    assert result.stderr == "1 environment in use by a check: not removed\n"
    assert actbench("cache", "clear", "bb").stdout == "removed 1 environment\n"
    assert not [*builds.cache.directory.iterdir()]
    assert actbench("cache", "list").stderr == "no environment is in the cache\n"


def test_a_commit_without_a_digit_clears_nothing(
    actbench: Actbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    builds = Builds(EnvironmentCache().directory)
    builds.use(HASHES[0])
    result = actbench("cache", "clear", "")
    assert (result.exit_code, result.stdout) == (2, "")
    assert builds.commits == {HASHES[0]}


def test_what_cannot_be_removed_is_named_and_not_counted(
    actbench: Actbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    place = Builds(EnvironmentCache().directory).use(HASHES[0]).place
    compiled = compiled_cache.entry_of(Path("/python"))
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)
    result = actbench("cache", "clear")
    assert (result.exit_code, result.stdout) == (2, "removed 0 environments\n")
    assert f"cannot remove all of {place}, {compiled}: make it writable" in result.stderr


def test_the_key_is_of_commit_interpreter_versions_and_pins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository(tmp_path / "project", monkeypatch)
    commit("first", x="1")
    git("tag", "--annotate", "--message", "a tag", "v1")
    pins = tmp_path / "pins.txt"
    pins.write_text("numpy==2.0\n")

    def key(name: str, **versions: str) -> str:
        return baseline._key(Revision(name, tmp_path / "tree"), versions)

    plain = key("git:HEAD")
    assert key("git:v1") == plain, "an annotated tag is its commit"
    monkeypatch.setenv("PIP_CONSTRAINT", str(pins))
    pinned = key("git:HEAD")
    pins.write_text("numpy==2.1\n")
    repinned = key("git:HEAD")
    monkeypatch.setattr(software, "libraries", lambda _: {"numpy": "9.9"})
    upgraded = key("git:HEAD")
    commit("second", x="2")
    keys = {plain, pinned, repinned, upgraded, key("git:HEAD"), key("git:HEAD", numpy="2.0")}
    assert len(keys) == 6
