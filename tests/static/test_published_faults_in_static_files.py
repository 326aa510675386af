"""What the published package did wrong with static files, and what is done here (faults 25, 27 and 57)."""

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from nexios.application import NexiosApp
from nexios.errors import ConfigurationError
from nexios.static.files import StaticFiles
from nexios.testing.raw import call


async def test_a_folder_with_the_same_beginning_is_not_served_and_none_is_made(tmp_path: Path) -> None:
    """Fault 25."""
    for name in ("static", "static-private"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "s.txt").write_bytes(name.encode())
    app = NexiosApp()
    app.mount("/static", StaticFiles(directory=tmp_path / "static"))

    assert (await call(app, path="/static/s.txt")).body == b"static"
    assert (await call(app, path="/static/../static-private/s.txt")).status == 404
    with pytest.raises(ConfigurationError):
        StaticFiles(directory=tmp_path / "other")
    assert not (tmp_path / "other").exists()


async def test_files_are_served_below_any_root_and_mount(tmp_path: Path) -> None:
    """Fault 27: what the server and each mount have used up of the path is counted once."""
    (tmp_path / "a.txt").write_bytes(b"a")
    inner, outer = NexiosApp(), NexiosApp()
    inner.mount("/static", StaticFiles(directory=tmp_path))
    outer.mount("/inner", inner)

    for path, root_path in (("/inner/static/a.txt", ""), ("/shop/inner/static/a.txt", "/shop")):
        assert (await call(outer, path=path, scope_extra={"root_path": root_path})).body == b"a"


@pytest.mark.parametrize("size", [10, 300_000])
@pytest.mark.parametrize("as_middleware", [False, True])
async def test_no_file_call_is_made_on_the_event_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, as_middleware: bool
) -> None:
    """Fault 57."""
    (tmp_path / "page.html").write_bytes(b"x" * size)
    (tmp_path / "link").symlink_to("page.html")
    app, static = NexiosApp(), StaticFiles(directory=tmp_path)
    if as_middleware:
        app.add_middleware(static)
    else:
        app.mount("/", static)
    app.compile()
    threads: set[int] = set()

    def watch(name: str) -> Any:
        original = getattr(os, name)

        def watched(*args: Any, **options: Any) -> Any:
            threads.add(threading.get_ident())
            return original(*args, **options)

        return watched

    with monkeypatch.context() as patched:
        for name in ("open", "read", "stat", "lstat", "fstat", "scandir", "readlink", "access"):
            patched.setattr(os, name, watch(name))
        answers = [await call(app, path=path) for path in ("/page.html", "/link", "/missing", "/")]

    assert [answer.status for answer in answers] == [200, 200, 404, 404]
    assert threads
    assert threading.get_ident() not in threads


async def test_what_is_no_page_of_ours_is_never_run_as_one(tmp_path: Path) -> None:
    """Fault 57: nothing is guessed from the content, and uploads are downloads."""
    (tmp_path / "upload.html").write_bytes(b"<script>")
    app = NexiosApp()
    app.mount("/uploads", StaticFiles(directory=tmp_path, untrusted=True))

    answer = await call(app, path="/uploads/upload.html")

    assert answer.header("x-content-type-options") == "nosniff"
    assert (answer.header("content-disposition") or "").startswith("attachment")
