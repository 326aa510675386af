"""Content negotiation: the best of our offers, never one that the client refused."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.errors import ConfigurationError
from nexios.http.accept import best_encoding, best_language, best_match, parse_accept

JSON_OR_HTML = ["application/json", "text/html"]

Chooser = Callable[[str | None, Sequence[str]], str | None]


def ranges(value: str) -> list[tuple[str, int]]:
    return [(item.range.essence, item.quality) for item in parse_accept(value)]


@pytest.mark.parametrize("value", [None, "", " ", ",,,", "garbage", "text/html;q=high", "*/html", '"', "a/b;q=2"])
def test_a_client_that_says_nothing_readable_gets_the_first_offer(value: str | None) -> None:
    assert best_match(value, JSON_OR_HTML) == "application/json"


@pytest.mark.parametrize(
    ("value", "chosen"),
    [
        ("text/html", "text/html"),
        ("TEXT/HTML", "text/html"),
        ("text/*", "text/html"),
        ("*/*", "application/json"),
        ("text/html, application/json", "application/json"),
        ("text/html, application/json;q=0.9", "text/html"),
        ("text/html;q=0.9, */*;q=0.8", "text/html"),
        ("application/json;q=0.001", "application/json"),
        ("image/png", None),
        ("image/*, text/*;q=0.1", "text/html"),
        ("text/html ; q=0.5 , application/json ; q=0.4", "text/html"),
        ("text/html;Q=0.5, application/json;q=0.4", "text/html"),
        ("application/json;charset=utf-8", "application/json"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", "text/html"),
    ],
)
def test_the_best_liked_offer_is_chosen(value: str, chosen: str | None) -> None:
    assert best_match(value, JSON_OR_HTML) == chosen


@pytest.mark.parametrize(
    ("value", "chosen"),
    [
        ("text/html;q=0", None),
        ("text/html;q=0, */*", "application/json"),
        ("*/*, text/html;q=0, application/json;q=0", None),
        ("*/*;q=0", None),
        ("*/*;q=0, text/html", "text/html"),
        ("text/html;q=0.000, text/*", None),
        ("text/html, text/html;q=0", None),
        ("garbage, text/html;q=0", "application/json"),
        ("garbage, text/html", "text/html"),
    ],
)
def test_what_was_refused_is_never_chosen(value: str, chosen: str | None) -> None:
    """RFC 9110, 12.4.2: q=0 is "not acceptable"."""
    offers = ["text/html", "application/json"] if chosen else ["text/html"]

    assert best_match(value, offers) == chosen


def test_the_most_specific_range_decides() -> None:
    """The example of RFC 9110, 12.5.1."""
    value = "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, */*;q=0.5"

    assert best_match(value, ["text/html", "image/jpeg"]) == "image/jpeg"
    assert best_match(value, ["text/plain;format=fixed", "text/plain"]) == "text/plain"
    assert best_match(value, ["text/plain", "text/plain;format=flowed"]) == "text/plain;format=flowed"


def test_a_range_with_a_parameter_does_not_describe_an_offer_without_it() -> None:
    assert best_match("text/html;level=1", ["text/html"]) is None
    assert best_match("text/html;level=1", ["text/html;level=1"]) == "text/html;level=1"


def test_the_offer_comes_back_as_it_was_written() -> None:
    assert best_match("text/*", ["Text/HTML; charset=utf-8"]) == "Text/HTML; charset=utf-8"


def test_without_offers_nothing_is_chosen() -> None:
    assert best_match(None, []) is None


def test_an_offer_that_is_no_media_type_is_the_developers_mistake() -> None:
    with pytest.raises(ConfigurationError, match="'html' is offered to clients but is not a media type"):
        best_match("*/*", ["html"])


def test_a_comma_in_quotes_separates_nothing() -> None:
    assert ranges('text/html;a="x,y\\",z";q=0.5, text/plain') == [("text/html", 500), ("text/plain", 1000)]
    assert parse_accept('text/html;a="x,y"')[0].range.parameters == {"a": "x,y"}


def test_a_quote_that_never_closes_takes_the_rest_with_it() -> None:
    assert ranges('text/plain, text/html;a="x, image/png') == [("text/plain", 1000)]
    assert ranges('text/plain, text/html;a="x\\') == [("text/plain", 1000)]


@pytest.mark.parametrize("weight", ["", ".5", "1.1", "0.1234", "1.001", "-1", "+1", "\u0660", "0,5", "nan", "0x1"])
def test_a_malformed_weight_spoils_its_item(weight: str) -> None:
    assert ("text/html", 1000) not in ranges(f"text/html;q={weight}, text/plain")
    assert ("text/plain", 1000) in ranges(f"text/html;q={weight}, text/plain")


@pytest.mark.parametrize(("weight", "quality"), [("1", 1000), ("1.", 1000), ("1.000", 1000), ("0.25", 250), ("0", 0)])
def test_a_weight_is_counted_in_thousandths(weight: str, quality: int) -> None:
    assert ranges(f"text/html;q={weight}") == [("text/html", quality)]


def test_items_after_the_hundredth_are_ignored() -> None:
    value = "image/png;q=0.1," * 100 + "text/html"

    assert len(parse_accept(value)) == 100
    assert best_match(value, ["text/html"]) is None
    assert len(parse_accept('a/b;c=",",' * 200)) == 100
    assert len(parse_accept("a/b, c/d, e/f", max_items=2)) == 2


@pytest.mark.parametrize(
    "value", ["a/b;q=" * 20_000, "*," * 20_000, "," * 20_000, 'text/html; a="' + ";" * 20_000 + '"', '",' * 20_000]
)
def test_a_hostile_header_is_answered(value: str) -> None:
    assert best_match(value, JSON_OR_HTML) in {*JSON_OR_HTML, None}
    assert best_encoding(value, ["gzip"]) in {"gzip", None}
    assert best_language(value, ["en"]) in {"en", None}


@pytest.mark.parametrize(
    ("value", "chosen"),
    [
        (None, None),
        ("", None),
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("x-gzip", "gzip"),
        ("x-gzip, gzip;q=0", None),
        ("gzip, br", "br"),
        ("gzip;q=1.0, br;q=0.9", "gzip"),
        ("*", "br"),
        ("br;q=0, *", "gzip"),
        ("gzip;q=0, br;q=0", None),
        ("*;q=0", None),
        ("gzip, gzip;q=0", None),
        ("identity", None),
        ("deflate", None),
        ("gzip;level=9", None),
        ("gzip;q=", None),
        ("@, gzip", "gzip"),
    ],
)
def test_the_best_liked_coding_is_chosen(value: str | None, chosen: str | None) -> None:
    assert best_encoding(value, ["br", "gzip"]) == chosen


@pytest.mark.parametrize(
    ("value", "chosen"),
    [
        (None, "identity"),
        ("", "identity"),
        ("gzip;q=0.001", "gzip"),
        ("gzip;q=0", "identity"),
        ("gzip;q=0.5, identity", "identity"),
        ("identity;q=0", None),
        ("*;q=0", None),
        ("*;q=0, identity;q=0.1", "identity"),
        ("*", "gzip"),
    ],
)
def test_identity_is_acceptable_until_it_is_refused(value: str | None, chosen: str | None) -> None:
    """RFC 9110, 12.5.3."""
    assert best_encoding(value, ["gzip", "identity"]) == chosen


@pytest.mark.parametrize(
    ("value", "chosen"),
    [
        (None, "en"),
        ("", "en"),
        ("@@@", "en"),
        ("de", "de-AT"),
        ("de-at", "de-AT"),
        ("de-CH", None),
        ("en-GB", "en"),
        ("en-GB, de;q=0.5", "en"),
        ("en-GB;q=0.4, de;q=0.5", "de-AT"),
        ("en-GB;q=0, *;q=0.1", "en"),
        ("*", "en"),
        ("en;q=0, *", "de-AT"),
        ("en;q=0, en-GB", None),
        ("fr", None),
        ("e", None),
        ("*;q=0", None),
    ],
)
def test_the_best_liked_language_is_chosen(value: str | None, chosen: str | None) -> None:
    assert best_language(value, ["en", "de-AT"]) == chosen


def test_the_closest_language_range_decides() -> None:
    assert best_language("zh;q=0.2, zh-Hant;q=0.9", ["zh-Hans", "zh-Hant-TW"]) == "zh-Hant-TW"
    assert best_language("zh-Hant;q=0, zh", ["zh-Hant-TW", "zh-Hans"]) == "zh-Hans"


def test_a_language_range_ends_at_a_hyphen() -> None:
    assert best_language("en", ["eng"]) is None


headers = st.none() | st.text() | st.text('ab/*;q=01.," \t\\-', max_size=40)


@pytest.mark.parametrize("choose", [best_match, best_encoding, best_language])
@given(value=headers)
def test_choosing_never_fails_and_chooses_an_offer(choose: Chooser, value: str | None) -> None:
    offers = ["a/b", "b/a"] if choose is best_match else ["a", "b-a"]

    assert choose(value, offers) in {*offers, None}


weights = st.sampled_from(["0", "0.001", "0.5", "1"])
media_ranges = st.sampled_from(["a/a", "a/b", "a/*", "*/*", "b/b"])


@given(st.dictionaries(media_ranges, weights, min_size=1))
def test_the_choice_agrees_with_a_plain_reading_of_the_rules(liked: dict[str, str]) -> None:
    def quality(offer: str) -> float:
        closest = next((name for name in (offer, f"{offer[0]}/*", "*/*") if name in liked), None)
        return float(liked[closest]) if closest else 0.0

    offers = ["a/a", "a/b", "b/b"]
    chosen = best_match(", ".join(f"{name};q={weight}" for name, weight in liked.items()), offers)

    best = max(map(quality, offers))
    assert chosen == (next(offer for offer in offers if quality(offer) == best) if best else None)
