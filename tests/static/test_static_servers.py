"""Static files behind each server: the paths that a server decodes, and the ways in which it sends a file."""

import gzip
from collections.abc import Iterator
from contextlib import closing

import httpx2
import pytest

from tests.contract.servers import SERVERS, Running, Server, running
from tests.contract.wire import Connection

LARGE = bytes(range(256)) * 2000


@pytest.fixture(scope="module", params=SERVERS, ids=lambda server: server.name)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    server: Server = request.param
    if not server.installed:
        pytest.skip(f"{server.package} is not installed")
    top = tmp_path_factory.mktemp(f"static-{server.name}")
    folder = top / "static"
    files = {
        "a.txt": b"hello", "a.txt.gz": gzip.compress(b"hello"), "large.bin": LARGE, "shared/large.bin": LARGE,
        "index.html": b"<h1>App</h1>", "caf\u00e9.txt": b"e", ".env": b"secret", "../secret": b"secret",
        "../static_private/a": b"secret",
    }  # fmt: skip
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / "out").symlink_to(top / "secret")
    (folder / "shared").chmod(0o777)
    environment = {"NEXIOS_STATIC_FOLDER": str(folder)}
    with running(server, "tests.static.static_application:app", top, environment) as process:
        yield process


def get(site: Running, path: str, **headers: str) -> httpx2.Response:
    fields = {name.replace("_", "-"): value for name, value in {"accept_encoding": "identity", **headers}.items()}
    with httpx2.Client(base_url=site.url, timeout=20.0, trust_env=False) as client:
        return client.get(path, headers=fields)


@pytest.mark.parametrize("path", ["large.bin", "shared/large.bin"])
def test_a_large_static_file_arrives_whole_and_in_parts(site: Running, path: str) -> None:
    whole = get(site, f"/static/{path}")
    part = get(site, f"/static/{path}", range="bytes=1000-400000")

    assert (whole.status_code, whole.content) == (200, LARGE)
    assert whole.headers["content-length"] == str(len(LARGE))
    assert (part.status_code, part.content) == (206, LARGE[1000:400001])


def test_a_compressed_file_arrives_as_its_original(site: Running) -> None:
    answer = get(site, "/static/a.txt", accept_encoding="gzip")

    assert (answer.content, answer.headers["content-encoding"]) == (b"hello", "gzip")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["vary"] == "accept-encoding"


def test_a_good_copy_is_a_304_and_a_name_may_have_any_letter(site: Running) -> None:
    answer = get(site, "/static/caf%C3%A9.txt")

    assert answer.content == b"e"
    assert get(site, "/static/caf%C3%A9.txt", if_none_match=answer.headers["etag"]).status_code == 304


def test_a_folder_leads_to_itself_with_a_slash(site: Running) -> None:
    answer = get(site, "/static?q=1")

    assert (answer.status_code, answer.headers["location"]) == (307, "./static/?q=1")


def test_the_fallback_is_for_navigation(site: Running) -> None:
    assert get(site, "/app/users/5", accept="text/html").content == b"<h1>App</h1>"
    assert get(site, "/app/users/5", accept="*/*").status_code == 404


def test_an_upload_is_a_download_in_a_sandbox(site: Running) -> None:
    answer = get(site, "/uploads/index.html")

    assert answer.headers["content-disposition"] == 'attachment; filename="index.html"'
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize(
    "path",
    [
        "/static/../secret", "/static/%2e%2e/secret", "/static/..%2fsecret", "/static/%2e%2e%2fsecret",
        "/static/..%5csecret", "/static/.%2e/secret", "/static/%252e%252e/secret", "/static/....//secret",
        "/static/..;/secret", "/static/.env", "/static/%2eenv", "/static//etc/passwd", "/static/%2fetc%2fpasswd",
        "/static/out", "/static/a.txt%00", "/static/%ff", "/static/../static_private/a", "/static_private/a",
        "/static/a.txt/", "/static/a.txt.", "/static/a.txt%20", "/static/nul", "/static/C:/x", "/static/a.txt::$DATA",
    ],
)  # fmt: skip
def test_nothing_else_is_sent_whatever_the_wire_says(site: Running, path: str) -> None:
    with closing(Connection(site.address)) as connection:
        answer, body = connection.ask(path), connection.rest()

    assert answer.status in (400, 404)
    assert b"secret" not in body
