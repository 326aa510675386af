"""What happens around every request of the board? The three forms of a middleware: a class, an instance, a function.

None of these is for WebSockets, and they say so: nexios looks at the Origin of those by itself, and the live rooms
have middleware of their own.
"""

from time import perf_counter

from nexios import HTTPException, Request, Response
from nexios.middleware import BaseMiddleware, CallNext

__all__ = ["SameOrigin", "SecureHeaders", "Traced", "never_kept"]

SECURE_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "script-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "QUERY"})


class Traced(BaseMiddleware):
    """Put the id of the request and the time that it took on every answer. Give it to the app as a class."""

    handle_websocket = None

    async def __call__(self, request: Request, response: Response, call_next: CallNext) -> Response:
        started = perf_counter()
        answer = await call_next()
        milliseconds = (perf_counter() - started) * 1000
        answer.set_header("x-request-id", request.id)
        return answer.set_header("server-timing", f"app;dur={milliseconds:.2f}")


class SameOrigin(BaseMiddleware):
    """Refuse what other sites make a browser send. Give it to a router as an instance.

    A browser says where a request comes from, in Sec-Fetch-Site or in Origin; other clients say neither
    and are let through: nobody can make them send what they do not want to.
    """

    handle_websocket = None

    async def __call__(self, request: Request, response: Response, call_next: CallNext) -> Response:
        if request.method not in SAFE_METHODS and not _comes_from_here(request):
            raise HTTPException(403, "This was sent from another site.", code="cross_origin")
        return await call_next()


class SecureHeaders(BaseMiddleware):
    """Tell browsers to be careful."""

    handle_websocket = None

    async def __call__(self, request: Request, response: Response, call_next: CallNext) -> Response:
        answer = await call_next()
        for name, value in SECURE_HEADERS.items():
            answer.headers.setdefault(name, value)
        return answer


async def never_kept(request: Request, response: Response, call_next: CallNext) -> Response:
    """Let browsers ask for pages each time. A plain function is a middleware too."""
    answer = await call_next()
    answer.headers.setdefault("cache-control", "no-store")
    return answer


def _comes_from_here(request: Request) -> bool:
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site in ("same-origin", "none")
    return origin is None or origin == request.url.origin
