"""Which types does a client in TypeScript get? `openapi-typescript` makes them of a document, and `tsc` reads them.

Both are installed once into `.cache/`, at the versions named here; openapi-typescript needs the compiler's
JavaScript API, which TypeScript 7 does not have.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

__all__ = ["GENERATOR", "generate", "install", "problems_of"]

GENERATOR = "openapi-typescript@7.13.0"
COMPILER = "typescript@5.9.3"

_CACHE = Path(__file__).parents[2] / ".cache" / f"{GENERATOR}-{COMPILER}"
_SETTINGS = ("--noEmit", "--strict", "--exactOptionalPropertyTypes", "--target", "es2022", "--pretty", "false")


def install() -> Path:
    """Return the folder of the programs, installed when they are not there; skips the test where they cannot be."""
    programs = _CACHE / "node_modules" / ".bin"
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not installed")
    if not (_CACHE / "complete").exists():
        fresh = _CACHE.with_name(f"{_CACHE.name}-{os.getpid()}")
        fresh.mkdir(parents=True)
        command = ["npm", "install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", GENERATOR, COMPILER]
        answer = subprocess.run([*command, "--prefix", str(fresh)], cwd=fresh, capture_output=True, text=True)
        if answer.returncode:
            shutil.rmtree(fresh)
            pytest.skip(f"npm cannot install {GENERATOR}: {answer.stderr.strip().splitlines()[-1:]}")
        (fresh / "complete").touch()
        _replace(_CACHE, fresh)
    return programs


def _replace(folder: Path, fresh: Path) -> None:
    """Two runs may install at once: the first to be complete stays."""
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
    try:
        fresh.rename(folder)
    except OSError:
        shutil.rmtree(fresh)


def generate(programs: Path, document: Path) -> Path:
    """Return a file beside the document with its types. A property with a default may be left out by a client.

    Raises:
        AssertionError: The document is not understood; the text says what was said of it.
    """
    types = document.with_suffix(".ts")
    program = programs / "openapi-typescript"
    answer = _run([program, document, "--output", types, "--default-non-nullable=false"], document.parent)
    if answer.returncode or not types.exists():
        raise AssertionError(answer.stdout + answer.stderr)
    return types


def problems_of(programs: Path, *files: Path) -> list[str]:
    """Return what the compiler says of some files in its strict mode; nothing is compiled."""
    return _run([programs / "tsc", *_SETTINGS, *files], files[0].parent).stdout.splitlines()


def _run(command: list[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, command)), cwd=folder, capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"}
    )
