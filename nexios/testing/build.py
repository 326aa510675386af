"""Is this a request that a test may send? What would break out of its line is refused, with ValueError.

A test client that lets a line break through hides the app's own checks behind its tidiness, and
teaches to rely on them (header and multipart injection; RFC 9110 section 5.5, RFC 7578 section 4.2).
"""

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
from typing import Final

from nexios.http.headers import check_name
from nexios.testing.faces import Options
from nexios.testing.library import USE_CLIENT_DEFAULT, AsyncClient, InvalidURL, Request

__all__ = ["build_request"]

_CONTROLS: Final = frozenset(map(chr, (*range(0x20), 0x7F)))
_CHUNK: Final = 64 * 1024


def build_request(client: AsyncClient, method: str, url: str, options: Options) -> Request:
    """Return the request, with the client's own headers and cookies.

    Raises:
        ValueError: A control character is in the method, the URL, a header, a cookie, the name of
            a field or of a file.
    """
    check_name(method)
    _check_text("URL", str(url))
    content = options.get("content")
    data, files = options.get("data"), options.get("files")
    for name in data or ():
        _check_text("name of a form field", name)
    for name, file in files.items() if isinstance(files, Mapping) else files or ():
        _check_text("name of a form field", name)
        if isinstance(file, tuple):
            _check_text("file name", file[0] or "")
    for name, value in (options.get("cookies") or {}).items():
        _check_text("cookie", f"{name}={value}")
    try:
        return client.build_request(
            method,
            url,
            params=options.get("params"),
            headers=options.get("headers"),
            cookies=options.get("cookies"),
            content=content if content is None or isinstance(content, str | bytes) else _chunks(content),
            data=data,
            files=files,
            json=options.get("json"),
            timeout=options.get("timeout", USE_CLIENT_DEFAULT),
            extensions=options.get("extensions"),
        )
    except InvalidURL as exc:
        raise ValueError(f"the URL {url!r} is not valid: {exc}") from exc


def _check_text(what: str, text: str) -> None:
    if not _CONTROLS.isdisjoint(text):
        raise ValueError(f"a control character is in the {what} {text!r}")


async def _chunks(content: Iterable[bytes] | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Let any body be read asynchronously: open files by 64 KiB."""
    if isinstance(content, AsyncIterable):
        async for chunk in content:
            yield chunk
    elif (read := getattr(content, "read", None)) is not None:
        while chunk := read(_CHUNK):
            yield chunk
    else:
        for chunk in content:
            yield chunk
