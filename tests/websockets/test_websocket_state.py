"""Which steps are legal in which state of a WebSocket."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.errors import UnsupportedByServer
from nexios.messages.transport import Pairs
from nexios.messages.websocket import WebSocketDisconnect
from nexios.messages.websocket_state import (
    Action,
    Effect,
    SocketState,
    WebSocketStateError,
    check_close,
    cut_reason,
    effect_of,
)
from tests.websockets.fake_transport import FakeTransport, make_websocket

STATES = {state.value: state for state in SocketState}
ERROR = "error"
TABLE = """
            accept      deny      receive     send        close
connecting  GO          GO        error       error       DENY
open        error       error     GO          GO          GO
denied      error       NOTHING   error       error       NOTHING
closed      error       error     DISCONNECT  DISCONNECT  NOTHING
left        DISCONNECT  NOTHING   DISCONNECT  DISCONNECT  NOTHING
"""


def cells() -> list[tuple[str, Action, str]]:
    actions, *rows = [line.split() for line in TABLE.strip().splitlines()]
    return [(row[0], action, effect) for row in rows for action, effect in zip(actions, row[1:], strict=True)]  # type: ignore[misc]


@pytest.mark.parametrize(("state", "action", "expected"), cells())
def test_every_step_in_every_state_is_decided(state: str, action: Action, expected: str) -> None:
    if expected == ERROR:
        with pytest.raises(WebSocketStateError, match=f"^{action}: this WebSocket "):
            effect_of(action, STATES[state])
    else:
        assert effect_of(action, STATES[state]) is Effect[expected]


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 4999])
def test_a_code_that_may_travel_is_taken(code: int) -> None:
    check_close(code, "")

    assert 1000 <= code < 5000


@pytest.mark.parametrize("code", [-1, 0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65536])
def test_a_code_that_may_not_travel_is_refused(code: int) -> None:
    """RFC 6455, 7.4: 1005, 1006 and 1015 are for our own books only."""
    with pytest.raises(ValueError, match="no code to close a WebSocket with"):
        check_close(code, "")


@pytest.mark.parametrize("reason", ["x" * 124, "\u00e9" * 62, "\ud800", "x" * 10_000_000])
async def test_a_reason_that_no_frame_holds_is_refused_and_nothing_happens(reason: str) -> None:
    transport = FakeTransport()
    websocket = make_websocket(transport)
    await websocket.accept()

    with pytest.raises(ValueError):
        await websocket.close(1000, reason)

    assert websocket.is_open
    assert transport.sent == [("accept", None, [])]


@given(st.text())
def test_a_cut_reason_always_fits(reason: str) -> None:
    cut = cut_reason(reason)

    check_close(1000, cut)
    assert reason.startswith(cut) or len(reason) > len(cut) or "\ufffd" in cut or "?" in cut


async def test_closing_twice_sends_one_close_frame_with_the_first_code() -> None:
    transport = FakeTransport()
    websocket = make_websocket(transport)
    await websocket.accept()

    await websocket.close(4001, "first")
    await websocket.close(4002, "second")

    assert transport.sent[1:] == [("close", 4001, "first")]
    assert (websocket.close_code, websocket.close_reason) == (4001, "first")


async def test_using_a_websocket_that_we_closed_is_a_disconnect_by_the_server() -> None:
    websocket = make_websocket(FakeTransport())
    await websocket.accept()
    await websocket.close(4001, "done")

    with pytest.raises(WebSocketDisconnect) as receiving:
        await websocket.receive()
    with pytest.raises(WebSocketDisconnect) as sending:
        await websocket.send_text("x")

    assert (receiving.value.code, receiving.value.initiator) == (4001, "server")
    assert (sending.value.code, sending.value.reason) == (4001, "done")


async def test_closing_when_the_client_has_gone_is_no_error() -> None:
    transport = FakeTransport()
    websocket = make_websocket(transport)
    await websocket.accept()
    transport.client_is_gone = True

    await websocket.close(4001)

    assert websocket.connection_state is SocketState.CLOSED


async def test_closing_before_accept_denies_with_403() -> None:
    transport = FakeTransport()
    websocket = make_websocket(transport)

    await websocket.close()
    await websocket.close()

    assert transport.sent == [("deny", 403)]
    assert websocket.connection_state is SocketState.DENIED


async def test_a_denial_carries_status_headers_and_body() -> None:
    transport = FakeTransport()
    websocket = make_websocket(transport)

    await websocket.deny(401, headers=[("WWW-Authenticate", "Bearer"), ("content-length", "99")], body=b"no")
    await websocket.deny(500)

    assert transport.sent == [("deny", 401)]
    assert transport.denied_with == ([("www-authenticate", "Bearer"), ("content-length", "2")], b"no")


@pytest.mark.parametrize("status", [0, 101, 200, 299, 600, 1008])
async def test_a_status_that_denies_nothing_is_refused(status: int) -> None:
    """Granian's process ends when it is given a close code for a status."""
    transport = FakeTransport()

    with pytest.raises(ValueError, match="300 to 599"):
        await make_websocket(transport).deny(status)

    assert transport.sent == []


async def test_a_client_that_left_during_the_handshake_is_a_disconnect() -> None:
    websocket = make_websocket(FakeTransport(client_is_gone=True))

    with pytest.raises(WebSocketDisconnect) as caught:
        await websocket.accept()
    with pytest.raises(WebSocketDisconnect):
        await websocket.accept()

    assert caught.value.code == 1006


async def test_denying_a_client_that_left_is_no_error() -> None:
    websocket = make_websocket(FakeTransport(client_is_gone=True))

    await websocket.deny()
    await websocket.deny()

    assert websocket.connection_state is SocketState.LEFT


async def test_what_the_server_cannot_accept_with_leaves_the_handshake_open() -> None:
    class Limited(FakeTransport):
        async def accept(self, *, subprotocol: str | None, headers: Pairs) -> None:
            if subprotocol:
                raise UnsupportedByServer("RSGI", "subprotocols", "Accept without one.")
            await super().accept(subprotocol=subprotocol, headers=headers)

    websocket = make_websocket(Limited(subprotocols=["a"]))

    with pytest.raises(UnsupportedByServer):
        await websocket.accept("a")
    await websocket.accept()

    assert websocket.is_open


async def test_accepting_twice_never_reaches_the_server() -> None:
    """Granian's process ends when it does."""
    transport = FakeTransport()
    websocket = make_websocket(transport)
    await websocket.accept()

    with pytest.raises(WebSocketStateError, match="accepted already"):
        await websocket.accept()

    assert transport.sent == [("accept", None, [])]
