"""Every exception of nexios and its words, in one place.

Three families, by who erred:

* the client: `HTTPException` and its subclasses. `detail` is short, the same
  every time, and never holds input, secrets or internals.
* the developer: `ConfigurationError`. The text names the place and the fix, and
  the error is raised at registration or compile, not while a request waits.
* the moment: `ClientDisconnect`, `BodyConsumed`, `UnsupportedByServer`.
"""

from collections.abc import Iterable, Mapping
from http import HTTPStatus

__all__ = [
    "BadRequest",
    "BodyConsumed",
    "ClientDisconnect",
    "ConfigurationError",
    "ContentTooLarge",
    "DuplicateRoute",
    "HTTPException",
    "HeadersTooLarge",
    "InvalidCookie",
    "InvalidHeader",
    "InvalidInput",
    "MethodNotAllowed",
    "NexiosError",
    "NoSuchRoute",
    "NotFound",
    "NotImplementedMethod",
    "RangeNotSatisfiable",
    "RequestTimeout",
    "ServiceUnavailable",
    "TooManyRequests",
    "URITooLong",
    "UnsafeRedirect",
    "UnsupportedByServer",
    "UnsupportedMediaType",
]


class NexiosError(Exception):
    """The root of every exception that nexios defines."""


class ConfigurationError(NexiosError):
    """The application is put together wrongly; the text says where and how to mend it."""


class DuplicateRoute(ConfigurationError):
    """Two routes answer the same method and path."""


class NoSuchRoute(NexiosError, LookupError):
    """A reverse URL names a route that does not exist, or parameters that do not fit it."""


class InvalidHeader(NexiosError, ValueError):
    """A header name or value that may not be written to the wire (RFC 9110 section 5)."""


class InvalidCookie(NexiosError, ValueError):
    """A cookie that browsers would refuse or misread (RFC 6265bis section 4.1)."""


class UnsafeRedirect(NexiosError, ValueError):
    """A redirect target that leaves this site without `external=True`."""


class ClientDisconnect(NexiosError):
    """The client went away before the request was read or the response was sent."""


class BodyConsumed(NexiosError, RuntimeError):
    """The body was already streamed, so it cannot be read again."""

    def __init__(self) -> None:
        super().__init__(
            "The request body was read already, or is being read, by request.stream(), which keeps nothing.\n"
            "Call 'await request.body()' first (it is cached, and stream() replays it), or read the stream once."
        )


class UnsupportedByServer(NexiosError):
    """The server in use cannot do what was asked of it."""

    def __init__(self, server: str, feature: str, alternative: str) -> None:
        super().__init__(f"{server} does not support {feature}. {alternative}")


class HTTPException(NexiosError):
    """An answer with an error status, raised instead of returned.

    `detail` is shown to the client. `code` is a stable, machine-readable word;
    `headers` are added to the response; `extra` are further members of the
    problem document (RFC 9457 section 3.2).

    >>> HTTPException(404).detail
    'Not Found'
    """

    status_code: int
    detail: str
    code: str
    headers: tuple[tuple[str, str], ...]
    extra: Mapping[str, object]

    def __init__(
        self,
        status_code: int,
        detail: str | None = None,
        *,
        code: str | None = None,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        extra: Mapping[str, object] | None = None,
    ) -> None:
        if type(status_code) is not int or not 400 <= status_code <= 599:
            raise TypeError(
                f"HTTPException takes a status from 400 to 599 first, not {status_code!r}.\n"
                'Write it as:\n\n    raise HTTPException(404, "There is no such item.")\n'
            )
        if detail is not None and not isinstance(detail, str):
            raise TypeError(
                f"The detail of an HTTPException is a text, not {type(detail).__name__}; data goes into extra:\n\n"
                f'    raise HTTPException({status_code}, extra={{"errors": [...]}})\n'
            )
        phrase = _phrase(status_code)
        self.status_code = status_code
        self.detail = phrase if detail is None else detail
        self.code = phrase.lower().replace(" ", "_").replace("-", "_").replace("'", "") if code is None else code
        self.headers = tuple(headers.items() if isinstance(headers, Mapping) else headers)
        self.extra = {} if extra is None else dict(extra)
        super().__init__(f"{status_code} {self.detail}")


