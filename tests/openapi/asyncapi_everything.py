"""An application with everything that the AsyncAPI document describes; as a program it prints the document."""

import sys
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import msgspec
import pydantic

from nexios import Cookie, Depend, Header, NexiosApp, Path, Query, Request, Response, Router
from nexios.messages.sse import Event
from nexios.openapi import (
    ChannelMessages,
    Contact,
    ExternalDocs,
    License,
    OAuthFlow,
    OAuthFlows,
    OpenAPI,
    SecurityScheme,
    Server,
    ServerVariable,
    Tag,
    document_bytes,
)
from nexios.websockets import Listeners, WebSocket, WebSocketConsumer, on

__all__ = ["SETTINGS", "make_app"]


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Said(msgspec.Struct, tag="said"):
    """Somebody said something."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    at: datetime | None = None


class Typing(msgspec.Struct, tag="typing"):
    user: str


class Drawn(msgspec.Struct):
    points: list[tuple[int, int]]
    colour: Colour = Colour.RED
    inner: "Drawn | None" = None


@dataclass
class Renamed:
    name: str
    labels: dict[str, int]


class Rated(pydantic.BaseModel):
    stars: Annotated[int, pydantic.Field(ge=1, le=5)]
    note: str | None = None


class Filters(msgspec.Struct):
    since: int = 0
    users: list[str] = []


chat = Listeners()


@chat.on("chat.said")
async def chat_said(websocket: WebSocket, message: Rated) -> None: ...


@chat.on("chat.draw")
async def chat_draw(websocket: WebSocket, message: Drawn) -> None: ...


@chat.on("chat.anything")
async def chat_anything(websocket: WebSocket, message: Any) -> None: ...


class Board(WebSocketConsumer):
    """A board to draw on.

    Everybody sees it.
    """

    tag_field = "kind"

    @on("board.draw")
    async def draw(self, websocket: WebSocket, message: Drawn) -> None: ...

    @on("board.rename")
    async def rename(self, websocket: WebSocket, message: Renamed) -> None: ...


class Lines(WebSocketConsumer):
    encoding = "text"


class Ratings(WebSocketConsumer):
    message = Rated


ROOMS = ChannelMessages("room:{room_id}", {"said": Said, "typing": Typing, "": Drawn}, envelope=True)


def user_of(websocket: WebSocket, session: Annotated[str, Cookie()], x_device: Annotated[UUID, Header()]) -> str:
    return session


async def room(
    websocket: WebSocket,
    room_id: Annotated[int, Path(ge=1, description="Which room")],
    filters: Annotated[Filters, Query()],
    user: Annotated[str, Depend(user_of)],
) -> None:
    """Talk in a room.

    With everybody who is there.
    """


async def anything(websocket: WebSocket, rest: str) -> None: ...


async def binary(websocket: WebSocket, **others: Any) -> None: ...


async def feed(request: Request, response: Response, last: Annotated[int, Query(ge=0)] = 0) -> Response:
    """Follow what is said."""
    raise NotImplementedError


async def declared_in_openapi(request: Request, response: Response) -> Response:
    raise NotImplementedError


SETTINGS: dict[str, Any] = {
    "title": "Everything",
    "version": "1.0",
    "summary": "All of it",
    "terms_of_service": "https://example.com/terms",
    "contact": Contact(name="Ann", url="https://example.com", email="ann@example.com"),
    "license": License(name="MIT", identifier="MIT"),
    "servers": [
        Server(
            url="https://{where}.example.com/v1",
            name="main",
            description="The one",
            variables={"where": ServerVariable(default="eu", enum=["eu", "us"], description="Where")},
        ),
        Server(url="/beta"),
    ],
    "tags": [Tag(name="live", summary="Live", description="Things", parent="all", kind="nav"), Tag(name="all")],
    "external_docs": ExternalDocs(url="https://example.com/guide", description="Guide"),
    "security_schemes": {
        "token": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT"),
        "basic": SecurityScheme(type="http", scheme="basic"),
        "key": SecurityScheme(type="apiKey", name="x-key", in_="header"),
        "certificate": SecurityScheme(type="mutualTLS"),
        "openid": SecurityScheme(type="openIdConnect", open_id_connect_url="https://example.com/openid"),
        "oauth": SecurityScheme(
            type="oauth2",
            flows=OAuthFlows(
                client_credentials=OAuthFlow(scopes={"read": "Read"}, token_url="https://example.com/token")
            ),
        ),
    },
    "security": [{"token": []}, {"oauth": ["read"]}],
}


def make_app(**settings: Any) -> NexiosApp:
    """Return the application; the settings are those of its document."""
    app = NexiosApp(openapi=OpenAPI(**(SETTINGS | settings)))
    live = Router(prefix="/live", name="live", tags=["live"])
    live.add_websocket("/rooms/{room_id:int}", room, receives=[chat, Said | Typing], sends=[ROOMS, Typing])
    live.add_websocket("/anything/{rest:path}", anything)
    live.add_websocket("/binary", binary, receives=bytes, sends=[str, bytes, list[Drawn]])
    live.websocket("/board")(Board)
    live.websocket("/lines")(Lines)
    live.websocket("/ratings", sends={"rated": Rated})(Ratings)
    live.websocket("/hidden", include_in_schema=False)(Lines)
    live.get("/feed", sends={"said": Said, "typing": Typing}, security=[])(feed)
    live.get("/rooms/{room_id:int}/feed", sends=ROOMS)(feed)
    live.get("/declared", responses={200: {"content": {"text/event-stream": {"item_schema": Said | Typing}}}})(
        declared_in_openapi
    )
    live.get("/events", responses={200: {"media_type": "text/event-stream", "model": Event}})(declared_in_openapi)
    live.get("/json", name="no_stream")(declared_in_openapi)
    app.include_router(live)
    return app


if __name__ == "__main__":
    sys.stdout.buffer.write(document_bytes(make_app().asyncapi()))
