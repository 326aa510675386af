"""Section B of the published faults behind proxies: TrustedHosts, ProxyHeaders, HTTPSRedirect, for both protocols."""

import asyncio
from pathlib import Path
from typing import Any, Final

import pytest

import nexios
from nexios import NexiosApp, Request, Response
from nexios.http.proxies import TrustedProxies, forwarded_claim, x_forwarded_claim
from nexios.middleware import HTTPSRedirect, ProxyHeaders, TrustedHosts
from nexios.middleware.proxy_headers import Believed
from nexios.testing.raw import RawAnswer, call
from nexios.websockets import WebSocket
from tests.security.kit import linear
from tests.security.test_hosts_and_headers import handshake

PEER = "203.0.113.9"
"""The peer of `call`."""
ALL: Final[tuple[Believed, ...]] = ("for", "proto", "host", "prefix")


def fields(**values: str) -> list[tuple[bytes, bytes]]:
    return [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in values.items()]


def told(connection: Any) -> dict[str, Any]:
    client = connection.client
    return {
        "client": None if client is None else client.host,
        "scheme": connection.scheme,
        "host": str(connection.host),
        "url": str(connection.url),
        "root_path": connection.root_path,
        "home": connection.url_for("index"),
    }


def make_app(*middleware: object) -> NexiosApp:
    app = NexiosApp(openapi=None, middleware=middleware)

    @app.get("/", name="index")
    async def index(request: Request, response: Response) -> dict[str, Any]:
        return told(request)

    app.seen = []  # type: ignore[attr-defined]

    @app.websocket("/ws")
    async def socket(websocket: WebSocket) -> None:
        app.seen.append(told(websocket))  # type: ignore[attr-defined]
        await websocket.accept()

    return app


async def ask(app: NexiosApp, peer: Any = (PEER, 4711), **values: str) -> RawAnswer:
    return await call(app, headers=fields(**values), scope_extra={"client": peer})


async def status_of_handshake(app: NexiosApp, headers: list[tuple[bytes, bytes]], **extra: Any) -> int:
    """101 when it is accepted."""
    first = (await handshake(app, headers, **extra))[0]
    return 101 if first["type"] == "websocket.accept" else first["status"]


@pytest.mark.parametrize("host", ["good.com@evil.com", "evil.com/good.com", "evil.com:fake@good.com", "good.com:80:80"])
async def test_b3_a_host_with_a_delimiter_is_refused(host: str) -> None:
    """CVE-2026-34835, GHSA-g2pf-xv49-m2h5; CVE-2026-27959, GHSA-7gcc-r8m5-44qm."""
    app = make_app(TrustedHosts(["good.com", "*.com", "*"]))

    answer = await ask(app, host=host)

    assert (answer.status, answer.json()["code"]) == (400, "untrusted_host")
    assert await status_of_handshake(app, fields(host=host)) == 400
    assert (await ask(app, host="good.com:80")).status == 200


@pytest.mark.parametrize("second", ["good.com", "evil.com"])
async def test_b4_two_hosts_are_refused_before_any_handler(second: str) -> None:
    """CVE-2026-34525, GHSA-c427-h43c-vf67; CVE-2026-71554, GHSA-6hr6-w5qg-qmwg."""
    reached: list[str] = []
    app = NexiosApp(openapi=None, middleware=[TrustedHosts(["good.com"])])

    @app.get("/")
    async def index(request: Request, response: Response) -> str:
        reached.append("handler")
        return "index"

    @app.websocket("/ws")
    async def socket(websocket: WebSocket) -> None:
        reached.append("socket")

    twice = [*fields(host="good.com"), *fields(host=second)]

    answer = await call(app, headers=twice)
    assert (answer.status, answer.json()["code"]) == (400, "duplicate_host")
    assert await status_of_handshake(app, twice) == 400
    assert reached == []


