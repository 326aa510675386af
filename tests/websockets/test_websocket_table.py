"""What each operation does in each state of a WebSocket: every cell, by the WebSocket itself over a transport."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from nexios.messages.websocket import WebSocket, WebSocketDisconnect
from nexios.messages.websocket_state import WebSocketStateError
from tests.websockets.fake_transport import GONE, FakeTransport, make_websocket

TABLE = """
             accept      deny     receive     iterate     send        close
connecting   done        denies   error       error       error       denies
open         error       error    done        done        done        done
receiving    error       error    error       error       done        done
closing      error       error    disconnect  stops       disconnect  waits
denied       error       nothing  error       error       error       nothing
closed       error       error    disconnect  stops       disconnect  nothing
left         disconnect  nothing  disconnect  stops       disconnect  nothing
broken       disconnect  nothing  disconnect  stops       disconnect  nothing
"""
"""`closing` is while another task closes, `receiving` while one reads; `left` with a close frame, `broken` without."""


class _Stopped(Exception):
    """A `StopAsyncIteration`, which no future can hold."""


OPERATIONS: dict[str, Callable[[WebSocket], Awaitable[Any]]] = {
    "accept": WebSocket.accept,
    "deny": WebSocket.deny,
    "receive": WebSocket.receive,
    "iterate": WebSocket.__anext__,
    "send": lambda websocket: websocket.send_text("x"),
    "close": lambda websocket: websocket.close(4001, "why"),
}


def cells() -> list[tuple[str, str, str]]:
    operations, *rows = [line.split() for line in TABLE.strip().splitlines()]
    return [(row[0], name, outcome) for row in rows for name, outcome in zip(operations, row[1:], strict=True)]


async def websocket_in(state: str, tasks: list["asyncio.Task[Any]"]) -> tuple[WebSocket, FakeTransport]:
    messages: dict[str, list[object]] = {"left": [(1000, "bye")], "broken": [GONE], "receiving": []}
    transport = FakeTransport(incoming=messages.get(state, ["a message"]))
    websocket = make_websocket(transport)
    if state == "denied":
        await websocket.deny()
    elif state != "connecting":
        await websocket.accept()
    if state in ("left", "broken"):
        with pytest.raises(WebSocketDisconnect):
            await websocket.receive()
    elif state == "closed":
        await websocket.close(4000)
    elif state in ("closing", "receiving"):
        transport.may_close.clear()
        tasks.append(asyncio.ensure_future(websocket.close(4000) if state == "closing" else websocket.receive()))
        await asyncio.sleep(0)
        if state == "receiving":
            transport.may_close.set()
    transport.sent.clear()
    return websocket, transport


async def outcome_of(operation: "asyncio.Future[Any]", transport: FakeTransport) -> str:
    await asyncio.wait({operation}, timeout=0.02)
    if not operation.done():
        operation.cancel()
        return "waits"
    error = operation.exception()
    if isinstance(error, WebSocketStateError):
        return "error"
    if isinstance(error, WebSocketDisconnect):
        return "disconnect"
    if isinstance(error, _Stopped):
        return "stops"
    assert error is None
    if transport.sent[:1] == [("deny", 403)]:
        return "denies"
    return "done" if transport.sent or operation.result() is not None else "nothing"


@pytest.mark.parametrize(("state", "operation", "expected"), cells())
async def test_every_operation_in_every_state_does_what_the_table_says(
    state: str, operation: str, expected: str
) -> None:
    tasks: list[asyncio.Task[Any]] = []
    websocket, transport = await websocket_in(state, tasks)

    found = await outcome_of(asyncio.ensure_future(_run(OPERATIONS[operation], websocket)), transport)

    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert found == expected


async def _run(operation: Callable[[WebSocket], Awaitable[Any]], websocket: WebSocket) -> Any:
    try:
        return await operation(websocket)
    except StopAsyncIteration:
        raise _Stopped from None


def test_the_table_has_a_cell_for_each_pair() -> None:
    assert len(cells()) == len(set(cells())) == 48
