"""What every test of this folder also claims: no file stays open, and temporary files are gone."""

import gc
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.security.kit import open_files


@pytest.fixture(autouse=True)
def temporary_files(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, of this test alone."""
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture(autouse=True)
def nothing_left_behind(temporary_files: Path) -> Iterator[None]:
    """Count before and after; what only waits for the collector is not counted."""
    before = open_files()
    yield
    if open_files() > before:
        gc.collect()
    assert open_files() <= before
    assert list(temporary_files.iterdir()) == []
