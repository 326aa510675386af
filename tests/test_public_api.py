"""The public API is the one that review has seen: tests/public_api.txt."""

import ast
import importlib
from pathlib import Path

import pytest

from scripts import public_api

PACKAGE = public_api.ROOT / "nexios"


def example(a: int, /, b: str | None = None, *rest: object, c: float = 10 * 1024) -> list[str]:
    """A function with every kind of parameter."""
    return [f"{a}{b}{rest}{c}"]


def test_the_public_api_is_the_reviewed_one() -> None:
    expected = public_api.SNAPSHOT.read_text(encoding="utf-8").splitlines()

    changes = public_api.compare(expected, public_api.describe(PACKAGE))

    assert changes == [], "\n".join(changes)


@pytest.mark.parametrize("window", list(public_api.windows(PACKAGE)))
def test_a_window_lists_only_names_that_exist_once(window: str) -> None:
    module = importlib.import_module(window)
    names: list[str] = getattr(module, "__all__", [])

    assert [name for name in names if not hasattr(module, name)] == []
    assert len(names) == len(set(names))


def test_a_changed_signature_is_one_changed_line_and_a_hint() -> None:
    changes = public_api.compare(["nexios.a(x)", "nexios.b()"], ["nexios.a(x, y)", "nexios.b()"])

    assert changes[:2] == ["- nexios.a(x)", "+ nexios.a(x, y)"]
    assert "--update" in changes[-1]


def test_windows_are_public_packages_and_modules_that_stand_alone(tmp_path: Path) -> None:
    for name in (
        "__init__.py",
        "errors.py",
        "_hidden.py",
        "http/__init__.py",
        "http/headers.py",
        "_servers/__init__.py",
    ):
        (tmp_path / "nexios" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "nexios" / name).touch()

    assert list(public_api.windows(tmp_path / "nexios")) == ["nexios", "nexios.errors", "nexios.http"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("UnsupportedByServer", "(server: str, feature: str, alternative: str)"),
        ("NexiosError", ": class(Exception)"),
        ("DuplicateRoute", ": class(ConfigurationError)"),
    ],
)
def test_a_class_shows_its_constructor_or_its_bases(name: str, expected: str) -> None:
    errors = importlib.import_module("nexios.errors")

    assert public_api.signature(getattr(errors, name)) == expected


def test_a_class_of_fields_shows_its_fields() -> None:
    settings = importlib.import_module("nexios.settings")

    assert public_api.signature(settings.Limits).startswith("(max_body_size: int | None = 10 * 1024 * 1024, ")


def test_a_function_shows_the_words_of_its_source() -> None:
    node = ast.parse(Path(__file__).read_text(encoding="utf-8")).body
    function = next(part for part in node if isinstance(part, public_api.Function) and part.name == "example")

    assert public_api.parameters(function) == (
        "(a: int, /, b: str | None=None, *rest: object, c: float=10 * 1024) -> list[str]"
    )


def test_a_constant_or_alias_shows_what_it_is_given() -> None:
    assert public_api.signature(3) == ""
    assert public_api.assignment("nexios.settings", "__all__").startswith(" = ['BadMessages', 'Limits'")
