"""TrustedHosts and HTTPSRedirect: their options, and where they send people."""

from typing import Any

import pytest

from nexios import NexiosApp, Request, Response
from nexios.errors import ConfigurationError
from nexios.middleware import CORSMiddleware, HTTPSRedirect, TrustedHosts
from nexios.testing.raw import RawAnswer, call


async def ask(middleware: list[object], host: str | None = "shop.example", **options: Any) -> RawAnswer:
    app = NexiosApp(openapi=None, middleware=middleware)

    @app.get("/{rest:path}")
    async def index(request: Request, response: Response, rest: str) -> str:
        return "index"

    headers = [] if host is None else [(b"host", host.encode())]
    return await call(app, **{"path": "/", "headers": headers, **options})


@pytest.mark.parametrize(
    "hosts",
    [
        *("shop.example", [], [""], ["https://shop.example"], ["shop.example:80"], ["shop.example/"], ["a b"]),
        *(["*.*.example"], ["a.*.example"], ["*example"], ["*."], ["*.127.0.0.1"], ["é.example"], [".example"]),
    ],
)
def test_what_is_no_list_of_hosts_is_refused(hosts: Any) -> None:
    with pytest.raises(ConfigurationError):
        TrustedHosts(hosts)


def test_the_hosts_are_shown() -> None:
    assert repr(TrustedHosts(["B.example", "*.a.example", "*"])) == "<TrustedHosts * *.a.example b.example>"


async def test_an_answer_of_400_for_another_host_passes_outer_middleware() -> None:
    cors = CORSMiddleware(allow_origins=["https://app.example"])
    answer = await ask(
        [cors, TrustedHosts(["shop.example"])],
        headers=[(b"host", b"evil.example"), (b"origin", b"https://app.example")],
    )

    assert (answer.status, answer.header("access-control-allow-origin")) == (400, "https://app.example")


@pytest.mark.parametrize(
    ("options", "location"),
    [
        ({}, "https://shop.example/a%20b?q=1&r=%20"),
        ({"port": 8443}, "https://shop.example:8443/a%20b?q=1&r=%20"),
        ({"host": "www.shop.example"}, "https://www.shop.example/a%20b?q=1&r=%20"),
        ({"host": "www.shop.example:444"}, "https://www.shop.example:444/a%20b?q=1&r=%20"),
    ],
)
async def test_a_redirect_keeps_path_and_query(options: dict[str, Any], location: str) -> None:
    answer = await ask([HTTPSRedirect(**options)], host="shop.example:8080", path="/a b", query=b"q=1&r=%20")

    assert (answer.status, answer.header("location"), answer.body) == (308, location, b"")


@pytest.mark.parametrize("path", ["//evil.example/x", "/\\evil.example", "/@evil.example"])
async def test_no_path_moves_the_redirect_to_another_host(path: str) -> None:
    location = (await ask([HTTPSRedirect()], path=path)).header("location")

    assert location is not None
    assert location.startswith(
        ("https://shop.example/%2Fevil", "https://shop.example/%5Cevil", "https://shop.example/@")
    )


@pytest.mark.parametrize("host", [None, "", "x@y", "good.com/evil", "a b"])
async def test_there_is_no_redirect_without_a_host(host: str | None) -> None:
    answer = await ask([HTTPSRedirect()], host=host)

    assert (answer.status, answer.header("location")) == (400, None)
    assert (await ask([HTTPSRedirect(host="shop.example")], host=host)).header("location") == "https://shop.example/"


async def test_over_https_nothing_is_redirected() -> None:
    assert (await ask([HTTPSRedirect()], scope_extra={"scheme": "https"})).body == b"index"


@pytest.mark.parametrize("options", [{"host": "a b"}, {"host": ""}, {"port": 0}, {"port": 70000}, {"port": "x"}])
def test_a_place_to_redirect_to_is_checked(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        HTTPSRedirect(**options)
