"""Reading files: never on the event loop, exactly what was promised, and nothing of a file that was replaced."""

import asyncio
import os
import stat
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from nexios.errors import NotFound
from nexios.messages.file import FileChanged, FileSource, open_source, read_range

CONTENT = b"0123456789"


async def read(path: Path, start: int, stop: int, *, chunk_size: int = 4, expected: FileSource | None = None) -> bytes:
    return b"".join([c async for c in read_range(path, start, stop, chunk_size=chunk_size, expected=expected)])


# Looking at a file


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    path = tmp_path / "digits.txt"
    path.write_bytes(CONTENT)
    os.utime(path, (784111777, 784111777))
    return path


async def test_a_source_has_size_time_and_a_strong_tag(digits: Path) -> None:
    source = await open_source(digits)

    assert (source.path, source.size, source.modified) == (str(digits), 10, 784111777.0)
    assert source.etag.startswith('"')
    assert await open_source(str(digits)) == source


async def test_the_tag_changes_with_size_and_time(digits: Path) -> None:
    before = await open_source(digits)
    os.utime(digits, ns=(0, 784111777_000_000_001))
    touched = await open_source(digits)
    os.truncate(digits, 9)
    os.utime(digits, ns=(0, 784111777_000_000_001))
    shorter = await open_source(digits)

    assert len({before.etag, touched.etag, shorter.etag}) == 3


async def test_a_file_is_never_from_the_future(digits: Path) -> None:
    """RFC 9110 section 8.8.2.1."""
    os.utime(digits, (4102444800, 4102444800))

    assert (await open_source(digits)).modified <= time.time()


@pytest.mark.parametrize("name", ["missing", "", "digits.txt/x", "nul\x00", "x" * 5000, "fifo"])
async def test_what_is_no_regular_file_is_not_found(digits: Path, name: str) -> None:
    os.mkfifo(digits.parent / "fifo")

    with pytest.raises(NotFound):
        await open_source(f"{digits.parent}/{name}")


async def test_a_file_that_may_not_be_read_is_not_found(digits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)

    with pytest.raises(NotFound):
        await open_source(digits)


# Reading a file


@pytest.mark.parametrize(("start", "stop"), [(0, 10), (0, 1), (3, 9), (9, 10), (4, 4)])
@pytest.mark.parametrize("chunk_size", [1, 4, 100])
async def test_exactly_the_bytes_of_the_range_are_read(digits: Path, start: int, stop: int, chunk_size: int) -> None:
    assert await read(digits, start, stop, chunk_size=chunk_size) == CONTENT[start:stop]


async def test_a_large_file_is_read_in_chunks(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(2**40)

    chunks = [len(chunk) async for chunk in read_range(path, 2**40 - 100_000, 2**40)]

    assert chunks == [65536, 34464]


async def test_files_are_read_beside_the_event_loop(digits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: set[int] = set()
    look, opened = os.stat, os.open

    def recording_stat(path: str) -> os.stat_result:
        threads.add(threading.get_ident())
        return look(path)

    def recording_open(path: str, flags: int) -> int:
        threads.add(threading.get_ident())
        return opened(path, flags)

    with monkeypatch.context() as patched:
        patched.setattr(os, "stat", recording_stat)
        patched.setattr(os, "open", recording_open)
        await open_source(digits)
        await read(digits, 0, 10)

    assert threads
    assert threading.get_ident() not in threads


async def read_to_the_end(chunks: AsyncIterator[bytes], got: list[bytes]) -> None:
    async for chunk in chunks:
        got.append(chunk)


@pytest.mark.parametrize("size", [0, 3, 4, 9])
async def test_a_file_that_shrinks_ends_the_answer_with_an_error(digits: Path, size: int) -> None:
    chunks = read_range(digits, 0, 10, chunk_size=4)
    got = [await anext(chunks)]
    os.truncate(digits, size)

    with pytest.raises(FileChanged):
        await read_to_the_end(chunks, got)

    assert b"".join(got) == CONTENT[: max(4, size)]


async def test_a_file_that_grows_is_sent_as_it_was_promised(digits: Path) -> None:
    source = await open_source(digits)
    digits.write_bytes(CONTENT + b"more")  # noqa: ASYNC240

    assert await read(digits, 0, source.size, expected=source) == CONTENT


async def test_a_file_that_shrank_before_it_was_opened_is_not_begun(digits: Path) -> None:
    source = await open_source(digits)
    os.truncate(digits, 9)

    with pytest.raises(FileChanged):
        await read(digits, 0, 2, expected=source)


async def test_a_file_that_was_replaced_before_it_was_opened_is_not_begun(digits: Path) -> None:
    source = await open_source(digits)
    other = digits.parent / "other"
    other.write_bytes(b"abcdefghij")
    os.replace(other, digits)

    with pytest.raises(FileChanged):
        await read(digits, 0, 10, expected=source)


async def test_a_file_that_is_replaced_while_it_is_sent_stays_the_same_for_the_answer(digits: Path) -> None:
    chunks = read_range(digits, 0, 10, chunk_size=4)
    got = [await anext(chunks)]
    os.unlink(digits)
    got += [chunk async for chunk in chunks]

    assert b"".join(got) == CONTENT


async def test_a_fifo_in_place_of_the_file_does_not_hold_a_thread(digits: Path) -> None:
    os.unlink(digits)
    os.mkfifo(digits)

    with pytest.raises(FileChanged):
        await read(digits, 0, 10)


async def test_a_file_that_is_gone_is_an_error(digits: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await read(digits.parent / "missing", 0, 10)


def open_descriptors() -> int:
    return sum(1 for name in os.listdir("/proc/self/fd") if stat.S_ISREG(_mode_of(name)))


def _mode_of(descriptor: str) -> int:
    try:
        return os.fstat(int(descriptor)).st_mode
    except OSError:
        return 0


needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts descriptors through /proc")


@needs_proc
async def test_a_file_is_closed_when_its_reader_is(digits: Path) -> None:
    before = open_descriptors()
    chunks = read_range(digits, 0, 10, chunk_size=4)
    await anext(chunks)
    assert open_descriptors() == before + 1

    await chunks.aclose()
    assert open_descriptors() == before


@needs_proc
async def test_a_file_is_closed_after_its_last_byte_and_after_an_error(digits: Path) -> None:
    before = open_descriptors()
    await read(digits, 0, 10)
    with pytest.raises(FileChanged):
        await read(digits, 0, 11)

    assert open_descriptors() == before


@needs_proc
@pytest.mark.parametrize("call", ["open", "fstat"])
async def test_a_read_that_is_cancelled_ends_and_its_file_is_closed(
    digits: Path, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = open_descriptors()
    inside, may_go_on = threading.Event(), threading.Event()
    original = getattr(os, call)

    def slow(*args: object) -> object:
        inside.set()
        may_go_on.wait(10)
        return original(*args)

    with monkeypatch.context() as patched:
        patched.setattr(os, call, slow)
        reading = asyncio.create_task(read(digits, 0, 10))
        assert await asyncio.to_thread(inside.wait, 10)
        reading.cancel()
        await asyncio.sleep(0)
        assert not reading.done()
        may_go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await reading

    assert open_descriptors() == before
