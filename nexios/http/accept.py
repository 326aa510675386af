"""Of what we can send, what does the client like best?

One function for each of `Accept`, `Accept-Encoding` and `Accept-Language`. All
three keep three promises: what the client refused with `q=0` is never chosen, a
more specific range beats a wider one, and among equals the first offer wins.
Nothing a client writes raises an error; items after the first 100 are ignored.

Source: RFC 9110 section 12.4 and 12.5, RFC 4647 section 3.
"""

import re
from collections.abc import Iterable, Sequence

import msgspec

from nexios.errors import BadRequest, ConfigurationError
from nexios.http.headers import is_token
from nexios.http.media_type import MediaType, parse_media_type, parse_parameters

__all__ = ["MAX_ITEMS", "Accepted", "best_encoding", "best_language", "best_match", "parse_accept", "split_items"]

MAX_ITEMS = 100
"""Items read from one header; browsers send about ten."""

_is_weight = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?").fullmatch
_up_to_quote_or_comma = re.compile(r'[^",]*').match
_up_to_escape_or_quote = re.compile(r'[^"\\]*').match


class Accepted(msgspec.Struct, frozen=True):
    """One item of an `Accept` header: a media range and how much it is liked.

    Units:  quality in thousandths, 0 (refused) to 1000. Integers, so that equal means equal.
    Source: RFC 9110 section 12.5.1. Parameters after `q` mean nothing and are dropped, and so is
            `charset`, which clients add to `application/json` although it has none.
    """

    range: MediaType
    quality: int = 1000

    def specificity(self, offer: MediaType) -> int:
        """How closely the range describes the offer: -1 not at all, 0 for `*/*`, 1 for `type/*`, 2 and up beyond."""
        wanted = self.range
        if wanted.type == "*":
            return 0
        if wanted.type != offer.type:
            return -1
        if wanted.subtype == "*":
            return 1
        if wanted.subtype != offer.subtype:
            return -1
        return 2 + len(wanted.parameters) if wanted.parameters.items() <= offer.parameters.items() else -1


_ANYTHING = Accepted(MediaType("*", "*"))


def parse_accept(value: str, *, max_items: int = MAX_ITEMS) -> list[Accepted]:
    """Return the media ranges of an `Accept` header, in the order they came.

    Malformed items are left out. When nothing that is liked remains because of
    that, or the header is empty, `*/*` is added: a client that cannot spell gets
    an answer, and still never what it refused.

    >>> [(item.range.essence, item.quality) for item in parse_accept("text/html, */*;q=0.1")]
    [('text/html', 1000), ('*/*', 100)]
    """
    items = split_items(value, max_items)
    accepted = [item for item in map(_parse_range, items) if item is not None]
    malformed = len(accepted) < len(items)
    if not accepted or (malformed and not any(item.quality for item in accepted)):
        accepted.append(_ANYTHING)
    return accepted


def best_match(value: str | None, offers: Sequence[str]) -> str | None:
    """Return the offered media type that the `Accept` header likes best, or None when it accepts none of them.

    No header or an empty one accepts everything. Of several ranges that match an
    offer equally closely, the lowest quality counts, so a refusal holds.

    Raises:
        ConfigurationError: An offer is not a media type.

    >>> best_match("text/html;q=0.5, application/json", ["text/html", "application/json"])
    'application/json'
    >>> best_match("text/html;q=0, */*", ["text/html"]) is None
    True
    """
    accepted = parse_accept(value or "")
    return _best((_media_quality(accepted, _offered(offer)), offer) for offer in offers)


def best_encoding(value: str | None, offers: Sequence[str]) -> str | None:
    """Return the offered content coding that the `Accept-Encoding` header likes best.

    None means: send the content as it is. Name "identity" among the offers to have
    it weighed; it is acceptable unless refused, but liked less than any coding that
    the header names. No header asks for no coding.

    Source: RFC 9110 section 12.5.3.

    >>> best_encoding("gzip, br;q=0.9, *;q=0", ["br", "gzip"])
    'gzip'
    """
    liked = _lowest_by_name(_parse_weighted(value or ""))
    if "x-gzip" in liked:  # the same coding by RFC 9110 section 8.4.1.3
        liked.setdefault("gzip", liked["x-gzip"])
    return _best((_coding_quality(liked, offer.lower()), offer) for offer in offers)


def best_language(value: str | None, offers: Sequence[str]) -> str | None:
    """Return the offered language tag that the `Accept-Language` header likes best, or None when it accepts none.

    `en` accepts `en-GB`; and `en-GB` accepts `en` when nothing closer speaks of
    `en`. No header, an empty or a wholly malformed one accepts everything.

    Source: RFC 4647 sections 3.3.1 and 3.4.

    >>> best_language("de-CH, en;q=0.5", ["en", "de"])
    'de'
    """
    liked = _lowest_by_name(_parse_weighted(value or "")) or {"*": 1000}
    return _best((_language_quality(liked, offer.lower()), offer) for offer in offers)


