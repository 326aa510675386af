"""What does an application say about its own API? The settings of one OpenAPI document.

An application may have several: each has its own `path`, `docs_path` and `include`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from nexios._pipeline.operation import Operation, WebSocketOperation
from nexios.openapi.model import Contact, ExternalDocs, License, SecurityScheme, Server, Tag

__all__ = ["Callback", "OpenAPI", "Requirement", "UIName", "Webhook"]

UIName = Literal["scalar", "swagger", "redoc"]

Requirement = Mapping[str, Sequence[str]]
"""Names of security schemes and the scopes asked of each; all of them are needed."""


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """A request that the application itself sends to whoever subscribed.

    Shape:  `body` is a type; `responses` are those expected of the receiver, as `responses=` of a route.

    >>> Webhook(body=dict[str, str], summary="An order was paid").method
    'POST'
    """

    body: Any = None
    method: str = "POST"
    summary: str | None = None
    description: str | None = None
    operation_id: str | None = None
    tags: Sequence[str] = ()
    responses: Mapping[int | str, Any] = {}
    extra: Mapping[str, Any] = {}


class Callback(Webhook, frozen=True, kw_only=True):
    """A request that the application sends because of one operation, to a URL that the client gave.

    Shape:  `expression` is the URL, with runtime expressions: "{$request.body#/callback_url}".
    Source: OpenAPI 3.1.1, section 4.8.18.
    """

    expression: str


class OpenAPI(msgspec.Struct, frozen=True, kw_only=True):
    """One document about the API, and where it and its pages are served.

    Shape:  `path` is where the JSON is, None to serve none; `docs_path` is where the pages are, None for no pages.
            The first of `uis` is at `docs_path` itself. `dependencies` guard both.
            `asyncapi_path` is where the AsyncAPI document is, None to serve none; without it, beside `path`. Its page
            is at `docs_path` + "/asyncapi".
            `include` says which operations belong to this document, those of WebSockets too; routes with
            `include_in_schema=False` are in none.
            `operation_id` and `component_name` change the names that were chosen: the first is given an
            operation and returns its whole id, the second a component's name and returns a better one.
            `exact_required` makes two components of a model that is read and written and has defaults:
            `User`, whose fields are all there, and `UserInput`, where those with a default may be left out.

    >>> OpenAPI(title="Shop", version="2.0").path
    '/openapi.json'
    """

    title: str = "nexios"
    version: str = "0.1.0"
    summary: str | None = None
    description: str | None = None
    terms_of_service: str | None = None
    contact: Contact | None = None
    license: License | None = None
    servers: Sequence[Server] = ()
    tags: Sequence[Tag] = ()
    external_docs: ExternalDocs | None = None
    webhooks: Mapping[str, Webhook] = {}
    security_schemes: Mapping[str, SecurityScheme] = {}
    security: Sequence[Requirement] = ()
    openapi_version: Literal["3.1", "3.2"] = "3.1"
    path: str | None = "/openapi.json"
    docs_path: str | None = "/docs"
    asyncapi_path: str | UnsetType | None = UNSET
    uis: Sequence[UIName] = ("scalar", "swagger", "redoc")
    dependencies: Sequence[Any] = ()
    include: Callable[[Operation | WebSocketOperation], bool] | None = None
    operation_id: Callable[[Operation], str] | None = None
    component_name: Callable[[str], str] | None = None
    exact_required: bool = False
