"""What are the events of a route with `sends=` in its OpenAPI document? One item of an event stream, as `itemSchema`.

An event has a name and text; what the text holds is said by `contentSchema`. A document of OpenAPI 3.1 has it as
`x-oai-itemSchema`, as it has no place for items.

Source: OpenAPI 3.2.0, section "Special Considerations for Server-Sent Events"; JSON Schema 2020-12, `contentSchema`.
"""

from typing import Any, Final

from nexios.openapi.asyncapi.declared import Declared, sent_by
from nexios.openapi.model import MediaTypeObject, Schema
from nexios.openapi.schemas import Schemas
from nexios.routing.route import Route

__all__ = ["event_stream_of"]

_ANYTHING: Final = (Any, object)


def event_stream_of(route: Route, schemas: Schemas) -> MediaTypeObject:
    """Return what a stream of the declared events is; an empty object where the declaration names none."""
    events = [_event(one, schemas) for one in sent_by(route) or ()]
    if not events:
        return MediaTypeObject()
    return MediaTypeObject(item_schema=events[0] if len(events) == 1 else {"anyOf": events})


def _event(declared: Declared, schemas: Schemas) -> Schema:
    data: Schema = {"type": "string"}
    if not any(declared.kind is kind for kind in (str, bytes, *_ANYTHING)):
        data = {**data, "contentMediaType": "application/json", "contentSchema": schemas.of(declared.kind, "output")}
    name: Schema = {"event": {"const": declared.event}} if declared.event else {}
    return {"type": "object", "properties": {**name, "data": data}, "required": [*name, "data"]}
