"""A root path that a client can choose costs little: the document is built once, and one server is put into it."""

from typing import Any

import msgspec
import pytest

from nexios import NexiosApp, OpenAPI
from nexios.openapi import documents
from nexios.openapi.build import DocumentParts, build_document
from nexios.openapi.config import OpenAPI as Config
from nexios.openapi.model import Server
from nexios.testing import TestClient


def app_with(**options: Any) -> NexiosApp:
    app = NexiosApp(openapi=OpenAPI(**options))

    @app.get("/items/{id:int}")
    async def item(id: int) -> dict[str, int]:
        return {"id": id}

    return app


async def test_the_document_is_built_once_however_many_root_paths_it_is_asked_below(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    built: list[str] = []

    def counted(*given: Any, **options: Any) -> Any:
        built.append("built")
        return build_document(*given, **options)

    monkeypatch.setattr(documents, "build_document", counted)
    outer = NexiosApp(openapi=None)
    outer.mount("/{tenant}", app_with())

    async with TestClient(outer) as client:
        answers = [(await client.get(f"/tenant-{number}/openapi.json")).json() for number in range(50)]

    assert built == ["built"]
    assert [answer["servers"] for answer in answers[:2]] == [[{"url": "/tenant-0"}], [{"url": "/tenant-1"}]]
    assert {str(answer["paths"]) for answer in answers} == {str(answers[0]["paths"])}


@pytest.mark.parametrize("root_path", ["", "/shop", "/caf\u00e9/a b", '/"}],"x":[{'])
@pytest.mark.parametrize("servers", [[], [Server(url="https://api.example.com")]])
def test_the_parts_together_are_the_document(root_path: str, servers: list[Server]) -> None:
    app, config = app_with(), Config(servers=servers)
    whole = build_document(app.engine.operations, config, root_path=root_path)

    parts = DocumentParts(build_document(app.engine.operations, config))

    assert msgspec.json.decode(parts.below(root_path)) == whole
    assert list(msgspec.json.decode(parts.below(root_path))) == list(whole)


def test_a_document_without_routes_has_its_server_too() -> None:
    parts = DocumentParts(build_document([], Config(), root_path=""))

    assert msgspec.json.decode(parts.below("/shop"))["servers"] == [{"url": "/shop"}]
