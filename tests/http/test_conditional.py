"""Conditional requests: the table of RFC 9110 section 13."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.errors import InvalidHeader
from nexios.http.conditional import ETag, evaluate, format_etag, if_range_allows, parse_etag, parse_etags
from nexios.http.headers import Headers

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
EARLIER = "Sun, 06 Nov 1994 08:49:36 GMT"
LATER = "Sun, 06 Nov 1994 08:49:38 GMT"
MODIFIED = 784111777.5
"""Half a second after DATE: a header cannot say more than the second."""

ETAG_TEXT = st.text('"aW/, \\*\t\x00\xe9', max_size=20) | st.text()


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ('"a"', (ETag("a"),)),
        ('W/"a"', (ETag("a", weak=True),)),
        ('""', (ETag(""),)),
        ('"a", "b"', (ETag("a"), ETag("b"))),
        ('"a","b,c"', (ETag("a"), ETag("b,c"))),
        (' ,, "a"\t,W/"b" ,', (ETag("a"), ETag("b", weak=True))),
        ('"\\"', (ETag("\\"),)),
        ('"\xe9"', (ETag("\xe9"),)),
        ("*", "*"),
        (" * ", "*"),
        ("", ()),
        (",", ()),
    ],
)
def test_a_list_of_tags_is_read(text: str, tags: object) -> None:
    assert parse_etags(text) == tags


@pytest.mark.parametrize(
    "text",
    ["a", '"a', 'a"', '"a" "b"', '"a""b"', 'w/"a"', 'W/ "a"', "W/", 'W/W/"a"', '"a b"', '"a\x00"', '"a\x7f"', '"a", b',
     '"a", *', "*, *", "'a'", '"\u20ac"'],
)  # fmt: skip
def test_a_list_that_is_malformed_anywhere_matches_nothing(text: str) -> None:
    assert parse_etags(text) == ()


@pytest.mark.parametrize("text", ['"' + 'a"' * 100_000, "W/" * 100_000, "," * 100_000, '"a",' * 100_000, '"' * 100_000])
def test_a_long_list_is_read_in_one_pass(text: str) -> None:
    assert len(parse_etags(text)) in (0, 100_000)


@given(ETAG_TEXT)
def test_any_text_is_a_list_of_tags(text: str) -> None:
    tags = parse_etags(text)

    assert tags == "*" or parse_etags(", ".join(str(tag) for tag in tags)) == tags


@given(st.lists(st.builds(ETag, st.text("!#$,;abc\\\xe9\xff", max_size=5), st.booleans()), max_size=5))
def test_tags_read_back(tags: list[ETag]) -> None:
    assert parse_etags(",".join(map(str, tags))) == tuple(tags)
    assert [parse_etag(str(tag)) for tag in tags] == tags


@pytest.mark.parametrize("text", ["", "a", '"a', '"a" ', ' "a"', '"a", "b"', "*"])
def test_one_tag_is_nothing_but_a_tag(text: str) -> None:
    assert parse_etag(text) is None


def test_a_tag_is_written_in_quotes() -> None:
    assert format_etag("v1") == '"v1"'
    assert format_etag("v1", weak=True) == 'W/"v1"'


@pytest.mark.parametrize("value", ['a"b', "a b", "a\r\nb", "\x00", "\x7f", "\u20ac"])
def test_a_tag_cannot_break_its_header(value: str) -> None:
    with pytest.raises(InvalidHeader):
        format_etag(value)


@pytest.mark.parametrize(("one", "other", "strong", "weak"), [
    (ETag("1", weak=True), ETag("1", weak=True), False, True),
    (ETag("1", weak=True), ETag("2", weak=True), False, False),
    (ETag("1", weak=True), ETag("1"), False, True),
    (ETag("1"), ETag("1"), True, True),
])  # fmt: skip
def test_the_table_of_comparisons(one: ETag, other: ETag, strong: bool, weak: bool) -> None:
    """RFC 9110, 8.8.3.2."""
    assert one.matches_strongly(other) is other.matches_strongly(one) is strong
    assert one.matches_weakly(other) is other.matches_weakly(one) is weak


@pytest.mark.parametrize(
    ("method", "headers", "expected"),
    [
        ("GET", [], "send"),
        ("GET", [("if-none-match", '"a"')], "not_modified"),
        ("HEAD", [("if-none-match", '"a"')], "not_modified"),
        ("PUT", [("if-none-match", '"a"')], "failed"),
        ("GET", [("if-none-match", 'W/"a"')], "not_modified"),
        ("GET", [("if-none-match", '"b", "a"')], "not_modified"),
        ("GET", [("if-none-match", '"b"'), ("if-none-match", '"a"')], "not_modified"),
        ("GET", [("if-none-match", '"b"')], "send"),
        ("GET", [("if-none-match", "a")], "send"),
        ("GET", [("if-none-match", "*")], "not_modified"),
        ("PUT", [("if-none-match", "*")], "failed"),
        ("OPTIONS", [("if-none-match", "*"), ("if-match", '"b"')], "send"),
        ("GET", [("if-match", '"a"')], "send"),
        ("PUT", [("if-match", '"a"')], "send"),
        ("PUT", [("if-match", "*")], "send"),
        ("PUT", [("if-match", '"b", "c"')], "failed"),
        ("GET", [("if-match", '"b"')], "failed"),
        ("PUT", [("if-match", 'W/"a"')], "failed"),
        ("PUT", [("if-match", "malformed")], "failed"),
        ("PUT", [("if-match", "")], "failed"),
        ("GET", [("if-modified-since", DATE)], "not_modified"),
        ("GET", [("if-modified-since", LATER)], "not_modified"),
        ("GET", [("if-modified-since", EARLIER)], "send"),
        ("GET", [("if-modified-since", "yesterday")], "send"),
        ("GET", [("if-modified-since", DATE), ("if-modified-since", DATE)], "send"),
        ("POST", [("if-modified-since", DATE)], "send"),
        ("PUT", [("if-unmodified-since", DATE)], "send"),
        ("PUT", [("if-unmodified-since", EARLIER)], "failed"),
        ("GET", [("if-unmodified-since", EARLIER)], "failed"),
        ("PUT", [("if-unmodified-since", "yesterday")], "send"),
        ("GET", [("if-none-match", '"b"'), ("if-modified-since", DATE)], "send"),
        ("GET", [("if-none-match", '"a"'), ("if-modified-since", EARLIER)], "not_modified"),
        ("PUT", [("if-match", '"a"'), ("if-unmodified-since", EARLIER)], "send"),
        ("PUT", [("if-match", '"b"'), ("if-none-match", '"b"')], "failed"),
        ("GET", [("if-match", '"a"'), ("if-none-match", '"a"')], "not_modified"),
    ],
)
def test_the_table_of_conditions(method: str, headers: list[tuple[str, str]], expected: str) -> None:
    assert evaluate(method, Headers(headers), etag='"a"', last_modified=MODIFIED) == expected


@pytest.mark.parametrize(
    ("method", "headers", "expected"),
    [
        ("PUT", [("if-match", '"a"')], "failed"),
        ("PUT", [("if-match", "*")], "send"),
        ("GET", [("if-none-match", '"a"')], "send"),
        ("GET", [("if-none-match", "*")], "not_modified"),
        ("GET", [("if-modified-since", DATE)], "send"),
        ("PUT", [("if-unmodified-since", EARLIER)], "send"),
    ],
)
def test_conditions_on_what_has_no_validators(method: str, headers: list[tuple[str, str]], expected: str) -> None:
    assert evaluate(method, Headers(headers), etag=None, last_modified=None) == expected


def test_a_weak_tag_of_ours_saves_a_transfer_but_guards_no_write() -> None:
    assert evaluate("GET", Headers([("if-none-match", '"a"')]), etag='W/"a"', last_modified=None) == "not_modified"
    assert evaluate("PUT", Headers([("if-match", 'W/"a"')]), etag='W/"a"', last_modified=None) == "failed"


@pytest.mark.parametrize(("name", "expected"), [("if-none-match", "send"), ("if-match", "failed")])
def test_star_means_that_something_is_there(name: str, expected: str) -> None:
    """RFC 9110, 13.1.2: a PUT that must not replace anything."""
    assert evaluate("PUT", Headers([(name, "*")]), etag=None, last_modified=None, exists=False) == expected


@pytest.mark.parametrize(
    ("value", "allowed"),
    [
        ('"a"', True),
        ('"b"', False),
        ('W/"a"', False),
        ('"a", "b"', False),
        (DATE, True),
        (EARLIER, False),
        (LATER, False),
        ("yesterday", False),
        ("", False),
        ("*", False),
    ],
)
def test_a_range_is_followed_only_of_what_the_client_has(value: str, allowed: bool) -> None:
    headers = Headers([("if-range", value)])

    assert if_range_allows(headers, '"a"', MODIFIED) is allowed


def test_without_if_range_a_range_is_followed() -> None:
    assert if_range_allows(Headers([]), None, None) is True


def test_if_range_of_what_has_no_validators_is_not_followed() -> None:
    assert if_range_allows(Headers([("if-range", '"a"')]), None, None) is False
    assert if_range_allows(Headers([("if-range", DATE)]), None, None) is False
    assert if_range_allows(Headers([("if-range", '"a"')]), 'W/"a"', None) is False
    assert if_range_allows(Headers([("if-range", '"a"'), ("if-range", '"a"')]), '"a"', None) is False


def test_a_date_of_this_very_second_is_no_strong_validator() -> None:
    """RFC 9110, 8.8.2.2: the file may change again within it."""
    headers = Headers([("if-range", DATE)])

    assert if_range_allows(headers, None, MODIFIED, now=784111777.9) is False
    assert if_range_allows(headers, None, MODIFIED, now=784111778.0) is True


HEADER_NAMES = st.sampled_from(["if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range"])
LATIN = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=20)


@given(
    st.sampled_from(["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]),
    st.lists(st.tuples(HEADER_NAMES, LATIN | st.sampled_from([DATE, '"a"', "*"])), max_size=4),
    st.none() | st.sampled_from(['"a"', 'W/"a"', "not a tag"]),
    st.none() | st.floats(0, 1e9),
)
def test_any_headers_have_a_result(
    method: str, pairs: list[tuple[str, str]], etag: str | None, last_modified: float | None
) -> None:
    headers = Headers(pairs)

    assert evaluate(method, headers, etag=etag, last_modified=last_modified) in ("send", "not_modified", "failed")
    assert if_range_allows(headers, etag, last_modified) in (True, False)
