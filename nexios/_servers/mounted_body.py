"""What do a mounted application's status, headers and body mean for our Response? One reading for ASGI and WSGI."""

from collections.abc import Iterable
from typing import Self

import msgspec

from nexios.errors import InvalidHeader
from nexios.http.framing import NO_CONTENT, parse_content_length
from nexios.http.headers import Pairs, check_name, check_value
from nexios.messages.content import StreamContent
from nexios.messages.response import Response

__all__ = ["DeclaredLength", "Head", "octets"]


def octets(text: str) -> bytes:
    """The bytes of a field as they came; a server that decoded them as UTF-8 gets UTF-8 back."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


class Head(msgspec.Struct, frozen=True):
    """The status and the header fields of a mounted application's response, found legal."""

    status: int
    fields: Pairs

    @classmethod
    def of(cls, status: int, fields: Iterable[tuple[str, str]]) -> Self:
        """Return the head for our Response.

        Raises:
            InvalidHeader: A field may not be sent.
            ValueError: The status is no final one.
        """
        if not 200 <= status <= 599:
            raise ValueError(f"A mounted application answered with {status}, which is no final status code (200-599).")
        return cls(status, [(check_name(name), check_value(value)) for name, value in fields])

    def ends_response(self, method: str) -> bool:
        """Whether no content may follow (RFC 9110 section 6.4.1)."""
        return method == "HEAD" or self.status in NO_CONTENT

    def fill(self, response: Response, content: bytes | StreamContent | None) -> Response:
        """Return `response` with this head; content None is none at all."""
        response.status(self.status).set_headers(self.fields)
        if isinstance(content, StreamContent):
            response.content = StreamContent(content.chunks, self.length)
        elif content is not None:
            response.content = content
        else:  # a stream without chunks says of the length what the application said, which is what HEAD needs
            response.content = b"" if self.status in NO_CONTENT else StreamContent((), self.length)
        return response

    @property
    def length(self) -> int | None:
        """The Content-Length that the application declared, if it declared one.

        Raises:
            InvalidHeader: It is no number, or given twice.
        """
        try:
            return parse_content_length([value for name, value in self.fields if name == "content-length"])
        except ValueError:
            raise InvalidHeader("A mounted application set a Content-Length that is not one number.") from None


class DeclaredLength:
    """The Content-Length of a response, held against the bytes that follow (RFC 9112 section 6.3).

    Raises:
        InvalidHeader: It is no number, or given twice.
    """

    __slots__ = ("_left",)

    def __init__(self, head: Head) -> None:
        self._left = head.length

    @property
    def is_reached(self) -> bool:
        """Whether every byte that was declared has been counted."""
        return self._left == 0

    def take(self, size: int, *, last: bool) -> None:
        """Count `size` bytes; with the `last` the response is whole.

        Raises:
            RuntimeError: There are more bytes, or fewer, than were declared.
        """
        if self._left is None:
            return
        self._left -= size
        if self._left < 0:
            raise RuntimeError("A mounted application sent more bytes than its Content-Length says.")
        if last and self._left:
            raise RuntimeError(
                f"A mounted application ended its response {self._left} bytes short of its Content-Length."
            )
