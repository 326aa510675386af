"""What every test of this folder also claims: no file stays open, and temporary files are gone."""

import gc
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.security.kit import open_files


@pytest.fixture(scope="session")
def folder_for_temporary_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all, because each test leaves it empty."""
    return tmp_path_factory.mktemp("temporary")


@pytest.fixture(autouse=True)
def temporary_files(folder_for_temporary_files: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the temporary files of a test are in."""
    monkeypatch.setattr(tempfile, "tempdir", str(folder_for_temporary_files))
    return folder_for_temporary_files


@pytest.fixture(autouse=True)
def nothing_left_behind(temporary_files: Path) -> Iterator[None]:
    """Count before and after; what only waits for the collector is not counted."""
    before = open_files()
    yield
    if open_files() > before:
        gc.collect()
    assert open_files() <= before
    assert list(temporary_files.iterdir()) == []
