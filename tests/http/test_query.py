"""Query strings: split on & only, decoded once, counted before they are built."""

from urllib.parse import quote_plus, unquote_to_bytes, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.errors import BadRequest, URITooLong
from nexios.http.multidict import MultiDict
from nexios.http.query import QueryParams, decode_component, parse_pairs, parse_query, unescape


def pairs(text: str | bytes) -> list[tuple[str, str]]:
    return parse_query(text).multi_items()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=1&b=2", [("a", "1"), ("b", "2")]),
        ("a=1&a=2", [("a", "1"), ("a", "2")]),
        ("a", [("a", "")]),
        ("a=", [("a", "")]),
        ("=1", [("", "1")]),
        ("a=b=c", [("a", "b=c")]),
        ("&&a=1&&", [("a", "1")]),
        ("", []),
        ("&", []),
        ("?a=1", [("?a", "1")]),
        ("a+b=c+d", [("a b", "c d")]),
        ("a=%2B", [("a", "+")]),
        ("a%3Db%26=%26", [("a=b&", "&")]),
        ("a=%", [("a", "%")]),
        ("a=%4", [("a", "%4")]),
        ("a=%zz", [("a", "%zz")]),
        ("a=%C3%A9", [("a", "é")]),
        ("a=é", [("a", "é")]),
        ("a=%00", [("a", "\0")]),
    ],
)
def test_a_query_string_is_read_as_pairs(text: str, expected: list[tuple[str, str]]) -> None:
    assert pairs(text) == expected
    assert pairs(text.encode()) == expected


def test_a_semicolon_separates_nothing() -> None:
    assert pairs("a=1;b=2&c=3") == [("a", "1;b=2"), ("c", "3")]
    assert len(pairs(";".join(["a=1"] * 2000))) == 1


def test_escapes_are_decoded_once() -> None:
    assert pairs("a=%2541&b=%252B") == [("a", "%41"), ("b", "%2B")]


def test_bytes_that_are_no_utf_8_become_replacement_characters() -> None:
    assert pairs("a=%ff") == [("a", "\ufffd")]
    assert pairs(b"a=\xff") == [("a", "\ufffd")]
    assert "\ufffd" in pairs("a=\ud800")[0][1]


@pytest.mark.parametrize("text", ["a[b][c]=1", "a[-1]=1", "a[99999999]=1", "a[]=1", "__class__=1", "__proto__[x]=1"])
def test_names_are_flat(text: str) -> None:
    name = text.removesuffix("=1")

    assert pairs(text) == [(name, "1")]
    assert not hasattr(parse_query(text), name) or name == "__class__"
    assert type(parse_query(text)) is QueryParams


def test_a_thousand_parameters_are_read_and_one_more_is_refused() -> None:
    assert len(pairs("&".join(["a=1"] * 1000))) == 1000
    assert len(pairs("a=1&" * 1000)) == 1000

    for text in ("&".join(["a=1"] * 1001), "a=1&" * 1001, "a&" * 10_000):
        with pytest.raises(BadRequest) as caught:
            parse_query(text)
        assert caught.value.code == "too_many_query_params"


def test_the_number_of_parameters_can_be_chosen() -> None:
    assert len(parse_query("a&b", max_params=2)) == 2

    with pytest.raises(BadRequest):
        parse_query("a&b", max_params=1)


def test_a_query_string_has_a_size() -> None:
    assert pairs("a=" + "x" * (64 * 1024 - 2))

    with pytest.raises(URITooLong):
        parse_query("a=" + "x" * (64 * 1024 - 1))
    with pytest.raises(URITooLong):
        parse_query(b"abcd", max_size=3)


def test_pairs_can_be_read_strictly() -> None:
    assert parse_pairs(b"a=%C3%A9", max_fields=1, errors="strict") == [("a", "é")]

    with pytest.raises(UnicodeDecodeError):
        parse_pairs(b"a=%ff", max_fields=1, errors="strict")


def test_one_name_or_value_can_be_decoded_alone() -> None:
    assert decode_component(b"a%20b+c") == "a b c"


def test_the_first_value_stands_for_the_name() -> None:
    params = parse_query("tag=a&page=2&tag=b")

    assert params["tag"] == "a"
    assert params.get("tag") == "a"
    assert params.get_all("tag") == ["a", "b"]
    assert dict(params) == {"tag": "a", "page": "2"}
    assert list(params.items()) == [("tag", "a"), ("page", "2")]
    assert list(params) == ["tag", "page"]
    assert len(params) == 2


def test_a_missing_parameter_is_a_key_error_or_the_default() -> None:
    params = parse_query("a=1")

    assert params.get("b") is None
    assert params.get("b", "20") == "20"
    assert params.get_all("b") == []
    assert "b" not in params
    with pytest.raises(KeyError):
        params["b"]


def test_parameters_cannot_be_changed() -> None:
    params = parse_query("a=1&a=2")

    params.get_all("a").append("3")
    params.multi_items().append(("a", "3"))

    assert params.get_all("a") == ["1", "2"]
    assert not hasattr(params, "__setitem__")
    assert not hasattr(params, "__delitem__")


def test_multi_dicts_are_equal_when_their_pairs_are() -> None:
    assert MultiDict([("a", 1), ("a", 2)]) == MultiDict([("a", 1), ("a", 2)])
    assert MultiDict([("a", 1), ("a", 2)]) != MultiDict([("a", 2), ("a", 1)])
    assert MultiDict([("a", 1)]) == {"a": 1}
    assert MultiDict([("a", 1), ("a", 1)]) != {"a": 1}
    assert MultiDict([("a", 1)]) != [("a", 1)]


def test_a_multi_dict_shows_its_pairs() -> None:
    assert repr(MultiDict([("a", 1), ("a", 2)])) == "MultiDict([('a', 1), ('a', 2)])"


@given(st.text() | st.binary() | st.text("ab=&;+%0fF"))
def test_reading_a_query_string_never_fails_within_its_limits(text: str | bytes) -> None:
    read = pairs(text)

    assert not any("\ud800" <= character <= "\udfff" for pair in read for character in "".join(pair))


@given(st.text() | st.binary())
def test_only_the_two_limits_raise(text: str | bytes) -> None:
    try:
        params = parse_query(text, max_params=1, max_size=8)
    except (BadRequest, URITooLong):
        return

    assert len(params.multi_items()) <= 1


unicode_text = st.text(st.characters(blacklist_categories=["Cs"]))


@given(st.lists(st.tuples(unicode_text, unicode_text)))
def test_parameters_survive_the_round_trip(original: list[tuple[str, str]]) -> None:
    assert pairs(urlencode(original)) == original


@given(unicode_text)
def test_a_component_survives_the_round_trip(text: str) -> None:
    assert decode_component(quote_plus(text).encode()) == text


@given(st.binary() | st.text("%%%09aFg+").map(str.encode))
def test_escapes_are_read_as_the_standard_library_reads_them(raw: bytes) -> None:
    assert unescape(raw) == unquote_to_bytes(raw.replace(b"+", b" "))


@pytest.mark.parametrize("piece", [b"%41", b"%41a", b"%", b"%%41", b"a%4", b"%zz", b"x" * 99 + b"%C3%A9"])
def test_a_large_value_is_unescaped_like_a_small_one(piece: bytes) -> None:
    raw = piece * (200_000 // len(piece))

    assert unescape(raw) == unquote_to_bytes(raw)
