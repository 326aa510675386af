"""Which routes answer with an event stream, and which events does it have?

    @app.get("/feed", sends={"said": Said})                                        declared
    @app.get("/feed", responses={200: {"content": {"text/event-stream": ...}}})    as OpenAPI has it

Source: the HTML standard, section "Server-sent events", for the media type.
"""

from collections.abc import Mapping
from typing import Any, Final

from nexios._pipeline.operation import Operation
from nexios.messages.sse import Event
from nexios.openapi.asyncapi.declared import Declared, read_declared, sent_by

__all__ = ["events_of"]

_EVENT_STREAM: Final = "text/event-stream"
_ITEM_WORDS: Final = ("item_schema", "itemSchema", "schema")


def events_of(operation: Operation) -> list[Declared] | None:
    """Return the events that a route sends; None where it is no event stream, as far as it says."""
    declared = sent_by(operation.route)
    if declared is not None:
        return declared
    for response in operation.route.documentation.responses.values():
        if isinstance(response, Mapping):
            item = _item_of(response)
            if item is not None:
                return read_declared(_kind_of(item))
    return None


def _kind_of(item: Any) -> Any:
    """An `Event` says nothing of its data."""
    return Any if item is Event else item


def _item_of(response: Mapping[str, Any]) -> Any:
    """Return the type of the events of a declared response, None for no stream; a schema of its own counts as Any."""
    media = response.get("content", {}).get(_EVENT_STREAM)
    if media is None:
        is_stream = response.get("media_type") == _EVENT_STREAM
        return response.get("model") or Any if is_stream else None
    if isinstance(media, Mapping):
        found = next((media[word] for word in _ITEM_WORDS if word in media), Any)
        return Any if isinstance(found, Mapping) else found
    return media
