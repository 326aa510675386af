"""Is this text an origin, and how is it written? One reading for all that compare an Origin header with a list.

An origin is a scheme, a host and perhaps a port (RFC 6454 section 6.2). Browsers write it in lower
case and without the port that the scheme implies; `str(origin)` of what `parse_origin` gives is that spelling.
"""

from collections.abc import Iterable

from nexios.errors import ConfigurationError
from nexios.http.url import URL, parse_url

__all__ = ["configured_origins", "parse_origin"]


def parse_origin(text: str) -> URL | None:
    """Return an origin as a URL without path, or None for "null", a URL with a path and what is no URL.

    >>> parse_origin("HTTPS://Shop.Example:443").origin
    'https://shop.example'
    >>> parse_origin("null"), parse_origin("https://shop.example/")
    (None, None)
    """
    url = parse_url(text)
    return url if url is not None and text.count("/") == 2 and "?" not in text and "#" not in text else None


def configured_origins(origins: Iterable[str], option: str) -> frozenset[str]:
    """Return the origins that somebody listed in the option `option`, in the spelling of browsers.

    Raises:
        ConfigurationError: It is one text and no list, or one of them is no origin.

    >>> sorted(configured_origins(["https://Shop.example:443", "http://localhost:5173"], "allow_origins"))
    ['http://localhost:5173', 'https://shop.example']
    """
    if isinstance(origins, str):
        raise ConfigurationError(f"'{option}' must be a list: write {option}=[{origins!r}].")
    return frozenset(_configured(text, option) for text in origins)


def _configured(text: str, option: str) -> str:
    origin = parse_origin(text)
    if origin is None:
        raise ConfigurationError(
            f"{text!r} is no origin. An origin is a scheme, a host and perhaps a port, without a path:\n\n"
            f'    {option}=["https://app.example", "http://localhost:5173"]\n'
        )
    return origin.origin
