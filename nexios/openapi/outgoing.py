"""Which requests does the application send itself? Its webhooks, and the callbacks of an operation.

Source: OpenAPI 3.1.1, sections 4.8.1 (webhooks) and 4.8.18 (callbacks).
"""

from collections.abc import Mapping
from typing import Any, Literal

from nexios.errors import ConfigurationError
from nexios.openapi.config import Callback, Webhook
from nexios.openapi.merge import merged
from nexios.openapi.model import MediaTypeObject, OperationObject, PathItem, RequestBodyObject, to_plain
from nexios.openapi.paths import put
from nexios.openapi.responses import declared_response
from nexios.openapi.schemas import Schemas
from nexios.openapi.versions import older_operation

__all__ = ["callbacks_of", "webhooks_of"]

Version = Literal["3.1", "3.2"]


def callbacks_of(callbacks: Mapping[str, object], schemas: Schemas, version: Version) -> dict[str, Any] | None:
    """Return the callbacks of an operation by name; each is a `Callback`, or a mapping as OpenAPI has it."""
    found: dict[str, Any] = {}
    for name, callback in callbacks.items():
        if isinstance(callback, Callback):
            item: PathItem = {}
            put(item, callback.method.upper(), _sent(callback, schemas, version), version)
            found[name] = {callback.expression: item}
        elif isinstance(callback, Mapping):
            found[name] = callback
        else:
            raise ConfigurationError(
                f"callbacks= has {callback!r} for {name!r}; write:\n\n"
                f'    {{"{name}": Callback(expression="{{$request.body#/callback_url}}", body=...)}}\n'
            )
    return found or None


def webhooks_of(webhooks: Mapping[str, Webhook], schemas: Schemas, version: Version) -> dict[str, PathItem] | None:
    """Return the webhooks of a document by name."""
    found: dict[str, PathItem] = {}
    for name, webhook in webhooks.items():
        put(found.setdefault(name, {}), webhook.method.upper(), _sent(webhook, schemas, version), version)
    return found or None


def _sent(request: Webhook, schemas: Schemas, version: Version) -> dict[str, Any]:
    """What the application sends is output, and what it hears back is input."""
    described = OperationObject(
        tags=tuple(request.tags),
        summary=request.summary,
        description=request.description,
        operation_id=request.operation_id,
        request_body=None if request.body is None else _body(request.body, schemas),
        responses={
            str(status): declared_response(declared, str(status), schemas, None, "input")
            for status, declared in (request.responses or {"2XX": {"description": "Received"}}).items()
        },
    )
    plain: dict[str, Any] = to_plain(described)
    return merged(older_operation(plain) if version == "3.1" else plain, request.extra)


def _body(kind: Any, schemas: Schemas) -> RequestBodyObject:
    return RequestBodyObject(
        content={"application/json": MediaTypeObject(schema=schemas.of(kind, "output"))}, required=True
    )
