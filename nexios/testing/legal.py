"""Is this what an app may send to a server? The rules of one HTTP response over ASGI, message by message.

Sources: ASGI HTTP spec 2.4; RFC 9110 section 5 (fields), 6.4.1 (messages without content),
8.6 (Content-Length); RFC 9112 section 6.1 (the framing is the server's business).
"""

from collections.abc import MutableMapping, Sequence
from pathlib import Path
from typing import Any, Final

__all__ = ["IllegalSequence", "Message", "body_of", "check_ended", "check_length", "check_message"]

Message = MutableMapping[str, Any]

_TOKEN: Final = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")
_CONTROLS: Final = frozenset(range(0x20)) - {0x09} | {0x7F}
_WITHOUT_BODY: Final = frozenset({204, 304})
_BODY_TYPES: Final = ("http.response.body", "http.response.pathsend")


class IllegalSequence(AssertionError):
    """The app sent what no server may take; `messages` holds what is known of it, the wrong one last."""

    def __init__(self, why: str, messages: Sequence[Message]) -> None:
        shown = f"; the messages: {[_short(message) for message in messages]}" if messages else ""
        super().__init__(f"{why}{shown}")
        self.messages: list[Message] = list(messages)


def check_message(method: str, before: Sequence[Message], message: Message) -> None:
    """Check that `message` may follow `before` in the response to a `method` request.

    Raises:
        IllegalSequence: It may not.
    """
    kind = message.get("type")
    if kind == "http.response.start":
        why = "the response begins twice" if before else _fault_of_start(message)
    elif kind not in _BODY_TYPES:
        why = f"{kind!r} is no message of an HTTP response"
    elif not before:
        why = "the body comes before the start"
    elif len(before) > 1 and not before[-1].get("more_body", False):
        why = "a message follows the last one of the body"
    else:
        why = _fault_of_body(method, before[0]["status"], message)
    if why is not None:
        raise IllegalSequence(why, [*before, message])


def check_ended(method: str, messages: Sequence[Message], *, broken: bool) -> None:
    """Check that the response is whole, or may be cut short because the exchange is `broken`.

    Raises:
        IllegalSequence: The last message is missing, or Content-Length is not the number of bytes sent.
    """
    if len(messages) < 2 or messages[-1].get("more_body", False):
        if not broken:
            raise IllegalSequence("the app returned before its response was whole", messages)
        return
    sent = sum(len(body_of(message)) for message in messages[1:])
    for name, value in messages[0].get("headers", ()):
        if name == b"content-length":
            check_length(method, messages[0]["status"], int(value), sent)


def check_length(method: str, status: int, declared: int, sent: int) -> None:
    """Check the Content-Length of a whole response against the bytes `sent`.

    Raises:
        IllegalSequence: It is another number.
    """
    if declared != sent and method != "HEAD" and status not in _WITHOUT_BODY:
        raise IllegalSequence(f"Content-Length is {declared} and {sent} bytes were sent in a {status}", [])


def body_of(message: Message) -> bytes:
    """Return the bytes that a body message puts on the wire."""
    if message["type"] == "http.response.pathsend":
        return Path(message["path"]).read_bytes()
    return message.get("body", b"")  # type: ignore[no-any-return]


def _fault_of_start(message: Message) -> str | None:
    status = message.get("status")
    if type(status) is not int or not 200 <= status <= 599:
        return f"{status!r} is no final status"
    lengths = 0
    for name, value in message.get("headers", ()):
        if type(name) is not bytes or type(value) is not bytes:
            return f"the header {name!r} is not a pair of bytes"
        if not name or not _TOKEN.issuperset(name):
            return f"{name!r} is no lower-case header name"
        if not _CONTROLS.isdisjoint(value):
            return f"the header {name!r} has a control character"
        if name == b"transfer-encoding":
            return "Transfer-Encoding is the server's business"
        if name == b"content-length":
            lengths += 1
            if not value.isdigit() or status == 204:
                return f"a Content-Length of {value!r} in a {status} response"
    return "Content-Length is given twice" if lengths > 1 else None


def _fault_of_body(method: str, status: int, message: Message) -> str | None:
    if message["type"] == "http.response.pathsend":
        return None if isinstance(message.get("path"), str) else "http.response.pathsend without a path"
    body = message.get("body", b"")
    if type(body) is not bytes:
        return f"a body of type {type(body).__name__}"
    if type(message.get("more_body", False)) is not bool:
        return "more_body is no bool"
    if body and (method == "HEAD" or status in _WITHOUT_BODY):
        return f"a body in the {status} response to {method}"
    return None


def _short(message: Message) -> dict[str, Any]:
    """Cut long bodies: the text is read by people."""
    body = message.get("body", b"")
    if isinstance(body, bytes) and len(body) > 100:
        return {**message, "body": body[:100] + b"..."}
    return dict(message)
