"""The OpenAPI document of an application, and the pages that show it."""

from nexios._pipeline.operation import Operation
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
    "Webhook",
    "build_document",
    "document_bytes",
]