TABLE = [
    ("example.com", "example.com", True),
    ("example.com", "EXAMPLE.com.", True),
    ("example.com", "Example.Com:8443", True),
    ("EXAMPLE.com.", "example.com", True),
    ("example.com", "exampleXcom", False),
    ("example.com", "evilexample.com", False),
    ("example.com", "example.com.evil", False),
    ("example.com", "www.example.com", False),
    ("*.example.com", "example.com", False),
    ("*.example.com", "a.example.com", True),
    ("*.example.com", "a.b.example.com:80", True),
    ("*.example.com", "evil-example.com", False),
    ("*.example.com", ".example.com", False),
    ("*.example.com", "a.example.com.evil", False),
    ("[::1]", "[::1]:8000", True),
    ("[::1]", "[0:0:0:0:0:0:0:1]", True),
    ("[::1]", "[::2]", False),
    ("127.0.0.1", "127.0.0.1:80", True),
    ("127.0.0.1", "127.1", False),
    ("127.0.0.1", "[::ffff:127.0.0.1]", True),
    ("*", "anything.example", True),
    ("*", "any thing", False),
    ("*", "", False),
]


@pytest.mark.parametrize(("listed", "host", "trusted"), TABLE)
async def test_b5_hosts_are_compared_by_this_table(listed: str, host: str, trusted: bool) -> None:
    """CVE-2026-25479, GHSA-93ph-p7v4-hwh4."""
    app = make_app(TrustedHosts([listed]))

    assert (await ask(app, host=host)).status == (200 if trusted else 400)
    assert await status_of_handshake(app, fields(host=host)) == (101 if trusted else 400)


async def test_b6_a_forwarded_host_stands_for_no_host() -> None:
    """CVE-2026-48061, GHSA-3qmc-cj7q-62hv; CVE-2024-21510, GHSA-hxx2-7vcw-mqr3."""
    app = make_app(ProxyHeaders(trusted=["10.0.0.1"], believe=ALL), TrustedHosts(["good.com"]))

    assert (await ask(app, x_forwarded_host="good.com")).status == 400
    assert (await ask(app, host="evil.com", x_forwarded_host="good.com")).status == 400
    assert await status_of_handshake(app, fields(x_forwarded_host="good.com")) == 400


@pytest.mark.parametrize("believe", [("for", "proto"), ALL])
async def test_b6_the_host_is_believed_only_of_whom_it_was_said(believe: Any) -> None:
    """CVE-2024-21510: a proxy that passes X-Forwarded-Host on does not make it true."""
    app = make_app(ProxyHeaders(trusted=[PEER], believe=believe))

    answer = await ask(app, host="inner:8000", x_forwarded_host="good.com")

    assert answer.json()["url"] == ("http://good.com/" if believe == ALL else "http://inner:8000/")


async def test_b7_a_changing_address_is_one_client() -> None:
    """CVE-2025-59152, GHSA-hm36-ffrh-c77c; CVE-2026-27700, GHSA-xh87-mx6m-69f3; CVE-2023-41338, GHSA-3q5p-3558-364f."""
    apps = [make_app(), make_app(ProxyHeaders()), make_app(ProxyHeaders(trusted=["10.0.0.0/8"]))]

    for app in apps:
        answers = [await ask(app, x_forwarded_for=f"198.51.100.{n}", x_real_ip=f"198.51.100.{n}") for n in range(100)]
        assert {answer.json()["client"] for answer in answers} == {PEER}


