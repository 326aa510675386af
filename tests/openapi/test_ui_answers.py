"""The document and the files of the pages as HTTP answers: what may be kept, and in which form it is sent."""

import asyncio
import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest

from nexios import NexiosApp, Request
from nexios.errors import HTTPException
from nexios.openapi import bundles
from nexios.openapi.asyncapi.routes import CONSOLE_PAGE
from nexios.openapi.bundles import Assets, choose_coding
from nexios.openapi.config import OpenAPI
from nexios.openapi.routes import BuildDocument, document_routes
from nexios.openapi.ui import UIS
from nexios.testing.raw import RawAnswer, call

GZIP = [(b"accept-encoding", b"gzip, deflate, br")]
MANIFEST = json.loads(bundles.FOLDER.joinpath("manifest.json").read_bytes())
PACKED = [entry for package in MANIFEST["packages"] for entry in package["files"]]


def make_app(document: BuildDocument = lambda request: b'{"openapi":"3.1.0"}') -> NexiosApp:
    app = NexiosApp(openapi=None)
    app.include_router(document_routes(OpenAPI(), document))
    return app


async def path_of(app: NexiosApp, file: str) -> str:
    """The path by which the page of Swagger UI loads a file."""
    html = (await call(app, path="/docs/swagger")).body.decode()
    stem, suffix = file.split(".")
    [name] = re.findall(rf"assets/({stem}\.[0-9a-f]{{16}}\.{suffix})", html)
    return f"/docs/assets/{name}"


async def get(
    app: NexiosApp, file: str, headers: list[tuple[bytes, bytes]] | None = None, method: str = "GET"
) -> RawAnswer:
    return await call(app, method=method, path=await path_of(app, file), headers=headers or [])


async def below(app: NexiosApp, root_path: str) -> RawAnswer:
    """The document of an app whose server has a root path."""
    return await call(app, path=f"{root_path}/openapi.json", scope_extra={"root_path": root_path})


@pytest.mark.parametrize(
    ("file", "media_type"),
    [("swagger-ui.js", "text/javascript; charset=utf-8"), ("swagger-ui.css", "text/css; charset=utf-8")],
)
async def test_a_bundle_is_sent_as_it_is_packed_to_a_client_that_reads_gzip(file: str, media_type: str) -> None:
    answer = await get(make_app(), file, GZIP)

    assert answer.status == 200
    assert answer.header("content-encoding") == "gzip"
    assert answer.header("content-type") == media_type
    assert answer.body == bundles.FOLDER.joinpath(f"{file}.gz").read_bytes()


@pytest.mark.parametrize("accepted", [[], [b"identity"], [b"br"], [b"gzip;q=0"], [b"gzip;q=0.1, identity"]])
async def test_a_bundle_is_sent_unpacked_to_any_other_client(accepted: list[bytes]) -> None:
    answer = await get(make_app(), "swagger-ui.css", [(b"accept-encoding", value) for value in accepted])

    assert answer.status == 200
    assert answer.header("content-encoding") is None
    assert answer.body == gzip.decompress(bundles.FOLDER.joinpath("swagger-ui.css.gz").read_bytes())


@pytest.mark.parametrize("headers", [[], GZIP])
async def test_a_file_may_be_kept_for_ever_because_its_name_is_made_of_its_content(
    headers: list[tuple[bytes, bytes]],
) -> None:
    app = make_app()

    answer = await get(app, "swagger-ui.css", headers)

    content = gzip.decompress(answer.body) if headers else answer.body
    assert f".{hashlib.sha256(content).hexdigest()[:16]}." in await path_of(app, "swagger-ui.css")
    assert answer.header("cache-control") == "public, max-age=31536000, immutable"
    assert answer.header("vary") == "accept-encoding"
    assert answer.header("x-content-type-options") == "nosniff"


async def test_packed_and_unpacked_have_etags_of_their_own() -> None:
    app = make_app()
    packed, plain = await get(app, "swagger-ui.css", GZIP), await get(app, "swagger-ui.css")

    assert packed.header("etag") != plain.header("etag")


@pytest.mark.parametrize("coding", [[], GZIP])
async def test_a_client_that_has_the_file_is_told_so(coding: list[tuple[bytes, bytes]]) -> None:
    app = make_app()
    etag = (await get(app, "swagger-ui.css", coding)).header("etag") or ""

    answer = await get(app, "swagger-ui.css", [*coding, (b"if-none-match", etag.encode())])

    assert answer.status == 304
    assert answer.body == b""
    assert answer.header("etag") == etag
    assert answer.header("vary") == "accept-encoding"
    assert answer.header("content-encoding") is None


async def test_head_says_what_get_would_send() -> None:
    app = make_app()
    got, head = await get(app, "swagger-ui.js", GZIP), await get(app, "swagger-ui.js", GZIP, "HEAD")

    assert head.body == b""
    assert head.headers == got.headers


