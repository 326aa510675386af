"""What is the AsyncAPI document of an application? Built from what was compiled and from what its routes declare.

As with OpenAPI, routes are read twice: the first time to learn which types there are, the second time with their
schemas. Two builds are the same bytes. Where it is served depends on the request, so servers are put in last.

A mounted application has a document of its own.
Source: AsyncAPI 3.0.0.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from nexios._pipeline.operation import Operation, WebSocketOperation
from nexios.models.adapter import DEFAULT_BACKENDS
from nexios.models.backend import TypeBackend
from nexios.openapi.asyncapi.channels import Channels, Entry, entries_of
from nexios.openapi.asyncapi.drafts import to_draft_7
from nexios.openapi.asyncapi.examples import example_of
from nexios.openapi.asyncapi.messages import OWN_SCHEMAS, Wire
from nexios.openapi.asyncapi.security import alternatives, asyncapi_scheme
from nexios.openapi.asyncapi.servers import Site, server_names, servers_of
from nexios.openapi.config import OpenAPI
from nexios.openapi.model import Schema, to_plain
from nexios.openapi.references import REFERENCE, reachable, used_components
from nexios.openapi.schemas import Collector, Schemas, Table, describe
from nexios.openapi.security import requirements_of, schemes_of
from nexios.routing.registry import DEFAULT_CONVERTERS, ConverterRegistry

__all__ = ["SPECIFICATION_VERSION", "build_asyncapi", "with_servers"]

SPECIFICATION_VERSION: Final = "3.0.0"

_WIRES: Final[tuple[Wire, ...]] = ("websocket", "stream")
_LICENSES: Final = "https://spdx.org/licenses/"
_NO_JSON: Final = ("text/plain", "application/octet-stream")


def build_asyncapi(
    operations: Sequence[Operation],
    websockets: Sequence[WebSocketOperation],
    config: OpenAPI,
    *,
    backends: Sequence[TypeBackend] = DEFAULT_BACKENDS,
    converters: ConverterRegistry = DEFAULT_CONVERTERS,
) -> dict[str, Any]:
    """Return the document as plain data, without its servers.

    Raises:
        ConfigurationError: A type has no schema, or a route declares something that is no message.
    """
    entries = entries_of(operations, websockets, config)
    schemes = schemes_of([entry.operation for entry in entries], config.security_schemes)
    security = [_security(entry, config, schemes) for entry in entries]
    collector = Collector()
    _described(entries, security, config, collector, converters)
    table = describe(
        collector.asked,
        backends,
        own=OWN_SCHEMAS,
        component_name=config.component_name,
        exact_required=config.exact_required,
    )
    channels = _described(entries, security, config, table, converters)
    channels.warn_of_strangers()
    document: dict[str, Any] = {
        "asyncapi": SPECIFICATION_VERSION,
        "info": _info(config),
        "defaultContentType": "application/json",
        "channels": channels.channels,
        "operations": channels.operations,
        "components": _components(channels, table, {name: asyncapi_scheme(one) for name, one in schemes.items()}),
    }
    plain: dict[str, Any] = to_plain(document)
    return plain


def with_servers(document: Mapping[str, Any], config: OpenAPI, site: Site) -> dict[str, Any]:
    """Return a document with its servers: those of the settings, or the site that was asked."""
    used = {reference["$ref"] for one in document["channels"].values() for reference in one.get("servers", ())}
    names = {wire: [f"#/servers/{name}" for name in server_names(config.servers, wire)] for wire in _WIRES}
    wires = [wire for wire in _WIRES if used.intersection(names[wire])] or ["websocket"]
    servers = servers_of(config.servers, wires, site)
    return {"asyncapi": document["asyncapi"], "info": document["info"], "servers": servers, **document}


def _security(entry: Entry, config: OpenAPI, schemes: Mapping[str, Any]) -> list[dict[str, Any]]:
    asked = requirements_of(entry.operation, config.security)
    plain = {name: asyncapi_scheme(scheme) for name, scheme in schemes.items()}
    return alternatives(config.security if asked is None else asked, plain)


def _described(
    entries: Sequence[Entry],
    security: Sequence[list[dict[str, Any]]],
    config: OpenAPI,
    schemas: Schemas,
    converters: ConverterRegistry,
) -> Channels:
    channels = Channels(schemas, converters, {wire: server_names(config.servers, wire) for wire in _WIRES})
    channels.add_all(entries, security)
    return channels


def _components(channels: Channels, table: Table, schemes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the messages, the schemas that something refers to, and all security schemes."""
    used = used_components([channels.messages.components, channels.channels, channels.operations])["schemas"]
    asked: list[Schema] = [{"$ref": REFERENCE + name} for name in used]
    schemas = {name: to_draft_7(schema) for name, schema in reachable(asked, table.components).items()}
    messages = channels.messages.components
    found = {
        "messages": {name: _with_example(to_draft_7(messages[name]), schemas) for name in sorted(messages)},
        "schemas": schemas,
        "securitySchemes": schemes,
    }
    return {name: part for name, part in found.items() if part}


def _with_example(message: dict[str, Any], schemas: Mapping[str, Schema]) -> dict[str, Any]:
    """Text and bytes have none, as they could be anything."""
    if message["contentType"] in _NO_JSON:
        return message
    return {**message, "examples": [{"payload": example_of(message["payload"], schemas)}]}


def _info(config: OpenAPI) -> dict[str, Any]:
    """Return the title and what else of the settings AsyncAPI has a place for."""
    license_of = None
    if config.license is not None:
        url = config.license.url or (f"{_LICENSES}{config.license.identifier}" if config.license.identifier else None)
        license_of = {"name": config.license.name, **({"url": url} if url else {})}
    found = {
        "title": config.title,
        "version": config.version,
        "description": config.description or config.summary,
        "termsOfService": config.terms_of_service,
        "contact": config.contact,
        "license": license_of,
        "tags": [_tag(to_plain(tag)) for tag in config.tags],
        "externalDocs": config.external_docs,
    }
    return {name: value for name, value in found.items() if value}


def _tag(tag: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tag[name] for name in ("name", "description", "externalDocs") if name in tag}
