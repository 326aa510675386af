"""May a page of another origin read this answer? CORS, for the app, a router or a route; the nearest policy holds.

A preflight is answered before anything is matched or anybody is asked who he is, so the middleware stands first.
Errors have become responses when they come here, so a page can read a 404 and a 500 too.

Answers carry `Vary: Origin` for whoever asks, unless all origins are allowed, so that no cache gives one origin
the answer to another. CORS lets pages read; it does not keep them from sending, so it is no protection from CSRF.

Source: the Fetch standard, section 3.3 (CORS protocol).
"""

from collections.abc import Iterable, Sequence
from typing import Final

from nexios._pipeline.middleware import BaseMiddleware, CallNext, Link
from nexios._pipeline.plan import Plan
from nexios.errors import HTTPException
from nexios.http.headers import check_value
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.middleware.cors_policy import Policy, header_names

__all__ = ["CORSMiddleware"]

_Fields = tuple[tuple[str, str], ...]

_VARY: Final = ("vary", "Origin")
_REFUSED: Final = "This is not allowed across origins."
_PREFLIGHT_VARY: Final = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
_PRIVATE_VARY: Final = f"{_PREFLIGHT_VARY}, Access-Control-Request-Private-Network"


class CORSMiddleware(BaseMiddleware):
    """Lets pages of the origins listed read what the app answers.

    >>> CORSMiddleware(allow_origins=["https://app.example"], allow_credentials=True)
    <CORSMiddleware https://app.example>
    """

    handle_websocket = None
    """CORS is no matter of WebSockets, whose Origin is checked on its own."""

    def __init__(
        self,
        *,
        allow_origins: Iterable[str] = (),
        allow_origin_regex: str | None = None,
        allow_methods: Iterable[str] = ("GET", "HEAD", "POST"),
        allow_headers: Iterable[str] = (),
        allow_credentials: bool = False,
        expose_headers: Iterable[str] = (),
        max_age: int | None = 600,
        allow_private_network: bool = False,
    ) -> None:
        """Take who may do what.

        `allow_origins` has origins such as "https://app.example", or "*" for all; `allow_origin_regex` is matched with
        the whole origin. "*" in `allow_methods` or `allow_headers` allows all. `max_age` is in seconds: how long a
        browser keeps the answer to a preflight.

        Raises:
            ConfigurationError: An option is wrong, or `allow_credentials` is combined with "*".
        """
        self._policy = policy = Policy.of(
            origins=allow_origins,
            pattern=allow_origin_regex,
            methods=allow_methods,
            headers=allow_headers,
            credentials=allow_credentials,
            exposed=expose_headers,
            max_age=max_age,
            private_network=allow_private_network,
        )
        self._exposed: _Fields = (("access-control-expose-headers", policy.exposed),) if policy.exposed else ()
        self._unknown: _Fields = self._fields("*") if policy.any_origin else (_VARY,)
        self._known: dict[str, _Fields] = {} if policy.any_origin else {o: self._fields(o) for o in policy.origins}

    async def __call__(self, request: Request, response: Response, call_next: CallNext) -> Response:
        """Answer a preflight, or add to the answer what its origin may know."""
        origins = request._transport.header_values("origin")
        if (
            origins
            and request.method == "OPTIONS"
            and request._transport.header_values("access-control-request-method")
        ):
            nearest = request._context.preflights_of(request) or self
            return await nearest.answer_preflight(request, response)
        answer = await call_next()
        self._tell(request, origins, answer)
        return answer

    def as_link(self, following: Link, around: Link) -> Link:
        """Return the short way of what is no preflight; `around` is the long one, and that of derived classes."""
        if type(self).__call__ is not CORSMiddleware.__call__:
            return around
        tell, one = self._tell, self._unknown[0] if len(self._unknown) == 1 else None

        async def walk(request: Request, *_: object) -> Response:
            origins = request._transport.header_values("origin")
            if origins and request.method == "OPTIONS":
                return await around(request)
            answer = await following(request)
            if one and not origins and answer._pairs is None and answer._media:
                plan = request._target
                if type(plan) is Plan and plan.preflights is None:  # most requests; in place, to save the call
                    answer._pairs = (answer._media, one)
                    answer._media = None
                    return answer
            tell(request, origins, answer)
            return answer

        return walk

    async def answer_preflight(self, request: Request, response: Response) -> Response:
        """Answer whether the request that a browser asks for may be made.

        Raises:
            HTTPException: 403 for what is not allowed, 400 for what is malformed.
        """
        values, policy = request._transport.header_values, self._policy
        origins, methods = values("origin"), values("access-control-request-method")
        names = header_names(values("access-control-request-headers"))
        told = {"vary": self._preflight_vary}
        if len(origins) != 1 or len(methods) != 1 or names is None:
            raise HTTPException(400, _REFUSED, code="malformed_preflight", headers=told)
        if not policy.allows(origins[0]):
            raise HTTPException(403, _REFUSED, code="origin_not_allowed", headers=told)
        if not policy.allows_method(methods[0]):
            raise HTTPException(403, _REFUSED, code="method_not_allowed_across_origins", headers=told)
        if not policy.allows_headers(names):
            raise HTTPException(403, _REFUSED, code="header_not_allowed_across_origins", headers=told)
        response.empty(204).set_headers(self._origin_fields("*" if policy.any_origin else origins[0]))
        headers = response.headers
        headers["access-control-allow-methods"] = methods[0] if policy.methods is None else _listed(policy.methods)
        if names:
            headers["access-control-allow-headers"] = ", ".join(names)
        if policy.max_age is not None:
            headers["access-control-max-age"] = str(policy.max_age)
        if policy.private_network and values("access-control-request-private-network") == ["true"]:
            headers["access-control-allow-private-network"] = "true"
        headers["vary"] = self._preflight_vary
        return response

    def _tell(self, request: Request, origins: Sequence[str], answer: Response) -> None:
        """Add to an answer what its origin may know, unless the route has a policy of its own."""
        plan = request._target
        if plan is None:  # answered by middleware before a route was looked for
            plan = request.route and request._target
        if type(plan) is Plan and plan.preflights is not None and plan.preflights is not self:
            return
        fields = self._fields_for(origins) if origins else self._unknown
        if answer._pairs is not None or (origins and self._policy.pattern is not None):
            _add(answer, fields)
        elif answer._media is None:
            answer._pairs = fields
        else:
            answer._pairs, answer._media = (answer._media, *fields), None

    @property
    def _preflight_vary(self) -> str:
        return _PRIVATE_VARY if self._policy.private_network else _PREFLIGHT_VARY

    def _fields_for(self, origins: Sequence[str]) -> _Fields:
        """What an answer for a page says; what comes from two origins comes from none."""
        origin = origins[0] if len(origins) == 1 else ""
        known = self._known.get(origin)
        if known is not None:
            return known
        if self._policy.any_origin or not self._policy.allows(origin):
            return self._unknown
        return self._fields(origin)

    def _fields(self, origin: str) -> _Fields:
        vary: _Fields = () if origin == "*" else (_VARY,)
        return (*self._origin_fields(origin), *self._exposed, *vary)

    def _origin_fields(self, origin: str) -> _Fields:
        allowed = (("access-control-allow-origin", check_value(origin)),)
        return (*allowed, ("access-control-allow-credentials", "true")) if self._policy.credentials else allowed

    def __repr__(self) -> str:
        policy = self._policy
        pattern = () if policy.pattern is None else (policy.pattern.pattern,)
        return f"<CORSMiddleware {' '.join(('*',) if policy.any_origin else (*sorted(policy.origins), *pattern))}>"


def _add(answer: Response, fields: _Fields) -> None:
    """Add to an answer that has headers already; what it says of origins itself stands."""
    headers = answer.headers
    decided = "access-control-allow-origin" in headers
    for name, value in fields:
        if name == "vary":
            headers.add_vary(value)
        elif not decided:
            headers[name] = value


def _listed(methods: Iterable[str]) -> str:
    return ", ".join(sorted(methods))
