"""What does the document say of one operation? Its words, parameters, body, responses and callbacks together."""

from typing import Any

from nexios.errors import ConfigurationError
from nexios.openapi.bodies import carries_body, request_body
from nexios.openapi.config import OpenAPI
from nexios.openapi.merge import merged
from nexios.openapi.model import OperationObject, to_plain
from nexios.openapi.outgoing import callbacks_of
from nexios.openapi.parameters import parameters_of_operation
from nexios.openapi.paths import Listed
from nexios.openapi.responses import responses_of
from nexios.openapi.schemas import Schemas
from nexios.openapi.security import requirements_of
from nexios.openapi.texts import texts_of
from nexios.openapi.versions import older_operation
from nexios.routing.registry import ConverterRegistry

__all__ = ["Describer"]


class Describer:
    """Describes the operations of one document, with what all of them share."""

    def __init__(self, config: OpenAPI, schemas: Schemas, converters: ConverterRegistry) -> None:
        self.schemas = schemas
        self._config = config
        self._converters = converters

    def operation(self, listed: Listed, operation_id: str) -> OperationObject:
        """Return what the document says of one operation, apart from the route's `openapi_extra`."""
        operation, route = listed.operation, listed.operation.route
        documentation = route.documentation
        security = requirements_of(operation, self._config.security)
        summary, description = texts_of(route.handler)
        return OperationObject(
            tags=route.tags,
            summary=documentation.summary or summary,
            description=documentation.description or description,
            external_docs=documentation.external_docs,
            operation_id=operation_id,
            parameters=parameters_of_operation(operation, self.schemas, self._converters, listed.renames) or (),
            request_body=request_body(operation, self.schemas) if carries_body(listed.method) else None,
            responses=responses_of(
                operation,
                listed.method,
                self.schemas,
                secured=bool(self._config.security if security is None else any(security)),
            ),
            callbacks=callbacks_of(documentation.callbacks, self.schemas, self._config.openapi_version),
            deprecated=documentation.deprecated,
            security=security,
        )

    def plain_operation(self, listed: Listed, operation_id: str) -> dict[str, Any]:
        """Return all that the document says of one operation, as JSON has it.

        Raises:
            ConfigurationError: Something that was said of the route has no JSON form.
        """
        route = listed.operation.route
        try:
            plain: dict[str, Any] = to_plain(self.operation(listed, operation_id))
            extra = to_plain(route.documentation.extra) if route.documentation.extra else {}
        except TypeError as exc:
            raise ConfigurationError(
                f"The description of {listed.method} {route.template} is no JSON: {exc}\n\n"
                f"  {route.location.registered}"
            ) from None
        return merged(older_operation(plain) if self._config.openapi_version == "3.1" else plain, extra)
