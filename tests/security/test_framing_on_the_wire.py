"""Section P of the published faults, byte by byte, over every server that nexios runs on.

The parsers are the servers': nexios has none. What one of them lets through stands in `LENIENT`, with the reason.
"""

import re
import socket
from collections.abc import Iterator, Mapping

import pytest

from tests.contract.servers import SERVERS, Running, Server, running
from tests.security.kit import MIB

pytestmark = pytest.mark.slow

APP = "tests.security.framing_app:app"
CHUNKED = b"Transfer-Encoding: chunked"
LAST = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

H11 = ("uvicorn-h11", "hypercorn")
HYPER = ("granian-asgi", "granian-rsgi")
LENIENT: Mapping[str, tuple[tuple[str, ...], str]] = {
    "a length and chunks": (H11, "h11 takes the chunks and goes on, as RFC 9112 section 6.1 lets a server"),
    "chunks and a length": (H11, "h11 takes the chunks and goes on, as RFC 9112 section 6.1 lets a server"),
    "a folded line": (H11, "h11 joins folded lines, as RFC 9112 section 5.2 lets a server"),
    "lines that end with a line feed": ((*H11, *HYPER), "RFC 9112 section 2.2 lets a recipient take a line feed alone"),
    "a carriage return in the extension of a chunk": (H11, "h11 takes it for a part of the extension"),
    "another version": (H11, "h11 reads HTTP/9.9 as a version that it may answer with its own"),
    "two spaces in the first line": (("uvicorn-httptools",), "llhttp takes several spaces"),
    "a size of 65 bits": (H11, "h11 waits for as many bytes as were announced"),
}


def post(*lines: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join([b"POST /first HTTP/1.1", b"Host: a", *lines, b"", b""]) + body


def chunks(body: bytes) -> bytes:
    return post(CHUNKED, body=body)


def replaced(old: bytes, new: bytes) -> bytes:
    return post(b"Content-Length: 0").replace(old, new, 1)


END = b"0\r\n\r\n"
AMBIGUOUS: dict[str, bytes] = {
    "two lengths": post(b"Content-Length: 0", b"Content-Length: 51"),
    "a list of lengths": post(b"Content-Length: 0, 51"),
    "a length with a plus": post(b"Content-Length: +0"),
    "a length under zero": post(b"Content-Length: -1"),
    "a length with an underscore": post(b"Content-Length: 0_0"),
    "a hexadecimal length": post(b"Content-Length: 0x0"),
    "an empty length": post(b"Content-Length: "),
    "a length with a space before its colon": post(b"Content-Length : 0"),
    "a length and chunks": post(b"Content-Length: 56", CHUNKED, body=END),
    "chunks and a length": post(CHUNKED, b"Content-Length: 56", body=END),
    "chunks that are not the last coding": post(CHUNKED + b", identity", body=END),
    "an unknown coding": post(b"Transfer-Encoding: xchunked", b"Content-Length: 5", body=END),
    "a coding after a vertical tab": post(b"Transfer-Encoding: \x0bchunked", b"Content-Length: 5", body=END),
    "two codings": post(CHUNKED, b"Transfer-Encoding: identity", body=END),
    "a coding with a space before its colon": post(b"Transfer-Encoding : chunked", b"Content-Length: 5", body=END),
    "chunks over HTTP/1.0": chunks(END).replace(b"1.1", b"1.0", 1),
    "a folded line": post(b"X: a", b" Transfer-Encoding: chunked", b"Content-Length: 5", body=END),
    "a first line that is folded": b"POST /first HTTP/1.1\r\n Host: a\r\nContent-Length: 0\r\n\r\n",
    "lines that end with a line feed": b"POST /first HTTP/1.1\nHost: a\nContent-Length: 0\n\n",
    "a carriage return in a value": post(b"X: a\rContent-Length: 9", b"Content-Length: 0"),
    "a NUL in a value": post(b"X: a\0b", b"Content-Length: 0"),
    "a NUL in a name": post(b"X\0: a", b"Content-Length: 0"),
    "a space in a name": post(b"X y: a", b"Content-Length: 0"),
    "a line without a colon": post(b"Xy", b"Content-Length: 0"),
    "a size with 0x": chunks(b"0x5\r\nhello\r\n" + END),
    "a size with a plus": chunks(b"+5\r\nhello\r\n" + END),
    "a size under zero": chunks(b"-5\r\nhello\r\n" + END),
    "a size with an underscore": chunks(b"0_5\r\nhello\r\n" + END),
    "a size after a space": chunks(b" 5\r\nhello\r\n" + END),
    "no size": chunks(b"\r\nhello\r\n" + END),
    "a size of 65 bits": chunks(b"10000000000000005\r\nhello\r\n" + END),
    "a size that ends with a line feed": chunks(b"5\nhello\r\n" + END),
    "a line feed in the extension of a chunk": chunks(b"5;a\nb\r\nhello\r\n" + END),
    "a carriage return in the extension of a chunk": chunks(b"5;a\rb\r\nhello\r\n" + END),
    "chunks that end with line feeds": chunks(b"5\r\nhello\r\n0\n\n"),
    "another version": replaced(b"HTTP/1.1", b"HTTP/9.9"),
    "a version that goes on": replaced(b"HTTP/1.1", b"HTTP/1.1x"),
    "two spaces in the first line": replaced(b"POST /", b"POST  /"),
    "a tab in the first line": replaced(b"POST /", b"POST\t/"),
    "a space in the target": replaced(b"/first", b"/first /x"),
}
"""Requests that two programs in a row may read in two ways."""

LEGAL = {"a length and chunks", "chunks and a length", "chunks over HTTP/1.0"}
"""Those that a server may answer, if it makes nothing of what follows (RFC 9112 sections 6.1 and 6.3)."""

LOOSE_ENDS: dict[str, bytes] = {
    "other bytes after a chunk": chunks(b"5\r\nhelloXX" + END),
    "a chunk that is longer than it says": chunks(b"5\r\nhello!\r\n" + END),
    "a chunk that is shorter than it says": chunks(b"6\r\nhello\r\n" + END),
}


@pytest.fixture(scope="module", params=SERVERS, ids=lambda server: server.name)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    server: Server = request.param
    if not server.installed:
        pytest.skip(f"{server.package} is not installed")
    with running(server, APP, tmp_path_factory.mktemp("framing"), {}) as here:
        yield here
        assert here.process.poll() is None, here.log


def answers_to(site: Running, data: bytes) -> list[int]:
    """Send bytes, read until the connection has ended, and return the statuses of all answers."""
    received = b""
    with socket.create_connection(site.address, timeout=20) as connection:
        try:
            for start in range(0, len(data), 65536):
                connection.sendall(data[start : start + 65536])
        except ConnectionError:
            pass  # the server has heard enough
        try:
            while more := connection.recv(65536):
                received += more
        except ConnectionError:
            pass  # it did not take the rest, so the end of the connection is a reset
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3})[ \r]", received)]