@pytest.mark.parametrize(
    ("hops", "value", "client"),
    [
        (1, "192.0.2.1", "192.0.2.1"),
        (1, "127.0.0.1, 192.0.2.1", "192.0.2.1"),
        (1, "127.0.0.1, 10.0.0.2", "10.0.0.2"),
        (2, "127.0.0.1, 192.0.2.1, 10.0.0.2", "192.0.2.1"),
        (2, "127.0.0.1, 192.0.2.1", "192.0.2.1"),
        (3, "127.0.0.1, 10.0.0.3, 10.0.0.2", "127.0.0.1"),
        (9, "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        (9, "6.6.6.6, 10.0.0.3, 192.0.2.1:4711, 10.0.0.2", "192.0.2.1"),
        (1, "[2001:db8::1]:4711", "2001:db8::1"),
        (1, "::ffff:192.0.2.1", "192.0.2.1"),
        (1, "garbage, 192.0.2.1", "192.0.2.1"),
        (1, "unknown", None),
        (1, "", "10.0.0.1"),
    ],
)
async def test_b7_the_list_is_read_from_its_end_as_far_as_it_is_trusted(
    hops: int, value: str, client: str | None
) -> None:
    """CVE-2026-27700, GHSA-xh87-mx6m-69f3."""
    app = make_app(ProxyHeaders(trusted=["10.0.0.0/8"], hops=hops))
    peer = ("10.0.0.1", 5000)

    assert (await ask(app, peer, x_forwarded_for=value)).json()["client"] == client
    await handshake(app, fields(x_forwarded_for=value), client=peer)
    assert app.seen[-1]["client"] == client  # type: ignore[attr-defined]


@pytest.mark.parametrize("value", ["localhost", "999.1.1.1", "010.0.0.1", "192.0.2.1,", "::1%eth0", "1", "<script>"])
@pytest.mark.parametrize("header", ["x-forwarded", "forwarded"])
async def test_b7_what_a_trusted_proxy_says_and_nobody_can_read_makes_no_client_of_the_proxy(
    header: Any, value: str
) -> None:
    """CVE-2025-59152: to fall back to the proxy's address would make the client a local one."""
    app = make_app(ProxyHeaders(trusted=["127.0.0.1"], header=header))
    named = {"forwarded": f'for="{value}"'} if header == "forwarded" else {"x_forwarded_for": value}
    answer = await ask(app, ("127.0.0.1", 1), **named)

    assert (answer.status, answer.json()["code"]) == (400, "malformed_forwarding")
    assert await status_of_handshake(app, fields(**named), client=("127.0.0.1", 1)) == 400
    assert app.seen == []  # type: ignore[attr-defined]


async def test_b8_an_untrusted_peer_cannot_claim_https() -> None:
    """CVE-2026-16732, GHSA-3m5p-2c4r-xxw2; CVE-2026-3635; CVE-2019-12781."""
    app = make_app(ProxyHeaders(trusted=["10.0.0.1"], believe=ALL), HTTPSRedirect())

    answer = await ask(app, host="shop.example", x_forwarded_proto="https", forwarded="proto=https")
    assert (answer.status, answer.header("location")) == (308, "https://shop.example/")

    believed = await ask(app, ("10.0.0.1", 1), host="shop.example", x_forwarded_proto="https")
    assert believed.json()["url"] == "https://shop.example/"


@pytest.mark.parametrize("proto", ["http", "HTTP", "https, http", "ws"])
async def test_b8_a_trusted_peer_that_says_http_overrides_https(proto: str) -> None:
    """CVE-2019-12781."""
    app = make_app(ProxyHeaders(trusted=[PEER]))
    answer = await call(app, headers=fields(x_forwarded_proto=proto), scope_extra={"scheme": "https"})

    assert answer.json()["scheme"] == "http"


async def test_b8_the_redirect_of_a_websocket_is_to_wss() -> None:
    """CVE-2026-3635."""
    app = make_app(ProxyHeaders(trusted=["10.0.0.1"]), HTTPSRedirect())
    headers = fields(host="shop.example", x_forwarded_proto="https")

    denied = (await handshake(app, headers))[0]
    assert (denied["status"], (b"location", b"wss://shop.example/ws") in denied["headers"]) == (308, True)
    assert await status_of_handshake(app, headers, client=("10.0.0.1", 1)) == 101
    assert app.seen[0]["scheme"] == "wss"  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", [b"x_forwarded_for", b"x_forwarded-for", b"x-forwarded_for", b"x forwarded-for"])
async def test_b9_an_underscore_makes_no_forwarded_header(name: bytes) -> None:
    """CVE-2026-3902; CVE-2015-0219; CVE-2024-45614, GHSA-9hf4-67fc-4vf4."""
    answer = await call(make_app(ProxyHeaders(trusted=[PEER])), headers=[(name, b"127.0.0.1")])

    assert answer.json()["client"] == PEER


@pytest.mark.parametrize("piece", [" ,", ",", "https, ", "a", "10.0.0.1,", '";', "for=10.0.0.1,", '"\\'])
@pytest.mark.parametrize("header", ["x-forwarded", "forwarded"])
def test_b13_what_proxies_say_is_read_in_linear_time(header: str, piece: str) -> None:
    """CVE-2025-25200, GHSA-593f-38f6-jp5m."""
    proxies = TrustedProxies(["10.0.0.0/8"], hops=100)
    read = forwarded_claim if header == "forwarded" else x_forwarded_claim

    def claim(n: int) -> None:
        text = [piece * n]
        try:
            read(lambda name: text, proxies, frozenset(ALL))
        except Exception as exc:
            assert type(exc).__name__ == "BadRequest"

    assert linear(claim, 5_000)


@pytest.mark.parametrize(
    "value",
    [
        'for="127.0.0.1;host=evil.com;proto=https"',
        'for="192.0.2.1, for=127.0.0.1;host=evil.com"',
        'for="192.0.2.1\\";host=evil.com"',
    ],
)
async def test_b14_nothing_is_split_inside_quotes(value: str) -> None:
    """CVE-2026-32762, GHSA-qfgr-crr9-7r49: it is one `for`, and no address."""
    app = make_app(ProxyHeaders(trusted=[PEER], header="forwarded", believe=ALL))

    assert (await ask(app, forwarded=value)).json()["code"] == "malformed_forwarding"


async def test_b14_of_several_elements_that_of_the_farthest_trusted_proxy_counts() -> None:
    """CVE-2026-32762."""
    app = make_app(ProxyHeaders(trusted=["10.0.0.0/8"], hops=2, header="forwarded", believe=ALL))
    near = "for=10.0.0.2;proto=http;host=inner"
    value = f"for=127.0.0.1;host=evil.example, for=192.0.2.1;proto=https;host=shop.example, {near}"

    answer = (await ask(app, ("10.0.0.1", 1), host="inner", forwarded=value)).json()

    assert (answer["client"], answer["url"]) == ("192.0.2.1", "https://shop.example/")


@pytest.mark.parametrize("header", ["x-forwarded", "forwarded"])
async def test_b14_only_the_header_that_the_proxy_writes_is_read(header: Any) -> None:
    """CVE-2026-32762: the other one came from the client, through the proxy."""
    app = make_app(ProxyHeaders(trusted=[PEER], header=header, believe=ALL))
    other = {"x_forwarded_for": "127.0.0.1", "x_forwarded_proto": "https", "x_forwarded_host": "evil.example"}
    if header == "x-forwarded":
        other = {"forwarded": "for=127.0.0.1;proto=https;host=evil.example"}

    answer = (await ask(app, host="shop.example", **other)).json()

    assert (answer["client"], answer["url"]) == (PEER, "http://shop.example/")


@pytest.mark.parametrize(
    ("address", "trusted"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("::ffff:0a01:203", True),
        ("010.1.2.3", False),
        ("10.1.2", False),
        ("999.1.1.1", False),
        ("fe80::1%eth0", False),
        ("[10.1.2.3]", False),
        ("167838211", False),
        ("1", False),
        ("unix", False),
        ("", False),
        ("2001:db8::5", True),
        ("2001:DB8:0:0::5", True),
        ("2001:db9::5", False),
    ],
)
def test_b15_an_address_is_trusted_as_an_address_and_not_as_text(address: str, trusted: bool) -> None:
    """CVE-2026-24398, GHSA-r354-f388-2fhh; CVE-2021-33571; CVE-2025-47912; CVE-2026-25679."""
    proxies = TrustedProxies(["10.0.0.0/8", "2001:db8::/32", "unix"], hops=1)

    assert proxies.includes(address) is trusted


async def test_b16_a_line_break_of_unicode_does_not_end_what_a_proxy_says() -> None:
    """CVE-2026-44546."""
    app = make_app(ProxyHeaders(trusted=[PEER]))

    assert (await ask(app, x_forwarded_for="127.0.0.1\x85192.0.2.1")).status == 400


async def test_b20_a_prefix_is_believed_only_when_that_was_said() -> None:
    """CVE-2025-61780: X-Forwarded-Prefix and X-Script-Name change nothing by themselves."""
    said = {"host": "shop.example", "x_forwarded_prefix": "/evil", "x_script_name": "/evil"}

    for middleware in ([], [ProxyHeaders(trusted=[PEER])]):
        assert (await ask(make_app(*middleware), **said)).json()["home"] == "/"
    app = make_app(ProxyHeaders(trusted=[PEER], believe=["prefix"]))
    answer = (await ask(app, host="shop.example", x_forwarded_prefix="/shop/")).json()
    assert (answer["home"], answer["url"], answer["root_path"]) == ("/shop/", "http://shop.example/shop/", "/shop")


def test_b20_nobody_else_reads_what_proxies_say() -> None:
    """One module for for, proto, host and prefix: requirement R27."""

    package = Path(nexios.__file__).parent
    readers = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if '"x-forwarded-' in path.read_text("utf-8") or '"forwarded")' in path.read_text("utf-8")
    }

    assert readers == {"http/proxies.py"}


