"""A small application with a WebSocket and an event stream, at the root, below a mount, and with hostile texts."""

from collections.abc import AsyncIterator
from typing import Annotated

import msgspec

from nexios import NexiosApp, OpenAPI, Query, Request, Response
from nexios.messages.sse import Event
from nexios.websockets import Listeners, WebSocket

HOSTILE = "</title></script><script>ran = 1</script><img src='https://evil.example/x.png' onerror='ran = 1'>"


class Say(msgspec.Struct, tag="say"):
    """What a visitor says."""

    text: Annotated[str, msgspec.Meta(min_length=1, examples=["good morning"])]


class Said(msgspec.Struct, tag="said"):
    text: str
    room: int
    loud: bool


class Hostile(msgspec.Struct, tag=HOSTILE):
    text: Annotated[str, msgspec.Meta(description=HOSTILE, examples=[HOSTILE])] = HOSTILE


def make_app() -> NexiosApp:
    app = NexiosApp(title="Rooms", version="1.0")

    @app.websocket("/rooms/{room_id:int}", receives=Say, sends=Said)
    async def room(websocket: WebSocket, room_id: int, loud: bool = Query(False)) -> None:
        """Talk in a room."""
        await websocket.accept()
        while True:
            said = await websocket.receive_as(Say)
            if said.text == "bye":
                await websocket.close(4001, "see you")
                return
            await websocket.send_as(Said(said.text, room_id, loud))

    @app.get("/ticks", sends={"tick": int})
    async def ticks(request: Request, response: Response, start: int = 7) -> Response:
        """Count."""

        async def events() -> AsyncIterator[Event]:
            yield Event(start, event="tick", id="first")
            yield Event("plain text")

        return response.sse(events())

    return app


def make_hostile_app() -> NexiosApp:
    """Every text that people may write is HTML with a script."""
    app = NexiosApp(title=HOSTILE, openapi=OpenAPI(description=HOSTILE, path="/openapi.json"))
    listeners = Listeners(tag_field=HOSTILE)

    @listeners.on(HOSTILE)
    async def listen(websocket: WebSocket, message: dict[str, str]) -> None: ...

    async def socket(
        websocket: WebSocket, q: Annotated[str, Query(HOSTILE, description=HOSTILE, alias=HOSTILE)]
    ) -> None:
        await websocket.accept()
        await listeners.listen(websocket)

    socket.__doc__ = HOSTILE
    app.add_websocket("/socket", socket, receives=[listeners], sends=[Hostile], tags=[HOSTILE])
    return app


app = make_app()
app.mount("/inner", make_app())
app.mount("/hostile", make_hostile_app())
