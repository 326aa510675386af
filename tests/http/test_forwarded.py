"""Forwarded: RFC 7239, read in one pass and never in part."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.http.forwarded import parse_forwarded, parse_node
from nexios.http.url import Host


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", []),
        (" , ;", []),
        ("for=192.0.2.60", [{"for": "192.0.2.60"}]),
        ("for=192.0.2.60;proto=http;by=203.0.113.43", [{"for": "192.0.2.60", "proto": "http", "by": "203.0.113.43"}]),
        ("for=192.0.2.43, for=198.51.100.17", [{"for": "192.0.2.43"}, {"for": "198.51.100.17"}]),
        ('For="[2001:db8:cafe::17]:4711"', [{"for": "[2001:db8:cafe::17]:4711"}]),
        ('for="_gazonk"', [{"for": "_gazonk"}]),
        ("for=unknown;HOST=a.example:80", [{"for": "unknown", "host": "a.example:80"}]),
        ("for=a ; proto=https\t,\tfor=b", [{"for": "a", "proto": "https"}, {"for": "b"}]),
        ("for=a;;proto=https;,,for=b,", [{"for": "a", "proto": "https"}, {"for": "b"}]),
        (r'for="a\"b\\c"', [{"for": 'a"b\\c'}]),
        ('for=""', [{"for": ""}]),
        ("for=[::1]:80", [{"for": "[::1]:80"}]),
    ],
)
def test_a_header_is_read(value: str, expected: list[dict[str, str]]) -> None:
    assert parse_forwarded(value) == expected


@pytest.mark.parametrize("value", [
    'for="127.0.0.1;host=evil.com;proto=https"', 'for="127.0.0.1, for=evil"', r'for="127.0.0.1\";host=evil.com"',
])  # fmt: skip
def test_what_is_in_quotes_is_one_value(value: str) -> None:
    [element] = parse_forwarded(value)

    assert list(element) == ["for"]


@pytest.mark.parametrize(
    "value",
    ["for", "for=", "=a", "for =a", "for= a", "for=a b", "for=a=b", 'for="a', r'for="a\"', 'for="a\\', 'for="a"b',
     "for=a/b", "for=a;for=b", "for=a;FOR=b", "for=a, proto", "for=a\x00", 'for="a\r\nb"', 'for="\x7f"',
     "for=\u0661.1.1.1", "for=(a)", "for=a\\b", 'f"or=a', "for=a, for=b, for"],
)  # fmt: skip
def test_a_header_that_is_malformed_anywhere_says_nothing(value: str) -> None:
    assert parse_forwarded(value) == []


@pytest.mark.parametrize(
    "value", ["for=a," * 50_000, ";" * 200_000, ", " * 100_000, 'for="' + '\\"' * 100_000, "a" * 200_000]
)
def test_a_long_header_is_read_in_one_pass(value: str) -> None:
    assert len(parse_forwarded(value)) in (0, 50_000)


VALUES = st.text("abc.:[]", min_size=1, max_size=8) | st.text(
    st.characters(min_codepoint=32, max_codepoint=126), max_size=8
)
ELEMENTS = st.lists(
    st.dictionaries(st.sampled_from(["for", "by", "host", "proto", "x-ext"]), VALUES, min_size=1), max_size=4
)


@given(ELEMENTS)
def test_elements_read_back(elements: list[dict[str, str]]) -> None:
    header = ", ".join(";".join(f"{name}={_quote(value)}" for name, value in one.items()) for one in elements)

    assert parse_forwarded(header) == elements


def _quote(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@given(st.text() | st.text('for=;,"\\ a1:[]', max_size=30))
def test_any_text_is_a_list(value: str) -> None:
    assert all(element for element in parse_forwarded(value))
    assert parse_node(value) is None or isinstance(parse_node(value), Host)


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("192.0.2.1", Host("192.0.2.1")),
        ("192.0.2.1:4711", Host("192.0.2.1", 4711)),
        ("192.0.2.1:_hidden", Host("192.0.2.1")),
        ("[2001:DB8::1]", Host("2001:db8::1")),
        ("[2001:db8::1]:4711", Host("2001:db8::1", 4711)),
        ("2001:db8::1", Host("2001:db8::1")),
        ("::ffff:10.0.0.1", Host("10.0.0.1")),
        ("[::ffff:10.0.0.1]:80", Host("10.0.0.1", 80)),
    ],
)
def test_a_node_with_an_address(text: str, node: Host) -> None:
    assert parse_node(text) == node


@pytest.mark.parametrize(
    "text",
    ["", "unknown", "_gazonk", "localhost", "999.1.1.1", "010.0.0.1", "1", "fe80::1%eth0", "[::1]x", "[::1",
     "[1.2.3.4]", "1.2.3.4:", "1.2.3.4:x", "1.2.3.4:99999", "[::1]:", " 1.2.3.4", "1.2.3.4/8", "\u0661.1.1.1", "127.1"],
)  # fmt: skip
def test_a_node_without_an_address_is_none(text: str) -> None:
    assert parse_node(text) is None
