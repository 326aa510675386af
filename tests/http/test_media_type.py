"""Media types and parameters: one reading of one text, or an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.errors import BadRequest
from nexios.http.media_type import MediaType, is_json, parse_media_type, parse_parameters


@pytest.mark.parametrize(
    "text",
    [
        "application/json",
        " application/json",
        "Application/JSON",
        "application/json ;",
        "application/json\t",
        "application/json;;",
    ],
)
def test_spelling_does_not_change_the_type(text: str) -> None:
    assert parse_media_type(text) == MediaType("application", "json")


@pytest.mark.parametrize(
    "text",
    [
        "",
        ";",
        "/",
        "text",
        "text/",
        "/html",
        "__proto__",
        "application/json\tx",
        "application/json garbage",
        "application / json",
        "application/json, text/html",
        "text/plain;application/json",
        "text/html/x",
        "t\xe9xt/html",
        "text/ht\u0131ml",
        "text/html\n",
        "text/html; a=\r\nb",
        'text/html; a="x\x00"',
        "text/html; a",
        "text/html; a=",
        "text/html; =a",
        "text/html; a =b",
        "text/html; a= b",
        'text/html; a="b',
        'text/html; a="b\\',
        'text/html; a="b"c',
        "text/html; a=b c",
        "multipart/form-data; boundary=safe; boundary=evil",
        "multipart/form-data; boundary=safe; BOUNDARY=safe",
    ],
)
def test_a_malformed_media_type_is_an_error(text: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_media_type(text)

    assert caught.value.code == "malformed_media_type"
    assert caught.value.detail == "Malformed media type"


def test_parameters_are_named_in_lower_case_and_keep_their_values() -> None:
    media_type = parse_media_type('multipart/form-data; Boundary="aB c"; x=Y')

    assert media_type.parameters == {"boundary": "aB c", "x": "Y"}
    assert media_type.essence == "multipart/form-data"


def test_a_charset_is_compared_in_lower_case() -> None:
    assert parse_media_type("text/html; charset=UTF-8").charset == "utf-8"
    assert parse_media_type("text/html").charset is None


def test_a_media_type_is_a_value() -> None:
    assert parse_media_type("Text/HTML; a=1") == MediaType("text", "html", {"a": "1"})
    assert len({parse_media_type("text/html"), parse_media_type("TEXT/html")}) == 1


def test_the_parameters_of_a_parsed_type_cannot_be_changed() -> None:
    """Frequent types are shared between requests."""
    for text in ("text/html", "text/html; a=1"):
        with pytest.raises(TypeError):
            parse_media_type(text).parameters["charset"] = "evil"  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("application/json", True),
        ("application/json; charset=utf-8", True),
        ("application/problem+json", True),
        ("image/svg+xml", False),
        ("text/json", False),
        ("application/jsonp", False),
    ],
)
def test_json_is_known_by_its_subtype(text: str, answer: bool) -> None:
    assert is_json(parse_media_type(text)) is answer


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("", []),
        (" ;; ; ", []),
        ("a=1", [("a", "1")]),
        ("; a=1 ; B=2;", [("a", "1"), ("b", "2")]),
        ('a=";"; b="="', [("a", ";"), ("b", "=")]),
        (r'a="\"\\\x"', [("a", '"\\x')]),
        ('a=""', [("a", "")]),
        ("a*=utf-8''x", [("a*", "utf-8''x")]),
        ('a="caf\xe9 \u20ac"', [("a", "caf\xe9 \u20ac")]),
    ],
)
def test_parameters_are_read_in_order(text: str, parameters: list[tuple[str, str]]) -> None:
    assert parse_parameters(text) == parameters


def test_a_malformed_parameter_has_a_code_of_its_own() -> None:
    with pytest.raises(BadRequest) as caught:
        parse_parameters("a=1; a=2")

    assert caught.value.code == "malformed_parameters"


@pytest.mark.parametrize(
    "text",
    [
        '; !="' + "\\" * 50_001,
        '; name="' + '\\"' * 50_000,
        '; a="' + "\\a" * 50_000,
        "; !=" + "\\" * 50_000,
        ";a" * 50_000,
        ";a=1" * 50_000,
    ],
    ids=lambda text: text[:12],
)
def test_a_hostile_parameter_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        parse_media_type("application/x-www-form-urlencoded" + text)


def test_separators_inside_quotes_are_text() -> None:
    assert parse_media_type('text/html; a="' + ";" * 20_000 + '"').parameters["a"] == ";" * 20_000


@given(st.text() | st.text('ab/;="\\ \t,'))
def test_parsing_a_media_type_raises_nothing_but_a_bad_request(text: str) -> None:
    try:
        media_type = parse_media_type(text)
    except BadRequest:
        return

    assert media_type.essence == media_type.essence.lower()
    assert media_type.essence.isascii()


tokens = st.text("abcxyz019-+.", min_size=1)
quotable = st.text(st.characters(blacklist_categories=["Cc", "Cs"]))


@given(tokens, tokens, st.dictionaries(tokens, quotable))
def test_parameters_survive_the_round_trip(kind: str, subtype: str, parameters: dict[str, str]) -> None:
    quoted = {name: value.replace("\\", "\\\\").replace('"', '\\"') for name, value in parameters.items()}
    text = f"{kind}/{subtype}" + "".join(f'; {name}="{value}"' for name, value in quoted.items())

    assert parse_media_type(text) == MediaType(kind, subtype, parameters)
