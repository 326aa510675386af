"""Static files: whatever path is asked for, and whoever moves files meanwhile, nothing outside is opened or sent."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nexios.application import NexiosApp
from nexios.static import folder as folders
from nexios.static.files import StaticFiles
from nexios.testing.raw import RawAnswer, call

SECRET = b"not for you"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files, hidden ones and links, and secrets all around it."""
    top = tmp_path_factory.mktemp("containment")
    root = top / "static"
    for name in ("a", "b/c", "b/d/e.txt", "index.html", "b/index.html"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(f"inside {name}".encode())
    for path in (top / "secret", top / "static_private/a", root / ".env", root / "b/.git/config"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(SECRET)
    links: dict[str, str | Path] = {
        "out": top / "secret", "up": top, "b/up": "..", "b/out": "../../secret", "in": "b", "b/deep": "d",
        "loop": "loop", "a.gz": top / "secret", "b/c.br": "../../secret", "dangling": "nothing", "abs": root / "a",
        "root": "/", "prefix": top / "static_private",
    }  # fmt: skip
    for name, target in links.items():
        (root / name).symlink_to(target)
    return top


NAMES = [
    "a", "b", "c", "d", "e.txt", "index.html", "out", "up", "in", "deep", "loop", "abs", "root", "prefix", "static",
    "static_private", "secret", "etc", "passwd", "..", ".", "", ".env", ".git", "config", "..%2f", "%2e%2e", "..\\",
    "C:", "nul", "a.gz", "dangling", "....", "..;", "\0", "a ", "a.",
]  # fmt: skip
paths = st.lists(st.sampled_from(NAMES) | st.text(max_size=5), max_size=6).map("/".join)


@contextmanager
def only_inside(monkeypatch: pytest.MonkeyPatch, top: Path) -> Iterator[list[str]]:
    """Note every file that is opened and is none of those inside the folder."""
    root = top / "static"
    allowed = {path.stat().st_ino for path in (root, *root.rglob("*")) if not path.is_symlink()}
    allowed -= {path.stat().st_ino for path in root.rglob(".*") if not path.is_symlink()}
    opened: list[str] = []
    real_open = os.open

    def watched(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        fd = real_open(path, flags, mode, dir_fd=dir_fd)
        if os.fstat(fd).st_ino not in allowed:
            opened.append(str(path))
        return fd

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", watched)
        yield opened


async def ask(app: NexiosApp, path: str) -> RawAnswer:
    headers = [(b"accept-encoding", b"br, gzip, zstd")]
    return await call(app, path=path, raw_path=b"/", headers=headers)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(path=paths, opens_within=st.booleans())
async def test_no_path_opens_a_file_outside_of_the_folder(
    tree: Path, monkeypatch: pytest.MonkeyPatch, path: str, opens_within: bool
) -> None:
    app = NexiosApp()
    app.mount("/s", StaticFiles(directory=tree / "static", fallback="index.html"))

    with monkeypatch.context() as patched, only_inside(monkeypatch, tree) as outside:
        patched.setattr(folders, "_OPENS_WITHIN", opens_within)
        answer = await ask(app, f"/s/{path}")

    assert outside == []
    assert answer.status in (200, 307, 400, 404)
    if answer.status == 200:
        assert answer.body.startswith(b"inside ")


def exchanged(before: Callable[[], None], at: str) -> Callable[..., int]:
    """`os.open` that lets somebody move files right before the name `at` is opened."""
    real_open, done = os.open, False

    def opening(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        nonlocal done
        if not done and os.path.basename(os.fspath(path)) == at:
            done = True
            before()
        return real_open(path, flags, mode, dir_fd=dir_fd)

    return opening


@pytest.fixture
def moving(tmp_path: Path) -> Path:
    for name, content in (("static/box/file", b"inside"), ("outside/file", SECRET)):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def put_link(path: Path, target: Path) -> None:
    path.rename(path.with_name("moved"))
    path.symlink_to(target)


@pytest.mark.parametrize("opens_within", [True, False])
@pytest.mark.parametrize(("at", "path", "target"), [("file", "box/file", "outside/file"), ("box", "box", "outside")])
async def test_a_link_that_is_put_there_in_the_last_moment_is_not_followed(
    moving: Path, monkeypatch: pytest.MonkeyPatch, at: str, path: str, target: str, opens_within: bool
) -> None:
    app = NexiosApp()
    app.mount("/s", StaticFiles(directory=moving / "static"))
    moment = at if opens_within else "file"
    change = exchanged(lambda: put_link(moving / "static" / path, moving / target), moment)

    with monkeypatch.context() as patched:
        patched.setattr(folders, "_OPENS_WITHIN", opens_within)
        patched.setattr(os, "open", change)
        answer = await ask(app, "/s/box/file")

    assert answer.status == 404


async def test_a_folder_that_is_moved_away_while_it_is_open_is_still_the_one_that_was_found(
    moving: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = NexiosApp()
    app.mount("/s", StaticFiles(directory=moving / "static"))
    change = exchanged(lambda: put_link(moving / "static/box", moving / "outside"), "file")

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", change)
        answer = await ask(app, "/s/box/file")

    assert answer.body == b"inside"


@pytest.mark.parametrize("mode", [0o755, 0o777])
async def test_a_large_file_that_is_exchanged_before_it_is_sent_is_not_sent(moving: Path, mode: int) -> None:
    """Its length was promised, so the answer breaks off without a byte of the other file."""
    large, other = moving / "static/box/file", moving / "outside/file"
    large.write_bytes(b"i" * 200_000)
    other.write_bytes(SECRET * 20_000)
    large.parent.chmod(mode)
    app = NexiosApp()
    app.mount("/s", StaticFiles(directory=moving / "static"))

    async def exchange(request: Any, response: Any, call_next: Any) -> Any:
        answer = await call_next()
        put_link(large, other)
        return answer

    app.add_middleware(exchange)
    answer = await ask(app, "/s/box/file")

    assert answer.error is not None or answer.status == 500
    assert b"not" not in answer.body


@pytest.mark.parametrize(("mode", "may"), [(0o755, True), (0o775, False), (0o777, False)])
async def test_a_server_opens_a_file_itself_only_where_nobody_else_may_put_a_link(
    moving: Path, mode: int, may: bool
) -> None:
    """ASGI's `http.response.pathsend` is a path, which the server opens when it likes."""
    (moving / "static/box/file").write_bytes(b"i" * 200_000)
    (moving / "static/box/file").chmod(0o644)
    (moving / "static").chmod(0o755)
    (moving / "static/box").chmod(mode)
    app = NexiosApp()
    app.mount("/s", StaticFiles(directory=moving / "static"))

    answer = await call(app, path="/s/box/file", scope_extra={"extensions": {"http.response.pathsend": {}}})

    assert ("http.response.pathsend" in [message["type"] for message in answer.messages]) is may
