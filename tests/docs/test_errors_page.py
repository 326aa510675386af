"""Does the page on errors list every status and code that nexios answers, and nothing else?"""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nexios import errors
from nexios.errors import HTTPException

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "errors.md"

ANSWERS: dict[str, Any] = {
    name: value for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, HTTPException)
}


def listed() -> set[tuple[int, str]]:
    """Return status and code of each row."""
    section = PAGE.read_text("utf-8").partition("\n## What nexios answers\n")[2].partition("\n## ")[0]
    cells = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| ") and "`" in line]
    return {(int(row[0]), row[1].strip(" `")) for row in cells}


def answered() -> set[tuple[int, str]]:
    """Return status and code of each exception that the package makes or raises."""
    files = [path for path in (ROOT / "nexios").rglob("*.py") if path.name != "errors.py" or "_pipeline" in path.parts]
    return {made for path in files for made in made_in(ast.parse(path.read_text("utf-8")))}


def made_in(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield what `Name(...)` and `raise Name` make."""
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ANSWERS:
            made = status_and_code(node.func.id, node)
            if made is not None:
                yield made
        elif (
            isinstance(node, ast.Raise)
            and isinstance(node.exc, ast.Name)
            and node.exc.id in ANSWERS
            and node.exc not in called
        ):
            made = status_and_code(node.exc.id, None)
            assert made is not None
            yield made


def status_and_code(name: str, call: ast.Call | None) -> tuple[int, str] | None:
    """Return what one construction answers; None where status or code are not written there."""
    default = made_without_words(name, call)
    if default is None:
        return None
    code = next((word.value for word in call.keywords if word.arg == "code"), None) if call is not None else None
    if code is None:
        return default.status_code, default.code
    return (default.status_code, str(code.value)) if isinstance(code, ast.Constant) else None


def made_without_words(name: str, call: ast.Call | None) -> HTTPException | None:
    """Return the exception as it is without `detail` and `code`."""
    if name == "HTTPException":
        status = call.args[0] if call is not None else None
        return HTTPException(int(str(status.value))) if isinstance(status, ast.Constant) else None
    needed: dict[str, list[Any]] = {"RangeNotSatisfiable": [0], "MethodNotAllowed": [[]]}
    answer: HTTPException = ANSWERS[name](*needed.get(name, []))
    return answer


def test_the_page_lists_what_the_code_answers() -> None:
    assert listed() == answered()


def test_every_exception_of_the_module_is_on_the_page() -> None:
    text = PAGE.read_text("utf-8")

    assert [name for name in errors.__all__ if f"`{name}" not in text] == []


@pytest.mark.parametrize(
    ("code", "made"),
    [
        ("raise NotFound", {(404, "not_found")}),
        ("x = BadRequest('no', code='odd')", {(400, "odd")}),
        ("raise HTTPException(403, 'no', code='foreign')", {(403, "foreign")}),
        ("HTTPException(status)", set()),
        ("BadRequest('no', code=code)", set()),
        ("except_(NotFound)", set()),
    ],
)
def test_what_is_made_is_found(code: str, made: set[tuple[int, str]]) -> None:
    assert set(made_in(ast.parse(code))) == made