def _best(weighed: Iterable[tuple[int, str]]) -> str | None:
    """The first of the offers with the highest quality over zero."""
    best, chosen = 0, None
    for quality, offer in weighed:
        if quality > best:
            best, chosen = quality, offer
    return chosen


def _offered(offer: str) -> MediaType:
    try:
        return parse_media_type(offer)
    except BadRequest:
        raise ConfigurationError(
            f"{offer!r} is offered to clients but is not a media type; write one like 'application/json'."
        ) from None


def _media_quality(accepted: list[Accepted], offer: MediaType) -> int:
    closest, quality = -1, 0
    for item in accepted:
        specificity = item.specificity(offer)
        if specificity > closest:
            closest, quality = specificity, item.quality
        elif specificity == closest:
            quality = min(quality, item.quality)
    return quality


def _coding_quality(liked: dict[str, int], offer: str) -> int:
    """In thousandths, times two; an `identity` that nobody mentions gets 1, less than the least coding."""
    quality = liked.get(offer, liked.get("*"))
    if quality is None:
        return 1 if offer == "identity" else 0
    return 2 * quality


def _language_quality(liked: dict[str, int], offer: str) -> int:
    tag = offer
    while tag:  # the tag itself, then each wider range: zh-hant-tw, zh-hant, zh
        if tag in liked:
            return liked[tag]
        tag = tag.rpartition("-")[0]
    narrower = max((quality for name, quality in liked.items() if name.startswith(f"{offer}-")), default=0)
    return narrower or liked.get("*", 0)


def _parse_range(item: str) -> Accepted | None:
    """None when the item is malformed."""
    text, separator, rest = item.partition(";")
    try:
        wanted = parse_media_type(text)
        parameters = parse_parameters(rest) if separator else []
    except BadRequest:
        return None
    if wanted.type == "*" != wanted.subtype:
        return None
    kept: dict[str, str] = {}
    for name, value in parameters:
        if name == "q":
            quality = _thousandths(value)
            return None if quality is None else Accepted(_with_parameters(wanted, kept), quality)
        if name != "charset":
            kept[name] = value
    return Accepted(_with_parameters(wanted, kept))


def _with_parameters(wanted: MediaType, parameters: dict[str, str]) -> MediaType:
    return MediaType(wanted.type, wanted.subtype, parameters) if parameters else wanted


def _parse_weighted(value: str) -> list[tuple[str, int]]:
    """`name;q=0.5, ...` of codings or languages, names in lower case; malformed items are left out."""
    weighted: list[tuple[str, int]] = []
    for item in split_items(value, MAX_ITEMS):
        name, separator, rest = item.partition(";")
        name = name.strip(" \t").lower()
        quality = _parse_quality(rest) if separator else 1000
        if quality is not None and is_token(name):
            weighted.append((name, quality))
    return weighted


def _parse_quality(text: str) -> int | None:
    name, _, weight = text.strip(" \t").partition("=")
    return _thousandths(weight) if name.lower() == "q" else None


def _thousandths(weight: str) -> int | None:
    """RFC 9110 section 12.4.2: at most three decimals; None when malformed."""
    if _is_weight(weight) is None:
        return None
    whole, _, decimals = weight.partition(".")
    return int(whole) * 1000 + int(f"{decimals:0<3}")


def _lowest_by_name(weighted: list[tuple[str, int]]) -> dict[str, int]:
    liked: dict[str, int] = {}
    for name, quality in weighted:
        liked[name] = min(quality, liked.get(name, quality))
    return liked


def split_items(value: str, max_items: int) -> list[str]:
    """The first items of a comma-separated list, spaces trimmed, empty ones left out (RFC 9110 section 5.6.1.2)."""
    parts = _split_around_quotes(value, max_items) if '"' in value else value.split(",", max_items)[:max_items]
    return [item for item in (part.strip(" \t") for part in parts) if item]


def _split_around_quotes(value: str, max_items: int) -> list[str]:
    """A comma inside a quoted string separates nothing. Every character is passed once."""
    parts: list[str] = []
    start = at = 0
    while len(parts) < max_items:
        found = _up_to_quote_or_comma(value, at)
        at = len(value) if found is None else found.end()
        if value[at : at + 1] == '"':
            at = _after_quoted(value, at + 1)
            continue
        parts.append(value[start:at])
        if at >= len(value):
            break
        start = at = at + 1
    return parts


def _after_quoted(value: str, at: int) -> int:
    """The place behind the closing quote, or the end when it never closes."""
    while at < len(value):
        found = _up_to_escape_or_quote(value, at)
        at = len(value) if found is None else found.end()
        if value[at : at + 1] == '"':
            return at + 1
        at += 2
    return len(value)
