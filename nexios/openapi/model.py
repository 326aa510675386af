"""What is in an OpenAPI document? Its objects, as values with the names of the specification.

Fields are snake_case here and camelCase on the wire; what has its default is left out.
Schemas are plain dicts of JSON Schema 2020-12, which OpenAPI 3.1 and 3.2 use as it is.
What 3.1 has no place for (`Tag.parent`, `MediaTypeObject.item_schema`, ...) is marked
3.2; in a 3.1 document it appears under the name that the OpenAPI Initiative
registered for it, `x-oai-` and the field.

Source: OpenAPI Specification 3.1.1 and 3.2.0, section 4; spec.openapis.org/registry/extension.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from nexios.serialization import encode_json

__all__ = [
    "Components",
    "Contact",
    "Document",
    "Encoding",
    "Example",
    "ExternalDocs",
    "HeaderObject",
    "Info",
    "License",
    "Link",
    "MediaTypeObject",
    "OAuthFlow",
    "OAuthFlows",
    "OperationObject",
    "ParameterObject",
    "PathItem",
    "Reference",
    "RequestBodyObject",
    "ResponseObject",
    "Schema",
    "SecurityScheme",
    "Server",
    "ServerVariable",
    "Tag",
    "to_plain",
]

Schema = dict[str, Any]
"""A JSON Schema 2020-12 as plain data."""

ParameterSource = Literal["query", "header", "path", "cookie"]


class SpecificationObject(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """The rules that all objects here share."""


class Contact(SpecificationObject, frozen=True, kw_only=True):
    """Who answers for the API."""

    name: str | None = None
    url: str | None = None
    email: str | None = None


class License(SpecificationObject, frozen=True, kw_only=True):
    """Under which terms the API is offered: an SPDX `identifier` or a `url`, not both."""

    name: str
    identifier: str | None = None
    url: str | None = None


class Info(SpecificationObject, frozen=True, kw_only=True):
    """The API as a whole."""

    title: str
    version: str
    summary: str | None = None
    description: str | None = None
    terms_of_service: str | None = None
    contact: Contact | None = None
    license: License | None = None


class ExternalDocs(SpecificationObject, frozen=True, kw_only=True):
    """More to read elsewhere."""

    url: str
    description: str | None = None


class Tag(SpecificationObject, frozen=True, kw_only=True):
    """A group of operations. `summary`, `parent` and `kind`: 3.2."""

    name: str
    summary: str | None = None
    description: str | None = None
    external_docs: ExternalDocs | None = None
    parent: str | None = None
    kind: str | None = None


class ServerVariable(SpecificationObject, frozen=True, kw_only=True):
    """A part of a server's URL that clients choose."""

    default: str
    enum: Sequence[str] | None = None
    description: str | None = None


class Server(SpecificationObject, frozen=True, kw_only=True):
    """Where the API is: an absolute URL, or one relative to the document. `name`: 3.2.

    >>> to_plain(Server(url="https://api.example.com", description="Production"))
    {'url': 'https://api.example.com', 'description': 'Production'}
    """

    url: str
    description: str | None = None
    name: str | None = None
    variables: Mapping[str, ServerVariable] | None = None


class OAuthFlow(SpecificationObject, frozen=True, kw_only=True):
    """One way to get a token. `device_authorization_url`: 3.2."""

    scopes: Mapping[str, str]
    authorization_url: str | None = None
    token_url: str | None = None
    refresh_url: str | None = None
    device_authorization_url: str | None = None


class OAuthFlows(SpecificationObject, frozen=True, kw_only=True):
    """The ways to get a token. `device_authorization`: 3.2."""

    implicit: OAuthFlow | None = None
    password: OAuthFlow | None = None
    client_credentials: OAuthFlow | None = None
    authorization_code: OAuthFlow | None = None
    device_authorization: OAuthFlow | None = None


class SecurityScheme(SpecificationObject, frozen=True, kw_only=True):
    """How clients prove who they are. `deprecated` and `oauth2_metadata_url`: 3.2.

    >>> to_plain(SecurityScheme(type="http", scheme="bearer", bearer_format="JWT"))
    {'type': 'http', 'scheme': 'bearer', 'bearerFormat': 'JWT'}
    """

    type: Literal["apiKey", "http", "mutualTLS", "oauth2", "openIdConnect"]
    description: str | None = None
    name: str | None = None
    in_: Literal["query", "header", "cookie"] | None = msgspec.field(default=None, name="in")
    scheme: str | None = None
    bearer_format: str | None = None
    flows: OAuthFlows | None = None
    open_id_connect_url: str | None = None
    oauth2_metadata_url: str | None = msgspec.field(default=None, name="oauth2MetadataUrl")
    deprecated: bool = False


