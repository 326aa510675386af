"""StaticFiles: what is sent for which request, mounted and as a middleware."""

import gzip
import os
from pathlib import Path
from typing import Any

import pytest

from nexios.application import NexiosApp
from nexios.errors import ConfigurationError, NoSuchRoute
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.static.files import StaticFiles
from nexios.testing.client import TestClient

CSS = b"body { margin: 0 }\n" * 10
FOR_EVER = "max-age=31536000, immutable"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "site.css": CSS, "assets/app-3f2c.js": b"1", "empty.txt": b"", "large.bin": bytes(range(256)) * 1000,
        "guide/index.html": b"<h1>Guide</h1>", "index.html": b"<h1>Start</h1>", "plain/a.txt": b"a",
    }  # fmt: skip
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def client_of(folder: Path, **options: Any) -> TestClient:
    app = NexiosApp()
    app.mount("/static", StaticFiles(directory=folder, **options), name="static")
    return TestClient(app, follow_redirects=False)


def test_a_file_is_sent_with_what_a_cache_needs(folder: Path) -> None:
    with client_of(folder) as client:
        answer = client.get("/static/site.css")

    assert (answer.status_code, answer.content) == (200, CSS)
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["vary"] == "accept-encoding"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["etag"].startswith('"')
    assert "last-modified" in answer.headers


@pytest.mark.parametrize("name", ["site.css", "large.bin", "empty.txt"])
def test_head_says_what_get_would_send(folder: Path, name: str) -> None:
    with client_of(folder) as client:
        whole, head = client.get(f"/static/{name}"), client.head(f"/static/{name}")

    assert head.content == b""
    assert dict(head.headers) == dict(whole.headers)
    assert int(head.headers["content-length"]) == len(whole.content)


@pytest.mark.parametrize("name", ["site.css", "large.bin"])
def test_a_copy_that_is_good_is_not_sent_again(folder: Path, name: str) -> None:
    """RFC 9110 section 15.4.5: with the headers that a cache updates."""
    with client_of(folder) as client:
        first = client.get(f"/static/{name}")
        by_tag = client.get(f"/static/{name}", headers={"if-none-match": first.headers["etag"]})
        by_date = client.get(f"/static/{name}", headers={"if-modified-since": first.headers["last-modified"]})
        unfit = client.get(f"/static/{name}", headers={"if-match": '"other"'})

    assert [by_tag.status_code, by_date.status_code, unfit.status_code] == [304, 304, 412]
    assert by_tag.content == b""
    assert [by_tag.headers[key] for key in ("etag", "cache-control", "vary")] == [
        first.headers[key] for key in ("etag", "cache-control", "vary")
    ]
    assert unfit.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("mode", [0o755, 0o777])
@pytest.mark.parametrize("name", ["site.css", "large.bin"])
def test_parts_of_a_file_are_sent(folder: Path, name: str, mode: int) -> None:
    folder.chmod(mode)
    content = (folder / name).read_bytes()
    with client_of(folder) as client:
        one = client.get(f"/static/{name}", headers={"range": "bytes=1-4"})
        most = client.get(f"/static/{name}", headers={"range": "bytes=1-"})
        two = client.get(f"/static/{name}", headers={"range": "bytes=0-0,5-6"})
        none = client.get(f"/static/{name}", headers={"range": "bytes=99999999-"})

    assert (one.status_code, one.content) == (206, content[1:5])
    assert (most.status_code, most.content) == (206, content[1:])
    assert one.headers["content-range"] == f"bytes 1-4/{len(content)}"
    assert two.headers["content-type"].startswith("multipart/byteranges")
    assert int(two.headers["content-length"]) == len(two.content)
    assert (none.status_code, none.headers["content-range"]) == (416, f"bytes */{len(content)}")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/static/site.css", "/static/missing", "/static/.env"])
def test_a_mount_answers_other_methods_with_405(folder: Path, method: str, path: str) -> None:
    with client_of(folder) as client:
        answer = client.request(method, path)

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("path", "status", "location"),
    [
        ("/static/guide/", 200, None),
        ("/static/guide", 307, "./guide/"),
        ("/static/guide?a=1", 307, "./guide/?a=1"),
        ("/static", 307, "./static/"),
        ("/static/", 200, None),
        ("/static/plain", 404, None),
        ("/static/plain/", 404, None),
        ("/static/site.css/", 404, None),
    ],
)
def test_a_folder_is_its_index(folder: Path, path: str, status: int, location: str | None) -> None:
    with client_of(folder) as client:
        answer = client.get(path)

    assert (answer.status_code, answer.headers.get("location")) == (status, location)


def test_without_an_index_folders_are_nothing(folder: Path) -> None:
    with client_of(folder, index=None) as client:
        assert [client.get(f"/static/{path}").status_code for path in ("guide", "guide/", "")] == [404, 404, 404]


# Compressed files


