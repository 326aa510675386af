"""What the AsyncAPI document says: channels, operations, messages, servers and what clients must show."""

from typing import Annotated, Any

import msgspec
import pytest

from nexios import Cookie, Header, NexiosApp, OpenAPI, Path, Query, Request, Response, Router
from nexios.errors import ConfigurationError
from nexios.openapi import ChannelMessages, SecurityScheme, Server, build_asyncapi
from nexios.openapi.asyncapi.names import unique_names
from nexios.openapi.asyncapi.servers import Site, servers_of
from nexios.websockets import Listeners, WebSocket, WebSocketConsumer, on


class Said(msgspec.Struct, tag="said"):
    text: str


class Typing(msgspec.Struct, tag="typing"):
    user: str


class Point(msgspec.Struct):
    x: int
    y: int = 0


class Everybody:
    """A guard that says what it wants."""

    def openapi_security(self) -> tuple[str, SecurityScheme, list[str]]:
        return "key", SecurityScheme(type="apiKey", name="x-key", in_="header"), []


async def socket(websocket: WebSocket) -> None:
    """Talk.

    About anything.
    """


async def stream(request: Request, response: Response) -> Response:
    raise NotImplementedError


def app_with(handler: Any = socket, path: str = "/talk", **options: Any) -> NexiosApp:
    app = NexiosApp()
    app.add_websocket(path, handler, **options)
    return app


def message_of(document: dict[str, Any], name: str) -> Any:
    return document["components"]["messages"][name]


def names_of(document: dict[str, Any], operation: str) -> list[str]:
    """The messages of an operation."""
    return [one["$ref"].rpartition("/")[2] for one in document["operations"][operation]["messages"]]


def test_a_websocket_is_a_channel_with_the_words_of_its_handler() -> None:
    document = app_with(path="/talk/{room:int}", tags=["live"]).asyncapi()

    channel = document["channels"]["socket"]
    assert channel["address"] == "/talk/{room}"
    assert (channel["summary"], channel["description"]) == ("Talk.", "About anything.")
    assert channel["tags"] == [{"name": "live"}]
    assert channel["parameters"] == {"room": {"x-schema": {"type": "integer"}}}
    assert channel["bindings"] == {"ws": {"method": "GET", "bindingVersion": "0.1.0"}}
    assert channel["servers"] == [{"$ref": "#/servers/ws"}]


def test_a_handler_that_declares_nothing_has_no_operations() -> None:
    document = app_with().asyncapi()

    assert list(document["channels"]) == ["socket"]
    assert document["operations"] == {}


def test_what_is_received_and_sent_are_two_operations() -> None:
    document = app_with(receives=Said | Typing, sends=[Said, Point]).asyncapi()

    assert list(document["operations"]) == ["receive_socket", "send_socket"]
    assert document["operations"]["receive_socket"]["action"] == "receive"
    assert document["operations"]["send_socket"]["channel"] == {"$ref": "#/channels/socket"}
    assert names_of(document, "receive_socket") == ["said", "typing"]
    assert names_of(document, "send_socket") == ["said", "Point"]
    assert list(document["channels"]["socket"]["messages"]) == ["said", "typing", "Point", "error"]


def test_a_tagged_struct_is_called_by_its_tag_and_is_one_schema() -> None:
    document = app_with(receives=Said, sends=Said).asyncapi()

    assert message_of(document, "said") == {
        "name": "said",
        "contentType": "application/json",
        "payload": {"$ref": "#/components/schemas/Said"},
        "examples": [{"payload": {"type": "said", "text": "text"}}],
    }
    assert sorted(document["components"]["schemas"]) == ["BadMessage", "MessageError", "Said"]


def test_a_bad_message_is_answered_which_is_the_reply() -> None:
    document = app_with(receives=Said).asyncapi()

    reply = document["operations"]["receive_socket"]["reply"]
    assert reply["messages"] == [{"$ref": "#/channels/socket/messages/error"}]
    assert message_of(document, "error")["payload"] == {"$ref": "#/components/schemas/BadMessage"}


def test_there_is_no_reply_where_bad_messages_are_raised() -> None:
    app = NexiosApp(bad_messages="raise")
    app.add_websocket("/talk", socket, receives=Said)

    assert "reply" not in app.asyncapi()["operations"]["receive_socket"]


@pytest.mark.parametrize(("kind", "name", "content_type"), [(str, "text", "text/plain"), (bytes, "binary", None)])
def test_text_and_bytes_are_no_json(kind: type, name: str, content_type: str | None) -> None:
    document = app_with(receives=kind).asyncapi()

    assert message_of(document, name)["contentType"] == (content_type or "application/octet-stream")
    assert "reply" not in document["operations"]["receive_socket"]


