"""Promises about how Python is run and how an app is: optimised, in its development mode, and never in debug by itself.

R28: no part of the package leans on what `python -O` leaves out. R29: debug is on where somebody said so.
"""

import ast
import importlib.util
import os
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest

from nexios.application import NexiosApp
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.settings import Settings
from nexios.testing.raw import call

ROOT: Final = Path(__file__).parents[2]
PACKAGE: Final = sorted((ROOT / "nexios").rglob("*.py"))


# R28: optimised, and with every warning an error


def dev() -> ModuleType:
    """The commands of the project, which is a file without a suffix."""
    loader = SourceFileLoader("dev_command", str(ROOT / "dev"))
    spec = importlib.util.spec_from_loader("dev_command", loader)
    module = importlib.util.module_from_spec(spec) if spec is not None else pytest.fail("dev cannot be read")
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module


LOOKS: Final = {
    # what a second look sets: what it covers at least
    "PYTHONOPTIMIZE": {"tests/security", "tests/pipeline", "tests/auth", "tests/session", "tests/middleware"},
    "PYTHONDEVMODE": {"tests/messages", "tests/servers", "tests/testing", "tests/stores", "tests/websockets"},
}


@pytest.mark.parametrize("setting", LOOKS)
def test_r28_what_guards_and_what_holds_files_is_tested_in_both_modes(setting: str) -> None:
    """Guards lean on asserts where they lean on anything, and files that nobody closes are warned of."""
    looks = {name: folders for settings, folders in dev().SECOND_LOOKS.values() for name in settings}

    assert LOOKS[setting] - set(looks[setting]) == set()
    assert [folder for folder in looks[setting] if not (ROOT / folder).exists()] == []


def test_r28_warnings_are_errors_in_the_development_mode() -> None:
    """And a faulthandler, a debugging event loop and a checking allocator are on."""
    settings = next(found for found, _ in dev().SECOND_LOOKS.values() if "PYTHONDEVMODE" in found)

    assert settings == {"PYTHONDEVMODE": "1", "PYTHONWARNINGS": "error"}


def test_r28_this_run_is_in_the_mode_that_it_was_asked_for() -> None:
    """The settings reach the processes that share the tests out."""
    assert sys.flags.optimize >= int(os.environ.get("PYTHONOPTIMIZE") or 0)
    assert sys.flags.dev_mode >= (os.environ.get("PYTHONDEVMODE") == "1")


@pytest.mark.parametrize("path", PACKAGE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_r28_no_module_leans_on_what_an_optimised_python_leaves_out(path: Path) -> None:
    """Neither an assert, nor `__debug__`, nor a docstring that is read while the app runs (-OO has none)."""
    tree = ast.parse(path.read_text("utf-8"))

    found = [ast.unparse(node)[:60] for node in ast.walk(tree) if isinstance(node, ast.Assert) or _asks_for_mode(node)]

    assert found == []


def _asks_for_mode(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "__debug__"


SERVES: Final = """
import asyncio
from nexios import Depend, HTTPException, NexiosApp
from nexios.auth import requires
from nexios.testing.raw import call

app = NexiosApp(title="Optimised")

@app.get("/{number:int}", dependencies=[requires("read")])
async def guarded(request, response, number):
    return number

@app.get("/plain")
async def plain(request, response, value=Depend(dict)):
    '''This text is gone under -OO.'''
    return value

class Nobody:
    async def authenticate(self, request):
        return None

app.auth_backend = Nobody()

async def main():
    print(__debug__, (await call(app, path="/7")).status, (await call(app, path="/plain")).status)
    print((await call(app, path="/openapi.json")).status, sorted(app.openapi()["paths"]))

asyncio.run(main())
"""


@pytest.mark.parametrize(("flags", "debug"), [((), True), (("-O",), False), (("-OO",), False)], ids=["", "-O", "-OO"])
def test_r28_an_app_is_guarded_and_served_with_every_flag(flags: tuple[str, ...], debug: bool) -> None:
    """Without docstrings too, and with every warning an error."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [sys.executable, *flags, "-X", "dev", "-W", "error", "-c", SERVES]

    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=50, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [f"{debug} 401 200", "200 ['/plain', '/{number}']"]


# R29: debug


async def fail(request: Request, response: Response) -> None:
    secret_of_the_frame = "s3cret"
    raise ValueError(secret_of_the_frame)


async def is_debugging(**options: Any) -> bool:
    """Whether an app shows a browser more of an error than its status."""
    app = NexiosApp(**options)
    app.get("/")(fail)
    answer = await call(app, headers=[(b"accept", b"text/html")])
    assert answer.status == 500
    return b"ValueError" in answer.body or b"fail" in answer.body


SURROUNDINGS: Final = {
    # what stands in the environment: whether it means debug
    "nothing": ({}, False),
    "false": ({"NEXIOS_DEBUG": "false"}, False),
    "0": ({"NEXIOS_DEBUG": "0"}, False),
    "true": ({"NEXIOS_DEBUG": "true"}, True),
    "a development mode": ({"PYTHONDEVMODE": "1", "PYTHONASYNCIODEBUG": "1"}, False),
    "words of other tools": ({"DEBUG": "1", "FLASK_DEBUG": "1", "DJANGO_DEBUG": "1", "APP_ENV": "development"}, False),
    "words of other settings": ({"ENV": "dev", "ENVIRONMENT": "development", "NODE_ENV": "development"}, False),
    "a terminal": ({"TERM": "xterm", "COLORTERM": "truecolor"}, False),
    "a test": ({"PYTEST_CURRENT_TEST": "x", "CI": "true"}, False),
}


@pytest.mark.parametrize("name", SURROUNDINGS)
async def test_r29_debug_is_on_where_its_own_variable_says_so_and_nowhere_else(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables, expected = SURROUNDINGS[name]
    monkeypatch.delenv("NEXIOS_DEBUG", raising=False)
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)

    assert await is_debugging() is expected
    assert Settings.from_environment().debug is expected


@pytest.mark.parametrize("debug", [False, True])
async def test_r29_what_the_app_is_told_wins_over_the_environment(debug: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXIOS_DEBUG", "true" if not debug else "false")

    assert await is_debugging(debug=debug) is debug


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "[::1]", "testserver", "10.0.0.1", "app.local", "good.com:8000"]
)
async def test_r29_no_host_and_no_client_turns_it_on(host: str) -> None:
    """A proxy on the same machine makes every client one of 127.0.0.1."""
    app = NexiosApp()
    app.get("/")(fail)

    answer = await call(
        app,
        headers=[(b"host", host.encode()), (b"accept", b"text/html"), (b"x-debug", b"1"), (b"cookie", b"debug=1")],
        query=b"debug=1&__debug__=1",
        scope_extra={"client": ("127.0.0.1", 50000), "server": ("127.0.0.1", 8000)},
    )

    assert answer.status == 500
    assert b"ValueError" not in answer.body


async def test_r29_the_documents_are_switched_off_with_one_flag() -> None:
    """L6: neither the document nor a page of it is left."""
    app = NexiosApp(openapi=None)
    app.get("/")(lambda request, response: "here")

    assert [(await call(app, path=path)).status for path in ("/", "/openapi.json", "/docs", "/redoc")] == [
        200, 404, 404, 404,
    ]  # fmt: skip
