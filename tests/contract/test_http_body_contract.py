"""Request bodies: read whole or in pieces, within limits, and never taken for whole when the client left."""

import hashlib
import json
from collections.abc import Iterator

import pytest

from tests.contract.conftest import Client, Connect, Site
from tests.contract.wire import Connection, Incomplete

MEBIBYTE = bytes(range(256)) * 4096


def summary(body: bytes) -> dict[str, object]:
    return {"size": len(body), "sha256": hashlib.sha256(body).hexdigest()}


@pytest.mark.parametrize(
    "body", [b"", b"small", b"\x00\xff\r\n\r\n", MEBIBYTE], ids=["empty", "small", "binary", "1 MiB"]
)
def test_a_body_arrives_whole(client: Client, body: bytes) -> None:
    assert client.post("/body/whole", content=body).json() == summary(body)


def test_a_body_without_a_length_arrives_whole(client: Client) -> None:
    def chunks() -> Iterator[bytes]:
        for start in range(0, len(MEBIBYTE), 100_000):
            yield MEBIBYTE[start : start + 100_000]

    assert client.post("/body/whole", content=chunks()).json() == summary(MEBIBYTE)


def test_a_chunked_body_that_is_empty_is_an_empty_body(connect: Connect) -> None:
    connection = connect()
    connection.start("/body/whole", "POST", [("transfer-encoding", "chunked")])
    connection.send_chunk(b"")

    assert connection.answer().status == 200
    assert json.loads(connection.rest()) == summary(b"")


def test_trailers_are_no_part_of_a_body(connect: Connect) -> None:
    """RFC 9112 section 7.1.2."""
    connection = connect()
    connection.start("/body/whole", "POST", [("transfer-encoding", "chunked"), ("trailer", "x-sum")])
    connection.send_chunk(b"body")
    connection.send(b"0\r\nx-sum: 1\r\n\r\n")

    assert connection.answer().status == 200
    assert json.loads(connection.rest()) == summary(b"body")


def test_a_request_without_a_body_has_an_empty_one(connect: Connect) -> None:
    connection = connect()

    assert connection.ask("/body/whole", "POST").status == 200
    assert json.loads(connection.rest()) == summary(b"")


@pytest.mark.parametrize("size", [1000, 1001])
def test_a_body_may_be_as_long_as_the_limit(client: Client, size: int) -> None:
    assert client.post("/body/small", content=b"x" * size).status_code == (200 if size == 1000 else 413)


def test_a_body_that_is_announced_too_long_is_refused_before_it_comes(connect: Connect) -> None:
    connection = connect()
    connection.start("/body/small", "POST", [("content-length", "1001")])

    assert connection.answer().status == 413
    assert json.loads(connection.rest())["status"] == 413


def test_a_body_that_gets_too_long_is_refused_while_it_comes(connect: Connect) -> None:
    connection = connect()
    connection.start("/body/small", "POST", [("transfer-encoding", "chunked")])
    for _ in range(3):
        connection.send_chunk(b"x" * 500)

    assert connection.answer().status == 413
    assert json.loads(connection.rest())["status"] == 413


@pytest.mark.parametrize("path", ["/body/small", "/body/unread"])
@pytest.mark.parametrize("size", [100_000, 20 * len(MEBIBYTE)])
def test_a_client_that_listens_only_when_all_is_sent_hears_an_early_answer(
    connect: Connect, path: str, size: int
) -> None:
    """RFC 9112 section 9.6: a connection that is closed while bytes arrive loses the answer."""
    connection = connect()
    connection.start(path, "POST", [("content-length", str(size))])
    connection.send(b"x" * size)

    assert connection.answer().status == (413 if path == "/body/small" else 200)
    assert connection.rest()


def test_a_client_that_listens_while_it_sends_hears_an_early_answer_at_once(connect: Connect) -> None:
    connection = connect()
    connection.start("/body/small", "POST", [("content-length", str(len(MEBIBYTE)))])
    connection.send(b"x")

    assert connection.answer().status == 413
    connection.send(b"x" * (len(MEBIBYTE) - 1))
    assert json.loads(connection.rest())["status"] == 413


def test_a_stream_that_ends_before_the_body_that_nobody_reads_is_heard(site: Site, connect: Connect, key: str) -> None:
    connection = connect()
    connection.start(f"/body/streamed-answer/{key}", "POST", [("content-length", str(20 * len(MEBIBYTE)))])
    site.signal(key)
    connection.send(20 * MEBIBYTE)
    connection.answer()

    assert connection.rest() == b"firstsecond"


def test_a_body_is_read_while_the_client_sends_it(site: Site, connect: Connect, key: str) -> None:
    connection = connect()
    connection.start(f"/body/steps/{key}", "POST", [("transfer-encoding", "chunked")])
    for note in ("one", "two", "three"):
        connection.send_chunk(note.encode())
        site.wait_for_note(key, note)
    connection.send_chunk(b"")

    assert connection.answer().status == 200
    assert connection.rest() == b"whole"
    assert site.notes(key) == ["one", "two", "three"]


