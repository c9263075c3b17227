from __future__ import annotations

import gzip
import subprocess
from pathlib import Path

import platformdirs
import pytest

from actbench.report.charts import library


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return where the user's caches are, and nothing as yet."""
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: tmp_path / "caches" / name)
    return tmp_path / "caches"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let another process write a line in place of the bundle."""
    monkeypatch.setattr(library, "BUNDLE", "print('window.vegaEmbed = 1;', end='')")


def made() -> str:
    with library.library() as javascript:
        return gzip.decompress(javascript()).decode()


@pytest.mark.exhaustive  # tests of plot look for it in what is written
def test_the_library_is_vega_embed_and_what_it_needs(kept: Path) -> None:
    del kept
    text = made()
    assert "window.vegaEmbed" in text
    assert len(text) > 500_000


@pytest.mark.usefixtures("quick")
def test_it_is_made_once_and_kept(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert made() == "window.vegaEmbed = 1;"
    (file,) = kept.rglob("*.*")
    assert file.parent == kept / "actbench"
    monkeypatch.setattr(subprocess, "Popen", None)
    assert made() == "window.vegaEmbed = 1;"


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "damage", [b"", b"no gzip", gzip.compress(b"cut short" * 99, mtime=0)[:-9]], ids=["nothing", "no gzip", "cut short"]
)
def test_what_is_not_whole_is_made_again(kept: Path, damage: bytes) -> None:
    made()
    (file,) = kept.rglob("*.*")
    file.write_bytes(damage)
    assert made() == "window.vegaEmbed = 1;"
    assert gzip.decompress(file.read_bytes()) == b"window.vegaEmbed = 1;"


@pytest.mark.usefixtures("quick")
def test_where_it_cannot_be_kept_it_is_made_every_time(kept: Path) -> None:
    kept.write_text("a file in the directory's place")
    assert made() == "window.vegaEmbed = 1;"
    assert kept.is_file()


@pytest.mark.usefixtures("kept")
def test_a_bundle_that_fails_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "BUNDLE", "raise SystemExit('no such script')")
    with pytest.raises(RuntimeError, match=r"^vl-convert could not bundle Vega-Lite: no such script"):
        made()


@pytest.mark.usefixtures("kept")
def test_a_page_that_cannot_be_made_does_not_wait_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "BUNDLE", "import time; time.sleep(60)")
    with pytest.raises(ZeroDivisionError), library.library():
        raise ZeroDivisionError
