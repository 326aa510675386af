"""What does a client read when its request failed? A problem document, the same for every error (RFC 9457)."""

from nexios.errors import HTTPException
from nexios.messages.response import Response
from nexios.serialization import encode_json

__all__ = ["problem"]


def problem(exc: HTTPException) -> Response:
    """Return the problem document of `exc`, with its status and its headers."""
    phrase = HTTPException(exc.status_code).detail
    document = {"type": "about:blank", "title": phrase, "status": exc.status_code, "detail": exc.detail}
    try:
        body = encode_json({**document, "code": exc.code, **exc.extra})
    except UnicodeEncodeError:  # a lone surrogate, which a client may have sent
        body = encode_json({**document, "detail": phrase, "code": exc.code})
    response = Response(body, exc.status_code, media_type="application/problem+json")
    response.headers["x-content-type-options"] = "nosniff"
    return response.set_headers(exc.headers)
