"""Which headers make browsers careful with what we answer? Set on every answer, errors too, where it says none itself.

A Content-Security-Policy goes with what a browser runs as a page; the others with everything.

Sources: the Fetch, HTML and Referrer Policy standards; RFC 6797 (HSTS); ASVS 5.0 section 3.4.
"""

import secrets
from collections.abc import Iterable, Mapping
from typing import Any, Final

from nexios._pipeline.middleware import BaseMiddleware, CallNext
from nexios.errors import ConfigurationError
from nexios.http.headers import check_value, is_token
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.middleware.csp import Directives, PolicyText, compile_policy

__all__ = ["SecurityHeaders", "csp_nonce"]

_STATE: Final = "csp_nonce"
_YEAR: Final = 365 * 24 * 3600
_PAGES: Final = frozenset(
    {"text/html", "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml", "application/pdf"}
)
"""Media types that a browser shows as a document of this origin."""

_REFERRER_POLICIES: Final = frozenset(
    {
        *("no-referrer", "no-referrer-when-downgrade", "origin", "origin-when-cross-origin", "same-origin"),
        *("strict-origin", "strict-origin-when-cross-origin", "unsafe-url"),
    }
)
_OTHER_POLICIES: Final[Mapping[str, frozenset[str]]] = {
    "opener_policy": frozenset({"same-origin", "same-origin-allow-popups", "noopener-allow-popups", "unsafe-none"}),
    "embedder_policy": frozenset({"require-corp", "credentialless", "unsafe-none"}),
    "resource_policy": frozenset({"same-origin", "same-site", "cross-origin"}),
}
"""HTML standard section 7.1.3 and 7.1.4, Fetch standard section 3.7; browsers ignore a word that they do not know."""
_FRAMED_BY_ITSELF: Final = {"frame-ancestors": ["'self'"]}


