"""What happens around every request of the board? The three forms of a middleware: a class, an instance, a function.

None of these is for WebSockets, and they say so: nexios looks at the Origin of those by itself, and the live rooms
have middleware of their own.
"""

from time import perf_counter

from nexios import HTTPException, Request, Response
from nexios.middleware import BaseMiddleware, CallNext

__all__ = ["SameOrigin", "Traced", "never_kept"]

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

    For an API that programs use without a page to take a token from; pages have `CSRFMiddleware`. A browser says
    where a request comes from, in Sec-Fetch-Site or in Origin; other clients say neither and are let through: nobody
    can make them send what they do not want to. With the session of a member even they have to say one.
    """

    handle_websocket = None

    async def __call__(self, request: Request, response: Response, call_next: CallNext) -> Response:
        if request.method not in SAFE_METHODS and not _comes_from_here(request):
            raise HTTPException(403, "This was sent from another site.", code="cross_origin")
        return await call_next()


async def never_kept(request: Request, response: Response, call_next: CallNext) -> Response:
    """Let browsers ask for pages each time. A plain function is a middleware too."""
    answer = await call_next()
    answer.headers.setdefault("cache-control", "no-store")
    return answer


def _comes_from_here(request: Request) -> bool:
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site in ("same-origin", "none")
    return origin == request.url.origin if origin is not None else request.session.user_id is None