@pytest.mark.parametrize(
    "name", ["swagger-ui.js", "swagger-ui.0000000000000000.js", "manifest.json", "..%2Froutes.py", "../bundles.py"]
)
async def test_nothing_else_of_the_package_can_be_asked_for(name: str) -> None:
    answer = await call(make_app(), path=f"/docs/assets/{name}")

    assert answer.status == 404


async def test_a_file_is_read_once_however_many_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    read_bytes = Path.read_bytes
    assets = Assets(["swagger-ui.css"])

    def noted(path: Path) -> bytes:
        read.append(path.name)
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", noted)

    contents = await asyncio.gather(*(assets.content(assets["swagger-ui.css"], "identity") for _ in range(8)))

    assert read == ["swagger-ui.css.gz"]
    assert all(content is contents[0] for content in contents)


def test_what_is_not_packed_is_never_said_to_be() -> None:
    assert choose_coding(Assets(["redoc-start.js"])["redoc-start.js"], "gzip") == "identity"


@pytest.mark.parametrize("entry", PACKED, ids=lambda entry: entry["file"])
def test_the_packed_files_are_those_of_the_manifest(entry: dict[str, object]) -> None:
    packed = bundles.FOLDER.joinpath(f"{entry['file']}.gz").read_bytes()
    content = gzip.decompress(packed)

    assert hashlib.sha256(content).hexdigest() == entry["sha256"]
    assert len(content) == entry["size"]
    assert packed[4:8] == b"\0\0\0\0", "the time of packing is left out, so that two packings are alike"


def test_no_text_that_was_replaced_is_left() -> None:
    texts = [(entry["file"], old) for entry in PACKED for old, _ in entry["replaced"]]

    assert len(texts) == 3
    for file, old in texts:
        assert old.encode() not in gzip.decompress(bundles.FOLDER.joinpath(f"{file}.gz").read_bytes())


def test_every_file_in_the_package_is_used_and_its_terms_are_beside_it() -> None:
    used = {file for ui in (*UIS.values(), CONSOLE_PAGE) for file in ui.files}
    packed = {entry["file"] for entry in PACKED}

    there = {path.name.removesuffix(".gz") for path in bundles.FOLDER.iterdir() if path.is_file()}
    assert there == used | {"manifest.json"}
    assert packed <= used
    assert {path.name for path in bundles.FOLDER.joinpath("licenses").iterdir()} == {
        "redoc.txt",
        "scalar.txt",
        "swagger-ui.txt",
    }


@pytest.mark.parametrize("page", ["/docs", "/docs/swagger", "/openapi.json"])
async def test_pages_and_document_are_asked_for_again_and_then_not_sent_again(page: str) -> None:
    app = make_app()
    first = await call(app, path=page)
    etag = first.header("etag") or ""

    second = await call(app, path=page, headers=[(b"if-none-match", etag.encode())])

    assert first.header("cache-control") == "no-cache"
    assert (second.status, second.body) == (304, b"")
    assert second.header("content-security-policy") == first.header("content-security-policy")


async def test_another_version_than_there_is_can_be_refused() -> None:
    """RFC 9110 section 13.1.1."""
    answer = await call(make_app(), path="/openapi.json", headers=[(b"if-match", b'"other"')])

    assert answer.status == 412


async def test_the_document_is_json_and_made_once() -> None:
    made: list[str] = []

    def document(request: Request) -> bytes:
        made.append(request.path)
        return b'{"openapi":"3.1.0"}'

    app = make_app(document)
    answers = [await call(app, path="/openapi.json") for _ in range(3)]

    assert made == ["/openapi.json"]
    assert [answer.json() for answer in answers] == [{"openapi": "3.1.0"}] * 3
    assert answers[0].header("content-type") == "application/json"
    assert answers[0].header("x-content-type-options") == "nosniff"


async def test_each_root_path_has_a_document_of_its_own() -> None:
    """The URLs of the servers in it may depend on where the application is."""
    app = make_app(lambda request: json.dumps(request.root_path).encode())

    bodies = [(await below(app, root)).json() for root in ("/a", "", "/b", "/a")]

    assert bodies == ["/a", "", "/b", "/a"]


async def test_no_number_of_root_paths_fills_the_memory() -> None:
    made: list[str] = []

    def document(request: Request) -> bytes:
        made.append(request.root_path)
        return b"{}"

    app = make_app(document)
    for root in ("/first", *(f"/{number}" for number in range(32)), "/first"):
        await below(app, root)

    assert made.count("/first") == 2


async def test_a_document_may_be_made_by_a_coroutine() -> None:
    async def document(request: Request) -> bytes:
        return b'{"made":"later"}'

    assert (await call(make_app(document), path="/openapi.json")).json() == {"made": "later"}


async def test_a_document_that_cannot_be_made_is_tried_again() -> None:
    failures = [HTTPException(503)]

    def document(request: Request) -> bytes:
        if failures:
            raise failures.pop()
        return b"{}"

    app = make_app(document)

    assert [(await call(app, path="/openapi.json")).status for _ in range(2)] == [503, 200]