class Reference(SpecificationObject, frozen=True, kw_only=True):
    """A pointer to a component."""

    ref: str = msgspec.field(name="$ref")


class Example(SpecificationObject, frozen=True, kw_only=True):
    """A value to show."""

    summary: str | None = None
    description: str | None = None
    value: Any | UnsetType = UNSET
    external_value: str | None = None


class HeaderObject(SpecificationObject, frozen=True, kw_only=True):
    """A header of a response."""

    schema: Schema
    description: str | None = None
    required: bool = False
    deprecated: bool = False


class Encoding(SpecificationObject, frozen=True, kw_only=True):
    """How one field of a form is written."""

    content_type: str | None = None
    style: Literal["form", "spaceDelimited", "pipeDelimited", "deepObject"] | None = None
    explode: bool | None = None


class MediaTypeObject(SpecificationObject, frozen=True, kw_only=True):
    """A body in one media type. `item_schema` (3.2) is one item of a stream."""

    schema: Schema | None = None
    item_schema: Schema | None = None
    example: Any | UnsetType = UNSET
    examples: Mapping[str, Any] | None = None
    encoding: Mapping[str, Encoding] | None = None


class Link(SpecificationObject, frozen=True, kw_only=True):
    """What a client can do next with a response."""

    operation_id: str | None = None
    operation_ref: str | None = None
    parameters: Mapping[str, Any] | None = None
    description: str | None = None


class ParameterObject(SpecificationObject, frozen=True, kw_only=True):
    """What a client sends outside of the body. `allow_reserved` of a path parameter: 3.2."""

    name: str
    in_: ParameterSource = msgspec.field(name="in")
    description: str | None = None
    required: bool = False
    deprecated: bool = False
    style: str | None = None
    explode: bool | None = None
    allow_reserved: bool = False
    schema: Schema
    examples: Mapping[str, Any] | None = None


class RequestBodyObject(SpecificationObject, frozen=True, kw_only=True):
    """What a client sends in the body, by media type."""

    description: str | None = None
    content: Mapping[str, MediaTypeObject]
    required: bool = False


class ResponseObject(SpecificationObject, frozen=True, kw_only=True):
    """An answer, by media type.

    >>> to_plain(ResponseObject(description="Gone"))
    {'description': 'Gone'}
    """

    description: str
    headers: Mapping[str, Any] | None = None
    content: Mapping[str, MediaTypeObject] | None = None
    links: Mapping[str, Any] | None = None


class OperationObject(SpecificationObject, frozen=True, kw_only=True):
    """One method of one path."""

    tags: Sequence[str] = ()
    summary: str | None = None
    description: str | None = None
    external_docs: Any | None = None
    operation_id: str | None = None
    parameters: Sequence[ParameterObject] = ()
    request_body: RequestBodyObject | None = None
    responses: Mapping[str, ResponseObject | Reference]
    callbacks: Mapping[str, Any] | None = None
    deprecated: bool = False
    security: Sequence[Mapping[str, Sequence[str]]] | None = None


PathItem = dict[str, Any]
"""The operations of one path as plain data: `openapi_extra` may have added to them."""


class Components(SpecificationObject, frozen=True, kw_only=True):
    """What the rest of the document refers to."""

    schemas: Mapping[str, Schema] | None = None
    responses: Mapping[str, Any] | None = None
    security_schemes: Mapping[str, Any] | None = None


class Document(SpecificationObject, frozen=True, kw_only=True):
    """The whole."""

    openapi: str
    info: Info
    servers: Sequence[Any] | None = None
    paths: Mapping[str, PathItem]
    webhooks: Mapping[str, PathItem] | None = None
    components: Components | None = None
    security: Sequence[Mapping[str, Sequence[str]]] | None = None
    tags: Sequence[Any] | None = None
    external_docs: ExternalDocs | None = None


def to_plain(value: object) -> Any:
    """Return an object of this module as dicts, lists and scalars, with its names on the wire.

    Raises:
        TypeError: Something in it has no JSON form.
    """
    return msgspec.json.decode(encode_json(value))