class BadRequest(HTTPException):
    """400: the request is malformed."""

    def __init__(self, detail: str = "Bad Request", *, code: str = "bad_request") -> None:
        super().__init__(400, detail, code=code)


class NotFound(HTTPException):
    """404: nothing is here."""

    def __init__(self, detail: str = "Not Found", *, code: str = "not_found") -> None:
        super().__init__(404, detail, code=code)


class MethodNotAllowed(HTTPException):
    """405: the path is known, the method is not one of `allowed`."""

    def __init__(self, allowed: Iterable[str]) -> None:
        super().__init__(405, headers=(("allow", ", ".join(allowed)),))


class RequestTimeout(HTTPException):
    """408: the client sent nothing for too long while its body was read."""

    def __init__(self) -> None:
        super().__init__(408, headers=(("connection", "close"),))


class ContentTooLarge(HTTPException):
    """413: the body, or a part of it, is over a limit."""

    def __init__(self, detail: str = "Content Too Large", *, code: str = "content_too_large") -> None:
        super().__init__(413, detail, code=code)


class URITooLong(HTTPException):
    """414: the path or the query string is over its limit."""

    def __init__(self) -> None:
        super().__init__(414)


class UnsupportedMediaType(HTTPException):
    """415: the body is of a media type that is not read here."""

    def __init__(self, detail: str = "Unsupported Media Type") -> None:
        super().__init__(415, detail, code="unsupported_media_type")


class RangeNotSatisfiable(HTTPException):
    """416: no byte of the requested ranges exists; `size` is the full length in bytes (RFC 9110 section 15.5.17)."""

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(416, headers=(("content-range", f"bytes */{size}"),))


class InvalidInput(HTTPException):
    """422: the request is well formed, and its data is not what the route asks for.

    `errors` says each fault: where (`in`, and a JSON Pointer, RFC 6901), a stable `code` and a
    `detail`; never what the client sent.
    """

    errors: tuple[Mapping[str, str], ...]

    def __init__(self, errors: Iterable[Mapping[str, str]] = ()) -> None:
        self.errors = tuple(errors)
        told = {"errors": [dict(error) for error in self.errors]}
        super().__init__(422, "The request is not valid.", code="invalid_input", extra=told)


class TooManyRequests(HTTPException):
    """429: the client asks too often; `retry_after` is in seconds."""

    def __init__(
        self,
        *,
        retry_after: int = 1,
        detail: str = "Too many requests. Try again later.",
        code: str = "too_many_requests",
        headers: Iterable[tuple[str, str]] = (),
    ) -> None:
        super().__init__(429, detail, code=code, headers=(("retry-after", str(retry_after)), *headers))


class HeadersTooLarge(HTTPException):
    """431: more header fields, or more bytes of them, than we read."""

    def __init__(self) -> None:
        super().__init__(431)


class NotImplementedMethod(HTTPException):
    """501: a method that no route of this application uses and no RFC we follow defines."""

    def __init__(self) -> None:
        super().__init__(501)


class ServiceUnavailable(HTTPException):
    """503: not now; `retry_after` is in seconds."""

    def __init__(self, *, retry_after: int = 1) -> None:
        super().__init__(503, headers=(("retry-after", str(retry_after)),))


_PHRASES_OF_RFC_9110 = {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}
"""Python before 3.13 has the older words."""


def _phrase(status_code: int) -> str:
    if status_code in _PHRASES_OF_RFC_9110:
        return _PHRASES_OF_RFC_9110[status_code]
    try:
        return HTTPStatus(status_code).phrase
    except ValueError:
        return "Error"
