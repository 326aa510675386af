"""Streams and lives: chunks as they are made, an end that is never faked, and what happens when the client leaves."""

import pytest

from tests.contract.conftest import Connect, Site
from tests.contract.wire import Incomplete


def test_a_chunk_arrives_before_the_next_one_is_made(site: Site, connect: Connect, key: str) -> None:
    connection = connect()
    answer = connection.ask(f"/stream/steps/{key}")
    assert (answer.status, answer.one("content-length")) == (200, None)
    assert connection.more() == b"first"
    site.signal(key)

    assert connection.rest() == b"firstsecond"


def test_an_error_during_a_stream_leaves_the_answer_incomplete(site: Site, connect: Connect, key: str) -> None:
    """RFC 9112 section 8: a client must be able to see that something is missing."""
    connection = connect()
    assert connection.ask(f"/stream/broken/{key}").status == 200
    assert connection.more() == b"first"
    site.signal(key)

    with pytest.raises(Incomplete) as caught:
        connection.rest()

    assert caught.value.received == b"first"


def test_a_stream_that_waits_is_closed_when_the_client_leaves(site: Site, connect: Connect, key: str) -> None:
    with connect() as connection:
        connection.ask(f"/stream/waiting/{key}")
        assert connection.more() == b"first"
        assert site.notes(key) == []

    assert site.wait_for_note(key, "closed") == ["closed"]


def test_a_client_that_leaves_is_not_worth_a_line_in_the_log(site: Site, connect: Connect, key: str) -> None:
    with connect() as connection:
        connection.ask(f"/stream/waiting/{key}")
        connection.more()
    site.wait_for_note(key, "closed")

    assert key not in site.process.log
    assert "ClientDisconnect" not in site.process.log


@pytest.mark.parametrize("kind", ["endless", "threaded"])
def test_a_stream_that_is_busy_is_closed_when_the_client_leaves(
    site: Site, connect: Connect, key: str, kind: str
) -> None:
    with connect() as connection:
        connection.ask(f"/stream/{kind}/{key}")
        assert connection.more()

    assert site.wait_for_note(key, "closed") == ["closed"]


def test_a_stream_does_not_run_ahead_of_a_client_that_does_not_read(site: Site, connect: Connect, key: str) -> None:
    """256 MiB do not fit between the two ends, so the stream ends by its `send_timeout`."""
    connection = connect(receive_buffer=4096)
    connection.ask(f"/stream/hasty/{key}")

    assert site.wait_for_note(key, "closed") == ["closed"]
    with pytest.raises(Incomplete):
        connection.rest()


def test_a_client_that_takes_no_more_of_a_long_answer_is_given_up(site: Site, connect: Connect, key: str) -> None:
    """64 MiB that are there at once do not fit between the two ends either, and must not be held for ever."""
    connection = connect(receive_buffer=4096)
    connection.ask(f"/stream/long/{key}")

    assert site.wait_for_note(key, "over") == ["over"]
    with pytest.raises(Incomplete):
        connection.rest()


def test_a_long_answer_arrives_whole_and_the_connection_goes_on(connect: Connect) -> None:
    connection = connect()
    answer = connection.ask("/long")
    body = connection.rest()

    assert (answer.status, answer.one("content-length"), answer.one("transfer-encoding")) == (200, b"1000000", None)
    assert body == b"x" * 1_000_000
    assert connection.ask("/text").status == 200


def test_a_handler_finishes_after_the_client_has_left(site: Site, connect: Connect, key: str) -> None:
    with connect() as connection:
        connection.start(f"/life/finish/{key}")
        site.wait_for_note(key, "begun")
    site.signal(key)

    assert site.wait_for_note(key, "finished") == ["begun", "finished"]


def test_a_handler_can_ask_to_be_cancelled_when_the_client_leaves(site: Site, connect: Connect, key: str) -> None:
    with connect() as connection:
        connection.start(f"/life/cancel/{key}")
        site.wait_for_note(key, "begun")

    assert site.wait_for_note(key, "cancelled") == ["begun", "cancelled"]


def test_a_cancellable_handler_answers_a_client_that_stays(site: Site, connect: Connect, key: str) -> None:
    connection = connect()
    connection.start(f"/life/cancel/{key}")
    site.wait_for_note(key, "begun")
    site.signal(key)

    assert connection.answer().status == 200
    assert connection.rest() == b"done"


def test_a_handler_can_see_that_the_client_has_left(site: Site, connect: Connect, key: str) -> None:
    with connect() as connection:
        connection.start(f"/life/watch/{key}")
        site.wait_for_note(key, "disconnected: False")

    assert site.wait_for_note(key, "disconnected: True") == ["disconnected: False", "disconnected: True"]
