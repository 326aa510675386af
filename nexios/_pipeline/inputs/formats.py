"""In which formats is a body read, and by whose media type? JSON and MessagePack; nothing is guessed.

A body whose Content-Type is missing or of another kind is 415: a browser sends
`text/plain` to any site without asking it first, so JSON under that name would be
cross-site request forgery.

Source: RFC 9110 section 15.5.16; RFC 6839 section 3.1 for `+json`.
"""

from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec

from nexios._pipeline.inputs.bounds import bounded
from nexios._pipeline.inputs.input import Input
from nexios.errors import BadRequest, UnsupportedMediaType
from nexios.http.media_type import MediaType, is_json
from nexios.models.adapter import adapt
from nexios.models.backend import Malformed
from nexios.models.problems import Invalid
from nexios.serialization import check_depth, check_json_size, check_msgpack, check_msgpack_size

__all__ = [
    "READ_BY_DEFAULT",
    "Decoders",
    "Format",
    "decoders_of",
    "format_of",
    "is_in_range",
    "malformed",
    "unsupported",
    "untyped",
]

Format = Literal["json", "msgpack"]

READ_BY_DEFAULT: Final = "application/json or application/msgpack"

_MSGPACK: Final = frozenset({"application/msgpack", "application/vnd.msgpack", "application/x-msgpack"})

_DETAILS: Final = {
    "malformed_json": "The body is not valid JSON.",
    "malformed_msgpack": "The body is not valid MessagePack.",
    "json_too_deep": "The JSON body is nested too deeply.",
}


class Decoders(msgspec.Struct, frozen=True):
    """What makes a value of one type out of a body; each raises Malformed or Invalid.

    `is_bounded`: all that a value may hold is declared, so what is sent beyond is passed over and never built.
    """

    json: Callable[[bytes], Any]
    msgpack: Callable[[bytes], Any]
    is_bounded: bool = False

    def decode(self, body: bytes, format_: Format, max_depth: int) -> Any:
        """Return the value of a body.

        Raises:
            BadRequest: It is malformed, nests deeper than `max_depth`, or has more than `MAX_CONTAINERS`
                arrays and objects where the type does not say what they are.
            Invalid: It does not fit the type.
        """
        try:
            if format_ == "json":
                return self._of_json(body, max_depth)
            return self._of_msgpack(body, max_depth)
        except Malformed as exc:
            raise malformed(exc) from None
        except RecursionError:
            code = "json_too_deep" if format_ == "json" else "malformed_msgpack"
            raise BadRequest(_DETAILS[code], code=code) from None

    def _of_json(self, body: bytes, max_depth: int) -> Any:
        if not self.is_bounded:
            check_json_size(body)
        try:
            value = self.json(body)
        except Invalid:
            check_depth(body, max_depth)
            raise
        check_depth(body, max_depth)
        return value

    def _of_msgpack(self, body: bytes, max_depth: int) -> Any:
        """Only where anything may be sent the body is read a second time, for its depth and extension types."""
        if self.is_bounded:
            return self.msgpack(body)
        check_msgpack_size(body)
        try:
            value = self.msgpack(body)
        except Invalid:
            check_msgpack(body, max_depth)
            raise
        check_msgpack(body, max_depth)
        return value


def decoders_of(item: Input) -> Decoders:
    """Return the decoders of an input's type. Raises ConfigurationError when nothing knows it."""
    adapter = adapt(item.kind)
    return Decoders(bounded(adapter.decode_json, item), bounded(adapter.decode_msgpack, item), adapter.has_known_depth)


def format_of(media_type: MediaType) -> Format | None:
    """Return the format of a media type; None when it is neither JSON nor MessagePack."""
    if is_json(media_type):
        return "json"
    return "msgpack" if media_type.essence in _MSGPACK else None


def is_in_range(media_type: MediaType, accepted: str) -> bool:
    """Return whether a media type is the one that is accepted, or in a range such as "image/*".

    >>> is_in_range(MediaType("image", "png"), "image/*")
    True
    """
    kind, _, subtype = accepted.lower().partition(";")[0].strip().partition("/")
    return kind in (media_type.type, "*") and subtype in (media_type.subtype, "*")


def malformed(exc: Malformed) -> BadRequest:
    """Return the 400 for a body that is not what its media type says."""
    return BadRequest(_DETAILS.get(exc.code, "The body is malformed."), code=exc.code)


def unsupported(accepted: str) -> UnsupportedMediaType:
    """Return the 415 that says what is read here."""
    return UnsupportedMediaType(f"The Content-Type of the body must be {accepted}.")


def untyped(accepted: str) -> UnsupportedMediaType:
    """Return the 415 for a body whose media type is not told: `request.media_type` is None."""
    return UnsupportedMediaType(f"The body came with no Content-Type, or with several; it must be {accepted}.")