def was_smuggled(site: Running, marker: str, request: bytes) -> tuple[list[int], bool]:
    """Send a request and one more behind it; return the answers, and whether the app saw the second one."""
    behind = f"GET /{marker} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    statuses = answers_to(site, request + behind + LAST)
    with socket.create_connection(site.address, timeout=20) as connection:
        connection.sendall(LAST.replace(b"/last", b"/seen"))
        seen = b""
        while more := connection.recv(65536):
            seen += more
    return statuses, f'"{marker}"'.encode() in seen


def test_p2_two_requests_in_a_row_are_two(site: Running) -> None:
    """So that the tests below see something."""
    for number, request in enumerate((post(b"Content-Length: 5", body=b"hello"), chunks(b"5\r\nhello\r\n" + END))):
        assert was_smuggled(site, f"plain-{number}", request) == ([200, 200, 200], True)


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_p2_a_request_that_can_be_read_in_two_ways_makes_no_second_one(site: Running, name: str) -> None:
    """CVE-2024-1135, CVE-2023-47627, CVE-2019-16785, CVE-2025-22871 and the others of this row."""
    lenient, reason = LENIENT.get(name, ((), ""))
    if site.server.name in lenient:
        pytest.skip(reason)

    statuses, smuggled = was_smuggled(site, f"ambiguous-{list(AMBIGUOUS).index(name)}", AMBIGUOUS[name])

    assert not smuggled
    assert len(statuses) <= 1
    assert name in ("a length and chunks", "chunks and a length", "chunks over HTTP/1.0") or set(statuses) <= {
        400,
        501,
        505,
    }


@pytest.mark.parametrize("name", LOOSE_ENDS)
def test_p1_a_chunk_ends_where_it_says_or_the_connection_does(site: Running, name: str) -> None:
    """CVE-2025-43859: h11 took any two bytes for the end of a chunk."""
    statuses, smuggled = was_smuggled(site, f"loose-{list(LOOSE_ENDS).index(name)}", LOOSE_ENDS[name])

    assert (statuses, smuggled) == ([400], False)


ENDLESS: dict[str, bytes] = {
    "a header": b"GET /a HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 8 * MIB,
    "a first line": b"GET /" + b"a" * 8 * MIB,
    "an extension of a chunk": chunks(b"5;" + b"a" * 8 * MIB),
    "a trailer": chunks(b"5\r\nhello\r\n0\r\nX: " + b"a" * 8 * MIB),
    "trailers": chunks(b"5\r\nhello\r\n0\r\n" + b"X: a\r\n" * MIB),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_p3_what_never_ends_is_given_up(site: Running, name: str) -> None:
    """CVE-2026-54277, CVE-2026-22815, CVE-2026-54273."""
    if site.server.name == "uvicorn-httptools":
        pytest.skip("httptools reads on, and Uvicorn has limits for h11 alone: a proxy has to have them")

    statuses = answers_to(site, ENDLESS[name])

    assert set(statuses) <= {400, 413, 414, 431}
    assert answers_to(site, LAST) == [200]


def test_p3_thousands_of_requests_at_once_are_answered_one_after_the_other(site: Running) -> None:
    """Hypercorn ends a connection after a thousand of them."""
    statuses = answers_to(site, b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n" * 2000 + LAST)

    assert len(statuses) >= 1000
    assert set(statuses) == {200}
    assert answers_to(site, LAST) == [200]
