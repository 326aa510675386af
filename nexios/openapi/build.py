"""What is the OpenAPI document of an application? Built from what was compiled, with no second look at handlers.

The operations are described twice: the first time to learn which types there are, the
second time with the schemas of all of them. Two builds of one application are the same
bytes: everything is in the order of registration, and components are sorted.

A mounted application has a document of its own.
Source: OpenAPI 3.1.1 and 3.2.0.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from nexios._pipeline.operation import Operation
from nexios.http.url import quote_path
from nexios.models.adapter import DEFAULT_BACKENDS
from nexios.models.backend import TypeBackend
from nexios.openapi.config import OpenAPI
from nexios.openapi.describe import Describer
from nexios.openapi.model import Components, Document, Info, PathItem, Server, to_plain
from nexios.openapi.operation_ids import operation_ids
from nexios.openapi.outgoing import webhooks_of
from nexios.openapi.paths import Listed, listed, put
from nexios.openapi.problems import OWN_SCHEMAS, shared_responses
from nexios.openapi.references import REFERENCE, reachable, used_components
from nexios.openapi.schemas import Collector, Table, describe
from nexios.openapi.security import schemes_of
from nexios.openapi.versions import SPECIFICATION_VERSIONS, older_scheme, older_server, older_tag
from nexios.routing.registry import DEFAULT_CONVERTERS, ConverterRegistry

__all__ = ["DocumentParts", "build_document", "document_bytes"]


def build_document(
    operations: Sequence[Operation],
    config: OpenAPI,
    *,
    backends: Sequence[TypeBackend] = DEFAULT_BACKENDS,
    converters: ConverterRegistry = DEFAULT_CONVERTERS,
    root_path: str = "",
) -> dict[str, Any]:
    """Return the document as plain data.

    `root_path` is the prefix that a server or an outer application took off the path: clients need
    it in front. It is the only server of the document unless the settings have some.

    Raises:
        ConfigurationError: Two operations were given one id, a type has no schema, or a response or
            security requirement is written wrongly; the text names the route or the type.
    """
    chosen = listed(operation for operation in operations if config.include is None or config.include(operation))
    ids = operation_ids(chosen, config.operation_id)
    collector = Collector()
    _collect(chosen, config, Describer(config, collector, converters))
    table = describe(
        collector.asked,
        backends,
        own=OWN_SCHEMAS,
        component_name=config.component_name,
        exact_required=config.exact_required,
    )
    paths, webhooks = _described(chosen, ids, config, Describer(config, table, converters))
    newer = config.openapi_version == "3.2"
    servers = [to_plain(server) for server in config.servers or _servers(root_path)]
    document = Document(
        openapi=SPECIFICATION_VERSIONS[config.openapi_version],
        info=_info(config),
        servers=[server if newer else older_server(server) for server in servers] or None,
        paths=paths,
        webhooks=webhooks,
        components=_components(paths, webhooks, chosen, config, table),
        security=[dict(requirement) for requirement in config.security] or None,
        tags=_tags(chosen, config) or None,
        external_docs=config.external_docs,
    )
    plain: dict[str, Any] = to_plain(document)
    return plain


def document_bytes(document: Mapping[str, Any]) -> bytes:
    """Return a document as JSON.

    >>> document_bytes({"openapi": "3.1.1"})
    b'{"openapi":"3.1.1"}'
    """
    return msgspec.json.encode(document)


class DocumentParts:
    """A document that was built without a root path, as JSON in two parts; between them goes the server of a client.

    >>> DocumentParts({"openapi": "3.1.1", "info": {}, "paths": {}}).below("/shop")
    b'{"openapi":"3.1.1","info":{},"servers":[{"url":"/shop"}],"paths":{}}'
    """

    __slots__ = ("_before", "_has_servers", "_rest")

    def __init__(self, document: Mapping[str, Any]) -> None:
        before = {name: document[name] for name in ("openapi", "info")}
        self._before = document_bytes(before).removesuffix(b"}")
        self._rest = document_bytes({name: document[name] for name in document if name not in before})[1:]
        self._has_servers = "servers" in document

    def below(self, root_path: str) -> bytes:
        """Return the document for who finds the application below `root_path`; servers of the settings stay alone."""
        servers = [] if self._has_servers else [to_plain(server) for server in _servers(root_path)]
        between = b',"servers":' + msgspec.json.encode(servers) if servers else b""
        return b"".join((self._before, between, b",", self._rest))


def _info(config: OpenAPI) -> Info:
    return Info(
        title=config.title,
        version=config.version,
        summary=config.summary,
        description=config.description,
        terms_of_service=config.terms_of_service,
        contact=config.contact,
        license=config.license,
    )


def _servers(root_path: str) -> list[Server]:
    return [Server(url=quote_path(root_path))] if root_path else []


def _collect(chosen: Sequence[Listed], config: OpenAPI, describer: Describer) -> None:
    for operation in chosen:
        describer.operation(operation, "")
    webhooks_of(config.webhooks, describer.schemas, config.openapi_version)


def _described(
    chosen: Sequence[Listed], ids: Sequence[str], config: OpenAPI, describer: Describer
) -> tuple[dict[str, PathItem], dict[str, PathItem] | None]:
    paths: dict[str, PathItem] = {}
    for operation, operation_id in zip(chosen, ids, strict=True):
        item = paths.setdefault(operation.path, {})
        put(item, operation.method, describer.plain_operation(operation, operation_id), config.openapi_version)
    return paths, webhooks_of(config.webhooks, describer.schemas, config.openapi_version)


def _components(
    paths: object, webhooks: object, chosen: Sequence[Listed], config: OpenAPI, table: Table
) -> Components | None:
    """Return the components that something refers to; of security schemes, all."""
    used = used_components([paths, webhooks])
    shared = shared_responses(table)
    responses = {name: to_plain(shared[name]) for name in sorted(used["responses"]) if name in shared}
    names = used["schemas"] | used_components(responses)["schemas"]
    schemas = reachable([{"$ref": REFERENCE + name} for name in names], table.components)
    schemes = schemes_of((operation.operation for operation in chosen), config.security_schemes)
    if config.openapi_version == "3.1":
        schemes = {name: older_scheme(scheme) for name, scheme in schemes.items()}
    if not (responses or schemas or schemes):
        return None
    return Components(schemas=schemas or None, responses=responses or None, security_schemes=schemes or None)


def _tags(chosen: Sequence[Listed], config: OpenAPI) -> list[Any]:
    """Those of the settings, in their order, then those that operations have besides, as they come."""
    tags = {tag.name: to_plain(tag) for tag in config.tags}
    for operation in chosen:
        for name in operation.operation.route.tags:
            tags.setdefault(name, {"name": name})
    return [tag if config.openapi_version == "3.2" else older_tag(tag) for tag in tags.values()]