class SecurityHeaders(BaseMiddleware):
    """Sets nosniff, Referrer-Policy, Cross-Origin-Opener-Policy, a Content-Security-Policy and, over https, HSTS.

    What a handler sets itself stands. Each but nosniff is switched off by None.
    """

    handle_websocket = None
    """A WebSocket is no answer that a browser shows."""

    def __init__(
        self,
        *,
        content_security_policy: str | Directives | None = _FRAMED_BY_ITSELF,
        report_only: str | Directives | None = None,
        hsts: int | None = _YEAR,
        hsts_subdomains: bool = False,
        hsts_preload: bool = False,
        referrer_policy: str | None = "strict-origin-when-cross-origin",
        opener_policy: str | None = "same-origin",
        embedder_policy: str | None = None,
        resource_policy: str | None = None,
        permissions_policy: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        """Take the policies.

        `content_security_policy` is a text, or a dict from directives to sources, in which `NONCE` is the nonce of the
        request; `report_only` is the same for a policy that is tried out. `hsts` is in seconds: how long a browser
        uses https alone. `permissions_policy` leads from features to who may use them, as in
        {"camera": [], "geolocation": ["self", "https://maps.example"]}.

        Raises:
            ConfigurationError: A policy is none.
            InvalidHeader: A text may not stand in a header.
        """
        self._hsts = None if hsts is None else _hsts(hsts, hsts_subdomains, hsts_preload)
        self._csp = None if content_security_policy is None else compile_policy(content_security_policy)
        self._report_only = None if report_only is None else compile_policy(report_only)
        self._has_nonce = any(policy is not None and policy.has_nonce for policy in (self._csp, self._report_only))
        if referrer_policy is not None:
            _check_referrer_policy(referrer_policy)
        others = {
            "opener_policy": opener_policy,
            "embedder_policy": embedder_policy,
            "resource_policy": resource_policy,
        }
        for option, policy in others.items():
            _check_policy(option, policy)
        given = {
            "x-content-type-options": "nosniff",
            "referrer-policy": referrer_policy,
            "cross-origin-opener-policy": opener_policy,
            "cross-origin-embedder-policy": embedder_policy,
            "cross-origin-resource-policy": resource_policy,
            "permissions-policy": None if permissions_policy is None else _permissions(permissions_policy),
        }
        self._always = tuple((name, check_value(value)) for name, value in given.items() if value is not None)

    async def __call__(self, request: Request, response: Response, call_next: CallNext) -> Response:
        """Leave a nonce where policies have one, and set the headers on the answer."""
        nonce = ""
        if self._has_nonce:
            nonce = request.state[_STATE] = secrets.token_urlsafe(16)
        answer = await call_next()
        headers = answer.headers
        there = {name for name, _ in answer._pairs or ()}
        for name, value in self._always:
            if name not in there:
                headers.add(name, value)
        if self._hsts is not None and request.scheme == "https" and "strict-transport-security" not in there:
            headers.add("strict-transport-security", self._hsts)
        if _is_page(headers.get("content-type", "")):
            _add_policy(headers, "content-security-policy", self._csp, nonce)
            _add_policy(headers, "content-security-policy-report-only", self._report_only, nonce)
        return answer


def csp_nonce(request: Request) -> str:
    """Return the nonce of the request, for the scripts and styles of a page: `<script nonce="...">`.

    The same is `request.state.csp_nonce`.

    Raises:
        ConfigurationError: No `SecurityHeaders` with a nonce in its policy is around the handler.
    """
    nonce = request.state.get(_STATE)
    if not isinstance(nonce, str):
        raise ConfigurationError(
            "There is no nonce: no Content-Security-Policy around this handler has one. Write:\n\n"
            '    app.add_middleware(SecurityHeaders, content_security_policy={"script-src": [NONCE]})\n'
        )
    return nonce


def _add_policy(headers: Any, name: str, policy: PolicyText | None, nonce: str) -> None:
    if policy is not None and name not in headers:
        headers.add(name, policy.with_nonce(nonce))


def _is_page(content_type: str) -> bool:
    return content_type.partition(";")[0].strip(" \t").lower() in _PAGES


def _hsts(seconds: int, subdomains: bool, preload: bool) -> str:
    if type(subdomains) is not bool or type(preload) is not bool:
        raise ConfigurationError("'hsts_subdomains' and 'hsts_preload' are True or False.")
    if type(seconds) is not int or seconds < 0:
        raise ConfigurationError(f"'hsts' is a whole number of seconds, or None, not {seconds!r}.")
    if preload and not (subdomains and seconds >= _YEAR):
        raise ConfigurationError("'hsts_preload' needs hsts_subdomains=True and hsts of a year at least.")
    return f"max-age={seconds}{'; includeSubDomains' * subdomains}{'; preload' * preload}"


def _check_referrer_policy(policy: str) -> None:
    """Browsers take the last of several that they know."""
    if not all(part.strip(" ") in _REFERRER_POLICIES for part in policy.split(",")):
        raise ConfigurationError(
            f"{policy!r} is no referrer policy; there are {', '.join(sorted(_REFERRER_POLICIES))}."
        )


def _check_policy(option: str, policy: str | None) -> None:
    """A parameter may follow, as `; report-to="main"`."""
    if policy is not None and policy.partition(";")[0].strip(" ") not in _OTHER_POLICIES[option]:
        known = ", ".join(sorted(_OTHER_POLICIES[option]))
        raise ConfigurationError(f"{option}={policy!r} is no policy that browsers know; there are {known}.")


def _permissions(policy: Mapping[str, Iterable[str]]) -> str:
    """The header is a structured dictionary: keywords as tokens, origins as strings (RFC 9651)."""
    parts: list[str] = []
    for feature, allowed in policy.items():
        names = [allowed] if isinstance(allowed, str) else list(allowed)
        if not is_token(feature) or any('"' in name or "\\" in name for name in names):
            raise ConfigurationError(f"{feature!r} and {names!r} are no part of a Permissions-Policy.")
        members = " ".join(name if name in ("self", "src", "*") else f'"{name}"' for name in names)
        parts.append(f"{feature}={'*' if names == ['*'] else f'({members})'}")
    return ", ".join(parts)
