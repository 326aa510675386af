"""Cookies: read as browsers mean them, written as browsers take them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.errors import InvalidCookie
from nexios.http.cookies import format_delete_cookie, format_set_cookie, parse_cookies

ILLEGAL_EVERYWHERE = [*map(chr, range(0x21)), "\x7f", ";", ",", "é", "\u2028", "\u0660"]


def test_pairs_are_split_on_semicolons() -> None:
    assert parse_cookies(["a=1; b=2;c=3"]) == {"a": "1", "b": "2", "c": "3"}


def test_no_field_gives_no_cookies() -> None:
    assert parse_cookies([]) == {}
    assert parse_cookies([""]) == {}
    assert parse_cookies(["; ;=;"]) == {}


def test_several_fields_are_merged_in_order() -> None:
    """RFC 9113, 8.2.3."""
    assert parse_cookies(["a=1", "b=2; c=3"]) == {"a": "1", "b": "2", "c": "3"}


def test_of_two_cookies_with_one_name_the_first_is_kept() -> None:
    """The browser sends the one with the longer path first (RFC 6265bis, 5.8.3)."""
    assert parse_cookies(["a=1; a=2", "a=3"]) == {"a": "1"}


def test_a_value_may_hold_equals_signs_and_be_empty() -> None:
    assert parse_cookies(["token=YQ==; empty="]) == {"token": "YQ==", "empty": ""}


def test_a_pair_without_a_name_is_ignored() -> None:
    assert parse_cookies(["=x; y; a=1"]) == {"a": "1"}


@pytest.mark.parametrize(
    "header",
    [
        "=__Host-s=bad",
        "__%48ost-s=bad",
        "%5f_Host-s=bad",
        " __Host-s=bad",
        "__host-s=bad",
        '"__Host-s"=bad',
        "\xa0__Host-s=bad",
        "\x85__Host-s=bad",
        "a=b; \t__Host-s=bad",
        "a=b;  __Host-s=bad",
        "__Host-s =bad",
        "\x00__Host-s=bad",
        "x;__Host-s",
    ],
)
def test_no_other_name_can_pose_as_a_host_cookie(header: str) -> None:
    assert "__Host-s" not in parse_cookies([header])


@pytest.mark.parametrize(
    "header", ["ga=x]csrftoken=evil", "a=b,csrftoken=e", 'a="x;csrftoken=e"', "a=b\x0bcsrftoken=e"]
)
def test_nothing_but_a_semicolon_starts_a_cookie(header: str) -> None:
    assert "csrftoken" not in parse_cookies([header])


def test_one_pair_of_quotes_around_a_value_is_removed() -> None:
    assert parse_cookies(['a="x y"; b=""; c=""d""']) == {"a": "x y", "b": "", "c": '"d"'}


def test_quotes_inside_a_value_are_kept() -> None:
    assert parse_cookies(['prefs={"dark":true}']) == {"prefs": '{"dark":true}'}


def test_nothing_is_unescaped() -> None:
    assert parse_cookies([r'a="\x\073"; b=%41+']) == {"a": r"\x\073", "b": "%41+"}


def test_spaces_and_tabs_around_a_value_are_dropped() -> None:
    assert parse_cookies(["a= 1\t; b=2"]) == {"a": "1", "b": "2"}


def test_names_are_case_sensitive() -> None:
    assert parse_cookies(["a=1; A=2"]) == {"a": "1", "A": "2"}


def test_names_that_browsers_allow_beyond_tokens_are_read() -> None:
    assert parse_cookies(["cart[1]=x; user@host=y"]) == {"cart[1]": "x", "user@host": "y"}


def test_pairs_after_the_hundred_and_eightieth_are_ignored() -> None:
    header = "; ".join(f"c{number}=1" for number in range(1000))

    cookies = parse_cookies([header])

    assert len(cookies) == 180
    assert "c179" in cookies
    assert "c180" not in cookies


def test_the_cap_holds_over_several_fields() -> None:
    cookies = parse_cookies(["a=1;b=2"] + [f"c{number}=1" for number in range(300)])

    assert len(cookies) == 180
    assert "c177" in cookies
    assert "c178" not in cookies


def test_a_value_of_nothing_but_escapes_is_read_once() -> None:
    value = '\\"' * 4000

    assert parse_cookies([f'a="{value}"']) == {"a": value}


@given(st.lists(st.text()))
def test_reading_cookies_never_fails(values: list[str]) -> None:
    for name, value in parse_cookies(values).items():
        assert name.isascii()
        assert ";" not in name + value


cookie_names = st.text("abcXYZ019!#$%&'*+-.^_`|~", min_size=1)
cookie_values = st.text([chr(code) for code in range(0x21, 0x7F) if chr(code) not in '",;\\'])


@given(cookie_names, cookie_values)
def test_what_is_written_is_read_again(name: str, value: str) -> None:
    written = format_set_cookie(name, value, secure=True, http_only=True, path="/")

    assert parse_cookies([written.split(";", 1)[0]]) == {name: value}


@given(st.text(), st.text(), st.none() | st.text(), st.none() | st.text())
def test_whatever_is_written_is_one_header_value_with_one_pair(
    name: str, value: str, path: str | None, domain: str | None
) -> None:
    try:
        written = format_set_cookie(name, value, path=path, domain=domain)
    except InvalidCookie:
        return

    assert written.isascii()
    assert written.isprintable()
    assert written.count(";") == 3 + (path is not None) + (domain is not None)


def test_a_cookie_is_safe_by_default() -> None:
    assert format_set_cookie("id", "42") == "id=42; Path=/; Secure; HttpOnly; SameSite=Lax"


def test_every_attribute_has_its_place() -> None:
    written = format_set_cookie(
        "id",
        "42",
        max_age=60,
        expires=datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC),
        path="/app",
        domain="example.com",
        same_site="none",
        partitioned=True,
    )

    assert written == (
        "id=42; Expires=Wed, 02 Jan 2030 03:04:05 GMT; Max-Age=60; Domain=example.com; Path=/app; "
        "Secure; HttpOnly; SameSite=None; Partitioned"
    )


def test_every_attribute_can_be_left_out() -> None:
    assert format_set_cookie("id", path=None, secure=False, http_only=False, same_site=None) == "id="


def test_an_expiry_in_another_time_zone_is_written_in_gmt() -> None:
    expires = datetime(2030, 1, 2, 3, 0, tzinfo=timezone(timedelta(hours=2)))

    assert "Expires=Wed, 02 Jan 2030 01:00:00 GMT" in format_set_cookie("id", expires=expires)


@pytest.mark.parametrize("character", [*ILLEGAL_EVERYWHERE, '"', "\\"], ids=repr)
def test_an_illegal_character_never_gets_into_a_value(character: str) -> None:
    for value in (f"a{character}b", character, f"a{character}"):
        with pytest.raises(InvalidCookie, match="Encode it first"):
            format_set_cookie("id", value)


@pytest.mark.parametrize("character", [*ILLEGAL_EVERYWHERE, "=", '"', "(", "/"], ids=repr)
def test_an_illegal_character_never_gets_into_a_name(character: str) -> None:
    for name in (f"a{character}b", character, f"a{character}"):
        with pytest.raises(InvalidCookie, match="is not a cookie name"):
            format_set_cookie(name, "1")
        with pytest.raises(InvalidCookie, match="is not a cookie name"):
            format_delete_cookie(name)


@pytest.mark.parametrize("character", ILLEGAL_EVERYWHERE, ids=repr)
def test_an_illegal_character_never_gets_into_path_or_domain(character: str) -> None:
    for injected in (f"a{character}b", f"a{character}"):
        with pytest.raises(InvalidCookie, match="is not a cookie path"):
            format_set_cookie("id", path=f"/{injected}")
        with pytest.raises(InvalidCookie, match="is not a cookie domain"):
            format_set_cookie("id", domain=injected)


@pytest.mark.parametrize("path", ["", "app", "app/", "?", "/" + "x" * 1024, 5])
def test_a_path_starts_with_a_slash_and_has_a_bound(path: str) -> None:
    with pytest.raises(InvalidCookie, match="is not a cookie path"):
        format_set_cookie("id", path=path)


@pytest.mark.parametrize("domain", ["", ".", "a..b", "a.", "x" * 64, "a." * 127 + "example", "a/b", "a:80", "[::1]", 5])
def test_a_domain_is_a_host_name(domain: str) -> None:
    with pytest.raises(InvalidCookie, match="is not a cookie domain"):
        format_set_cookie("id", domain=domain)


@pytest.mark.parametrize("domain", ["example.com", ".example.com", "xn--bcher-kva.example", "localhost"])
def test_a_host_name_is_a_domain(domain: str) -> None:
    assert f"; Domain={domain};" in format_set_cookie("id", domain=domain)


@pytest.mark.parametrize("same_site", ["", "relaxed", "Lax; Domain=evil.example", "lax\r\n", 5, True])
def test_same_site_is_one_of_three_words(same_site: object) -> None:
    with pytest.raises(InvalidCookie, match="same_site is"):
        format_set_cookie("id", same_site=same_site)  # type: ignore[arg-type]


def test_same_site_is_taken_in_any_case() -> None:
    assert format_set_cookie("id", same_site="Strict").endswith("; SameSite=Strict")  # type: ignore[arg-type]


@pytest.mark.parametrize("max_age", ["60", 1.5, True, "1; Domain=evil.example"])
def test_max_age_is_a_whole_number(max_age: object) -> None:
    with pytest.raises(InvalidCookie, match="whole number of seconds"):
        format_set_cookie("id", max_age=max_age)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "expires",
    [
        datetime(2030, 1, 1, tzinfo=UTC).replace(tzinfo=None),
        "Wed, 02 Jan 2030 03:04:05 GMT",
        1_893_456_000,
        datetime.max.replace(tzinfo=UTC),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
    ],
)
def test_expires_is_an_aware_datetime_in_reach_of_browsers(expires: object) -> None:
    with pytest.raises(InvalidCookie, match="expires must"):
        format_set_cookie("id", expires=expires)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [b"1", 1, None])
def test_a_value_is_text(value: object) -> None:
    with pytest.raises(InvalidCookie):
        format_set_cookie("id", value)  # type: ignore[arg-type]


def test_name_and_value_have_4096_bytes() -> None:
    assert format_set_cookie("n" * 10, "v" * 4086)

    with pytest.raises(InvalidCookie, match="over 4096 bytes"):
        format_set_cookie("n" * 10, "v" * 4087)


def test_same_site_none_requires_secure() -> None:
    with pytest.raises(InvalidCookie, match="SameSite=None without Secure"):
        format_set_cookie("id", same_site="none", secure=False)


def test_partitioned_requires_secure() -> None:
    with pytest.raises(InvalidCookie, match="Partitioned cookie without Secure"):
        format_set_cookie("id", partitioned=True, secure=False)


@pytest.mark.parametrize("name", ["__Host-id", "__host-id", "__HOST-id", "__Secure-id", "__secure-id", "__Http-id"])
def test_a_prefixed_cookie_is_secure(name: str) -> None:
    assert format_set_cookie(name, "1").startswith(f"{name}=1; Path=/; Secure")

    with pytest.raises(InvalidCookie, match="without Secure"):
        format_set_cookie(name, "1", secure=False)


@pytest.mark.parametrize("name", ["__Host-id", "__hOST-id", "__Host-Http-id"])
def test_a_host_cookie_has_no_domain_and_the_root_path(name: str) -> None:
    with pytest.raises(InvalidCookie, match="with a domain or another path"):
        format_set_cookie(name, domain="example.com")
    with pytest.raises(InvalidCookie, match="with a domain or another path"):
        format_set_cookie(name, path="/app")
    with pytest.raises(InvalidCookie, match="with a domain or another path"):
        format_set_cookie(name, path=None)


@pytest.mark.parametrize("name", ["__Http-id", "__Host-Http-id"])
def test_an_http_cookie_is_http_only(name: str) -> None:
    with pytest.raises(InvalidCookie, match="without HttpOnly"):
        format_set_cookie(name, http_only=False)


def test_a_secure_cookie_may_have_a_domain() -> None:
    assert "Domain=example.com" in format_set_cookie("__Secure-id", domain="example.com", path="/app")


def test_deleting_mirrors_the_attributes() -> None:
    written = format_delete_cookie("id", path="/app", domain="example.com", same_site="none", partitioned=True)

    assert written == (
        "id=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Domain=example.com; Path=/app; "
        "Secure; HttpOnly; SameSite=None; Partitioned"
    )


def test_a_host_cookie_can_be_deleted() -> None:
    assert format_delete_cookie("__Host-id") == (
        "__Host-id=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax"
    )