def test_listeners_are_a_message_for_each_tag() -> None:
    chat = Listeners(tag_field="kind")

    @chat.on("chat.move")
    async def move(websocket: WebSocket, message: Point) -> None: ...

    @chat.on("chat.any")
    async def anything(websocket: WebSocket, message: Any) -> None: ...

    document = app_with(receives=chat).asyncapi()

    tag: dict[str, Any] = {"type": "object", "properties": {"kind": {"const": "chat.move"}}, "required": ["kind"]}
    assert names_of(document, "receive_socket") == ["chat.move", "chat.any"]
    assert message_of(document, "chat.move")["title"] == "Point"
    assert message_of(document, "chat.move")["payload"] == {"allOf": [tag, {"$ref": "#/components/schemas/Point"}]}
    assert message_of(document, "chat.move")["examples"] == [{"payload": {"kind": "chat.move", "x": 1, "y": 0}}]
    assert message_of(document, "chat.any")["payload"]["properties"] == {"kind": {"const": "chat.any"}}


def test_a_consumer_says_itself_what_it_receives() -> None:
    class Chat(WebSocketConsumer):
        """A chat."""

        @on("said")
        async def said(self, websocket: WebSocket, message: Said) -> None: ...

        @on("move")
        async def move(self, websocket: WebSocket, message: Point) -> None: ...

    class Rates(WebSocketConsumer):
        message = Point

    class Anything(WebSocketConsumer): ...

    app = NexiosApp()
    for handler in (Chat, Rates, Anything):
        app.add_websocket(f"/{handler.__name__}", handler)
    document = app.asyncapi()

    assert document["channels"]["Chat"]["summary"] == "A chat."
    assert sorted(names_of(document, "receive_Chat")) == ["move", "said"]
    assert names_of(document, "receive_Rates") == ["Point"]
    assert message_of(document, "message")["payload"] == {}


def test_inputs_of_the_handshake_are_in_the_binding() -> None:
    class Filters(msgspec.Struct):
        since: int = 0
        users: list[str] = []

    async def handler(
        websocket: WebSocket,
        filters: Annotated[Filters, Query()],
        token: Annotated[str, Header(description="Who it is", alias="x-token")],
        theme: Annotated[str, Cookie()] = "light",
    ) -> None: ...

    binding = app_with(handler).asyncapi()["channels"]["handler"]["bindings"]["ws"]

    assert binding["query"] == {
        "type": "object",
        "properties": {
            "since": {"type": "integer", "default": 0},
            "users": {"type": "array", "items": {"type": "string"}, "default": []},
        },
    }
    assert binding["headers"] == {
        "type": "object",
        "properties": {
            "x-token": {"type": "string", "description": "Who it is"},
            "cookie": {"type": "string", "description": "Cookies: theme"},
        },
        "required": ["x-token"],
    }


def test_a_query_of_any_names_stays_open() -> None:
    async def handler(websocket: WebSocket, others: Annotated[dict[str, int], Query()]) -> None: ...

    query = app_with(handler).asyncapi()["channels"]["handler"]["bindings"]["ws"]["query"]

    assert query == {"type": "object", "properties": {}, "additionalProperties": {"type": "integer"}}


def test_a_path_parameter_says_what_it_may_be() -> None:
    async def handler(
        websocket: WebSocket, level: Annotated[int, Path(ge=1, description="How")], rest: str
    ) -> None: ...

    parameters = app_with(handler, "/{level:int}/{rest:path}").asyncapi()["channels"]["handler"]["parameters"]

    assert parameters == {
        "level": {"description": "How", "x-schema": {"type": "integer", "minimum": 1}},
        "rest": {"x-schema": {"type": "string"}, "x-spans-segments": True},
    }


def test_an_event_stream_is_a_channel_that_sends() -> None:
    app = NexiosApp()

    @app.get("/feed", sends={"said": Said, "moved": Point})
    async def feed(request: Request, response: Response, since: int = 0) -> Response:
        """What happens."""
        raise NotImplementedError

    document = app.asyncapi()

    assert document["channels"]["feed"]["bindings"] == {"http": {}}
    assert document["servers"] == {"http": {"host": "localhost", "protocol": "http"}}
    assert list(document["operations"]) == ["send_feed"]
    assert names_of(document, "send_feed") == ["said", "moved"]
    binding = document["operations"]["send_feed"]["bindings"]["http"]
    assert (binding["method"], list(binding["query"]["properties"])) == ("GET", ["since"])
    assert list(app.openapi()["paths"]["/feed"]["get"]["responses"]["200"]["content"]) == ["text/event-stream"]
    assert {"Said", "Point"} <= app.openapi()["components"]["schemas"].keys()


