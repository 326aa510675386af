"""Origins: one spelling, and nothing but origins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.errors import ConfigurationError
from nexios.http.origins import configured_origins, parse_origin


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://shop.example", "https://shop.example"),
        ("HTTPS://SHOP.example:443", "https://shop.example"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://localhost:80", "http://localhost"),
        ("chrome-extension://abcdef", "chrome-extension://abcdef"),
    ],
)
def test_an_origin_has_one_spelling(text: str, origin: str) -> None:
    parsed = parse_origin(text)

    assert parsed is not None
    assert (parsed.origin, [*configured_origins([text], "x")]) == (origin, [origin])


@pytest.mark.parametrize(
    "text", ["null", "", "*", "https://a/", "https://a?", "https://a#b", "https://u@a", "a.example"]
)
def test_what_is_no_origin_is_none(text: str) -> None:
    assert parse_origin(text) is None
    with pytest.raises(ConfigurationError, match="is no origin"):
        configured_origins([text], "allow_origins")


def test_one_text_is_no_list() -> None:
    with pytest.raises(ConfigurationError, match=r"write allow_origins=\['https://a.example'\]"):
        configured_origins("https://a.example", "allow_origins")


@given(st.text() | st.text(st.sampled_from("htps:/.[]@#?0189ab"), max_size=30))
def test_no_text_raises_and_the_spelling_is_stable(text: str) -> None:
    origin = parse_origin(text)
    if origin is not None:
        again = parse_origin(origin.origin)
        assert again is not None
        assert again.origin == origin.origin
