"""ProxyHeaders: its options, and what reads what it settles."""

from typing import Any

import pytest

from nexios import NexiosApp, Request, Response, Router
from nexios.errors import ConfigurationError
from nexios.middleware import ProxyHeaders
from nexios.testing.raw import call

SAID = [
    (b"host", b"inner:8000"),
    (b"x-forwarded-for", b"192.0.2.1:4711"),
    (b"x-forwarded-proto", b"https"),
    (b"x-forwarded-host", b"shop.example"),
    (b"x-forwarded-prefix", b"/shop"),
]
PROXY = ProxyHeaders(trusted=["203.0.113.9"], believe=["for", "proto", "host", "prefix"])


async def tell(request: Request, response: Response) -> dict[str, Any]:
    client = request.client
    return {
        "client": None if client is None else list(client),
        "url": str(request.url),
        "host": request.headers["host"],
        "root_path": request.root_path,
        "me": request.url_for("tell"),
    }


async def test_request_url_client_and_headers_are_those_outside_of_the_proxy() -> None:
    app = NexiosApp(openapi=None, middleware=[PROXY])
    app.get("/items", name="tell")(tell)

    assert (await call(app, path="/items", headers=SAID)).json() == {
        "client": ["192.0.2.1", 4711],
        "url": "https://shop.example/shop/items",
        "host": "shop.example",
        "root_path": "/shop",
        "me": "/shop/items",
    }


@pytest.mark.parametrize("trusting", ["outer", "inner"])
async def test_in_a_mounted_app_they_are_the_same(trusting: str) -> None:
    inner = NexiosApp(openapi=None, middleware=[PROXY])
    inner.get("/items", name="tell")(tell)
    outer = NexiosApp(openapi=None, middleware=[PROXY] if trusting == "outer" else [])
    outer.mount("/inner", inner)

    answer = (await call(outer, path="/inner/items", headers=SAID)).json()

    assert answer["client"] == ["192.0.2.1", 4711]
    assert (answer["url"], answer["me"]) == ("https://shop.example/shop/inner/items", "/shop/inner/items")


async def test_an_asgi_app_that_is_mounted_sees_them() -> None:
    seen: list[Any] = []

    async def foreign(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            seen.extend(
                (scope["client"], scope["scheme"], scope["root_path"], scope["path"], dict(scope["headers"])[b"host"])
            )
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    app = NexiosApp(openapi=None, middleware=[PROXY])
    app.mount("/asgi", foreign)
    await call(app, path="/asgi/x", headers=SAID)

    assert seen == [("192.0.2.1", 4711), "https", "/shop/asgi", "/shop/asgi/x", b"shop.example"]


async def test_two_hosts_stay_an_error() -> None:
    app = NexiosApp(openapi=None, middleware=[PROXY])
    app.get("/", name="tell")(tell)

    assert (await call(app, headers=[*SAID, (b"host", b"other")])).json()["code"] == "duplicate_host"


async def test_the_peer_at_a_unix_socket_is_trusted_by_its_own_word() -> None:
    for peer in (None, ["", 0], ["/run/app.sock", None], ["unix:", None]):
        for trusted, client in (
            (["unix"], ["192.0.2.1", 4711]),
            (["0.0.0.0/0", "::/0"], None if peer is None else peer),
        ):
            app = NexiosApp(openapi=None, middleware=[ProxyHeaders(trusted=trusted)])
            app.get("/", name="tell")(tell)
            answer = await call(app, headers=SAID, scope_extra={"client": peer})
            assert answer.json()["client"] == client


@pytest.mark.parametrize("name", ["x-forwarded-proto", "x-forwarded-host", "x-forwarded-prefix"])
@pytest.mark.parametrize(
    "value", ["ftp", "https:", "a b", "x@y", "//evil", "/a/../b", "/a b", "/%2e", "/\\x", ",", "/a//b"]
)
async def test_what_a_trusted_proxy_says_wrongly_is_an_error(name: str, value: str) -> None:
    app = NexiosApp(openapi=None, middleware=[PROXY])
    app.get("/", name="tell")(tell)
    said = [pair for pair in SAID if pair[0] != name.encode()]

    answer = await call(app, headers=[*said, (name.encode(), value.encode())])

    fine = (name, value) in (("x-forwarded-host", "ftp"), ("x-forwarded-prefix", ","))
    assert answer.status == (200 if fine else 400)


@pytest.mark.parametrize("value", ["", " ", "/"])
async def test_a_prefix_may_be_none(value: str) -> None:
    app = NexiosApp(openapi=None, middleware=[PROXY])
    app.get("/", name="tell")(tell)

    assert (await call(app, headers=[*SAID[:4], (b"x-forwarded-prefix", value.encode())])).json()["me"] == "/"


@pytest.mark.parametrize(
    "options",
    [
        *({"trusted": "10.0.0.1"}, {"trusted": ["*"]}, {"trusted": ["10.0.0.1/8"]}, {"trusted": ["proxy.example"]}),
        *({"trusted": ["::ffff:10.0.0.0/104"]}, {"trusted": [""]}, {"hops": 0}, {"hops": "1"}, {"hops": 101}),
        *({"believe": ["port"]}, {"header": "x-real-ip"}),
    ],
)
def test_options_are_checked(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        ProxyHeaders(**options)


def test_it_is_for_the_app_and_there_once() -> None:
    app = NexiosApp(openapi=None)
    app.get("/", name="tell", middleware=[PROXY])(tell)
    with pytest.raises(ConfigurationError, match=r"app\.add_middleware\(ProxyHeaders"):
        app.compile()

    router = Router(middleware=[PROXY])
    router.get("/", name="tell")(tell)
    app = NexiosApp(openapi=None)
    app.include_router(router)
    with pytest.raises(ConfigurationError, match="GET/HEAD / cannot be compiled"):
        app.compile()

    with pytest.raises(ConfigurationError, match="twice"):
        NexiosApp(middleware=[PROXY, ProxyHeaders()]).compile()


async def test_it_costs_the_chain_nothing_and_works_without_other_middleware() -> None:
    """Called by hand it goes on."""

    async def further() -> Response:
        return Response("further")

    assert (await PROXY(None, None, further)).content == b"further"  # type: ignore[arg-type]