@pytest.mark.parametrize(
    "response",
    [
        {"content": {"text/event-stream": Said}},
        {"content": {"text/event-stream": {"item_schema": Said}}},
        {"media_type": "text/event-stream", "model": Said},
    ],
)
def test_a_response_that_is_an_event_stream_is_one_here_too(response: dict[str, Any]) -> None:
    app = NexiosApp()
    app.add_route("/feed", stream, responses={200: response})

    assert names_of(app.asyncapi(), "send_stream") == ["said"]


def test_a_response_that_is_none_is_not_listed() -> None:
    app = NexiosApp()
    app.add_route("/plain", stream, responses={200: {"content": {"application/json": Said}}, 404: None})

    assert app.asyncapi()["channels"] == {}


def test_the_messages_of_a_channel_come_by_the_routes_that_declare_them() -> None:
    room = ChannelMessages("room:{room_id}", {"said": Said, "": Point}, envelope=True)
    app = app_with(sends=room)
    app.add_route("/feed", stream, sends=room)

    document = app.asyncapi()

    channel = document["channels"]["room_room_id"]
    assert (channel["address"], channel["title"]) == (None, "room:{room_id}")
    assert channel["description"].endswith("come by /talk, /feed.")
    assert names_of(document, "send_room_room_id") == ["stream.said", "stream.Point"]
    wrapped = message_of(document, "said")["payload"]
    assert wrapped["required"] == ["channel", "event", "data"]
    assert wrapped["properties"]["event"] == {"const": "said"}
    assert wrapped["properties"]["data"] == {"$ref": "#/components/schemas/Said"}
    assert message_of(document, "stream.said")["payload"] == {"$ref": "#/components/schemas/Said"}


def test_routes_may_each_declare_a_part_of_a_channel() -> None:
    app = app_with(sends=ChannelMessages("room", {"said": Said}))
    app.add_route("/feed", stream, sends=ChannelMessages("room", {"typing": Typing}))

    document = app.asyncapi()

    assert names_of(document, "send_room") == ["said", "typing"]
    assert document["channels"]["room"]["description"].endswith("come by /talk, /feed.")


def test_in_envelopes_nexios_says_who_is_here_and_that_messages_are_gone() -> None:
    app = app_with(sends=ChannelMessages("room:{room_id}", {"said": Said}, envelope=True))
    app.add_websocket("/plain", socket, sends=ChannelMessages("plain", {"typing": Typing}), name="plain")

    document = app.asyncapi()

    assert names_of(document, "send_socket") == ["said", "presence", "gap"]
    assert names_of(document, "send_plain") == ["typing"]
    presence, gap = (message_of(document, name)["payload"] for name in ("presence", "gap"))
    assert presence["properties"]["data"] == {"$ref": "#/components/schemas/PresenceDiff"}
    assert presence["required"] == ["channel", "event", "data"]
    assert gap["required"] == ["channel", "event"]
    assert gap["properties"]["event"] == {"const": "gap"}
    assert list(document["components"]["schemas"]["PresenceDiff"]["properties"]) == ["joins", "leaves", "updates"]
    assert document["components"]["schemas"]["PresenceEntry"]["required"] == ["id"]


def test_a_channel_with_a_parameter_that_no_route_has_is_told(caplog: pytest.LogCaptureFixture) -> None:
    app = app_with(path="/rooms/{room_id}", sends=ChannelMessages("room:{nope}", {"said": Said}))

    app.asyncapi()

    told = [record.getMessage() for record in caplog.records if record.name == "nexios"]
    assert told == [
        "ChannelMessages('room:{nope}'): no route that sends it (/rooms/{room_id}) has the parameter {nope}; "
        "is {room_id} meant?"
    ]


@pytest.mark.parametrize(("path", "channel"), [("/rooms/{room_id}", "room:{room_id}"), ("/mine", "user:{user}")])
def test_a_channel_whose_parameters_are_explained_is_not_told(
    caplog: pytest.LogCaptureFixture, path: str, channel: str
) -> None:
    app_with(path=path, sends=ChannelMessages(channel, {"said": Said})).asyncapi()

    assert [record for record in caplog.records if record.name == "nexios"] == []


def test_bytes_are_base64_in_an_envelope() -> None:
    document = app_with(sends=ChannelMessages("files", {"": bytes}, envelope=True)).asyncapi()

    payload = message_of(document, "binary")["payload"]
    assert payload["required"] == ["channel", "base64"]
    assert payload["properties"]["channel"] == {"const": "files"}


def test_names_that_are_shared_get_longer() -> None:
    app = NexiosApp()
    for name in ("admin", "public"):
        router = Router(prefix=f"/{name}", name=name)
        router.add_websocket("/talk", socket)
        app.include_router(router)

    assert list(app.asyncapi()["channels"]) == ["admin_socket", "public_socket"]


