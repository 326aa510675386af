"""The typed application of a user does what it says; `test_type_checkers.py` has its annotations checked."""

import pytest

from nexios.routing.converters import BUILT_IN_CONVERTERS
from nexios.routing.registry import DEFAULT_CONVERTERS
from tests.typing.user_app import create_app, register_shared, visit, visit_async


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
