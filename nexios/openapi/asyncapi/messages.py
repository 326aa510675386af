"""What does each message look like? The components of messages, each once, with its schema.

A message of one name that is another thing elsewhere has the name of its channel too.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from nexios.openapi.asyncapi.declared import ChannelMessages, Declared
from nexios.openapi.asyncapi.names import free_name, word
from nexios.openapi.model import Schema
from nexios.openapi.references import REFERENCE
from nexios.openapi.schemas import Mode, Schemas
from nexios.serialization import encode_json

__all__ = ["OWN_SCHEMAS", "Messages", "Wire"]

Wire = Literal["websocket", "stream"]
"""How a message travels: in a WebSocket, or as an event of an event stream."""

OWN_SCHEMAS: Final[Mapping[str, Schema]] = {
    "BadMessage": {
        "title": "BadMessage",
        "description": "What is answered to a message that does not fit; the conversation goes on.",
        "type": "object",
        "properties": {
            "type": {"const": "error"},
            "code": {"type": "string", "description": "A word that stays the same, for programs to tell faults apart."},
            "detail": {"type": "string", "description": "What is wrong."},
            "errors": {"type": "array", "items": {"$ref": f"{REFERENCE}MessageError"}},
        },
        "required": ["type", "code", "detail", "errors"],
        "examples": [{"type": "error", "code": "invalid_message", "detail": "The message is not valid.", "errors": []}],
    },
    "MessageError": {
        "title": "MessageError",
        "description": "One thing that is wrong, and where it is.",
        "type": "object",
        "properties": {
            "pointer": {"type": "string", "description": 'A JSON Pointer (RFC 6901); "" is the whole.'},
            "code": {"type": "string"},
            "detail": {"type": "string"},
        },
        "required": ["pointer", "code", "detail"],
    },
    "PresenceDiff": {
        "title": "PresenceDiff",
        "description": "Who came, who left, and whose metadata changed. The first one has in `joins` all who are here.",
        "type": "object",
        "properties": {
            name: {"type": "array", "items": {"$ref": f"{REFERENCE}PresenceEntry"}}
            for name in ("joins", "leaves", "updates")
        },
        "required": ["joins", "leaves", "updates"],
    },
    "PresenceEntry": {
        "title": "PresenceEntry",
        "description": "One member; two tabs of a user are two members.",
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "user": {"type": "string", "description": "Left out where none was named."},
            "metadata": {"type": "object", "description": "What the member tells of itself; left out where it is {}."},
        },
        "required": ["id"],
    },
}
"""The schemas of nexios itself, by the names that they have unless a model has them."""

_ANYTHING: Final = (Any, object)
_JSON: Final = "application/json"


class _Payload(msgspec.Struct, frozen=True):
    """What is in a message, and in which media type."""

    schema: Schema
    content_type: str = _JSON


class Messages:
    """The messages of one document. One is made for each reading of the routes."""

    def __init__(self, schemas: Schemas) -> None:
        self.components: dict[str, dict[str, Any]] = {}
        self._schemas = schemas
        self._names: dict[bytes, str] = {}

    def put(self, declared: Declared, mode: Mode, *, channel: str, wire: Wire) -> str:
        """Add a message, and return the name of its component."""
        payload = self._payload(declared, mode, wire)
        message: dict[str, Any] = {"name": declared.name}
        title = getattr(declared.kind, "__name__", "")
        if title and title.lower() != declared.name.lower() and declared.kind not in (str, bytes, *_ANYTHING):
            message["title"] = title
        message.update({"contentType": payload.content_type, "payload": payload.schema})
        return self._named(message, channel)

    def put_error(self, channel: str) -> str:
        """Add the answer to a bad message, and return the name of its component."""
        payload = self._schemas.own("BadMessage")
        return self._named({"name": "error", "title": "BadMessage", "contentType": _JSON, "payload": payload}, channel)

    def put_notices(self, source: ChannelMessages, channel: str) -> list[str]:
        """Add what nexios itself says in an envelope, and return the names: who is here, and that messages are gone."""
        presence = _in_envelope(_Payload(self._schemas.own("PresenceDiff")), Declared("", None, "", "presence", source))
        gap = _in_envelope(None, Declared("", None, "", "gap", source))
        notices = {"presence": ("PresenceDiff", presence), "gap": ("Messages are missing", gap)}
        return [
            self._named({"name": name, "title": title, "contentType": _JSON, "payload": payload}, channel)
            for name, (title, payload) in notices.items()
        ]

    def _named(self, message: dict[str, Any], channel: str) -> str:
        """The same message is one component, wherever it is."""
        content = encode_json(message)
        known = self._names.get(content)
        if known is not None:
            return known
        name = word(str(message["name"]), "message")
        name = name if name not in self.components else free_name(f"{channel}.{name}", self.components)
        self.components[name] = message
        self._names[content] = name
        return name

    def _payload(self, declared: Declared, mode: Mode, wire: Wire) -> _Payload:
        payload = self._plain(declared, mode)
        if declared.channel is not None and declared.channel.envelope and wire == "websocket":
            return _Payload(_in_envelope(payload, declared))
        if declared.tag_field:
            return _Payload(self._tagged(payload.schema, declared.tag_field, declared.name))
        return payload

    def _plain(self, declared: Declared, mode: Mode) -> _Payload:
        kind = declared.kind
        if kind is str:
            return _Payload({"type": "string"}, "text/plain")
        if kind is bytes:
            return _Payload({"type": "string", "format": "binary"}, "application/octet-stream")
        if any(kind is one for one in _ANYTHING):
            return _Payload({})
        return _Payload(self._schemas.of(kind, mode))

    def _tagged(self, schema: Schema, tag_field: str, tag: str) -> Schema:
        """A type that does not have the tag of its message says nothing of it."""
        fields = self._schemas.fields(schema)
        if fields is not None and tag_field in fields["properties"]:
            return schema
        tagged: Schema = {"type": "object", "properties": {tag_field: {"const": tag}}, "required": [tag_field]}
        return {"allOf": [tagged, schema]} if schema else tagged


def _in_envelope(payload: _Payload | None, declared: Declared) -> Schema:
    """What members get that connected with an envelope (nexios/websockets/message.py); without payload, no data."""
    channel: ChannelMessages | None = declared.channel
    name = "" if channel is None else channel.channel
    properties: Schema = {"channel": {"type": "string", "examples": [name]} if "{" in name else {"const": name}}
    if declared.kind is not None:
        description = "Its number, for messages that are kept."
        properties["sequence"] = {"type": "integer", "minimum": 1, "description": description}
    if declared.event:
        properties["event"] = {"const": declared.event}
    data = _data(payload)
    properties.update(data)
    required = ["channel", *(["event"] if declared.event else []), *data]
    return {"type": "object", "properties": properties, "required": required}


def _data(payload: _Payload | None) -> Schema:
    """The content under its name: binary content is base64."""
    if payload is None:
        return {}
    if payload.content_type == "application/octet-stream":
        return {"base64": {"type": "string", "contentEncoding": "base64"}}
    return {"data": payload.schema}
