"""Who is believed when nginx stands before the application? nginx, and nobody who writes the same headers.

The client is 127.0.0.9, nginx 127.0.0.1, and a second nginx before it 127.0.0.5.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.contract.servers import eventually
from tests.live.children import Child, child, python_module
from tests.live.conftest import Live
from tests.live.nginx import NEEDS_NGINX, fronting
from tests.live.wires import CLIENT, exchange, unix_socket_answers

pytestmark = NEEDS_NGINX

SHOP = "Host: shop.example"
FORGED = [
    "X-Forwarded-For: 127.0.0.1",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: evil.example",
    "X-Forwarded-Prefix: /evil",
    "Forwarded: for=10.9.9.9;proto=https;host=evil.example",
    "X-Real-IP: 10.9.9.9",
    "X_Forwarded_For: 10.9.9.9",
]


def told(client: str | None, url: str, link: str = "/items/7", host: str = "shop.example") -> dict[str, object]:
    return {"client": client, "url": url, "link": link, "host": host}


@pytest.mark.parametrize("app", ["one", "network"])
def test_r27_b6_b7_b8_what_nginx_says_is_believed_and_what_a_client_forges_is_not(live: Live, app: str) -> None:
    plain = live.via_nginx("/tell", SHOP, f"X-App: {app}")
    forged = live.via_nginx("/tell", SHOP, f"X-App: {app}", *FORGED)

    assert plain.json() == forged.json() == told(CLIENT, "http://shop.example/tell")


@pytest.mark.parametrize("app", ["one", "network", "others", "two", "rfc7239", ""])
def test_r27_who_does_not_come_through_nginx_is_believed_nothing(live: Live, app: str) -> None:
    answer = live.direct("/tell", SHOP, f"X-App: {app}", *FORGED)

    assert answer.json() == told(CLIENT, "http://shop.example/tell")


@pytest.mark.parametrize("app", ["others", "rfc7239", ""])
def test_r27_without_trust_in_nginx_its_address_is_the_client(live: Live, app: str) -> None:
    """One application trusts another network, one reads another header, and one has no middleware at all."""
    answer = live.via_nginx("/tell", SHOP, f"X-App: {app}")

    assert answer.json()["client"] == "127.0.0.1"


def test_b9_b14_forwarded_is_believed_as_nginx_writes_it(live: Live) -> None:
    answer = live.via_nginx("/tell", "Host: rfc7239.example", "X-App: rfc7239", *FORGED)

    assert answer.json() == told(CLIENT, "http://rfc7239.example/tell", host="rfc7239.example")


def test_b6_a_proxy_that_sets_nothing_lets_clients_write_everything(live: Live) -> None:
    """So the page says: believe only what your proxy sets itself."""
    fields = ["X-Forwarded-For: 10.9.9.9", "X-Forwarded-Host: evil.example"]
    answer = live.via_nginx("/tell", "Host: careless.example", "X-App: one", *fields)

    assert (answer.json()["client"], answer.json()["url"]) == ("10.9.9.9", "http://evil.example/tell")


@pytest.mark.parametrize(("app", "client"), [("two", CLIENT), ("one", "127.0.0.5")])
def test_b7_of_two_proxies_as_many_are_looked_behind_as_the_app_says(live: Live, app: str, client: str) -> None:
    forged = "X-Forwarded-For: 10.9.9.9, 127.0.0.1"

    answers = [live.via_nginx("/tell", "Host: outer.example", f"X-App: {app}", *more) for more in ([], [forged])]

    assert [answer.json()["client"] for answer in answers] == [client, client]


def test_b7_two_hops_do_not_help_who_comes_through_one_proxy(live: Live) -> None:
    """The address that nginx saw is no proxy of ours, so what the client wrote before it is not looked at."""
    answer = live.via_nginx("/tell", SHOP, "X-App: two", "X-Forwarded-For: 10.9.9.9, 127.0.0.5")

    assert answer.json()["client"] == CLIENT


def test_b8_https_is_what_nginx_says(live: Live) -> None:
    forged = "X-Forwarded-Proto: http"
    answers = [live.via_nginx("/tell", "Host: tls.example", "X-App: sessions", *more) for more in ([], [forged])]

    assert [answer.status for answer in answers] == [200, 200]
    assert [answer.json()["url"] for answer in answers] == ["https://tls.example/tell"] * 2


def test_b8_a_redirect_to_https_goes_there_once(live: Live) -> None:
    first = live.via_nginx("/login?next=%2Fcart", SHOP, "X-App: sessions", "X-Forwarded-Proto: https")
    assert (first.status, first.one("location")) == (308, "https://shop.example/login?next=%2Fcart")

    second = live.via_nginx("/login?next=%2Fcart", "Host: tls.example", "X-App: sessions")
    assert second.status == 200
    cookie = second.one("set-cookie") or ""
    assert cookie.startswith("__Host-session=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))


def test_a_prefix_that_nginx_takes_off_is_in_links_and_redirects(live: Live) -> None:
    answer = live.via_nginx("/shop/tell", "Host: prefix.example", "X-App: one", *FORGED)
    assert answer.json() == told(CLIENT, "http://prefix.example/shop/tell", "/shop/items/7", "prefix.example")
    assert live.via_nginx(answer.json()["link"], "Host: prefix.example", "X-App: one").body == b"7"

    redirect = live.via_nginx("/shop/folder", "Host: prefix.example", "X-App: one")
    assert redirect.status == 308
    assert redirect.one("location") in ("./folder/", "/shop/folder/", "http://prefix.example/shop/folder/")


UNIX_SOCKETS = {
    "uvicorn": ("uvicorn", "--no-proxy-headers", "--uds", "{path}"),
    "hypercorn": ("hypercorn", "--bind", "unix:{path}"),
    "granian-asgi": ("granian", "--interface", "asgi", "--uds", "{path}"),
    "granian-rsgi": ("granian", "--interface", "rsgi", "--uds", "{path}"),
}


@pytest.fixture(params=UNIX_SOCKETS)
def behind_a_unix_socket(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, int]]:
    """nginx before a server that listens on a Unix socket."""
    module, *options = UNIX_SOCKETS[request.param]
    pytest.importorskip(module)
    path = tmp_path / "app"
    command = python_module(module, *(option.format(path=path) for option in options), "tests.live.applications:app")
    with ExitStack() as stack:
        server = stack.enter_context(child(command, tmp_path / "server.log"))
        eventually(lambda: _serves(server, path), f"the start of {module} on a Unix socket")
        yield stack.enter_context(fronting(f"unix:{path}", tmp_path / "nginx"))


def _serves(server: Child, path: Path) -> bool:
    server.check()
    return unix_socket_answers(path)


def test_r27_a_unix_socket_is_believed_where_it_is_trusted(behind_a_unix_socket: tuple[str, int]) -> None:
    trusting, not_trusting = (
        exchange(behind_a_unix_socket, "/tell", SHOP, f"X-App: {app}", *FORGED) for app in ("unix", "one")
    )

    assert trusting.json() == told(CLIENT, "http://shop.example/tell")
    assert not_trusting.json()["url"] == "http://shop.example/tell"
    assert not_trusting.json()["client"] != CLIENT
