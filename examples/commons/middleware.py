"""What happens around every request of the board? The three forms of a middleware, each once."""

from time import perf_counter

from nexios import HTTPException, Request, Response
from nexios.middleware import BaseMiddleware, CallNext

__all__ = ["SameOrigin", "Traced", "secure_headers"]

SECURE_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "QUERY"})


class Traced(BaseMiddleware):
    """Put the id of the request and the time that it took on every answer. Give it to the app as a class."""

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

    async def __call__(self, request: Request, response: Response, call_next: CallNext) -> Response:
        if request.method not in SAFE_METHODS and not _comes_from_here(request):
            raise HTTPException(403, "This was sent from another site.", code="cross_origin")
        return await call_next()


async def secure_headers(request: Request, response: Response, call_next: CallNext) -> Response:
    """Tell browsers to be careful. A plain function is a middleware too."""
    answer = await call_next()
    for name, value in SECURE_HEADERS.items():
        answer.headers.setdefault(name, value)
    return answer


def _comes_from_here(request: Request) -> bool:
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site in ("same-origin", "none")
    return origin is None or origin == request.url.origin
