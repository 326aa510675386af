"""Urlencoded forms: strict where queries are lenient, and held to the limits of multipart."""

from os import PathLike
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.errors import BadRequest, ContentTooLarge
from nexios.http.forms import FormData, parse_urlencoded


class Picture:
    """An upload without a file."""

    filename = "a.png"
    safe_filename = "a.png"
    content_type = "image/png"
    size = 3

    async def read(self, size: int = -1) -> bytes:
        return b"abc"

    async def seek(self, position: int) -> None: ...

    async def save(self, directory: str | PathLike[str]) -> Path:
        return Path(directory) / "a.png"

    async def close(self) -> None: ...


def test_fields_are_decoded_in_order() -> None:
    assert parse_urlencoded(b"name=Ada+L%C3%B8velace&tag=a&tag=b&news") == [
        ("name", "Ada Løvelace"),
        ("tag", "a"),
        ("tag", "b"),
        ("news", ""),
    ]


def test_an_empty_body_has_no_fields() -> None:
    assert parse_urlencoded(b"") == []
    assert parse_urlencoded(b"&&") == []


def test_escapes_are_decoded_once() -> None:
    assert parse_urlencoded(b"a=%2541&b=%252B") == [("a", "%41"), ("b", "%2B")]


def test_a_stray_percent_sign_stays() -> None:
    assert parse_urlencoded(b"a=100%&b=%zz") == [("a", "100%"), ("b", "%zz")]


def test_a_semicolon_separates_nothing() -> None:
    assert parse_urlencoded(b"a=1;b=2&c=3") == [("a", "1;b=2"), ("c", "3")]
    assert parse_urlencoded(b";a=1" * 20_000, max_fields=1) == [(";a", ("1;a=" * 20_000)[:-3])]


def test_raw_utf_8_is_read_as_such() -> None:
    assert parse_urlencoded("naïve=é".encode()) == [("naïve", "é")]


@pytest.mark.parametrize("body", [b"a=%ff", b"a=\xff", b"%ff=a", b"a=%C3", b"a=%ED%A0%80", b"a=" + b"x" * 20 + b"%ff"])
def test_what_is_no_utf_8_is_malformed(body: bytes) -> None:
    for max_part_size in (1024, 21):
        with pytest.raises(BadRequest) as caught:
            parse_urlencoded(body, max_part_size=max_part_size)
        assert caught.value.code == "malformed_form"


def test_a_thousand_fields_are_read_and_one_more_is_too_large() -> None:
    assert len(parse_urlencoded(b"&".join([b"a=1"] * 1000))) == 1000
    assert len(parse_urlencoded(b"a=1&" * 1000)) == 1000

    for body in (b"&".join([b"a=1"] * 1001), b"a=1&" * 2000, b"&" * 100_000):
        with pytest.raises(ContentTooLarge) as caught:
            parse_urlencoded(body)
        assert caught.value.code == "too_many_form_fields"


@pytest.mark.parametrize("letter", [b"x", b"%41", b"+"])
def test_a_value_has_a_size_after_decoding(letter: bytes) -> None:
    assert parse_urlencoded(b"a=" + letter * 10, max_part_size=10)

    for body in (b"a=" + letter * 11, letter * 11 + b"=a", letter * 11, b"a=" + letter * 1000):
        with pytest.raises(ContentTooLarge) as caught:
            parse_urlencoded(body, max_part_size=10)
        assert caught.value.code == "form_field_too_large"


def test_two_mebibytes_in_one_field_are_too_large() -> None:
    with pytest.raises(ContentTooLarge):
        parse_urlencoded(b"a=" + b"x" * 2 * 1024 * 1024)


@pytest.mark.parametrize("letter", [b"x", b"%41"])
def test_all_values_together_have_a_size(letter: bytes) -> None:
    half = letter * 10

    assert parse_urlencoded(b"a=" + half + b"&b=" + half, max_part_size=10, max_text_size=20)

    for body in (b"a=" + half + b"&b=" + half + b"&c=x", half + b"&" + half + b"&c"):
        with pytest.raises(ContentTooLarge) as caught:
            parse_urlencoded(body, max_part_size=10, max_text_size=20)
        assert caught.value.code == "form_too_large"


@given(st.binary() | st.text("ab=&;+%0fF").map(str.encode), st.integers(0, 20), st.integers(0, 20), st.integers(0, 20))
def test_only_the_documented_errors_are_raised(body: bytes, count: int, part: int, total: int) -> None:
    try:
        fields = parse_urlencoded(body, max_fields=count, max_part_size=part, max_text_size=total)
    except (BadRequest, ContentTooLarge):
        return

    assert len(fields) <= count
    assert all(len(value.encode()) <= part for _, value in fields)
    assert sum(len(value.encode()) for _, value in fields) <= total


unicode_text = st.text(st.characters(blacklist_categories=["Cs"]))


@given(st.lists(st.tuples(unicode_text, unicode_text)))
def test_fields_survive_the_round_trip(original: list[tuple[str, str]]) -> None:
    body = urlencode(original).encode()

    assert parse_urlencoded(body) == original
    assert parse_urlencoded(body, max_part_size=len(body), max_text_size=max(len(body) - 1, 0)) == original


def test_a_form_keeps_text_and_files_apart() -> None:
    picture = Picture()
    form = FormData([("name", "Ada"), ("picture", picture), ("tag", "a"), ("tag", "b"), ("name", picture)])

    assert form["name"] == "Ada"
    assert form.get_all("name") == ["Ada", picture]
    assert form.fields.multi_items() == [("name", "Ada"), ("tag", "a"), ("tag", "b")]
    assert form.files.multi_items() == [("picture", picture), ("name", picture)]
    assert form.files["picture"] is picture
    assert form.get("absent") is None


def test_the_names_of_a_form_are_flat() -> None:
    form = FormData(parse_urlencoded(b"a[b][0]=1&__proto__[x]=1"))

    assert list(form) == ["a[b][0]", "__proto__[x]"]
