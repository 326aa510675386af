"""Uploads: where their bytes are kept, that the event loop never waits for the disk, and that nothing stays behind."""

import asyncio
import os
import stat
import tempfile
import threading
from collections.abc import AsyncIterator, Callable
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.errors import BadRequest, ClientDisconnect, ContentTooLarge
from nexios.http.headers import Headers
from nexios.http.media_type import parse_media_type
from nexios.messages.form import close_form, read_form
from nexios.messages.upload import UploadFile
from nexios.settings import Limits

KIB = 1024
HOSTILE = ["../../x", "/etc/x", "..\\..\\x", "C:\\x", "a/../../b", "..", ".", "", "x\x00.png", "x" * 300, "CON.txt"]


class RecordingFile(BytesIO):
    """A temporary file that knows which threads touched it, and may be slow or full."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: set[int] = set()
        self.writing = threading.Event()
        self.may_write = threading.Event()
        self.may_write.set()
        self.full = False
        self.closed_while_writing = False
        self._busy = False

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        self.threads.add(threading.get_ident())
        self._busy = True
        self.writing.set()
        self.may_write.wait(10)
        self._busy = False
        if self.full:
            raise OSError(28, "No space left on device")
        return super().write(data)

    def read(self, size: int | None = -1, /) -> bytes:
        self.threads.add(threading.get_ident())
        return super().read(size)

    def close(self) -> None:
        self.threads.add(threading.get_ident())
        self.closed_while_writing |= self._busy
        super().close()
        if self.full:
            raise OSError(28, "No space left on device")


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> RecordingFile:
    """The one temporary file of a test."""
    file = RecordingFile()
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda: file)
    return file


@pytest.fixture
def temporary_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[BinaryIO]:
    """Every temporary file that the test makes, in `tmp_path`."""
    made: list[BinaryIO] = []
    make: Callable[[], BinaryIO] = tempfile.TemporaryFile

    def recording() -> BinaryIO:
        made.append(make())
        return made[-1]

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(tempfile, "TemporaryFile", recording)
    return made


def names_in(directory: Path) -> list[str]:
    return os.listdir(directory)


async def uploaded(content: bytes, *, spool_size: int = 10) -> UploadFile:
    upload = UploadFile("x.txt", spool_size=spool_size)
    for start in range(0, len(content), 7):
        await upload.write(content[start : start + 7])
    return upload


# What was uploaded


def test_an_upload_says_what_the_client_says() -> None:
    upload = UploadFile("a b.txt", content_type="text/plain", headers=Headers([("x-a", "1")]))

    assert (upload.filename, upload.content_type, upload.headers["x-a"]) == ("a b.txt", "text/plain", "1")
    assert repr(upload) == "<UploadFile 'a b.txt' 0 bytes>"


@pytest.mark.parametrize("filename", HOSTILE)
def test_a_safe_filename_is_one_plain_name(filename: str) -> None:
    upload = UploadFile(filename)

    assert upload.filename == filename
    assert upload.safe_filename not in ("", ".", "..")
    assert {"/", "\\", "\x00", ":"}.isdisjoint(upload.safe_filename)


@given(st.binary(max_size=60), st.integers(0, 60), st.integers(1, 20))
def test_what_was_written_is_read(content: bytes, spool_size: int, size: int) -> None:
    async def scenario() -> None:
        async with await uploaded(content, spool_size=spool_size) as upload:
            assert upload.size == len(content)
            assert await upload.read() == content
            assert await upload.read() == b""
            await upload.seek(0)
            assert await upload.read(size) == content[:size]
            assert b"".join([chunk async for chunk in upload]) == content[size:]
            await upload.seek(1000)
            assert await upload.read() == b""

    asyncio.run(scenario())


async def test_an_upload_is_iterated_in_chunks_of_64_kib() -> None:
    upload = UploadFile("x")
    await upload.write(b"x" * 100 * KIB)

    assert [len(chunk) async for chunk in upload] == [64 * KIB, 36 * KIB]


@pytest.mark.parametrize("spool_size", [10, 1000])
async def test_reading_and_writing_may_alternate(spool_size: int) -> None:
    async with await uploaded(b"x" * 21, spool_size=spool_size) as upload:
        assert await upload.read(3) == b"xxx"
        await upload.write(b"end")
        assert await upload.read() == b"x" * 18 + b"end"


async def test_a_position_before_the_start_is_an_error() -> None:
    with pytest.raises(ValueError, match="not negative"):
        await UploadFile("x").seek(-1)


@pytest.mark.parametrize("spool_size", [10, 1000])
async def test_a_closed_upload_is_not_read_again(spool_size: int) -> None:
    upload = await uploaded(b"x" * 50, spool_size=spool_size)
    await upload.close()
    await upload.close()

    assert upload.closed
    with pytest.raises(ValueError, match="closed"):
        await upload.read()
    with pytest.raises(ValueError, match="closed"):
        await upload.write(b"x")


# Where it is kept


@pytest.mark.parametrize(("size", "on_disk"), [(9, 0), (10, 0), (11, 1)])
async def test_an_upload_beyond_the_spool_size_is_on_disk(
    temporary_files: list[BinaryIO], size: int, on_disk: int
) -> None:
    async with await uploaded(b"x" * size, spool_size=10):
        assert len(temporary_files) == on_disk


async def test_a_temporary_file_has_no_name_and_is_private(temporary_files: list[BinaryIO], tmp_path: Path) -> None:
    upload = await uploaded(b"x" * 50)
    [file] = temporary_files

    assert names_in(tmp_path) == []
    assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) == 0o600
    await upload.close()
    assert file.closed


async def test_the_disk_is_never_touched_on_the_event_loop(disk: RecordingFile, tmp_path: Path) -> None:
    async with await uploaded(b"x" * 50) as upload:
        await upload.read(20)
        await upload.seek(0)
        assert [chunk async for chunk in upload] == [b"x" * 50]
        await upload.save(tmp_path)

    assert disk.threads
    assert threading.get_ident() not in disk.threads


async def test_the_loop_runs_on_while_a_slow_disk_takes_the_bytes(disk: RecordingFile) -> None:
    disk.may_write.clear()
    writing = asyncio.create_task(uploaded(b"x" * 50))

    assert await asyncio.to_thread(disk.writing.wait, 10)
    assert not writing.done()

    disk.may_write.set()
    assert (await writing).size == 50


# What is left behind


@pytest.mark.parametrize("cancels", [1, 3])
async def test_a_write_that_is_cancelled_ends_before_its_file_is_closed(disk: RecordingFile, cancels: int) -> None:
    disk.may_write.clear()
    reading = asyncio.create_task(read_form(body_of(3, b"x" * 50), MULTIPART, Limits(spool_size=10)))
    assert await asyncio.to_thread(disk.writing.wait, 10)

    for _ in range(cancels):
        reading.cancel()
        await asyncio.sleep(0)
    assert not disk.closed
    disk.may_write.set()

    with pytest.raises(asyncio.CancelledError):
        await reading
    assert disk.closed
    assert not disk.closed_while_writing


async def test_a_full_disk_is_an_error_once_and_leaves_nothing_open(disk: RecordingFile) -> None:
    disk.full = True

    with pytest.raises(OSError, match="No space left"):
        await read_form(body_of(1, b"x" * 50), MULTIPART, Limits(spool_size=10))

    assert disk.closed


async def test_a_missing_directory_for_temporary_files_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> BinaryIO:
        raise FileNotFoundError

    monkeypatch.setattr(tempfile, "TemporaryFile", missing)
    upload = await uploaded(b"x" * 5)

    with pytest.raises(FileNotFoundError):
        await upload.write(b"x" * 50)
    await upload.close()


MULTIPART = parse_media_type("multipart/form-data; boundary=b")


def file_part(content: bytes) -> bytes:
    return b'--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n' + content + b"\r\n"


async def body_of(files: int, content: bytes, *ending: bytes) -> AsyncIterator[bytes]:
    for _ in range(files):
        yield file_part(content)
    for chunk in ending or (b"--b--",):
        yield chunk


def open_descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize(
    ("ending", "error"),
    [
        ((b"--b\r\nno colon\r\n\r\n",), BadRequest),
        ((b"--b\r\n",), BadRequest),
        ((file_part(b"") * 101,), ContentTooLarge),
        ((b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"x" * 200,), ContentTooLarge),
    ],
)
async def test_a_form_that_fails_closes_the_files_it_has(
    temporary_files: list[BinaryIO], tmp_path: Path, ending: tuple[bytes, ...], error: type[Exception]
) -> None:
    for _ in range(10):
        with pytest.raises(error):
            await read_form(body_of(5, b"x" * 50, *ending), MULTIPART, Limits(spool_size=10, max_form_part_size=100))

    assert len(temporary_files) == 50
    assert all(file.closed for file in temporary_files)
    assert names_in(tmp_path) == []


async def test_a_client_that_leaves_mid_file_leaves_no_file(temporary_files: list[BinaryIO]) -> None:
    async def leaving() -> AsyncIterator[bytes]:
        yield file_part(b"x" * 100_000)
        yield file_part(b"x" * 100_000)
        raise ClientDisconnect

    with pytest.raises(ClientDisconnect):
        await read_form(leaving(), MULTIPART, Limits(spool_size=10))

    assert len(temporary_files) == 2
    assert all(file.closed for file in temporary_files)


async def test_a_reader_that_is_cancelled_between_chunks_leaves_no_file(temporary_files: list[BinaryIO]) -> None:
    waiting = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield file_part(b"x" * 100_000)
        waiting.set()
        await asyncio.Event().wait()

    reading = asyncio.create_task(read_form(endless(), MULTIPART, Limits(spool_size=10)))
    await waiting.wait()
    reading.cancel()

    with pytest.raises(asyncio.CancelledError):
        await reading
    assert [file.closed for file in temporary_files] == [True]


async def test_a_cancellation_after_the_last_part_leaves_no_file(temporary_files: list[BinaryIO]) -> None:
    """The form is read, and the source of its bytes is slow to close."""
    closing = asyncio.Event()

    async def slow_to_close() -> AsyncIterator[bytes]:
        try:
            yield file_part(b"x" * 100_000) + b"--b--" + b"x" * 100_000
        finally:
            closing.set()
            await asyncio.Event().wait()

    reading = asyncio.create_task(read_form(slow_to_close(), MULTIPART, Limits(spool_size=10)))
    await closing.wait()
    reading.cancel()

    with pytest.raises(asyncio.CancelledError):
        await reading
    assert [file.closed for file in temporary_files] == [True]


async def test_closing_a_form_closes_every_upload_even_when_cancelled(temporary_files: list[BinaryIO]) -> None:
    form = await read_form(body_of(3, b"x" * 50), MULTIPART, Limits(spool_size=10))
    closing = asyncio.create_task(close_form(form))
    await asyncio.sleep(0)
    closing.cancel()

    with pytest.raises(asyncio.CancelledError):
        await closing
    assert [file.closed for file in temporary_files] == [True, True, True]


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts descriptors through /proc")
async def test_forms_leave_no_descriptor_open() -> None:
    limits = Limits(spool_size=10)
    await close_form(await read_form(body_of(1, b"x" * 50), MULTIPART, limits))
    before = open_descriptors()

    for _ in range(50):
        await close_form(await read_form(body_of(3, b"x" * 50), MULTIPART, limits))
        with pytest.raises(BadRequest):
            await read_form(body_of(3, b"x" * 50, b"broken"), MULTIPART, limits)

    assert open_descriptors() == before


# Keeping a file


@pytest.mark.parametrize("filename", HOSTILE)
async def test_a_saved_file_is_inside_the_directory_whatever_its_name(tmp_path: Path, filename: str) -> None:
    async with UploadFile(filename) as upload:
        await upload.write(b"content")
        saved = await upload.save(tmp_path)

    assert saved.name in names_in(tmp_path)
    assert saved == tmp_path / saved.name
    assert saved.name.isalnum()
    assert saved.read_bytes() == b"content"


@pytest.mark.parametrize("spool_size", [10, 1000])
async def test_a_saved_file_is_whole_private_and_new(tmp_path: Path, spool_size: int) -> None:
    async with await uploaded(b"x" * 50, spool_size=spool_size) as upload:
        await upload.read(20)
        first, second = await upload.save(tmp_path), await upload.save(str(tmp_path))

        assert first != second
        assert first.read_bytes() == second.read_bytes() == b"x" * 50
        assert stat.S_IMODE(first.stat().st_mode) == 0o600
        assert await upload.read() == b"x" * 30


async def test_a_saved_file_overwrites_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda size: "taken")
    (tmp_path / "taken").write_bytes(b"precious")

    with pytest.raises(FileExistsError):
        await (await uploaded(b"x")).save(tmp_path)

    assert (tmp_path / "taken").read_bytes() == b"precious"


async def test_a_missing_directory_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await (await uploaded(b"x")).save(tmp_path / "missing")


async def test_a_save_that_fails_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", failing)

    with pytest.raises(OSError, match="No space left"):
        await (await uploaded(b"x")).save(tmp_path)
    assert names_in(tmp_path) == []


async def test_a_save_that_is_cancelled_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copying, may_copy = threading.Event(), threading.Event()

    def slow(*args: object) -> None:
        copying.set()
        may_copy.wait(10)

    monkeypatch.setattr("shutil.copyfileobj", slow)
    saving = asyncio.create_task((await uploaded(b"x")).save(tmp_path))
    assert await asyncio.to_thread(copying.wait, 10)
    saving.cancel()
    may_copy.set()

    with pytest.raises(asyncio.CancelledError):
        await saving
    assert names_in(tmp_path) == []
