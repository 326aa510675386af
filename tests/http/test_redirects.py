"""Redirects: a Location never leads to another site unless that was asked for."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nexios.errors import UnsafeRedirect
from nexios.http.redirects import MAX_TARGET_LENGTH, check_redirect, format_location, is_safe_redirect

EVIL = [
    "", "//evil", "///evil", "////evil", "/\\evil", "\\\\evil", "\\/evil", "\x01//evil", "\x08//evil", " //evil",
    "//evil ",
    "\t//evil", "/\t/evil", "/\n/evil", "\n/evil", "http:evil", "https:evil", "https:///evil", "http:///example.com",
    "http://good@evil", "/%0a/evil", "/%0D%0ASet-Cookie:x", "/%00", "/%7f", "javascript:x", "JaVaScRiPt:alert(1)",
    "data:",
    "//evil%E3%80%82com", "http:999999999", "http://user:pw@host", "http:\\\\\\evil", "http:\\\\evil", "ftp://example.com",
    "javascript:alert(1)", "//[::1/", "http:/\\evil", "http:/evil", "http:\\/evil", "\u3000//evil", "/\x85/evil", "a:b",
    "http://999999999", "http://0x7f.1/", "http://b\u00fccher.example", "https://evil\u3002com", "vbscript:x", "://x",
    "\x00",
    "/x\r\nSet-Cookie: a=b", "/\ud800",
]  # fmt: skip

TARGETS = st.text("/\\:@?#.%02fFaA \t\n\x01hps\u00e9\u3002", max_size=20) | st.text(st.characters(codec=None))


@pytest.mark.parametrize("target", EVIL)
@pytest.mark.parametrize("external", [False, True])
def test_a_target_that_is_unsafe_is_refused_even_as_external(target: str, external: bool) -> None:
    with pytest.raises(UnsafeRedirect):
        check_redirect(target, external=external)


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/", "/"),
        ("/account?next=%2Fx&a=b:c#top", "/account?next=%2Fx&a=b:c#top"),
        ("other", "other"),
        ("../up", "../up"),
        ("?page=2", "?page=2"),
        ("#top", "#top"),
        ("/caf\u00e9", "/caf%C3%A9"),
        ("/a b", "/a%20b"),
        ("/100%", "/100%"),
        ("/%2Fevil.com", "/%2Fevil.com"),
        ("/x?url=https://other.example/", "/x?url=https://other.example/"),
        ("/x?path=a\\b&text=%0A", "/x?path=a%5Cb&text=%0A"),
        ('/"<>', "/%22%3C%3E"),
        ("/a//b", "/a//b"),
        ("/user:1", "/user:1"),
    ],
)
def test_a_local_target_comes_out_in_ascii(target: str, location: str) -> None:
    assert check_redirect(target) == location
    assert check_redirect(target, external=True) == location


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("https://pay.example", "https://pay.example"),
        ("HTTP://pay.example:8080/a?b#c", "HTTP://pay.example:8080/a?b#c"),
        ("https://[2001:db8::1]/", "https://[2001:db8::1]/"),
        ("https://pay.example/caf\u00e9?q=a b", "https://pay.example/caf%C3%A9?q=a%20b"),
        ("https://pay.example?back=http://a@b/", "https://pay.example?back=http://a@b/"),
    ],
)
def test_an_absolute_target_has_to_be_asked_for(target: str, location: str) -> None:
    assert check_redirect(target, external=True) == location
    with pytest.raises(UnsafeRedirect, match="external=True"):
        check_redirect(target)


@given(TARGETS)
@example("/.//evil.com")
@example("/%2e%2e//evil.com")
def test_a_local_location_stays_on_the_host_it_came_from(target: str) -> None:
    try:
        location = check_redirect(target)
    except UnsafeRedirect:
        return

    assert location.isascii()
    assert location.isprintable()
    assert " " not in location
    assert "\\" not in location
    assert urlsplit(urljoin("https://good.example/dir/page", location)).netloc == "good.example"


@given(TARGETS)
def test_a_location_is_stable(target: str) -> None:
    try:
        location = check_redirect(target, external=True)
    except UnsafeRedirect:
        return

    assert check_redirect(location, external=True) == location


def test_the_length_is_tested_before_anything_reads_the_target() -> None:
    """Normalising a million of U+FDFA would make eighteen million characters of it."""
    for target in ("/" + "\ufdfa" * 1_048_576, "/" + "a" * MAX_TARGET_LENGTH):
        with pytest.raises(UnsafeRedirect, match="over 8192 characters"):
            check_redirect(target)
    assert len(check_redirect("/" + "a" * (MAX_TARGET_LENGTH - 1))) == MAX_TARGET_LENGTH


@pytest.mark.parametrize("target", EVIL)
def test_no_unsafe_target_is_followed(target: str) -> None:
    assert is_safe_redirect(target, allowed_hosts=["evil", "good", "example.com", "host"]) is False


@pytest.mark.parametrize(
    ("target", "safe"),
    [
        ("/account", True),
        ("account", True),
        ("https://shop.example/x", True),
        ("https://shop.example:443/x", True),
        ("HTTPS://SHOP.example./", True),
        ("http://shop.example/", True),
        ("https://shop.example:8443/", False),
        ("https://api.example:8443/", True),
        ("https://api.example/", False),
        ("https://evil.shop.example/", False),
        ("https://shop.example.evil/", False),
        ("https://shop.example@evil/", False),
        ("https://evil?shop.example", False),
    ],
)
def test_a_target_of_an_allowed_host_is_followed(target: str, safe: bool) -> None:
    assert is_safe_redirect(target, allowed_hosts=["Shop.Example", "api.example:8443", "not a host"]) is safe


def test_https_can_be_required() -> None:
    allowed = ["shop.example"]

    assert is_safe_redirect("https://shop.example/", allowed_hosts=allowed, require_https=True) is True
    assert is_safe_redirect("http://shop.example/", allowed_hosts=allowed, require_https=True) is False
    assert is_safe_redirect("/account", allowed_hosts=allowed, require_https=True) is True


@pytest.mark.parametrize(
    "path",
    ["//evil.com/..%2f", "//evil.com", "/\\evil.com", "/%2fevil.com/", "//evil.com/%2e%2e", "///x/", "/////evil.com",
     "evil.com", "@evil.com", "\\\\evil.com", "/\t/evil.com", "/\r\nSet-Cookie: a", "", "/..//evil.com"],
)  # fmt: skip
def test_a_redirect_to_a_path_of_this_site_never_leaves_it(path: str) -> None:
    """Slash redirects are built from what the client sent."""
    for location in (format_location(path + "/"), format_location(path.rstrip("/") + "/", "a=1&b=//x")):
        assert location.startswith("/")
        assert not location.startswith(("//", "/\\"))
        assert location.isascii()
        assert location.isprintable()
        assert urlsplit(urljoin("https://good.example/", location)).netloc == "good.example"


@given(st.text(st.characters(codec=None)), st.text(st.characters(codec=None)))
def test_any_path_and_query_make_a_location(path: str, query: str) -> None:
    location = format_location(path, query)

    assert location.isascii()
    assert location.isprintable()
    assert urlsplit(urljoin("https://good.example/dir/", location)).netloc == "good.example"
    assert bool(query) == ("?" in location)
