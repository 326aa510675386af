"""URL and Host: no Host and no path moves the authority, and the path is the one that was routed."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.http.url import (
    URL,
    Host,
    parse_host,
    parse_ip,
    parse_port,
    parse_url,
    quote_path,
    quote_query,
    quote_segment,
)

TEXT = st.text(st.characters(codec=None), max_size=60)
HOSTISH = st.text("aA0.-_:[]@/?#\\ x1%\t\u0663\u3002", max_size=30)


@pytest.mark.parametrize(
    ("text", "name", "port"),
    [
        ("example.com", "example.com", None),
        ("EXAMPLE.com.", "example.com", None),
        ("Example.Com:8080", "example.com", 8080),
        ("localhost:1", "localhost", 1),
        ("web_1:65535", "web_1", 65535),
        ("127.0.0.1", "127.0.0.1", None),
        ("xn--bcher-kva.example", "xn--bcher-kva.example", None),
        ("[::1]", "::1", None),
        ("[2001:DB8:0:0::1]:443", "2001:db8::1", 443),
        ("[::ffff:10.0.0.1]", "10.0.0.1", None),
        ("3com.example", "3com.example", None),
        ("1.2.3.4.example", "1.2.3.4.example", None),
    ],
)
def test_a_host_is_read_into_its_one_spelling(text: str, name: str, port: int | None) -> None:
    assert parse_host(text) == Host(name, port)


@pytest.mark.parametrize(
    "text",
    ["", ".", "x/public?", "x#", "x?a", "x@y", "x y", "[::1", "[::1]x", "[::1]:", "x:", "x:99999", "x:0x50", "x:0",
     "x:080", "x\t", "x\n", "x" * 300, "x" * 64, ("x" * 60 + ".") * 5 + "com", "good.com@evil.com", "evil.com/good.com",
     "evil.com:fake@good.com", "good.com:80:80", "good.com:-1", "good.com:+1", "good.com:1_0", "good.com:٨٠",
     "a..b", ".a", "a\\b", "b\u00fccher.example", "evil\u3002com", "\u212aelvin.example", "<script>", "a,b", "a%2eb"],
)  # fmt: skip
def test_what_is_no_host_is_none(text: str) -> None:
    assert parse_host(text) is None


@pytest.mark.parametrize(
    "text",
    ["999.1.1.1", "010.0.0.1", "1", "0x7f.1", "0x7f000001", "127.1", "127.0.0.0x1", "1.2.3.4.5", "[1.2.3.4]",
     "[fe80::1%eth0]", "[::1%1]", "[:::]", "::1", "[]", "0x"],
)  # fmt: skip
def test_a_sloppy_address_is_no_host(text: str) -> None:
    """Browsers and C libraries read these as addresses, each in its own way."""
    assert parse_host(text) is None


@given(HOSTISH | TEXT)
def test_any_text_is_a_host_or_none_and_a_host_reads_back(text: str) -> None:
    host = parse_host(text)

    if host is not None:
        assert parse_host(str(host)) == host
        assert urlsplit(f"//{host}").hostname == host.name
        assert not set(str(host)) & set("/?#@\\ %")


@given(st.ip_addresses())
def test_every_address_is_read(address: IPv4Address | IPv6Address) -> None:
    expected = address.ipv4_mapped or address if isinstance(address, IPv6Address) else address

    assert parse_ip(str(address)) == str(expected)
    assert parse_host(str(Host(str(address), 80))) == Host(str(expected), 80)
    assert isinstance(expected, IPv4Address | IPv6Address)


@pytest.mark.parametrize("text", ["", "0", "65536", "00080", "123456", "8_0", "٨٠", " 80", "+80"])
def test_what_is_no_port_is_none(text: str) -> None:
    assert parse_port(text) is None


@pytest.mark.parametrize(
    "path", ["@evil.com/", "evil.com", "//evil.com/x", "\\\\evil.com", "?x", "*", "", "/admin", ":1"]
)
def test_no_path_moves_the_authority(path: str) -> None:
    url = URL(scheme="http", host="good.example", path=path)

    assert url.path == path
    assert url.hostname == "good.example"
    assert urlsplit(str(url)).hostname == "good.example"
    assert urlsplit(str(url)).query == ""
    assert not url.target.startswith(("//", "/\\"))


@given(path=TEXT, query=TEXT)
def test_a_url_is_ascii_and_keeps_its_host_whatever_path_and_query_are(path: str, query: str) -> None:
    url = URL(scheme="https", host="good.example", port=8443, path=path, query=query)
    read = parse_url(str(url))

    assert str(url).isascii()
    assert url.path == path
    assert read is not None
    assert read.origin == "https://good.example:8443"


@given(st.text(max_size=40).map(lambda text: "/" + text), st.text("abc=&%+", max_size=20))
def test_a_url_reads_back(path: str, query: str) -> None:
    url = URL(scheme="https", host="good.example", path=path, query=query)

    assert parse_url(str(url)) == url


def test_a_url_shows_its_parts() -> None:
    url = URL(scheme="https", host="::1", port=8443, path="/a b/\u00e9", query="q=1")

    assert str(url) == "https://[::1]:8443/a%20b/%C3%A9?q=1"
    assert url.netloc == "[::1]:8443"
    assert url.origin == "https://[::1]:8443"
    assert url.target == "/a%20b/%C3%A9?q=1"


@pytest.mark.parametrize(("scheme", "port"), [("http", 80), ("https", 443), ("ws", 80), ("wss", 443)])
def test_the_usual_port_of_a_scheme_is_not_written(scheme: str, port: int) -> None:
    assert URL(scheme=scheme, host="a.example", port=port).origin == f"{scheme}://a.example"
    assert URL(scheme=scheme, host="a.example", port=port + 1).origin == f"{scheme}://a.example:{port + 1}"


def test_replace_changes_what_is_named() -> None:
    url = URL(scheme="http", host="a.example", port=8000, path="/x", query="y")

    assert url.replace(scheme="https", port=None) == URL(scheme="https", host="a.example", path="/x", query="y")


@pytest.mark.parametrize(
    "changes",
    [{"host": "good.com@evil.com"}, {"host": ""}, {"host": "UPPER.example"}, {"port": 0}, {"port": 65536},
     {"scheme": ""}, {"scheme": "HTTP"}, {"scheme": "a b"}],
)  # fmt: skip
def test_a_url_is_never_made_of_parts_that_are_none(changes: dict[str, object]) -> None:
    change: Callable[..., URL] = URL(scheme="http", host="a.example").replace

    with pytest.raises(ValueError, match="URL"):
        change(**changes)


@pytest.mark.parametrize(
    "text",
    ["", "/x", "//a.example/", "http:a.example", "http:/a.example", "http:///a.example", "https:///evil", "://a.example",
     "http://", "http://good@evil", "http://user:pw@host/", "http:\\\\evil", "http://a.example\\@evil", "http://a b/",
     "http://a.example/\n", "\thttp://a.example/", "1http://a.example/", "http://[::1/", "http://999999999/",
     "http://\uff45vil.example/", "javascript:alert(1)", "data:,x"],
)  # fmt: skip
def test_what_is_no_absolute_url_is_none(text: str) -> None:
    assert parse_url(text) is None


def test_an_absolute_url_may_stop_after_the_host() -> None:
    assert parse_url("HTTPS://a.example?q") == URL(scheme="https", host="a.example", query="q")
    assert parse_url("http://a.example#top") == URL(scheme="http", host="a.example")


@given(TEXT)
def test_any_text_is_a_url_or_none(text: str) -> None:
    assert parse_url(text) is None or "://" in text


@given(TEXT)
def test_a_quoted_path_is_ascii_and_begins_with_exactly_one_slash(path: str) -> None:
    quoted = quote_path(path)

    assert quoted.isascii()
    assert quoted.startswith("/")
    assert not quoted.startswith(("//", "/\\"))
    assert not set(quoted) & set(' \\?#"<>\r\n\t')


@given(st.text().map(lambda text: "/" + text))
def test_a_quoted_path_decodes_once_to_what_it_was(path: str) -> None:
    """`%2541` is `%41` and not `A`: nothing is decoded or encoded twice."""
    assert unquote(quote_path(path)) == path
    assert unquote(quote_segment(path)) == path


def test_an_escape_in_a_path_is_text() -> None:
    assert quote_path("/%41") == "/%2541"
    assert quote_path("/" + "%25" * 50_000) == "/" + "%2525" * 50_000


@pytest.mark.parametrize(
    ("value", "quoted"),
    [("/evil.com", "%2Fevil.com"), ("//evil", "%2F%2Fevil"), ("\\\\evil", "%5C%5Cevil"), ("a?b#c", "a%3Fb%23c"),
     ("{other}", "%7Bother%7D"), ("../x", "..%2Fx"), ("\u00e9", "%C3%A9"), ("a:b@c;d=e", "a:b@c;d=e")],
)  # fmt: skip
def test_a_segment_never_becomes_two(value: str, quoted: str) -> None:
    assert quote_segment(value) == quoted


def test_bytes_that_a_server_could_not_decode_come_out_as_they_were() -> None:
    assert quote_path("/\udcff") == "/%FF"
    assert quote_path("/\ud800") == "/%3F"


@given(st.text("%0aAzG+&= \u00e9#", max_size=30))
def test_a_quoted_query_is_ascii_without_a_fragment_and_stable(query: str) -> None:
    quoted = quote_query(query)

    assert quoted.isascii()
    assert not set(quoted) & set(" #")
    assert quote_query(quoted) == quoted
