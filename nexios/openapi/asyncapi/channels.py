"""How does each WebSocket, each event stream and each channel appear? Its address, bindings, messages and operations.

A route is a channel of AsyncAPI. `receive` is what its handler receives, `send` what it sends, and where a bad message
is answered that is the reply to what is received. A direction of which nothing is declared has no operation.

Channels of the application have no address of their own: their messages come by the routes that declare them.

Source: AsyncAPI 3.0.0; its bindings of WebSockets 0.1.0 and HTTP 0.3.0.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from nexios._pipeline.operation import Operation, WebSocketOperation
from nexios.openapi.asyncapi.declared import Declared, received_by, sent_by
from nexios.openapi.asyncapi.drafts import to_draft_7
from nexios.openapi.asyncapi.messages import Messages, Wire
from nexios.openapi.asyncapi.names import free_name, unique_names, word
from nexios.openapi.asyncapi.streams import events_of
from nexios.openapi.config import OpenAPI
from nexios.openapi.model import ParameterObject, Schema
from nexios.openapi.parameters import parameters_of_operation
from nexios.openapi.paths import address_of
from nexios.openapi.schemas import Mode, Schemas
from nexios.openapi.texts import texts_of
from nexios.places import name_of
from nexios.routing.registry import ConverterRegistry
from nexios.routing.route import Documentation

__all__ = ["Channels", "Entry", "entries_of"]

logger: logging.Logger = logging.getLogger("nexios")

_WS_BINDING: Final = "0.1.0"
_HTTP_BINDING: Final = "0.3.0"


class Entry(msgspec.Struct, frozen=True, eq=False):
    """One route of the document: `received` and `sent` are None where nothing is declared."""

    operation: Operation | WebSocketOperation
    wire: Wire
    received: list[Declared] | None
    sent: list[Declared] | None


class _Source(msgspec.Struct, frozen=True):
    """A channel of the application: its messages by name, the addresses by which they come, and what their routes take.

    Shape:  `parameters` tells of each whether it is in the path.
    """

    messages: dict[str, Declared]
    addresses: dict[str, None]
    parameters: dict[str, bool]


def entries_of(
    operations: Iterable[Operation], websockets: Iterable[WebSocketOperation], config: OpenAPI
) -> list[Entry]:
    """Return the WebSockets and then the event streams that belong to the document, in order."""
    chosen = [one for one in websockets if _belongs(one, config)]
    found = [Entry(one, "websocket", received_by(one.route), sent_by(one.route)) for one in chosen]
    for operation in operations:
        events = events_of(operation) if _belongs(operation, config) else None
        if events is not None:
            found.append(Entry(operation, "stream", None, events))
    return found


def _belongs(operation: Operation | WebSocketOperation, config: OpenAPI) -> bool:
    return operation.route.include_in_schema and (config.include is None or config.include(operation))


class Channels:
    """The channels and operations of one document, as plain data. One is made for each reading of the routes."""

    def __init__(self, schemas: Schemas, converters: ConverterRegistry, servers: Mapping[Wire, Sequence[str]]) -> None:
        """`servers` are the names of those where each kind of channel is."""
        self.channels: dict[str, dict[str, Any]] = {}
        self.operations: dict[str, dict[str, Any]] = {}
        self.messages: Messages = Messages(schemas)
        self._schemas = schemas
        self._converters = converters
        self._servers = servers
        self._sources: dict[str, _Source] = {}

    def add_all(self, entries: Sequence[Entry], security: Sequence[list[dict[str, Any]]]) -> None:
        """Describe routes; `security` is what each of them asks for."""
        names = unique_names([_names(entry.operation) for entry in entries])
        for entry, name, asked in zip(entries, names, security, strict=True):
            self._add(entry, name, asked)
        for channel, source in self._sources.items():
            self._add_source(channel, source)

    def warn_of_strangers(self) -> None:
        """Say which names of channels have a parameter that no route has, beside one of a path that is not used."""
        for channel, source in self._sources.items():
            asked = {part.partition("}")[0] for part in channel.split("{")[1:]}
            unknown = sorted(asked - source.parameters.keys())
            unused = sorted(name for name, in_path in source.parameters.items() if in_path and name not in asked)
            if unknown and unused:
                logger.warning(
                    "ChannelMessages(%r): no route that sends it (%s) has the parameter %s; is %s meant?",
                    channel,
                    ", ".join(source.addresses),
                    ", ".join(f"{{{name}}}" for name in unknown),
                    " or ".join(f"{{{name}}}" for name in unused),
                )

    def _add(self, entry: Entry, name: str, security: list[dict[str, Any]]) -> None:
        operation, wire = entry.operation, entry.wire
        parameters = parameters_of_operation(operation, self._schemas, self._converters, {})
        words, tags = _words_of(operation), [{"name": tag} for tag in dict.fromkeys(operation.route.tags)]
        received = self._messages(entry.received, "input", name, wire)
        sent = [*self._messages(entry.sent, "output", name, wire), *self._notices(entry, name)]
        error = self._error(entry, name)
        self.channels[name] = {
            "address": address_of(operation.route.template),
            **words,
            **_given(
                messages=_references("#/components/messages/", [*received, *sent, *error]),
                parameters={one.name: _parameter(one) for one in parameters if one.in_ == "path"},
                tags=tags,
            ),
            "servers": [{"$ref": f"#/servers/{server}"} for server in self._servers[wire]],
            "bindings": _ws_binding(parameters) if wire == "websocket" else {"http": {}},
        }
        channel = {"$ref": f"#/channels/{name}"}
        common = {"channel": channel, **words, **_given(security=security, tags=tags)}
        if entry.received is not None:
            reply = {"channel": channel, "messages": _list_of(name, error)} if error else None
            self._operation("receive", name, common, messages=_list_of(name, received), reply=reply)
        if entry.sent is not None:
            bindings = _http_binding(operation, parameters) if isinstance(operation, Operation) else None
            self._operation("send", name, common, messages=_list_of(name, sent), bindings=bindings)
            self._note_sources(entry.sent, address_of(operation.route.template), parameters)

    def _operation(self, action: str, name: str, common: Mapping[str, Any], *, messages: Any, **more: Any) -> None:
        given = {key: value for key, value in more.items() if value is not None}
        self.operations[f"{action}_{name}"] = {"action": action, **common, "messages": messages, **given}

    def _messages(self, declared: list[Declared] | None, mode: Mode, channel: str, wire: Wire) -> list[str]:
        names = [self.messages.put(one, mode, channel=channel, wire=wire) for one in declared or ()]
        return list(dict.fromkeys(names))

    def _error(self, entry: Entry, name: str) -> list[str]:
        """Only what is read as JSON can be a bad message."""
        operation = entry.operation
        answers = isinstance(operation, WebSocketOperation) and operation.answers_bad_messages
        typed = any(declared.kind not in (str, bytes) for declared in entry.received or ())
        return [self.messages.put_error(name)] if answers and typed else []

    def _notices(self, entry: Entry, name: str) -> list[str]:
        """What nexios says itself in the envelopes of a WebSocket, once for each kind of channel."""
        if entry.wire != "websocket":
            return []
        found = [one.channel for one in entry.sent or () if one.channel is not None and one.channel.envelope]
        sources = {source.channel: source for source in found}.values()
        return [notice for source in sources for notice in self.messages.put_notices(source, name)]

    def _note_sources(self, sent: Iterable[Declared], address: str, parameters: Sequence[ParameterObject]) -> None:
        """Remember what comes from which channel, and by which routes."""
        for declared in sent:
            if declared.channel is not None:
                source = self._sources.setdefault(declared.channel.channel, _Source({}, {}, {}))
                source.messages[declared.name] = msgspec.structs.replace(declared, channel=None)
                source.addresses[address] = None
                source.parameters.update({one.name: one.in_ == "path" for one in parameters})

    def _add_source(self, channel: str, source: _Source) -> None:
        name = free_name(word(channel, "channel"), self.channels)
        declared, addresses = list(source.messages.values()), ", ".join(source.addresses)
        sent = self._messages(declared, "output", name, "stream")
        self.channels[name] = {
            "address": None,
            "title": channel,
            "description": f"A channel of the application. Its messages come by {addresses}.",
            "messages": _references("#/components/messages/", sent),
        }
        self._operation("send", name, {"channel": {"$ref": f"#/channels/{name}"}}, messages=_list_of(name, sent))


def _words_of(operation: Operation | WebSocketOperation) -> dict[str, Any]:
    summary, description = texts_of(operation.route.handler)
    given = operation.route.documentation if isinstance(operation, Operation) else Documentation()
    return _given(summary=given.summary or summary, description=given.description or description)


def _names(operation: Operation | WebSocketOperation) -> list[str]:
    """Names for a channel, from short to long: the function, the routers too, the path too."""
    route = operation.route
    function = word(name_of(route.handler).replace("<lambda>", ""), "channel")
    return [function, word(route.name.replace(":", "_"), function), word(f"{function} {address_of(route.template)}")]


def _references(prefix: str, names: Iterable[str]) -> dict[str, Any]:
    return {name: {"$ref": f"{prefix}{name}"} for name in names}


def _list_of(channel: str, names: Iterable[str]) -> list[dict[str, str]]:
    return [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in names]


def _parameter(parameter: ParameterObject) -> dict[str, Any]:
    """AsyncAPI has texts here; the schema is an extension."""
    schema = parameter.schema
    words = _given(
        description=parameter.description or schema.get("description"),
        enum=[str(one) for one in schema.get("enum", ())],
        examples=[str(one) for one in schema.get("examples", ())],
    )
    words["x-schema"] = to_draft_7({key: value for key, value in schema.items() if key != "examples"})
    return {**words, "x-spans-segments": True} if parameter.allow_reserved else words


def _ws_binding(parameters: Sequence[ParameterObject]) -> dict[str, Any]:
    """Cookies are one header, whatever is in them."""
    headers = _object_of(parameters, "header") or {"type": "object", "properties": {}}
    cookies = [one.name for one in parameters if one.in_ == "cookie"]
    if cookies:
        headers["properties"]["cookie"] = {"type": "string", "description": f"Cookies: {', '.join(cookies)}"}
    binding = {"method": "GET", "query": _object_of(parameters, "query")}
    binding["headers"] = headers if headers["properties"] else None
    return {"ws": {**_given(**binding), "bindingVersion": _WS_BINDING}}


def _http_binding(operation: Operation, parameters: Sequence[ParameterObject]) -> dict[str, Any]:
    query = _object_of(parameters, "query")
    method = operation.route.methods[0]
    return {"http": {**_given(method=method, query=query), "bindingVersion": _HTTP_BINDING}}


def _object_of(parameters: Sequence[ParameterObject], source: str) -> Schema | None:
    """Return the schema of an object with a property for each; a dict that takes all stands for any others."""
    found = [one for one in parameters if one.in_ == source]
    properties: dict[str, Any] = {}
    more: Schema = {}
    for one in found:
        if one.style == "form" and one.schema.get("type") == "object":
            more = {"additionalProperties": one.schema.get("additionalProperties", {})}
        else:
            words = _given(description=one.description, deprecated=one.deprecated)
            properties[one.name] = {**one.schema, **words}
    required = [one.name for one in found if one.required]
    if not properties and not more:
        return None
    whole: Schema = to_draft_7({"type": "object", "properties": properties, **_given(required=required), **more})
    return whole


def _given(**words: Any) -> dict[str, Any]:
    """Return what says something."""
    return {name: value for name, value in words.items() if value}