async def test_r27_what_a_proxy_says_is_settled_before_anything_reads_it() -> None:
    """Events, middleware that stands before it, and the Origin check of WebSockets."""
    seen: list[str | None] = []

    async def early(request: Request, response: Response, call_next: Any) -> Any:
        seen.append(request.client and request.client.host)
        return await call_next()

    app = make_app(early, ProxyHeaders(trusted=[PEER], believe=ALL))

    @app.events.on("request.started")
    async def started(request: Request) -> None:
        seen.append(request.client and request.client.host)

    said = {"host": "inner", "x_forwarded_for": "192.0.2.1", "x_forwarded_host": "shop.example"}
    await ask(app, **said)
    assert seen == ["192.0.2.1", "192.0.2.1"]

    outside = fields(**said, origin="https://shop.example", x_forwarded_proto="https")
    inside = fields(**said, origin="https://inner", x_forwarded_proto="https")
    peer = (PEER, 1)
    statuses = [await status_of_handshake(app, headers, client=peer) for headers in (outside, inside)]
    assert statuses == [101, 403]
    assert app.seen[0]["url"] == "wss://shop.example/ws"  # type: ignore[attr-defined]


async def test_r27_nothing_is_trusted_by_default() -> None:
    every = {
        "x_forwarded_for": "127.0.0.1",
        "x_forwarded_proto": "https",
        "x_forwarded_host": "evil.example",
        "x_forwarded_prefix": "/evil",
        "forwarded": "for=127.0.0.1;proto=https;host=evil.example",
    }
    plain = await ask(make_app(), host="shop.example", **every)

    for middleware in (ProxyHeaders(), ProxyHeaders(believe=ALL), ProxyHeaders(header="forwarded", believe=ALL)):
        assert (await ask(make_app(middleware), host="shop.example", **every)).body == plain.body
        assert (await ask(make_app(middleware), None, host="shop.example", **every)).json()["scheme"] == "http"


def test_r27_many_requests_leave_nothing() -> None:
    """What proxies say is kept with the request alone."""
    app = make_app(ProxyHeaders(trusted=[PEER]))

    async def ask_in_turn() -> list[str]:
        return [(await ask(app, x_forwarded_for=f"192.0.2.{n}")).json()["client"] for n in range(1, 4)] + [
            (await ask(app)).json()["client"]
        ]

    assert asyncio.run(ask_in_turn()) == ["192.0.2.1", "192.0.2.2", "192.0.2.3", PEER]
