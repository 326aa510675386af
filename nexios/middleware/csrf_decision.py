"""Does this request come from a page of ours? What browsers say of it, weighed in one place and without any state.

A browser says where a request comes from in headers that no page can set: Sec-Fetch-Site, on https and localhost; and
Origin, with everything but GET and HEAD. The first that is there decides, whatever the others say. Where none is
there, a token has to show that the page came from us. What a body is, and what Content-Type calls it, decides nothing.

Sources: Fetch Metadata Request Headers (W3C); RFC 6454; RFC 9110 section 9.2.1 (safe methods).
"""

from collections.abc import Set as AbstractSet
from enum import Enum
from typing import Final

import msgspec

from nexios.http.origins import parse_origin
from nexios.http.url import URL, parse_url

__all__ = ["SAFE_METHODS", "Evidence", "Verdict", "decide"]

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""What changes nothing (RFC 9110 section 9.2.1). Methods are case-sensitive, and no header takes the place of one."""


class Verdict(Enum):
    """What was decided; the value is the reason, for the log."""

    SAFE_METHOD = "the method is safe"
    EXEMPT = "the route is exempt"
    SAME_ORIGIN = "the page is of this origin"
    TRUSTED_ORIGIN = "the page is of an origin that is trusted"
    TOKEN_DECIDES = "the browser does not say where it comes from"
    CROSS_SITE = "Sec-Fetch-Site says that it comes from elsewhere"
    FOREIGN_ORIGIN = "Origin is another one"
    FOREIGN_REFERER = "Referer is of another origin"

    @property
    def passes(self) -> bool:
        """Whether the request may go on as it is."""
        return self in _PASSING


_PASSING: Final = frozenset({Verdict.SAFE_METHOD, Verdict.EXEMPT, Verdict.SAME_ORIGIN, Verdict.TRUSTED_ORIGIN})


class Evidence(msgspec.Struct, frozen=True):
    """What a request says of where it comes from.

    Shape:  `sites`, `origins` and `referers` are all values of Sec-Fetch-Site, Origin and Referer. `own` is the
            origin that was asked, as browsers write it: with what a trusted proxy said; "" when no Host says it.
    """

    sites: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    referers: tuple[str, ...] = ()
    own: str = ""


def decide(
    method: str, evidence: Evidence, *, trusted: AbstractSet[str] = frozenset(), exempt: bool = False
) -> Verdict:
    """Return whether a request may go on, is refused, or has to show a token.

    `trusted` are origins as browsers write them. What is there twice, or is no such value, is from elsewhere.

    >>> decide("POST", Evidence(sites=("same-origin",)))
    <Verdict.SAME_ORIGIN: 'the page is of this origin'>
    >>> decide("POST", Evidence(origins=("https://evil.example",), own="https://shop.example")).passes
    False
    """
    if method in SAFE_METHODS:
        return Verdict.SAFE_METHOD
    if exempt:
        return Verdict.EXEMPT
    if evidence.sites:
        return _by_site(evidence, trusted)
    if evidence.origins:
        return _by_origin(evidence, trusted)
    if evidence.referers and evidence.own.startswith("https:"):
        return _by_referer(evidence, trusted)
    return Verdict.TOKEN_DECIDES


def _by_site(evidence: Evidence, trusted: AbstractSet[str]) -> Verdict:
    if evidence.sites in (("same-origin",), ("none",)):
        return Verdict.SAME_ORIGIN
    return Verdict.TRUSTED_ORIGIN if _only(evidence.origins) in trusted else Verdict.CROSS_SITE


def _by_origin(evidence: Evidence, trusted: AbstractSet[str]) -> Verdict:
    origin = _only(evidence.origins)
    if not origin:
        return Verdict.FOREIGN_ORIGIN
    if origin == evidence.own:
        return Verdict.SAME_ORIGIN
    return Verdict.TRUSTED_ORIGIN if origin in trusted else Verdict.FOREIGN_ORIGIN


def _by_referer(evidence: Evidence, trusted: AbstractSet[str]) -> Verdict:
    """A Referer of ours is not enough: it is what browsers, extensions and proxies leave out or shorten as they like.

    On plain http whoever is on the way could have written it, so there it is not looked at.
    """
    url: URL | None = parse_url(evidence.referers[0]) if len(evidence.referers) == 1 else None
    ours = url is not None and (url.origin == evidence.own or url.origin in trusted)
    return Verdict.TOKEN_DECIDES if ours else Verdict.FOREIGN_REFERER


def _only(origins: tuple[str, ...]) -> str:
    """Return the one origin; "" where there is none, more than one, "null", or one that no browser writes like that."""
    text = origins[0] if len(origins) == 1 else ""
    origin = parse_origin(text)
    return text if origin is not None and origin.origin == text else ""