@pytest.fixture
def compressed(folder: Path) -> Path:
    for suffix, content in ((".gz", gzip.compress(CSS)), (".br", b"brotli"), (".zst", b"zstd")):
        (folder / f"site.css{suffix}").write_bytes(content)
    return folder


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, zstd", "zstd"),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("br;q=0.5, gzip", "gzip"),
        ("br;q=0, *", "zstd"),
        ("deflate", None),
        ("identity", None),
        ("gzip;q=0", None),
        ("", None),
    ],
)
def test_the_best_compressed_file_is_sent(compressed: Path, accepted: str, coding: str | None) -> None:
    """HEAD, because the content of these files is none that a client could decode."""
    with client_of(compressed) as client:
        answer = client.head("/static/site.css", headers={"accept-encoding": accepted})

    assert answer.headers.get("content-encoding") == coding
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["vary"] == "accept-encoding"


def test_each_coding_has_an_entity_tag_of_its_own(compressed: Path) -> None:
    """RFC 9110 section 8.8.3.3."""
    with client_of(compressed) as client:
        answers = [
            client.head("/static/site.css", headers={"accept-encoding": coding})
            for coding in ("identity", "gzip", "br", "zstd")
        ]
        again = client.head(
            "/static/site.css", headers={"accept-encoding": "br", "if-none-match": answers[1].headers["etag"]}
        )

    assert len({answer.headers["etag"] for answer in answers}) == 4
    assert again.status_code == 200


def test_a_compressed_file_of_an_older_original_is_passed_over(compressed: Path) -> None:
    for suffix in (".br", ".zst"):
        os.utime(compressed / f"site.css{suffix}", (1, 1))

    with client_of(compressed) as client:
        answer = client.get("/static/site.css", headers={"accept-encoding": "br, zstd, gzip"})

    assert answer.headers["content-encoding"] == "gzip"


def test_compressed_files_are_left_alone_on_demand(compressed: Path) -> None:
    with client_of(compressed, precompressed=False) as client:
        answer = client.get("/static/site.css", headers={"accept-encoding": "gzip"})
        itself = client.get("/static/site.css.gz")

    assert answer.content == CSS
    assert "vary" not in answer.headers
    assert itself.headers["content-type"] == "application/gzip"


# Caching


def test_what_a_build_has_named_by_its_content_is_kept_for_ever(folder: Path) -> None:
    with client_of(folder, immutable=["assets/*"], cache_control="max-age=60") as client:
        assert client.get("/static/assets/app-3f2c.js").headers["cache-control"] == FOR_EVER
        assert client.get("/static/site.css").headers["cache-control"] == "max-age=60"


def test_no_cache_control_is_sent_on_demand(folder: Path) -> None:
    with client_of(folder, cache_control=None) as client:
        assert "cache-control" not in client.get("/static/site.css").headers


def app_with_url(folder: Path) -> NexiosApp:
    app, static = NexiosApp(), StaticFiles(directory=folder)
    app.mount("/static", static, name="static")

    @app.get("/url/{path:path}")
    async def url(request: Request, response: Response, path: str) -> str:
        return static.url_for(request, path)

    return app


def test_an_address_with_the_hash_of_the_content_is_kept_for_ever(folder: Path) -> None:
    with TestClient(app_with_url(folder)) as client:
        url = client.get("/url/site.css").text
        kept = client.get(url).headers["cache-control"]
        wrong = client.get("/static/site.css?v=0000000000000000").headers["cache-control"]

    assert url.startswith("/static/site.css?v=")
    assert len(url) == len("/static/site.css?v=") + 16
    assert (kept, wrong) == (FOR_EVER, "no-cache")


def test_the_address_changes_with_the_content(folder: Path) -> None:
    """The old address, which a page of before may still hold, gets the new content, and not for ever."""
    with TestClient(app_with_url(folder)) as client:
        before = client.get("/url/site.css").text
        (folder / "site.css").write_bytes(b"p {}")
        old = client.get(before)
        after = client.get("/url/site.css").text

    assert (old.content, old.headers["cache-control"]) == (b"p {}", "no-cache")
    assert after != before


def test_the_address_of_a_file_that_is_not_known_is_plain(folder: Path) -> None:
    with TestClient(app_with_url(folder)) as client:
        assert client.get("/url/a b/later.css").text == "/static/a%20b/later.css"


@pytest.mark.parametrize("path", ["../secret", ".env", "/abs", "folder/", ""])
async def test_what_can_be_no_file_has_no_address(folder: Path, path: str) -> None:
    app, static, caught = NexiosApp(), StaticFiles(directory=folder), []
    app.mount("/static", static, name="static")

    @app.get("/")
    async def url(request: Request, response: Response) -> None:
        with pytest.raises(NoSuchRoute, match="no path of a static file") as error:
            static.url_for(request, path)
        caught.append(error.value)

    with TestClient(app) as client:
        client.get("/")

    assert len(caught) == 1


