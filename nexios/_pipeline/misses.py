"""What if no route answers this method at this path? OPTIONS, 405, a mount, a slash, 501 or 404, in that order."""

import logging
from typing import Any

from nexios._pipeline.errors import ErrorResponder
from nexios._pipeline.plan import Plan
from nexios._pipeline.special_layers import AnswersPreflights
from nexios.errors import BadRequest, MethodNotAllowed, NotFound, NotImplementedMethod, URITooLong
from nexios.http.url import quote_path, quote_query
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.routing.matcher import Matcher
from nexios.settings import Settings

__all__ = ["Misses"]

logger = logging.getLogger("nexios")

_KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "TRACE", "CONNECT"})
"""RFC 9110 section 9, RFC 5789 and RFC 10008; what the app registers beyond them is known too."""


class Misses:
    """The slow side of matching: one per app."""

    def __init__(
        self, matcher: Matcher[Plan], settings: Settings, errors: ErrorResponder, methods: frozenset[str]
    ) -> None:
        self._matcher = matcher
        self._settings = settings
        self._errors = errors
        self._methods = methods | _KNOWN_METHODS

    def resolve(self, request: Request, path: str) -> tuple[Plan, dict[str, Any]]:
        """Return a plan for a request that no route of this app answers.

        Raises:
            HTTPException: 400, 404, 405, 414 or 501.
        """
        self.check_path(path)
        if not path.startswith("/") and (request.method, path) != ("OPTIONS", "*"):
            raise BadRequest("The path does not begin with a slash.", code="malformed_path")
        allowed = self._matcher.allowed(path)
        if allowed:
            return self._options(allowed, request), {}
        mounted = self._matcher.find_mount(path)
        if mounted is not None:
            return mounted[0], mounted[1]
        other = self._other_slash(path)
        if other is not None and self._settings.slashes != "strict":
            found = self._matched(request.method, other)
            if found is not None and self._settings.slashes == "ignore":
                return found
            if found is not None:
                return self._redirect(request), {}
        if request.method not in self._methods:
            raise NotImplementedMethod
        raise NotFound

    def _options(self, allowed: list[str], request: Request) -> Plan:
        methods = sorted({*allowed, "OPTIONS"})
        if request.method not in self._methods:
            raise NotImplementedMethod
        if request.method != "OPTIONS":
            raise MethodNotAllowed(methods)
        if request._transport.header_values("origin") and (nearest := self.preflights(request)) is not None:
            return Plan(run=nearest.answer_preflight, errors=self._errors, limits=self._settings.limits, route=None)

        async def options(request: Request, response: Response) -> Response:
            return response.empty().set_header("allow", ", ".join(methods))

        return Plan(run=options, errors=self._errors, limits=self._settings.limits, route=None)

    def preflights(self, request: Request) -> AnswersPreflights | None:
        """Return who answers the preflight of the route that would answer the request after it; None for the app."""
        methods, path = request._transport.header_values("access-control-request-method"), request._rest
        if len(methods) != 1 or len(path) > self._settings.limits.max_path_size:
            return None
        found = self._matched(methods[0], path)
        if found is not None:
            return found[0].preflights
        mounted = None if self._matcher.allowed(path) else self._matcher.find_mount(path)
        return None if mounted is None else mounted[0].preflights

    def _matched(self, method: str, path: str) -> tuple[Plan, dict[str, Any]] | None:
        plan = self._matcher.static.get(path, {}).get(method)
        return (plan, {}) if plan is not None else self._matcher.find(method, path)

    @staticmethod
    def _other_slash(path: str) -> str | None:
        if path == "/" or "//" in path:
            return None
        return path[:-1] if path.endswith("/") else path + "/"

    def _redirect(self, request: Request) -> Plan:
        """A relative 308, so that no proxy and no Host header can change where it goes."""
        path = quote_path(request.path)
        last = path.rstrip("/").rsplit("/", 1)[-1]
        target = f"../{last}" if path.endswith("/") else f"./{last}/"
        if request.query_string:
            target = f"{target}?{quote_query(request.query_string)}"

        async def redirect(request: Request, response: Response) -> Response:
            return response.empty(308).set_header("location", target)

        return Plan(run=redirect, errors=self._errors, limits=self._settings.limits, route=None)

    def check_path(self, path: str) -> None:
        """Refuse paths that are too long (414) or hold control characters (400)."""
        if len(path) > self._settings.limits.max_path_size:
            raise URITooLong
        if not path.isprintable() and any(ord(character) < 32 or ord(character) == 127 for character in path):
            raise BadRequest("The path holds a control character.", code="malformed_path")

    def note_discarded(self, request: Request, builder: Response) -> None:
        """In debug, warn when a handler set headers on the builder and returned another response."""
        if self._settings.debug and builder._pairs:
            route = request.route
            names = ", ".join(sorted({name for name, _ in builder._pairs}))
            logger.warning(
                "%s returned a response of its own, so these headers set on its builder are lost: %s",
                route.template if route is not None else "a handler",
                names,
            )
