"""Connections: kept alive, of an old version, asking before they send."""

import json

import pytest

from tests.contract.conftest import Connect


def test_two_requests_share_a_connection(connect: Connect) -> None:
    connection = connect()
    for _ in range(2):
        assert connection.ask("/text").status == 200
        assert connection.rest() == "Hello, wörld!".encode()


@pytest.mark.parametrize("target", ["/boom", "/there/is/nothing", "/files/missing.txt", "/empty", "/files/digits.txt"])
def test_a_connection_outlives_every_kind_of_answer(connect: Connect, target: str) -> None:
    connection = connect()
    connection.ask(target)
    connection.rest()

    assert connection.ask("/text").status == 200


def test_a_connection_outlives_a_stream(connect: Connect) -> None:
    connection = connect()
    assert connection.ask("/body/echo", "POST", body=b"said").status == 200
    assert connection.rest() == b"said"

    assert connection.ask("/text").status == 200


def test_pipelined_requests_are_answered_in_order(connect: Connect) -> None:
    connection = connect()
    connection.start("/items/one")
    connection.start("/items/two")

    for name in ("one", "two"):
        assert connection.answer().status == 200
        assert json.loads(connection.rest())["name"] == name


def test_a_client_can_ask_that_the_connection_is_closed(connect: Connect) -> None:
    connection = connect()
    assert connection.ask("/text", fields=[("connection", "close")]).status == 200
    connection.rest()

    assert connection.is_over()


def test_a_client_of_http_1_0_is_answered_and_the_connection_closed(connect: Connect) -> None:
    connection = connect()
    answer = connection.ask("/about/", version="1.0")

    assert (answer.status, answer.one("transfer-encoding")) == (200, None)
    assert json.loads(connection.rest())["http_version"] == "1.0"
    assert connection.is_over()


def test_a_stream_to_a_client_of_http_1_0_is_not_chunked(connect: Connect) -> None:
    """RFC 9112 section 6.1: Transfer-Encoding is not sent to a client of HTTP/1.0."""
    connection = connect()
    answer = connection.ask("/body/echo", "POST", body=b"said", version="1.0")

    assert answer.one("transfer-encoding") is None
    assert connection.rest() == b"said"


def test_a_client_that_waits_for_100_is_told_to_go_on(connect: Connect) -> None:
    connection = connect()
    connection.start("/body/whole", "POST", [("content-length", "4"), ("expect", "100-continue")])
    assert connection.answer().status == 100
    connection.send(b"body")

    assert connection.answer().status == 200
    assert json.loads(connection.rest())["size"] == 4


def test_a_client_that_waits_for_100_is_refused_at_once(connect: Connect) -> None:
    connection = connect()
    connection.start("/body/small", "POST", [("content-length", "5000"), ("expect", "100-continue")])

    assert connection.answer().status == 413
