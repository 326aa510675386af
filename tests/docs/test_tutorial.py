"""Does the tutorial work, word for word, in an empty directory?

Its steps are taken in order: a block with a title is a file, `$ curl` asks the `main.py` of
that moment and must print what the page shows, `pytest` runs what has been written.
"""

import importlib.util
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from nexios import NexiosApp
from nexios.testing import TestClient

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tutorial" / "getting-started.md"
ORIGIN = "http://127.0.0.1:8000"


@dataclass(frozen=True, slots=True)
class Step:
    """One fenced block of the page; `kind` is what stands after the fence."""

    kind: str
    text: str


def find_steps(page: str) -> Iterator[Step]:
    """Yield the blocks of a page."""
    for index, part in enumerate(page.split("\n```")):
        if index % 2:
            kind, _, text = part.partition("\n")
            yield Step(kind, text + "\n")


def load_app(folder: Path) -> NexiosApp:
    """Import `main.py` as a server does: as it is now."""
    spec = importlib.util.spec_from_file_location("main", folder / "main.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    app: NexiosApp = module.app
    return app


def curl(app: NexiosApp, conversation: str) -> str:
    """Return the conversation as it really goes: each `$ curl` line, and what is answered."""
    lines = []
    with TestClient(app, raise_app_exceptions=False) as client:
        for line in conversation.splitlines():
            if line.startswith("$ curl "):
                method, path, body = arguments(shlex.split(line)[2:])
                headers = {"content-type": "application/json"} if body is not None else {}
                lines += [line, client.request(method, path, content=body, headers=headers).text]
    return "\n".join(lines) + "\n"


def arguments(words: list[str]) -> tuple[str, str, str | None]:
    """Return method, path and body of a curl command."""
    body = words[words.index("--json") + 1] if "--json" in words else None
    assert words[-1].startswith(ORIGIN)
    return ("GET" if body is None else "POST"), words[-1].removeprefix(ORIGIN), body


def test_the_tutorial_works_word_for_word(tmp_path: Path) -> None:
    taken = []
    for step in find_steps(PAGE.read_text("utf-8")):
        if 'title="' in step.kind:
            (tmp_path / step.kind.split('"')[1]).write_text(step.text, encoding="utf-8")
            taken.append("file")
        elif step.kind == "console":
            assert curl(load_app(tmp_path), step.text) == step.text
            taken.append("curl")
        elif step.text == "pytest\n":
            assert "3 passed" in run_pytest(tmp_path)
            taken.append("pytest")

    assert taken == ["file", "curl"] * 4 + ["file", "pytest"]


def run_pytest(folder: Path) -> str:
    """Run pytest in the folder, in a process of its own, and return what it prints."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    answer = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=50, check=False
    )
    if answer.returncode:
        pytest.fail(answer.stdout + answer.stderr)
    return answer.stdout


def test_a_difference_in_an_answer_is_noticed() -> None:
    app = NexiosApp()

    @app.get("/")
    async def index(request: object, response: object) -> str:
        return "Hello!"

    shown = f"$ curl {ORIGIN}/\nHello?\n"

    assert curl(app, shown) == f"$ curl {ORIGIN}/\nHello!\n"
