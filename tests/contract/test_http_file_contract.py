"""Files: whole, in parts, conditionally, and none of it different from one server to the next."""

import hashlib
import os
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.contract.conftest import LARGE, Client, Connect, Site
from tests.contract.servers import eventually

DIGITS = "/files/digits.txt"


def test_a_file_is_sent_whole(client: Client) -> None:
    answer = client.get(DIGITS)

    assert (answer.status_code, answer.content) == (200, b"0123456789")
    assert answer.headers["content-length"] == "10"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["accept-ranges"] == "bytes"


def test_a_file_has_each_header_once(connect: Connect) -> None:
    answer = connect().ask(DIGITS)

    names = [name for name, _ in answer.fields]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("asked", "content", "content_range"),
    [
        ("bytes=0-0", b"0", "bytes 0-0/10"),
        ("bytes=0-4", b"01234", "bytes 0-4/10"),
        ("bytes=4-", b"456789", "bytes 4-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=9-100", b"9", "bytes 9-9/10"),
        ("bytes=0-9", b"0123456789", "bytes 0-9/10"),
    ],
)
def test_a_range_of_a_file_is_sent(connect: Connect, asked: str, content: bytes, content_range: str) -> None:
    connection = connect()
    answer = connection.ask(DIGITS, fields=[("range", asked)])

    assert (answer.status, connection.rest()) == (206, content)
    assert answer.one("content-range") == content_range.encode()
    assert answer.one("content-length") == str(len(content)).encode()


def test_several_ranges_come_as_one_multipart(client: Client) -> None:
    answer = client.get(DIGITS, headers={"range": "bytes=0-1,5-6"})

    assert answer.status_code == 206
    kind, _, boundary = answer.headers["content-type"].partition("; boundary=")
    assert kind == "multipart/byteranges"
    assert int(answer.headers["content-length"]) == len(answer.content)
    parts = answer.content.split(b"--" + boundary.encode())
    assert [part.partition(b"\r\n\r\n")[2] for part in parts[1:-1]] == [b"01\r\n", b"56\r\n"]
    assert b"content-range: bytes 5-6/10" in parts[2]


def test_a_range_after_the_end_is_a_416(client: Client) -> None:
    answer = client.get(DIGITS, headers={"range": "bytes=10-"})

    assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */10")


def test_head_of_a_file_has_its_length_and_no_content(connect: Connect) -> None:
    connection = connect()
    answer = connection.ask(DIGITS, "HEAD")

    assert (answer.status, answer.one("content-length")) == (200, b"10")
    assert connection.ask(DIGITS).status == 200
    assert connection.rest() == b"0123456789"


def test_a_file_that_the_client_has_is_a_304(connect: Connect) -> None:
    connection = connect()
    etag = connection.ask(DIGITS).one("etag")
    connection.rest()
    assert etag is not None

    answer = connection.ask(DIGITS, fields=[("if-none-match", etag)])
    assert (answer.status, answer.one("etag"), answer.one("content-type")) == (304, etag, None)
    assert connection.ask(DIGITS).status == 200


def test_a_file_that_has_not_changed_since_is_a_304(client: Client) -> None:
    modified = client.get(DIGITS).headers["last-modified"]

    assert client.get(DIGITS, headers={"if-modified-since": modified}).status_code == 304


def test_a_precondition_that_fails_is_a_412(client: Client) -> None:
    assert client.get(DIGITS, headers={"if-match": '"another"'}).status_code == 412


def test_if_range_with_another_etag_gets_the_whole_file(client: Client) -> None:
    answer = client.get(DIGITS, headers={"range": "bytes=0-1", "if-range": '"another"'})

    assert (answer.status_code, answer.content) == (200, b"0123456789")


def test_an_empty_file_is_sent(connect: Connect) -> None:
    connection = connect()
    answer = connection.ask("/files/empty.bin")

    assert (answer.status, answer.one("content-length"), connection.rest()) == (200, b"0", b"")


def test_a_missing_file_is_a_404(client: Client) -> None:
    assert client.get("/files/missing.txt").status_code == 404


def test_a_large_file_arrives_unchanged(client: Client) -> None:
    content = client.get("/files/large.bin").content

    assert len(content) == 8 * 1024 * 1024
    assert hashlib.sha256(content).digest() == hashlib.sha256(LARGE).digest()


def test_a_large_range_arrives_unchanged(client: Client) -> None:
    answer = client.get("/files/large.bin", headers={"range": "bytes=1000000-4999999"})

    assert answer.status_code == 206
    assert answer.content == LARGE[1_000_000:5_000_000]


HAS_PROC = pytest.mark.skipif(sys.platform != "linux", reason="looks for open files in /proc")


@HAS_PROC
@pytest.mark.parametrize("fields", [[], [("range", "bytes=1-")]], ids=["whole", "range"])
def test_a_file_is_closed_when_the_client_leaves(site: Site, connect: Connect, fields: list[tuple[str, str]]) -> None:
    with connect(receive_buffer=4096) as connection:
        connection.ask("/files/large.bin", fields=fields)
        assert connection.more()
        eventually(lambda: is_open(site, "large.bin"), "the opening of the file")

    eventually(lambda: not is_open(site, "large.bin"), "the end of reading")


@HAS_PROC
def test_a_file_of_which_ranges_are_sent_is_closed_when_the_client_leaves(site: Site, connect: Connect) -> None:
    with connect(receive_buffer=4096) as connection:
        connection.ask("/files/large.bin", fields=[("range", "bytes=0-3999999,4000001-")])
        assert connection.more()
        eventually(lambda: is_open(site, "large.bin"), "the opening of the file")

    eventually(lambda: not is_open(site, "large.bin"), "the end of reading")


def is_open(site: Site, name: str) -> bool:
    """Whether the server, or a process that it has started, has a file of the name open."""
    processes = {site.process.process.pid: Path("/proc", str(site.process.process.pid))}
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = int(path.joinpath("stat").read_text().rpartition(")")[2].split()[1])
            if parent in processes:
                processes[int(path.name)] = path
    return any(_target(link).endswith(f"/{name}") for path in processes.values() for link in path.glob("fd/*"))


def _target(link: Path) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""


def test_a_download_has_a_name_for_old_and_new_clients(client: Client) -> None:
    disposition = client.get("/download").headers["content-disposition"]

    assert disposition.startswith("attachment; filename=")
    assert "filename*=UTF-8''zahl%20%E2%82%AC.txt" in disposition
