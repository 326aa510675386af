"""Header fields: looked up in any case, and checked before they are written."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.errors import InvalidHeader
from nexios.http.headers import Headers, MutableHeaders, check_name, check_value, is_token

CONTROL_CHARACTERS = [chr(code) for code in [*range(0x20), 0x7F] if code != 0x09]

WRITERS: list[Callable[[MutableHeaders, str, str], object]] = [
    MutableHeaders.__setitem__,
    MutableHeaders.add,
    MutableHeaders.setdefault,
]


def test_a_name_is_found_in_any_case() -> None:
    headers = Headers([("content-type", "text/plain")])

    assert headers["Content-Type"] == "text/plain"
    assert headers.get("CONTENT-TYPE") == "text/plain"
    assert "content-TYPE" in headers


def test_a_missing_name_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        Headers([("accept", "*/*")])["accept-encoding"]


def test_get_honours_its_default() -> None:
    headers = Headers([])

    assert headers.get("accept") is None
    assert headers.get("accept", "*/*") == "*/*"


def test_fields_of_one_name_read_as_one_list() -> None:
    """RFC 9110, 5.3."""
    headers = Headers([("accept", "text/html"), ("host", "x"), ("accept", "text/plain")])

    assert headers["accept"] == "text/html, text/plain"
    assert headers.get_all("Accept") == ["text/html", "text/plain"]
    assert headers.get_all("host") == ["x"]
    assert headers.get_all("absent") == []


def test_a_second_host_is_not_overlooked() -> None:
    headers = Headers([("host", "good.example"), ("host", "evil.example")])

    assert headers["host"] == "good.example, evil.example"


def test_cookie_fields_are_joined_as_cookies() -> None:
    """RFC 9113, 8.2.3: HTTP/2 splits the field."""
    assert Headers([("cookie", "a=1"), ("cookie", "b=2")])["cookie"] == "a=1; b=2"


def test_set_cookie_fields_are_never_joined() -> None:
    headers = Headers([("set-cookie", "a=1"), ("set-cookie", "b=2")])

    assert headers["set-cookie"] == "a=1"
    assert headers.get_all("set-cookie") == ["a=1", "b=2"]


def test_an_underscore_is_not_a_hyphen() -> None:
    headers = Headers([("x_forwarded_for", "203.0.113.9")])

    assert "x-forwarded-for" not in headers
    assert headers.get("x-forwarded-for") is None


def test_iteration_and_length_count_distinct_names_and_items_has_every_field() -> None:
    headers = Headers([("a", "1"), ("b", "2"), ("a", "3")])

    assert list(headers) == ["a", "b"]
    assert len(headers) == 2
    assert list(headers.items()) == [("a", "1"), ("b", "2"), ("a", "3")]
    assert len(headers.items()) == 3
    assert ("a", "3") in headers.items()
    assert dict(headers) == {"a": "1, 3", "b": "2"}


def test_get_all_gives_a_copy() -> None:
    headers = Headers([("a", "1"), ("a", "2")])

    headers.get_all("a").append("3")

    assert headers.get_all("a") == ["1", "2"]


def test_characters_that_only_python_takes_for_line_ends_split_nothing() -> None:
    headers = Headers([("x", "a\x85sec: b\x0bc\x1cd")])

    assert headers["x"] == "a\x85sec: b\x0bc\x1cd"
    assert len(headers) == 1


def test_a_thing_that_is_no_name_is_not_in_the_headers() -> None:
    thing: object = 5

    assert not Headers([("a", "1")]).__contains__(thing)
    assert not MutableHeaders([("a", "1")]).__contains__(thing)


def test_headers_are_equal_when_their_fields_are() -> None:
    assert Headers([("a", "1")]) == Headers((("a", "1"),))
    assert Headers([("a", "1")]) != Headers([("a", "2")])
    assert Headers([("a", "1")]) != [("a", "1")]


def test_of_takes_names_in_any_case() -> None:
    assert Headers.of({"X-A": "1"})["x-a"] == "1"
    assert Headers.of([("X-A", "1"), ("x-a", "2")]).get_all("X-A") == ["1", "2"]


@pytest.mark.parametrize("name", ["authorization", "cookie", "set-cookie", "proxy-authorization"])
def test_repr_hides_credentials(name: str) -> None:
    assert "secret" not in repr(Headers([(name, "secret")]))
    assert "secret" not in repr(MutableHeaders([(name, "secret")]))


def test_repr_shows_the_rest() -> None:
    assert repr(Headers([("accept", "*/*")])) == "Headers([('accept', '*/*')])"


def test_the_twenty_thousand_fields_of_one_name_are_all_there() -> None:
    headers = Headers([("x", "1")] * 20_000)

    assert len(headers.get_all("x")) == 20_000
    assert len(headers["x"]) == 3 * 20_000 - 2
    assert len(list(headers.items())) == 20_000


def test_writes_land_in_the_list_that_was_given() -> None:
    fields: list[tuple[str, str]] = []

    MutableHeaders(fields)["X-Request-Id"] = "42"

    assert fields == [("x-request-id", "42")]


def test_a_list_is_made_when_none_was_given() -> None:
    first, second = MutableHeaders(), MutableHeaders()

    first["a"] = "1"

    assert first.pairs == [("a", "1")]
    assert second.pairs == []


def test_setting_replaces_every_field_of_that_name_in_place() -> None:
    fields = [("a", "1"), ("b", "2"), ("a", "3"), ("c", "4")]

    MutableHeaders(fields)["A"] = "9"

    assert fields == [("a", "9"), ("b", "2"), ("c", "4")]


def test_adding_keeps_the_fields_of_that_name() -> None:
    headers = MutableHeaders()

    headers.add("Set-Cookie", "a=1")
    headers.add("Set-Cookie", "b=2")

    assert headers.get_all("set-cookie") == ["a=1", "b=2"]


def test_deleting_removes_every_field_of_that_name() -> None:
    fields = [("a", "1"), ("b", "2"), ("a", "3")]

    del MutableHeaders(fields)["A"]

    assert fields == [("b", "2")]


def test_deleting_or_reading_what_is_not_there_is_a_key_error() -> None:
    headers = MutableHeaders()

    with pytest.raises(KeyError):
        del headers["a"]
    with pytest.raises(KeyError):
        headers["a"]


def test_setdefault_writes_only_where_nothing_is() -> None:
    headers = MutableHeaders([("a", "1")])

    assert headers.setdefault("A", "2") == "1"
    assert headers.setdefault("B", "2") == "2"
    assert headers.pairs == [("a", "1"), ("b", "2")]


def test_mutable_headers_are_a_mapping() -> None:
    headers = MutableHeaders([("a", "1"), ("a", "2"), ("b", "3")])

    assert list(headers) == ["a", "b"]
    assert len(headers) == 2
    assert headers.get("c") is None
    assert list(headers.items()) == [("a", "1"), ("a", "2"), ("b", "3")]
    assert headers.pop("a") == "1, 2"
    headers.update({"X": "4"})
    assert headers.pairs == [("b", "3"), ("x", "4")]
    headers.clear()
    assert headers.pairs == []


def test_vary_gains_a_name_once() -> None:
    headers = MutableHeaders([("vary", "Accept-Encoding")])

    headers.add_vary("Origin", "accept-encoding")
    headers.add_vary("ORIGIN", "Cookie")

    assert headers["vary"] == "Accept-Encoding, Origin, Cookie"


def test_vary_fields_are_merged() -> None:
    headers = MutableHeaders([("vary", "Origin"), ("a", "1"), ("vary", "Cookie,, Accept")])

    headers.add_vary("Cookie")

    assert headers.pairs == [("vary", "Origin, Cookie, Accept"), ("a", "1")]


@pytest.mark.parametrize(("before", "added"), [("*", "Origin"), ("Origin", "*")])
def test_a_star_in_vary_swallows_all_names(before: str, added: str) -> None:
    headers = MutableHeaders([("vary", before)])

    headers.add_vary(added)

    assert headers["vary"] == "*"


def test_adding_nothing_to_vary_writes_nothing() -> None:
    headers = MutableHeaders()

    headers.add_vary()

    assert headers.pairs == []


def test_a_vary_name_is_checked() -> None:
    headers = MutableHeaders()

    with pytest.raises(InvalidHeader):
        headers.add_vary("Origin\r\nX-Evil: 1")

    assert headers.pairs == []


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("character", CONTROL_CHARACTERS, ids=repr)
def test_a_control_character_never_gets_into_a_value(write: Callable[..., object], character: str) -> None:
    headers = MutableHeaders()

    for value in (f"a{character}b", f"{character}b", f"a{character}"):
        with pytest.raises(InvalidHeader):
            write(headers, "x", value)

    assert headers.pairs == []


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize(
    "character", [*CONTROL_CHARACTERS, "\t", " ", ":", "é", "\u0131", "\uff21", '"', "(", ","], ids=repr
)
def test_a_name_is_a_token(write: Callable[..., object], character: str) -> None:
    headers = MutableHeaders()

    for name in (f"x{character}y", f"x{character}", character):
        with pytest.raises(InvalidHeader):
            write(headers, name, "1")

    assert headers.pairs == []


@pytest.mark.parametrize("name", ["", b"x", None, 5])
def test_what_is_no_text_is_no_name(name: object) -> None:
    with pytest.raises(InvalidHeader, match="is not a header name"):
        check_name(name)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [b"x", None, 5])
def test_what_is_no_text_is_no_value(value: object) -> None:
    with pytest.raises(InvalidHeader, match="A header value is str"):
        check_value(value)  # type: ignore[arg-type]


def test_text_outside_latin_1_is_told_what_to_do() -> None:
    with pytest.raises(InvalidHeader) as caught:
        check_value("price: 5 €")

    assert str(caught.value) == (
        "A header value is latin-1 text; it has '€' at index 9. "
        "Percent-encode it, for example with urllib.parse.quote()."
    )


def test_the_error_about_a_value_does_not_repeat_the_value() -> None:
    with pytest.raises(InvalidHeader) as caught:
        check_value("secret\r\n")

    assert str(caught.value) == "A header value may not hold control characters; it has '\\r' at index 6."


def test_latin_1_text_and_tabs_inside_are_kept() -> None:
    """RFC 9110, 5.5: obs-text is legal."""
    assert check_value("caf\xe9\tau\x80 lait") == "caf\xe9\tau\x80 lait"


def test_spaces_around_a_value_are_no_part_of_it() -> None:
    assert check_value(" \t a b \t") == "a b"
    assert check_value("") == ""


def test_a_name_is_lower_cased() -> None:
    assert check_name("X-Request-ID") == "x-request-id"


@pytest.mark.parametrize(
    ("text", "answer"), [("gzip", True), ("", False), ("a b", False), ("a\n", False), ("é", False)]
)
def test_a_token_is_visible_ascii_without_delimiters(text: str, answer: bool) -> None:
    assert is_token(text) is answer


@given(st.text(), st.text())
def test_whatever_is_written_is_legal_on_the_wire(name: str, value: str) -> None:
    headers = MutableHeaders()

    try:
        headers[name] = value
    except InvalidHeader:
        assert headers.pairs == []
        return

    written_name, written_value = headers.pairs[0]
    assert written_name.isascii()
    assert written_name == written_name.lower() != ""
    assert not set(written_name) & set(' \t\r\n\0:"')
    assert not set(written_value.encode("latin-1")) & {*range(9), *range(10, 32), 127}


names = st.text("ab-_", min_size=1, max_size=3)


@given(st.lists(st.tuples(names, st.text("xyz", max_size=3))))
def test_every_field_is_found_under_its_name(pairs: list[tuple[str, str]]) -> None:
    headers = Headers(pairs)

    for name, _ in pairs:
        assert headers.get_all(name.upper()) == [value for key, value in pairs if key == name]
        assert headers[name] == ", ".join(headers.get_all(name))
    assert list(headers) == list(dict(pairs))
    assert list(headers.items()) == pairs
