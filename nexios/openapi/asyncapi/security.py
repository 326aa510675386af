"""What must a client show? The security schemes of OpenAPI as AsyncAPI has them.

AsyncAPI knows alternatives, and no way to ask for two schemes at once: of such a requirement both are listed.
Source: AsyncAPI 3.0.0, sections "Security Scheme Object" and "Operation Object".
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

__all__ = ["alternatives", "asyncapi_scheme"]

_KINDS: Final[Mapping[str, str]] = {"apiKey": "httpApiKey", "mutualTLS": "X509"}
_OTHER_WORDS: Final[Mapping[str, str]] = {"scopes": "availableScopes"}
_FLOWS: Final = ("implicit", "password", "clientCredentials", "authorizationCode")
_FLOW_WORDS: Final = ("authorizationUrl", "tokenUrl", "refreshUrl", "scopes")
_WORDS: Final = ("type", "description", "name", "in", "scheme", "bearerFormat", "openIdConnectUrl")


def asyncapi_scheme(scheme: Mapping[str, Any]) -> dict[str, Any]:
    """Return a scheme of OpenAPI as plain data of AsyncAPI.

    >>> asyncapi_scheme({"type": "apiKey", "in": "header", "name": "x-key"})
    {'type': 'httpApiKey', 'name': 'x-key', 'in': 'header'}
    """
    found = {key: scheme[key] for key in _WORDS if key in scheme}
    found["type"] = _KINDS.get(scheme["type"], scheme["type"])
    if "flows" in scheme:
        found["flows"] = {name: _flow(scheme["flows"][name]) for name in _FLOWS if name in scheme["flows"]}
    return found


def alternatives(
    requirements: Sequence[Mapping[str, Sequence[str]]], schemes: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return what an operation asks for: references to schemes, and schemes with the scopes where some are needed."""
    found: list[dict[str, Any]] = []
    for requirement in requirements:
        for name, scopes in requirement.items():
            if name in schemes:
                scheme = schemes[name]
                has_scopes = bool(scopes) and scheme["type"] in ("oauth2", "openIdConnect")
                entry = {**scheme, "scopes": list(scopes)} if has_scopes else {"$ref": _reference(name)}
                found += [] if entry in found else [entry]
    return found


def _flow(flow: Mapping[str, Any]) -> dict[str, Any]:
    return {_OTHER_WORDS.get(key, key): flow[key] for key in _FLOW_WORDS if key in flow}


def _reference(name: str) -> str:
    return f"#/components/securitySchemes/{name}"
