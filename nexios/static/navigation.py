"""Does a person go to this address in a browser, or does a page or a program load something?

Only the first may be answered with the page of a single-page application: a script or
a picture that is missing has to be a 404, and so has an address of an API.

Source: W3C Fetch Metadata Request Headers; a browser sends them over https and to localhost.
"""

from typing import Final

from nexios.http.accept import parse_accept
from nexios.http.headers import Headers

__all__ = ["NAVIGATION_VARY", "is_navigation"]

NAVIGATION_VARY: Final = "accept, sec-fetch-mode, sec-fetch-dest"
"""What `is_navigation` looks at."""

_DESTINATIONS: Final = frozenset({"document", "iframe", "frame"})


def is_navigation(headers: Headers) -> bool:
    """Tell whether the request wants a page: it names `text/html`, and no Fetch Metadata says otherwise.

    `*/*`, which programs send, names no page.

    >>> is_navigation(Headers([("accept", "text/html,*/*;q=0.8"), ("sec-fetch-mode", "navigate")]))
    True
    >>> is_navigation(Headers([("accept", "*/*")]))
    False
    """
    if headers.get("sec-fetch-mode", "navigate") != "navigate":
        return False
    if headers.get("sec-fetch-dest", "document") not in _DESTINATIONS:
        return False
    accepted = parse_accept(", ".join(headers.get_all("accept")))
    return any(item.range.essence == "text/html" and item.quality for item in accepted)
