"""How is a stream of JSON values written? A value to a line.

The media type is application/jsonl, the first of the sequential types that OpenAPI 3.2 names (section 4.14.5).
Source: jsonlines.org.
"""

from typing import Any, Final

from nexios.messages.content import LiveContent
from nexios.serialization import encode_json

__all__ = ["JSON_LINES", "format_line", "lines_content"]

JSON_LINES: Final = "application/jsonl"


def format_line(item: object) -> bytes:
    r"""Return a value as a line of JSON. The JSON of nexios has no line breaks of its own.

    >>> format_line({"text": "one\ntwo"})
    b'{"text":"one\\ntwo"}\n'

    Raises:
        TypeError: The value has no JSON form.
    """
    return encode_json(item) + b"\n"


def lines_content(source: Any) -> LiveContent:
    """Return the content of a response that is JSON Lines."""
    return LiveContent(source, format_line)
