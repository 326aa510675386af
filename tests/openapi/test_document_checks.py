"""What is wrong with a document is told when the app starts, not when somebody asks for it."""

import pytest

from nexios import NexiosApp
from nexios.errors import ConfigurationError


def test_one_operation_id_for_two_routes_is_refused_when_the_app_compiles() -> None:
    app = NexiosApp()

    @app.get("/a", operation_id="show")
    async def first() -> None: ...

    @app.get("/b", operation_id="show")
    async def second() -> None: ...

    with pytest.raises(
        ConfigurationError, match=r"show(.|\n)*test_document_checks.py:\d+(.|\n)*test_document_checks.py:\d+"
    ):
        app.compile()


def test_an_app_without_a_document_may_have_what_ids_it_likes() -> None:
    app = NexiosApp(openapi=None)
    for path in ("/a", "/b"):
        app.get(path, operation_id="show")(_nothing)

    assert len(app.compile().operations) == 2


async def _nothing() -> None: ...
