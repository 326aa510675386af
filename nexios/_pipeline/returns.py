"""What does a handler's return value become? A Response, told apart by exact type first.

a Response          itself, whole
str                 text/plain          bytes   application/octet-stream
dict, list, ...     application/json    (body, status[, headers])
None                the builder if it was filled, else 204
"""

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from inspect import isawaitable, iscoroutine
from typing import Any

import msgspec

from nexios.messages.response import Response

__all__ = ["discard_unawaited", "to_response"]


def to_response(result: Any, builder: Response) -> Response:
    """Return the response that `result` stands for, filling `builder` where it is content.

    Raises:
        TypeError: A value that is no content; the text lists what is.
    """
    fill = _BY_TYPE.get(type(result))
    if fill is not None:
        return fill(builder, result) if builder._pairs is None else _keeping_media_type(fill, builder, result)
    if isinstance(result, Response):
        return result if result is builder else result.copy()
    if _is_json(result):
        return builder.json(result)
    if isinstance(result, str):
        return builder.text(result)
    if isawaitable(result):
        discard_unawaited(result)
        raise TypeError(
            "a handler returned what it did not await; in an async def write: return await ...\n"
            "A def handler cannot await: make it async def."
        )
    kind = type(result)
    raise TypeError(
        f"a handler returned {kind.__module__}.{kind.__qualname__}, which is no response.\n"
        "Return a Response, dict, list, str, bytes, None, a dataclass, Struct or model, or (body, status)."
    )


def discard_unawaited(result: Awaitable[Any]) -> None:
    """Close a coroutine that nobody will await, so that Python does not complain a second time."""
    if iscoroutine(result):
        result.close()


def _keeping_media_type(fill: Callable[[Response, Any], Response], builder: Response, result: Any) -> Response:
    """A Content-Type that the handler set before there was content says what the content is."""
    media_type = builder.headers.get("content-type") if builder.content == b"" else None
    response = fill(builder, result)
    return (
        response if media_type is None or response.content == b"" else response.set_header("content-type", media_type)
    )


def _is_json(result: object) -> bool:
    return (
        isinstance(result, msgspec.Struct | Mapping | list | tuple | int | float)
        or (dataclasses.is_dataclass(result) and not isinstance(result, type))
        or hasattr(type(result), "model_dump")
        or hasattr(type(result), "__attrs_attrs__")
    )


def _from_none(builder: Response, result: None) -> Response:
    if builder.content == b"" and builder._media is None and builder.status_code == 200:
        return builder.empty()
    return builder


def _from_tuple(builder: Response, result: tuple[Any, ...]) -> Response:
    """(body, status) or (body, status, headers); a status of another type is a mistake, not JSON."""
    if len(result) not in (2, 3) or type(result[1]) is not int:
        raise TypeError(
            f"a handler returned a tuple of {', '.join(type(item).__name__ for item in result) or 'nothing'}, "
            "which is not (body, status) or (body, status, headers).\nFor JSON return a list."
        )
    response = to_response(result[0], builder).status(result[1])
    return response.set_headers(result[2]) if len(result) == 3 else response


_BY_TYPE: dict[type, Callable[[Response, Any], Response]] = {
    dict: Response.json,
    list: Response.json,
    str: Response.text,
    bytes: Response.binary,
    int: Response.json,
    float: Response.json,
    bool: Response.json,
    bytearray: Response.binary,
    memoryview: Response.binary,
    type(None): _from_none,
    tuple: _from_tuple,
}
