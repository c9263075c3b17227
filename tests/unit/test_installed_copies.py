"""A project that is installed as a copy is not what its directory has now."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from actbench.host.installed_copies import outdated

OUTDATED = (
    "fastgrad is installed as a copy, and fastgrad/__init__.py has changed here since: what is installed is measured; "
    "install it again ('python -m pip install .'), or once with --editable"
)


@pytest.fixture(params=["", "src"])
def source(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Return the file of a project's package."""
    layout: str = request.param
    package = tmp_path / "a project" / layout / "fastgrad"
    package.mkdir(parents=True)
    file = package / "__init__.py"
    file.write_text("SLOPE = 1\n")
    return file


def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, origin: Any) -> Path:
    """Install a copy as pip does, and return the directory of the project."""
    place = tmp_path / "site"
    information = place / "fastgrad-1.dist-info"
    for directory in (information, place / "fastgrad"):
        directory.mkdir(parents=True)
    (place / "fastgrad" / "__init__.py").write_text("SLOPE = 1\n")
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: fastgrad\nVersion: 1\n")
    (information / "RECORD").write_text("fastgrad/__init__.py,,\nfastgrad-1.dist-info/METADATA,,\n")
    (information / "direct_url.json").write_text(json.dumps(origin))
    monkeypatch.syspath_prepend(str(place))
    return tmp_path / "a project"


def test_a_copy_is_told_once_a_file_of_the_project_has_changed(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = (tmp_path / "a project").as_uri()
    project = install(tmp_path, monkeypatch, {"url": url, "dir_info": {}})
    assert [*outdated(project)] == []
    source.write_text("SLOPE = 2\n")
    assert [*outdated(project)] == [OUTDATED]
    assert [*outdated(tmp_path)] == []


@pytest.mark.parametrize("origin", [{"dir_info": {"editable": True}}, {"vcs_info": {}}, {}, [], None])
def test_what_is_no_copy_of_this_directory_is_none(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, origin: Any
) -> None:
    url = {"url": (tmp_path / "a project").as_uri()}
    project = install(tmp_path, monkeypatch, url | origin if isinstance(origin, dict) else origin)
    source.write_text("SLOPE = 2\n")
    assert [*outdated(project)] == []
