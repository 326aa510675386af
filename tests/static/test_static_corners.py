"""StaticFiles in the rarer cases: files that change under it, other systems, packages in archives, many files."""

import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from nexios.application import NexiosApp
from nexios.errors import ConfigurationError
from nexios.http.headers import Headers
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.static import folder as folders
from nexios.static import versions
from nexios.static.files import StaticFiles
from nexios.static.navigation import is_navigation
from nexios.testing.client import TestClient
from nexios.testing.raw import call


def served(directory: Path, **options: Any) -> NexiosApp:
    app, static = NexiosApp(), StaticFiles(directory=directory, **options)
    app.mount("/s", static, name="static")

    @app.get("/url/{path:path}")
    async def url(request: Request, response: Response, path: str) -> str:
        return static.url_for(request, path)

    return app


async def test_a_file_that_shrinks_while_it_is_read_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(b"0123456789")
    real_read, app = os.read, served(tmp_path)

    def shrinking(fd: int, size: int) -> bytes:
        os.truncate(tmp_path / "a", 5)
        return real_read(fd, size)

    with monkeypatch.context() as patched:
        patched.setattr(os, "read", shrinking)
        answer = await call(app, path="/s/a")

    assert answer.status == 500


@pytest.mark.parametrize("mode", [0o755, 0o777])
def test_large_ranges_of_a_large_file_come_as_one_multipart(tmp_path: Path, mode: int) -> None:
    content = os.urandom(300_000)
    (tmp_path / "large").write_bytes(content)
    tmp_path.chmod(mode)

    with TestClient(served(tmp_path)) as client:
        answer = client.get("/s/large", headers={"range": "bytes=0-99999,150000-249999"})

    assert answer.status_code == 206
    assert len(answer.content) == int(answer.headers["content-length"])
    assert content[:100_000] in answer.content
    assert content[150_000:250_000] in answer.content


# A system that cannot open a name within a folder


@pytest.fixture
def by_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "_OPENS_WITHIN", False)


@pytest.mark.usefixtures("by_path")
async def test_by_paths_files_folders_and_links_are_what_they_are_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "guide").mkdir()
    (tmp_path / "guide/index.html").write_bytes(b"guide")
    (tmp_path / "link").symlink_to("guide/index.html")
    (tmp_path / "empty").mkdir()
    app = served(tmp_path)

    assert (await call(app, path="/s/guide")).header("location") == "./guide/"
    assert (await call(app, path="/s/guide/")).body == b"guide"
    assert (await call(app, path="/s/link")).body == b"guide"
    assert [(await call(app, path=f"/s/{path}")).status for path in ("empty", "empty/", "none")] == [404, 404, 404]


@pytest.mark.usefixtures("by_path")
async def test_by_paths_another_name_of_a_hidden_file_leads_nowhere(tmp_path: Path) -> None:
    """As `ENV~1` is one of `.env` on Windows."""
    (tmp_path / ".env").write_bytes(b"secret")
    (tmp_path / "ENV~1").symlink_to(".env")

    assert (await call(served(tmp_path), path="/s/ENV~1")).status == 404


@pytest.mark.usefixtures("by_path")
async def test_by_paths_what_was_exchanged_after_the_opening_is_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(name.encode())
    real_open = os.open

    def opening(path: Any, *args: Any, **options: Any) -> int:
        fd = real_open(path, *args, **options)
        os.replace(tmp_path / "b", tmp_path / "a")
        return fd

    app = served(tmp_path, precompressed=False)
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", opening)
        answer = await call(app, path="/s/a")

    assert answer.status == 404


# Versions


def test_only_so_many_files_of_so_many_bytes_have_a_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "0-large").write_bytes(b"x" * 2000)
    monkeypatch.setattr(versions, "_MAX_SIZE", 1000)
    monkeypatch.setattr(versions, "_MAX_KNOWN", 2)

    with TestClient(served(tmp_path)) as client:
        urls = [client.get(f"/url/{name}").text for name in ("0-large", "a", "b", "c")]
        large = client.get("/s/0-large?v=None")

    assert ["?v=" in url for url in urls] == [False, True, True, False]
    assert large.headers["cache-control"] == "no-cache"


def test_hidden_files_links_out_and_uploads_have_no_version(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / ".git").mkdir(parents=True)
    (root / ".git/config").write_bytes(b"secret")
    (root / "plain").write_bytes(b"x")
    (tmp_path / "secret").write_bytes(b"secret")
    (root / "out").symlink_to(tmp_path / "secret")

    with TestClient(served(root)) as client:
        assert "?v=" in client.get("/url/plain").text
        assert client.get("/url/out").text == "/s/out"
    with TestClient(served(root, untrusted=True)) as client:
        assert client.get("/url/plain").text == "/s/plain"


# Packages


async def test_a_package_in_an_archive_is_unpacked_with_the_time_of_the_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that two processes have one entity tag for a file."""
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w") as written:
        for name in ("archived_assets/__init__.py", "archived_assets/static/css/deep/a.css"):
            written.writestr(name, "{}")
    monkeypatch.syspath_prepend(archive)
    first, second = (StaticFiles(package="archived_assets", directory="static") for _ in range(2))
    app = NexiosApp()
    app.mount("/1", first)
    app.mount("/2", second)

    answers = [await call(app, path=f"/{number}/css/deep/a.css") for number in (1, 2)]

    assert answers[0].body == b"{}"
    assert answers[0].header("etag") == answers[1].header("etag")
    for files in (first, second):
        shutil.rmtree(files.directory)


def test_a_package_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="cannot find the package 'no_such_package'"):
        StaticFiles(package="no_such_package", directory="static")


# Navigation


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([("accept", "text/html")], True),
        ([("accept", "TEXT/HTML;level=1")], True),
        ([("accept", "image/png"), ("accept", "text/html")], True),
        ([("accept", "text/*")], False),
        ([("accept", "text/html"), ("sec-fetch-dest", "object")], False),
        ([("accept", "text/html"), ("sec-fetch-mode", "same-origin")], False),
        ([], False),
    ],
)
def test_navigation_names_a_page(fields: list[tuple[str, str]], expected: bool) -> None:
    assert is_navigation(Headers(fields)) is expected