@pytest.mark.parametrize("fields", [("transfer-encoding", "chunked"), ("content-length", "100")], ids=lambda f: f[0])
def test_a_client_that_leaves_during_its_body_is_an_error_in_the_handler(
    site: Site, connect: Connect, key: str, fields: tuple[str, str]
) -> None:
    """A body that broke off must not be taken for a whole one."""
    with connect() as connection:
        connection.start(f"/body/steps/{key}", "POST", [fields])
        if fields[0] == "content-length":
            connection.send(b"half")
        else:
            connection.send_chunk(b"half")
        site.wait_for_note(key, "half")

    assert site.wait_for_note(key, "ClientDisconnect") == ["half", "ClientDisconnect"]


def test_a_body_that_stops_coming_is_a_408(connect: Connect) -> None:
    connection = connect()
    connection.start("/body/hasty", "POST", [("content-length", "100")])
    connection.send(b"half")

    assert connection.answer().status == 408
    assert json.loads(connection.rest())["status"] == 408


def test_asking_for_a_disconnect_takes_nothing_away_from_the_body(site: Site, connect: Connect, key: str) -> None:
    connection = connect()
    connection.start(f"/body/asking/{key}", "POST", [("transfer-encoding", "chunked")])
    for count, part in enumerate((b"one,", b"two,", b"six,"), start=1):
        connection.send_chunk(part)
        site.wait_for_note(key, str(4 * count))
    connection.send_chunk(b"")

    assert connection.answer().status == 200
    assert json.loads(connection.rest()) == {"body": "one,two,six,", "gone": False}


@pytest.mark.parametrize("size", [0, 5, len(MEBIBYTE)])
def test_a_handler_that_is_cancelled_on_disconnect_reads_the_whole_body(client: Client, size: int) -> None:
    body = MEBIBYTE[:size]

    assert client.post("/body/cancellable", content=body).json() == summary(body)


def test_a_cancellable_handler_reads_a_body_that_comes_in_pieces(connect: Connect) -> None:
    connection = connect()
    connection.start("/body/cancellable", "POST", [("transfer-encoding", "chunked")])
    for start in range(0, len(MEBIBYTE), 4096):
        connection.send_chunk(MEBIBYTE[start : start + 4096])
    connection.send_chunk(b"")

    assert connection.answer().status == 200
    assert json.loads(connection.rest()) == summary(MEBIBYTE)


def test_a_response_can_be_streamed_while_the_body_comes(connect: Connect) -> None:
    connection = connect()
    connection.start("/body/echo", "POST", [("transfer-encoding", "chunked")])
    connection.send_chunk(b"one")
    assert connection.answer().status == 200
    assert connection.more() == b"one"
    connection.send_chunk(b"two")
    assert connection.more() == b"two"
    connection.send_chunk(b"")

    assert connection.rest() == b"onetwo"


def test_a_body_that_nobody_reads_does_not_end_a_streamed_answer(site: Site, connect: Connect, key: str) -> None:
    connection = connect()
    connection.start(f"/body/streamed-answer/{key}", "POST", [("content-length", str(len(MEBIBYTE)))])
    connection.send(MEBIBYTE)
    connection.answer()
    assert connection.more() == b"first"
    site.signal(key)

    assert connection.rest() == b"firstsecond"


def test_a_client_that_leaves_in_the_midst_of_a_body_that_nobody_reads_ends_the_stream(
    site: Site, connect: Connect, key: str
) -> None:
    with connect() as connection:
        connection.start(f"/body/streamed-answer/{key}", "POST", [("content-length", str(8 * len(MEBIBYTE)))])
        connection.send(MEBIBYTE)
        connection.answer()
        assert connection.more() == b"first"
        connection.send(MEBIBYTE)
        connection.send(MEBIBYTE)

    assert site.wait_for_note(key, "closed") == ["closed"]


SMUGGLED = b"GET /boom HTTP/1.1\r\nhost: contract.test\r\n\r\n"


def test_a_body_that_nobody_read_is_not_taken_for_a_request(connect: Connect) -> None:
    """RFC 9112 section 9.3: it is read and thrown away, or the connection is closed."""
    connection = connect()
    assert connection.ask("/body/unread", "POST", body=SMUGGLED).status == 200
    assert connection.rest() == b"not read"

    assert next_status(connection) in (200, None)


def test_what_is_left_of_a_body_after_a_413_is_not_taken_for_a_request(connect: Connect) -> None:
    connection = connect()
    assert connection.ask("/body/small", "POST", body=SMUGGLED * 30).status == 413
    connection.rest()

    assert next_status(connection) in (200, None)


def next_status(connection: Connection) -> int | None:
    """The status of one more request on the connection; None when the server closes it."""
    try:
        return connection.ask("/text").status
    except (Incomplete, ConnectionError):
        return None
