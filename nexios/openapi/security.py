"""What must a client show to be let in? The security schemes of a document and what each operation asks of them.

A guard or an authentication backend describes itself by satisfying `DescribesSecurity`;
its scheme is then in the document without being written into the settings again.
Source: OpenAPI 3.1.1, sections 4.8.27 and 4.8.30.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from nexios._pipeline.operation import Operation, Shown, WebSocketOperation
from nexios.errors import ConfigurationError
from nexios.openapi.model import SecurityScheme, to_plain

__all__ = ["DescribesSecurity", "requirements_of", "schemes_of"]

Requirements = list[dict[str, list[str]]]


@runtime_checkable
class DescribesSecurity(Protocol):
    """What an operation's guard or backend says of itself."""

    def openapi_security(self) -> tuple[str, SecurityScheme, Sequence[str]]:
        """Return the name of the scheme, the scheme and the scopes that are needed."""
        ...


def requirements_of(
    operation: Operation | WebSocketOperation, default: Sequence[Mapping[str, Sequence[str]]]
) -> Requirements | None:
    """Return what an operation asks for; None when it is what the whole document asks for.

    The route's own `security=` wins over its guards, and [] says that everybody may call it.
    """
    given = operation.route.documentation.security if isinstance(operation, Operation) else None
    if given is not None:
        return [_requirement(one) for one in given]
    if not operation.security:
        return None
    needed: dict[str, list[str]] = {}
    shown = [one for one in operation.security if isinstance(one, Shown)]
    for guard in (one for one in operation.security if not isinstance(one, Shown)):
        for name, scopes in _requirement(guard).items():
            known = needed.setdefault(name, [])
            known.extend(scope for scope in scopes if scope not in known)
    ways = [needed]
    for one in shown:
        ways = [{**way, name: list(one.scopes)} for way in ways for name, _ in one.schemes]
    return None if ways == [_requirement(one) for one in default] else ways


def schemes_of(
    operations: Iterable[Operation | WebSocketOperation], given: Mapping[str, SecurityScheme | Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the schemes by name: those of the settings, then those that guards bring.

    Raises:
        ConfigurationError: Two guards bring different schemes under one name.
    """
    schemes: dict[str, Any] = {name: to_plain(scheme) for name, scheme in given.items()}
    for operation in operations:
        for name, scheme in _schemes(operation.security):
            plain = to_plain(scheme)
            if name not in given and schemes.setdefault(name, plain) != plain:
                raise ConfigurationError(
                    f"Two security schemes are called {name!r}. Give one of them another name, or say which one is "
                    f"meant:\n\n    OpenAPI(security_schemes={{{name!r}: ...}})\n"
                )
    return schemes


def _schemes(security: Iterable[object]) -> Iterator[tuple[str, object]]:
    for one in security:
        if isinstance(one, Shown):
            yield from one.schemes
        elif isinstance(one, DescribesSecurity):
            yield one.openapi_security()[:2]


def _requirement(one: object) -> dict[str, list[str]]:
    if isinstance(one, str):
        return {one: []}
    if isinstance(one, Mapping):
        return {name: list(scopes) for name, scopes in one.items()}
    if isinstance(one, DescribesSecurity):
        name, _, scopes = one.openapi_security()
        return {name: list(scopes)}
    raise ConfigurationError(
        f'security= has {one!r}; write the name of a scheme, or a mapping such as {{"oauth": ["read"]}}.'
    )
