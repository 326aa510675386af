"""What the example `commons` keeps to itself: its secret, its files, and which hosts it answers to."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from examples.commons.app import create_app
from examples.commons.images import picture_suffix
from examples.commons.options import Options
from examples.commons.secret import secret_of
from nexios.errors import ConfigurationError
from nexios.testing import TestClient
from tests.examples.commons_people import member, picture


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def open_to_others(folder: Path) -> dict[str, int]:
    return {path.name: mode_of(path) & 0o077 for path in folder.rglob("*") if path.is_file()}


def test_a_secret_is_made_once_and_is_another_one_for_each_board(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()

    assert secret_of(one) == secret_of(one) != secret_of(other)
    assert len(secret_of(one)) == 43
    assert [path.name for path in one.iterdir()] == ["secret.key"]


def test_processes_that_start_at_once_have_one_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        secrets = list(pool.map(lambda _: secret_of(tmp_path), range(32)))

    assert len(set(secrets)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
def test_a_secret_that_others_can_read_is_none(tmp_path: Path) -> None:
    secret_of(tmp_path)
    (tmp_path / "secret.key").chmod(0o640)

    with pytest.raises(ConfigurationError, match="can be read by others"):
        secret_of(tmp_path)


def test_a_secret_that_is_damaged_is_none(tmp_path: Path) -> None:
    secret_of(tmp_path)
    (tmp_path / "secret.key").write_text("")

    with pytest.raises(ConfigurationError, match="holds no secret"):
        create_app(Options(tmp_path))


def test_a_secret_that_is_given_is_written_nowhere(tmp_path: Path) -> None:
    options = Options(tmp_path, "sesame", secret="xWlZ9nTfS4v1cQ0kR7b2mJ6uYhE3oAqD")

    app = create_app(options)

    assert app.settings.secret_key == options.secret
    assert not (tmp_path / "secret.key").exists()
    assert not any(secret in f"{options!r} {app.settings!r}" for secret in ("sesame", "xWlZ"))


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
async def test_nobody_else_on_the_machine_reads_what_is_kept(tmp_path: Path) -> None:
    async with member(tmp_path, "Ada") as ada:
        await ada.post("/account/avatar", files={"avatar": ("me.png", picture())})
        modes = open_to_others(tmp_path)

    assert {"board.sqlite3", "sessions.sqlite3", "secret.key"} <= set(modes)
    assert set(modes.values()) == {0}


@pytest.mark.parametrize(("host", "status"), [("127.0.0.1:8000", 200), ("localhost", 200), ("evil.example", 400)])
async def test_a_board_answers_to_its_own_names_alone(tmp_path: Path, host: str, status: int) -> None:
    """A page of a stranger whose name was made to lead here is not of this origin, and gets nothing."""
    async with TestClient(create_app(Options(tmp_path, hosts=("127.0.0.1", "localhost")))) as client:
        assert (await client.get("/", headers={"host": host})).status_code == status


@pytest.mark.parametrize(
    ("head", "suffix"),
    [
        (b"\x89PNG\r\n\x1a\n", ".png"),
        (b"\xff\xd8\xff\xe0", ".jpg"),
        (b"GIF87a", ".gif"),
        (b"GIF89a", ".gif"),
        (b"RIFF\x10\x00\x00\x00WEBP", ".webp"),
        (b"RIFF\x10\x00\x00\x00AVI ", None),
        (b" GIF89a", None),
        (b"<svg", None),
        (b"", None),
    ],
)
def test_a_picture_is_known_by_its_first_bytes(head: bytes, suffix: str | None) -> None:
    assert picture_suffix(head) == suffix