def test_names_that_nothing_tells_apart_get_numbers() -> None:
    assert unique_names([["a", "a_b"], ["a", "a_b"], ["a_b"]]) == ["a_b_2", "a_b_3", "a_b"]
    assert unique_names([]) == []


def test_a_message_of_one_name_and_another_form_gets_the_name_of_its_channel() -> None:
    class Other(msgspec.Struct, tag="said"):
        number: int

    app = app_with(receives=Said)
    app.add_websocket("/other", socket, receives=Other, name="other")
    document = app.asyncapi()

    assert sorted(document["components"]["messages"]) == ["error", "other.said", "said"]
    assert document["components"]["messages"]["said"]["payload"] == {"$ref": "#/components/schemas/Said"}


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("https://api.example.com", {"host": "api.example.com", "protocol": "wss"}),
        ("http://api.example.com:81/v1/", {"host": "api.example.com:81", "protocol": "ws", "pathname": "/v1"}),
        ("/v1", {"host": "here", "protocol": "wss", "pathname": "/v1"}),
        ("./v1", {"host": "here", "protocol": "wss", "pathname": "/v1"}),
        ("//other/v1", {"host": "other", "protocol": "wss", "pathname": "/v1"}),
        ("/", {"host": "here", "protocol": "wss"}),
    ],
)
def test_the_servers_of_the_settings_speak_websocket(url: str, server: dict[str, str]) -> None:
    site = Site(host="here", is_secure=True, root_path="/unused")

    assert servers_of([Server(url=url)], ["websocket"], site) == {"server1-ws": server}


def test_without_servers_in_the_settings_it_is_the_one_that_was_asked() -> None:
    found = servers_of([], ["websocket", "stream"], Site(host="here:8000", root_path="/a b"))

    assert found == {
        "ws": {"host": "here:8000", "protocol": "ws", "pathname": "/a%20b"},
        "http": {"host": "here:8000", "protocol": "http", "pathname": "/a%20b"},
    }


def test_what_the_settings_ask_for_is_asked_of_every_operation() -> None:
    key = SecurityScheme(type="apiKey", name="x-key", in_="header")
    app = NexiosApp(openapi=OpenAPI(security_schemes={"key": key}, security=[{"key": []}]))
    app.add_websocket("/talk", socket, receives=Said)
    app.add_route("/feed", stream, sends=Said, security=[])
    document = app.asyncapi()

    assert document["operations"]["receive_socket"]["security"] == [{"$ref": "#/components/securitySchemes/key"}]
    assert "security" not in document["operations"]["send_stream"]
    assert document["components"]["securitySchemes"]["key"] == {"type": "httpApiKey", "name": "x-key", "in": "header"}


def test_scopes_stand_with_the_scheme() -> None:
    oauth = SecurityScheme(type="openIdConnect", open_id_connect_url="https://example.com/openid")
    app = NexiosApp(openapi=OpenAPI(security_schemes={"id": oauth}, security=[{"id": ["read"]}, {"unknown": []}]))
    app.add_websocket("/talk", socket, receives=Said)

    assert app.asyncapi()["operations"]["receive_socket"]["security"] == [
        {"type": "openIdConnect", "openIdConnectUrl": "https://example.com/openid", "scopes": ["read"]}
    ]


def test_guards_that_describe_themselves_are_asked_for() -> None:
    engine = app_with(receives=Said).compile()
    [operation] = engine.websockets.operations
    guarded = msgspec.structs.replace(operation, security=(Everybody(), Everybody()))

    document = build_asyncapi([], [guarded], OpenAPI())

    assert document["operations"]["receive_socket"]["security"] == [{"$ref": "#/components/securitySchemes/key"}]
    assert document["components"]["securitySchemes"]["key"]["type"] == "httpApiKey"


@pytest.mark.parametrize("given", ["Said", [Said, 7], {"said": "Said"}, [Said, print]])
@pytest.mark.parametrize("option", ["sends", "receives"])
def test_what_is_no_type_is_refused_when_the_app_compiles(option: str, given: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        app_with(**{option: given}).compile()

    assert str(caught.value).startswith(f"{option}= of /talk cannot be described: ")
    assert "test_asyncapi_document.py" in str(caught.value)
    assert f"{option}=Said | Typing" in str(caught.value)


def test_an_app_without_documents_does_not_look_at_what_is_declared() -> None:
    app = NexiosApp(openapi=None)
    app.add_websocket("/talk", socket, sends="Said")

    app.compile()

    with pytest.raises(ConfigurationError, match="no AsyncAPI document at None; there is: none at all"):
        app.asyncapi()
