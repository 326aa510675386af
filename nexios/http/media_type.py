"""What kind of content is this, and with which parameters?

The one parser of media types and of `; name=value` parameters: whoever chooses a
reader, validates or forwards a body asks here, so two readings cannot differ.
Linear in the length of the text; a repeated parameter is an error, not a choice.

Source: RFC 9110 sections 5.6.6 and 8.3.1.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from nexios.errors import BadRequest
from nexios.http.headers import is_token

__all__ = ["MediaType", "is_json", "parse_media_type", "parse_parameters"]

_token_at = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]*").match
_unescaped_at = re.compile(r'[^"\\]*').match
_has_control = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]").search

_NO_PARAMETERS: Mapping[str, str] = MappingProxyType({})


def _no_parameters() -> Mapping[str, str]:
    return _NO_PARAMETERS


@dataclass(frozen=True, slots=True)
class MediaType:
    """A media type such as `text/html; charset=utf-8`.

    Shape:  type, subtype and parameter names are in lower case; parameter values are as they came, unquoted.
    Source: RFC 9110 section 8.3.1.

    >>> parse_media_type('Text/HTML; Charset="UTF-8"').charset
    'utf-8'
    """

    type: str
    subtype: str
    parameters: Mapping[str, str] = field(default_factory=_no_parameters, hash=False)

    @property
    def essence(self) -> str:
        """The type without parameters: `text/html`."""
        return f"{self.type}/{self.subtype}"

    @property
    def charset(self) -> str | None:
        """The `charset` parameter in lower case, or None."""
        charset = self.parameters.get("charset")
        return None if charset is None else charset.lower()


_FREQUENT = {
    f"{kind}/{subtype}": MediaType(kind, subtype)
    for kind, subtype in (
        ("application", "json"),
        ("application", "x-www-form-urlencoded"),
        ("text", "html"),
        ("text", "plain"),
        ("*", "*"),
    )
}
"""Answers that need no parsing. Fixed: a cache keyed by request text would be filled by strangers."""


def parse_media_type(text: str) -> MediaType:
    """Return the media type that a `Content-Type` value names.

    Raises:
        BadRequest: The value is malformed or a parameter comes twice (code `malformed_media_type`).

    >>> parse_media_type("application/json").essence
    'application/json'
    """
    known = _FREQUENT.get(text)
    if known is not None:
        return known
    essence, _, rest = text.partition(";")
    kind, _, subtype = essence.strip(" \t").partition("/")
    if not is_token(kind) or not is_token(subtype):
        raise BadRequest("Malformed media type", code="malformed_media_type")
    try:
        parameters = dict(parse_parameters(rest))
    except BadRequest:
        raise BadRequest("Malformed media type", code="malformed_media_type") from None
    return MediaType(kind.lower(), subtype.lower(), MappingProxyType(parameters))


def is_json(media_type: MediaType) -> bool:
    """Whether the content is JSON: `application/json` or any `+json` (RFC 6839 section 3.1).

    >>> is_json(parse_media_type("application/problem+json"))
    True
    """
    return media_type.essence == "application/json" or media_type.subtype.endswith("+json")


def parse_parameters(text: str) -> list[tuple[str, str]]:
    """Return the parameters in `a=1; b="two"`, names in lower case, values unquoted; a leading `;` is allowed.

    Raises:
        BadRequest: Malformed, a control character, or one name twice (code `malformed_parameters`).

    >>> parse_parameters('; Charset=utf-8; title="a \\\\"b\\\\";c"')
    [('charset', 'utf-8'), ('title', 'a "b";c')]
    """
    if _has_control(text):
        raise _malformed()
    parameters: dict[str, str] = {}
    at, end = _skip_separators(text, 0), len(text)
    while at < end:
        name, at = _read_token(text, at)
        name = name.lower()
        if name in parameters or text[at : at + 1] != "=":
            raise _malformed()
        read_value = _read_quoted if text[at + 1 : at + 2] == '"' else _read_token
        parameters[name], at = read_value(text, at + 1)
        after = _skip_spaces(text, at)
        if after < end and text[after] != ";":
            raise _malformed()
        at = _skip_separators(text, after)
    return list(parameters.items())


def _malformed() -> BadRequest:
    return BadRequest("Malformed header parameters", code="malformed_parameters")


_spaces_at = re.compile(r"[ \t]*").match
_separators_at = re.compile(r"[ \t;]*").match


def _skip_spaces(text: str, at: int) -> int:
    return _end(_spaces_at(text, at), at)


def _skip_separators(text: str, at: int) -> int:
    """Empty parameters, as in `;;`, are allowed."""
    return _end(_separators_at(text, at), at)


def _end(found: re.Match[str] | None, at: int) -> int:
    return at if found is None else found.end()


def _read_token(text: str, at: int) -> tuple[str, int]:
    stop = _end(_token_at(text, at), at)
    if stop == at:
        raise _malformed()
    return text[at:stop], stop


def _read_quoted(text: str, at: int) -> tuple[str, int]:
    """A quoted-string from its opening quote on; one step forward for each backslash, never back."""
    chunks: list[str] = []
    at += 1
    while True:
        stop = _end(_unescaped_at(text, at), at)
        chunks.append(text[at:stop])
        if text[stop : stop + 1] == '"':
            return "".join(chunks), stop + 1
        if stop + 1 >= len(text):  # no closing quote, or a backslash at the very end
            raise _malformed()
        chunks.append(text[stop + 1])
        at = stop + 2
