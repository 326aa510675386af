"""How is one file of a user checked? By mypy, pyright and pyrefly in their strict modes, with no settings of ours."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

__all__ = ["MARK", "ROOT", "mypy", "pyrefly", "pyright"]

ROOT = Path(__file__).parent.parent.parent
MARK = "  # type: ignore["
"""At the end of a line that is wrong."""


def run(command: Sequence[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a checker in an empty folder, so that it finds no settings of ours."""
    own = {"MYPYPATH": str(ROOT), "NO_COLOR": "1", "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"} | own
    return subprocess.run(
        [sys.executable, "-m", *map(str, command)], capture_output=True, text=True, cwd=folder, env=environment
    )


def mypy(file: Path, folder: Path) -> list[str]:
    """Return what `mypy --strict` finds in one file; the files it imports are read, and are not reported."""
    if find_spec("mypy") is None:
        pytest.skip("mypy is not installed: python3 dev check types")
    modes = ("--strict", "--explicit-package-bases", "--follow-imports=silent", "--python-version=3.11", "--no-pretty")
    answer = run(["mypy", *modes, f"--cache-dir={folder}", file], folder)
    lines = (answer.stdout + answer.stderr).splitlines()
    return [] if lines == ["Success: no issues found in 1 source file"] else lines


def pyright(file: Path, folder: Path) -> list[str]:
    """Return what pyright finds in one file in its strict mode."""
    if find_spec("pyright") is None or run(["pyright", "--version"], folder).returncode:
        pytest.skip("pyright is not installed: python3 dev check 'public types'")
    settings = {
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
        "include": [os.path.relpath(file, folder)],
        "extraPaths": [str(ROOT)],
        "enableTypeIgnoreComments": True,
        "reportUnnecessaryTypeIgnoreComment": True,
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    answer = run(["pyright", "--outputjson", "--pythonpath", sys.executable], folder)
    report = json.loads(answer.stdout)
    assert report["summary"]["filesAnalyzed"] == 1
    return [f"{fault['range']['start']['line'] + 1}: {fault['message']}" for fault in report["generalDiagnostics"]]


def pyrefly(file: Path, folder: Path) -> list[str]:
    """Return what pyrefly's strict preset finds in one file, and each mark on a line where it finds nothing.

    It does not report a mark without a mistake, so it is shown the file without them.
    """
    if find_spec("pyrefly") is None:
        pytest.skip("pyrefly is not installed: python3 dev check types")
    lines = file.read_text(encoding="utf-8").splitlines()
    marked = {number for number, line in enumerate(lines, 1) if MARK in line}
    (folder / file.name).write_text("\n".join(line.partition(MARK)[0] for line in lines), encoding="utf-8")
    settings = {
        "preset": "strict",
        "python-version": "3.11",
        "project-includes": [file.name],
        "search-path": [str(ROOT)],
        "python-interpreter-path": sys.executable,
    }
    written = (f"{name} = {json.dumps(value)}" for name, value in settings.items())
    (folder / "pyrefly.toml").write_text("\n".join(written), encoding="utf-8")
    answer = run(["pyrefly", "check", "--config", "pyrefly.toml", "--output-format=json"], folder)
    faults = json.loads(answer.stdout)["errors"]
    unseen = sorted(marked - {fault["line"] for fault in faults})
    unmarked = (fault for fault in faults if fault["line"] not in marked)
    return [f"{line}: nothing is wrong" for line in unseen] + [f"{x['line']}: {x['description']}" for x in unmarked]