# Single-page applications

NAVIGATION = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (NAVIGATION, 200),
        ({**NAVIGATION, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}, 200),
        ({**NAVIGATION, "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}, 200),
        ({**NAVIGATION, "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}, 404),
        ({**NAVIGATION, "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script"}, 404),
        ({"accept": "*/*"}, 404),
        ({"accept": "application/json"}, 404),
        ({"accept": "text/html;q=0, */*"}, 404),
        ({"accept": ""}, 404),
    ],
)
def test_the_fallback_is_for_whoever_navigates(folder: Path, headers: dict[str, str], status: int) -> None:
    with client_of(folder, fallback="index.html") as client:
        answer = client.get("/static/users/5", headers=headers)

    assert answer.status_code == status
    assert {"accept", "sec-fetch-mode", "sec-fetch-dest"} <= set(answer.headers["vary"].split(", "))


def test_the_fallback_answers_neither_refused_paths_nor_other_methods(folder: Path) -> None:
    with client_of(folder, fallback="index.html") as client:
        assert client.get("/static/.env", headers=NAVIGATION).status_code == 404
        assert client.post("/static/users/5", headers=NAVIGATION).status_code == 405
        assert client.get("/static/site.css", headers=NAVIGATION).content == CSS


# As a middleware


def middleware_app(folder: Path, **options: Any) -> NexiosApp:
    app = NexiosApp()
    app.add_middleware(StaticFiles, directory=folder, **options)

    @app.get("/site.css")
    @app.post("/site.css")
    async def own(request: Request, response: Response) -> str:
        return "the handler"

    @app.get("/items/{item}")
    async def item(request: Request, response: Response, item: str) -> Response:
        return response.text("no item", 404)

    return app


def test_a_middleware_answers_with_files_and_else_goes_on(folder: Path) -> None:
    with TestClient(middleware_app(folder)) as client:
        assert client.get("/site.css").content == CSS
        assert client.post("/site.css").text == "the handler"
        assert client.get("/missing").status_code == 404
        assert client.get("/site.css", headers={"range": "bytes=999999-"}).status_code == 416


def test_a_middleware_with_a_prefix_is_below_it_alone(folder: Path) -> None:
    with TestClient(middleware_app(folder, prefix="/files"), follow_redirects=False) as client:
        assert client.get("/files/site.css").content == CSS
        assert client.get("/site.css").text == "the handler"
        assert client.get("/files").headers["location"] == "./files/"


def test_the_fallback_of_a_middleware_is_for_what_no_route_knows(folder: Path) -> None:
    with TestClient(middleware_app(folder, fallback="index.html")) as client:
        assert client.get("/users/5", headers=NAVIGATION).content == b"<h1>Start</h1>"
        assert client.get("/users/5").status_code == 404
        assert client.get("/items/5", headers=NAVIGATION).text == "no item"


def test_a_middleware_has_addresses_below_its_prefix(folder: Path) -> None:
    app, static = NexiosApp(), StaticFiles(directory=folder, prefix="/files")
    app.add_middleware(static)
    app.get("/url")(lambda request, response: static.url_for(request, "site.css"))

    with TestClient(app, root_path="/shop") as client:
        url = client.get("/shop/url").text

    assert url.startswith("/shop/files/site.css?v=")


# Mistakes


def test_a_folder_that_is_not_there_is_an_error_at_once(tmp_path: Path) -> None:
    """And it is not made silently."""
    with pytest.raises(ConfigurationError, match="there is no folder"):
        StaticFiles(directory=tmp_path / "none")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"directory": None}, "needs a folder"),
        ({"directory": ""}, "needs a folder"),
        ({"index": "../index.html"}, "can be no file"),
        ({"index": "a/index.html"}, "one file in each folder"),
        ({"fallback": "folder/"}, "can be no file"),
        ({"immutable": "assets/*"}, "several patterns"),
        ({"prefix": "files"}, "must begin with"),
    ],
)
def test_options_that_make_no_sense_are_errors(tmp_path: Path, options: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        StaticFiles(**{"directory": tmp_path, **options})


def test_a_mount_has_a_prefix_of_its_own(tmp_path: Path) -> None:
    app = NexiosApp()
    app.mount("/static", StaticFiles(directory=tmp_path, prefix="/files"))

    with pytest.raises(ConfigurationError, match="is for add_middleware"):
        app.compile()


def test_too_many_open_files_are_no_404(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of the server is not kept by a cache as "there is no such file"."""

    def refuse(*args: Any, **options: Any) -> int:
        raise OSError(24, "Too many open files")

    app = NexiosApp()
    app.mount("/static", StaticFiles(directory=folder))
    with TestClient(app, raise_app_exceptions=False) as client, monkeypatch.context() as patched:
        patched.setattr("nexios.static.folder.os.open", refuse)
        assert client.get("/static/site.css").status_code == 500
