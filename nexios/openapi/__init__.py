"""The OpenAPI and AsyncAPI documents of an application, and the pages that show them."""

from nexios._pipeline.operation import Operation, WebSocketOperation
from nexios.openapi.asyncapi.build import build_asyncapi
from nexios.openapi.asyncapi.declared import ChannelMessages
from nexios.openapi.build import build_document, document_bytes
from nexios.openapi.config import Callback, OpenAPI, Webhook
from nexios.openapi.model import (
    Contact,
    Example,
    ExternalDocs,
    License,
    Link,
    OAuthFlow,
    OAuthFlows,
    SecurityScheme,
    Server,
    ServerVariable,
    Tag,
)
from nexios.openapi.security import DescribesSecurity

__all__ = [
    "Callback",
    "ChannelMessages",
    "Contact",
    "DescribesSecurity",
    "Example",
    "ExternalDocs",
    "License",
    "Link",
    "OAuthFlow",
    "OAuthFlows",
    "OpenAPI",
    "Operation",
    "SecurityScheme",
    "Server",
    "ServerVariable",
    "Tag",
    "WebSocketOperation",
    "Webhook",
    "build_asyncapi",
    "build_document",
    "document_bytes",
]
