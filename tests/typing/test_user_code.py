"""Annotations are part of the interface: an application of a user must pass the strict modes of mypy and pyright."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from nexios.routing.converters import BUILT_IN_CONVERTERS
from nexios.routing.registry import DEFAULT_CONVERTERS
from tests.typing.user_app import create_app, register_shared, visit, visit_async

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
APP, MISTAKES = HERE / "user_app.py", HERE / "user_mistakes.py"


def run(command: Sequence[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a checker in an empty folder, so that it finds no settings of ours."""
    own = {"MYPYPATH": str(ROOT), "NO_COLOR": "1", "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"} | own
    return subprocess.run(
        [sys.executable, "-m", *map(str, command)], capture_output=True, text=True, cwd=folder, env=environment
    )


def mypy(file: Path, folder: Path) -> str:
    """Return what `mypy --strict` finds in one file; the files it imports are read, and are not reported."""
    if find_spec("mypy") is None:
        pytest.skip("mypy is not installed: python3 dev check types")
    modes = ("--strict", "--explicit-package-bases", "--follow-imports=silent", "--python-version=3.11", "--no-pretty")
    answer = run(["mypy", *modes, f"--cache-dir={folder}", file], folder)
    return answer.stdout + answer.stderr


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


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_typed_application_passes_mypy_in_its_strict_mode(tmp_path: Path) -> None:
    assert mypy(APP, tmp_path) == "Success: no issues found in 1 source file\n"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_typed_application_passes_pyright_in_its_strict_mode(tmp_path: Path) -> None:
    assert pyright(APP, tmp_path) == []


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_mypy_sees_every_mistake(tmp_path: Path) -> None:
    """A comment that ignores nothing is an error in the strict mode."""
    assert mypy(MISTAKES, tmp_path) == "Success: no issues found in 1 source file\n"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_pyright_sees_every_mistake(tmp_path: Path) -> None:
    assert pyright(MISTAKES, tmp_path) == []


def test_the_typed_application_needs_neither_a_cast_nor_an_ignore() -> None:
    text = APP.read_text(encoding="utf-8")

    assert [word for word in ("cast", "ignore", "Any") if word in text] == []


def test_the_typed_application_answers_a_synchronous_client() -> None:
    assert visit(create_app()) == {
        "written": (201, {"text": "hello"}, "hello"),
        "year": "/notes/2024-01-31",
        "path": "/notes/by-id/00000000-0000-0000-0000-000000000007",
    }


async def test_the_typed_application_answers_an_asynchronous_client() -> None:
    assert await visit_async(create_app()) == {
        "note": {"text": "hello", "written": "2024-01-31"},
        "stamp": "notes",
        "refused": (422, {"empty": "text"}),
        "lines": "onetwo",
        "shelf": 204,
    }


def test_converters_are_shared_by_every_application(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DEFAULT_CONVERTERS, "_converters", dict(BUILT_IN_CONVERTERS))
    register_shared()

    app = create_app()
    app.get("/shared/{level:shared_level}/{year:shared_year}", name="shared")(visit)
    assert app.url_for("shared", level=3, year=2024) == "/shared/level-3/2024"
