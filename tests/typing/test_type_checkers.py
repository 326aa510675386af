"""Annotations are part of the interface: an application of a user passes every checker, and its mistakes are seen."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.typing.checkers import mypy, pyrefly, pyright

HERE = Path(__file__).parent
APPS = ("user_app.py", "user_injection.py", "user_inputs.py")
MISTAKES = ("user_mistakes.py", "injection_mistakes.py")
Checker = Callable[[Path, Path], list[str]]
every_checker = pytest.mark.parametrize("checker", [mypy, pyright, pyrefly], ids=lambda checker: checker.__name__)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", APPS)
@every_checker
def test_a_typed_application_passes_in_the_strict_mode(checker: Checker, name: str, tmp_path: Path) -> None:
    assert checker(HERE / name, tmp_path) == []


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", MISTAKES)
@every_checker
def test_every_mistake_is_seen_where_it_is(checker: Checker, name: str, tmp_path: Path) -> None:
    """A comment that ignores nothing is an error in the strict modes."""
    assert checker(HERE / name, tmp_path) == []


@pytest.mark.parametrize("name", APPS)
def test_a_typed_application_needs_neither_a_cast_nor_an_ignore(name: str) -> None:
    text = (HERE / name).read_text(encoding="utf-8")

    assert [word for word in ("cast", "ignore", "Any") if word in text] == []
