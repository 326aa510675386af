"""Files that clients send, from spool to disk: rows A5, A15, A28 and Q2, and the names of D5."""

import asyncio
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nexios.http.disposition import safe_filename
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.messages.upload import UploadFile
from nexios.settings import Limits
from nexios.testing.raw import RawAnswer
from tests.security.kit import KIB, MIB, Peer, SlowDisk, http_scope, in_chunks, open_files, post
from tests.security.reading_app import END, MULTIPART, ReadingApp, upload


class SlowFile:
    """A temporary file on a slow disk."""

    def __init__(self, disk: SlowDisk, file: Any) -> None:
        self._disk = disk
        self._file = file

    def write(self, data: bytes) -> int:
        self._disk.wait()
        return self._file.write(data)  # type: ignore[no-any-return]

    def seek(self, position: int) -> int:
        self._disk.wait()
        return self._file.seek(position)  # type: ignore[no-any-return]

    def close(self) -> None:
        self._disk.wait()
        self._file.close()

    @property
    def closed(self) -> bool:
        return self._file.closed  # type: ignore[no-any-return]


async def test_a5_a_slow_disk_does_not_hold_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """CVE-2025-54121 GHSA-2c2j-9gv5-cj73: the roll-over to disk, each write, and the close."""
    disk, make = SlowDisk(), tempfile.TemporaryFile

    def slow() -> SlowFile:
        disk.wait()
        return SlowFile(disk, make())

    monkeypatch.setattr(tempfile, "TemporaryFile", slow)
    answer = await post(ReadingApp(), in_chunks(upload(body=b"x" * 8 * MIB) + END), MULTIPART)

    assert answer.status == 200
    assert disk.calls > 100
    assert disk.held == 0


NAMES = ["../../x", "/etc/x", r"..\..\x", r"C:\x", "a/../../b", "..", ".", "", "x" * 300, "CON.txt", "é/./", "~/x"]


