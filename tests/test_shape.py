"""Each rule of scripts/check_shape.py: code that breaks it is named, code that keeps it is not."""

import subprocess
import sys
from pathlib import Path

import pytest

from scripts import check_shape as shape

ROOT = Path(__file__).parent.parent


DOC = '"""Text."""\n'


def faults_of(root: Path, files: dict[str, str]) -> list[str]:
    """Write the files and return what the script says of them."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return [text for _, _, text in sorted(shape.find_faults(root))]


def function_of(lines: int, docstring: str = DOC) -> str:
    """Source of a documented module with one function of so many lines."""
    return f"{DOC}def run():\n    {docstring}" + "    pass\n" * lines


def test_this_repository_keeps_its_shape(capsys: pytest.CaptureFixture[str]) -> None:
    assert shape.main(ROOT) == 0, capsys.readouterr().out


def test_a_fault_is_printed_with_its_file_and_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    faults_of(tmp_path, {"nexios/a.py": DOC + "def run():\n    pass\n"})

    assert shape.main(tmp_path) == 1
    assert capsys.readouterr().out == "nexios/a.py:2: run has no docstring\n1 faults of shape\n"


@pytest.mark.parametrize(("lines", "expected"), [(450, []), (451, ["451 lines; 450 at most"])])
def test_a_file_has_450_lines_at_most(tmp_path: Path, lines: int, expected: list[str]) -> None:
    assert faults_of(tmp_path, {"nexios/a.py": DOC + "X = 1\n" * (lines - 1)}) == expected


@pytest.mark.parametrize(("lines", "expected"), [(40, []), (41, ["run() has 41 lines; 40 at most"])])
def test_a_function_has_40_lines_at_most_after_its_docstring(tmp_path: Path, lines: int, expected: list[str]) -> None:
    long_docstring = '"""Text.\n' + "\n" * 50 + '    """\n'

    assert faults_of(tmp_path, {"nexios/a.py": function_of(lines, long_docstring)}) == expected


def test_an_import_inside_a_function_is_a_fault(tmp_path: Path) -> None:
    source = f"{DOC}def run():\n    {DOC}    import json\n"

    assert faults_of(tmp_path, {"nexios/a.py": source}) == ["run() imports; import at the top"]
    assert faults_of(tmp_path, {"nexios/a.py": DOC, "nexios/cli/run.py": source}) == []


def test_nexios_is_not_imported_for_type_checkers_alone(tmp_path: Path) -> None:
    source = DOC + "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from {} import a\n"

    (fault,) = faults_of(tmp_path, {"nexios/a.py": source.format("nexios.errors")})

    assert fault.startswith("nexios is imported under TYPE_CHECKING")
    assert faults_of(tmp_path, {"nexios/a.py": source.format("collections.abc")}) == []


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("from nexios.http import Headers", ["imports from the window nexios.http"]),
        ("from nexios import NexiosApp", ["imports from the window nexios"]),
        ("from . import Headers", ["imports from the window nexios.http"]),
        ("import nexios", ["imports from the window nexios"]),
        ("from nexios.http.headers import Headers", []),
        ("from .headers import Headers", []),
        ("from nexios.http import headers", []),
        ("from nexios import http", []),
        ("import nexios.http.headers", []),
        ("from json import loads", []),
    ],
)
def test_nexios_imports_from_the_defining_module(tmp_path: Path, statement: str, expected: list[str]) -> None:
    files = {"nexios/http/__init__.py": DOC, "nexios/http/headers.py": DOC, "nexios/http/b.py": DOC + statement + "\n"}

    assert faults_of(tmp_path, files) == expected


@pytest.mark.parametrize("folder", ["http", "routing"])
def test_parsing_and_matching_hold_no_async_and_no_socket(tmp_path: Path, folder: str) -> None:
    source = f"{DOC}import asyncio\nfrom socket import socket\nasync def run():\n    {DOC}"

    found = faults_of(tmp_path, {f"nexios/{folder}/a.py": source})

    assert found == [
        "imports asyncio in a folder without async and sockets",
        "imports socket in a folder without async and sockets",
        "async def run() in a folder without async",
    ]
    (tmp_path / f"nexios/{folder}/a.py").unlink()
    assert faults_of(tmp_path, {"nexios/events/a.py": source}) == []


def test_package_code_has_no_assert(tmp_path: Path) -> None:
    assert faults_of(tmp_path, {"nexios/a.py": DOC + "assert True\n"}) == ["assert in package code; raise an exception"]


def test_the_words_of_asgi_stay_on_the_servers_floor(tmp_path: Path) -> None:
    source = f"{DOC}async def run(scope, receive, send):\n    {DOC}"

    (fault,) = faults_of(tmp_path, {"nexios/messages/a.py": source})

    assert fault == "parameters scope, receive and send outside nexios/_servers"
    (tmp_path / "nexios/messages/a.py").unlink()
    assert faults_of(tmp_path, {"nexios/_servers/asgi.py": source, "nexios/testing/client.py": source}) == []


def test_every_public_name_is_documented(tmp_path: Path) -> None:
    source = "class A:\n    def b(self): ...\ndef c(): ...\nclass _D:\n    def e(self): ...\ndef _f(): ...\n"

    found = faults_of(tmp_path, {"nexios/a.py": source})

    assert found == ["A has no docstring", "the module has no docstring", "b has no docstring", "c has no docstring"]


def test_methods_in_a_private_package_need_no_docstring(tmp_path: Path) -> None:
    source = f"{DOC}class A:\n    {DOC}    def b(self): ...\ndef c(): ...\n"

    assert faults_of(tmp_path, {"nexios/_servers/a.py": source}) == ["c has no docstring"]


def test_overloads_and_setters_need_no_docstring(tmp_path: Path) -> None:
    methods = "@a.setter\n    def a(self, v): ...\n    @overload\n    def b(self): ..."

    assert faults_of(tmp_path, {"nexios/a.py": f"{DOC}class A:\n    {DOC}    {methods}\n"}) == []


def test_an_override_of_a_documented_name_needs_no_docstring(tmp_path: Path) -> None:
    base = f"{DOC}class A:\n    {DOC}    def b(self):\n        {DOC}"
    child = f"{DOC}class C({{}}):\n    {DOC}    def b(self): ...\n"

    assert faults_of(tmp_path, {"nexios/a.py": base, "nexios/c.py": child.format("A[int]")}) == []
    assert faults_of(tmp_path, {"nexios/c.py": child.format("")}) == ["b has no docstring"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("assert run()", []),
        ("with pytest.raises(ValueError): run()", []),
        ("check_linear(run)", []),
        ("answer.expect_status(200)", []),
        ("run()", ["test_it asserts nothing"]),
        ("answer.json()", ["test_it asserts nothing"]),
    ],
)
def test_every_test_asserts_something(tmp_path: Path, body: str, expected: list[str]) -> None:
    assert faults_of(tmp_path, {"tests/test_a.py": f"def test_it():\n    {body}\n"}) == expected


def test_the_script_runs_on_its_own(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, ROOT / "scripts/check_shape.py", tmp_path], capture_output=True, text=True, timeout=30
    )

    assert (answer.returncode, answer.stdout) == (0, "0 faults of shape\n")