class SavingApp(ReadingApp):
    """Keeps each upload in a directory."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.saved: list[Path] = []

        async def save(request: Request, response: Response) -> Response:
            file = (await request.form())["f"]
            assert isinstance(file, UploadFile)
            self.saved.append(await file.save(directory))
            return response.text(file.safe_filename)

        self.post("/save")(save)


@pytest.mark.parametrize("name", NAMES)
async def test_a15_a_file_is_saved_under_a_name_of_our_own(name: str, tmp_path: Path) -> None:
    """CVE-2026-24486 GHSA-wp53-j4wj-2cfg, CVE-2021-31542, CVE-2021-28658, CVE-2021-45452, CVE-2024-39330."""
    app = SavingApp(tmp_path)

    answer = await post(app, upload(name.replace("\\", "\\\\"), b"content") + END, MULTIPART, path="/save")

    [saved] = app.saved
    assert answer.status == 200
    assert saved.read_bytes() == b"content"
    assert (saved.parent, saved.is_symlink()) == (tmp_path, False)
    assert os.listdir(tmp_path) == [saved.name]
    assert set(saved.name) <= set("0123456789abcdef")


@pytest.mark.skipif(os.name == "nt", reason="there are no such rights")
async def test_q2_a_file_that_is_saved_is_for_its_owner_alone(tmp_path: Path) -> None:
    """CVE-2020-24583, CVE-2026-25674: whatever the umask of the process is, in several threads at once."""
    app = SavingApp(tmp_path)
    before = os.umask(0)
    try:
        sends = (post(app, upload("a.txt", b"x" * 2 * MIB) + END, MULTIPART, path="/save") for _ in range(4))
        await asyncio.gather(*sends)
        rights = {stat.S_IMODE(path.stat().st_mode) for path in app.saved}
    finally:
        os.umask(before)

    assert (len(app.saved), rights) == (4, {0o600})


@pytest.mark.parametrize("name", NAMES)
async def test_a15_the_safe_name_is_one_plain_name(name: str, tmp_path: Path) -> None:
    """CVE-2021-45452: for those who show it or build on it."""
    answer = await post(SavingApp(tmp_path), upload(name.replace("\\", "\\\\")) + END, MULTIPART, path="/save")

    safe = answer.body.decode()
    assert (tmp_path / safe).parent == tmp_path
    assert safe not in ("", ".", "..")
    assert not set(safe) & set("/\\:\0")
    assert len(safe.encode()) <= 255


@pytest.mark.parametrize("name", ["x\x00.png", "x\n.png", "x\r.png", "x\x1b.png"])
async def test_a15_a_name_with_control_characters_is_a_bad_request(name: str, tmp_path: Path) -> None:
    """CVE-2026-24486 GHSA-wp53-j4wj-2cfg."""
    app = SavingApp(tmp_path)

    answer = await post(app, upload(name) + END, MULTIPART, path="/save")

    assert (answer.status, app.saved) == (400, [])


PORTS = [f"{port}{number}" for port in ("COM", "lpt") for number in "123456789¹²³"]
DEVICES = ["con", "PRN", "aux", "Nul", "CONIN$", "conout$", *PORTS]


@pytest.mark.parametrize("suffix", ["", ".txt", ".tar.gz", " ", " .x", ":s", "."])
def test_d5_a_device_of_windows_is_no_safe_name(suffix: str) -> None:
    """CVE-2025-66221 GHSA-hgf8-39gv-g3f2, CVE-2026-21860 GHSA-87hc-h4r5-73f7, CVE-2026-27199 GHSA-29vq-49wr-vm6x,
    CVE-2022-41720.
    """
    names = [safe_filename(f"{folder}{device}{suffix}") for device in DEVICES for folder in ("", "a/", "con\\")]

    stems = {name.partition(".")[0].rstrip(" ").lower() for name in names}
    assert stems.isdisjoint(device.lower() for device in DEVICES)
    assert not any(":" in name for name in names)


FIVE = upload(body=b"x" * 100) * 5
TO_DISK = Limits(spool_size=10)


async def leave(app: ReadingApp) -> object:
    sixth = upload(body=b"y" * 200 * KIB)[:-50]  # more than the parser waits for, so that it has begun with the files
    client = Peer(chunks=iter([FIVE, sixth]), ends=False, then_leaves=True)
    await app(http_scope("POST", "/", [(b"content-type", MULTIPART.encode())]), client.receive, client.send)
    return client.status


async def break_the_form(app: ReadingApp) -> object:
    return (await post(app, [FIVE, b"--b\r\nnonsense\r\n\r\n"], MULTIPART)).status


async def fail(app: ReadingApp) -> object:
    return (await post(app, FIVE + END, MULTIPART, path="/fails")).status


async def answer_twice(app: ReadingApp) -> object:
    return (await post(app, FIVE + END, MULTIPART)).status


async def cancel(app: ReadingApp) -> object:
    answer: RawAnswer = await post(app, FIVE + END, MULTIPART, path="/cancelled")
    return type(answer.error)


@pytest.mark.parametrize(
    ("scenario", "outcome"),
    [(leave, 400), (break_the_form, 400), (fail, 500), (answer_twice, 200), (cancel, asyncio.CancelledError)],
    ids=["the client leaves", "the form is malformed", "the handler fails", "all is well", "the handler is cancelled"],
)
async def test_a28_no_file_outlives_its_request(
    scenario: Callable[[ReadingApp], Any], outcome: object, temporary_files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CVE-2023-24580, CVE-2025-47935, CVE-2026-2359 GHSA-v52c-386h-88mc, CVE-2026-5038,
    CVE-2025-24033 GHSA-27c6-mcxv-x3fh: a hundred times, with five files on disk each.
    """
    app, made, make = ReadingApp(TO_DISK), [], tempfile.TemporaryFile

    def counted() -> Any:
        made.append(make())
        return made[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", counted)

    async def fails(request: Request, response: Response) -> None:
        await request.form()
        raise RuntimeError("the handler fails")

    async def cancelled(request: Request, response: Response) -> None:
        app.read.append(await request.form())
        raise asyncio.CancelledError

    app.post("/fails")(fails)
    app.post("/cancelled")(cancelled)
    await scenario(app)
    before = open_files()
    made.clear()

    outcomes = {await scenario(app) for _ in range(100)}

    files = [file for form in app.read for file in form.files.values()]
    assert outcomes == {outcome}
    assert len(made) >= 500
    assert all(file.closed for file in [*files, *made])
    assert open_files() <= before
    assert os.listdir(temporary_files) == []
