"""How large may a body be below a mount? As large as the routers around it say; a nexios app has limits of its own."""

from typing import Any

import pytest

from nexios import Limits, NexiosApp, Request, Response, Router
from nexios._pipeline.middleware import CallNext
from nexios.testing import RawAnswer, call


def wsgi(environ: Any, start_response: Any) -> list[bytes]:
    read = environ["wsgi.input"].read()
    start_response("200 OK", [("content-type", "text/plain")])
    return [str(len(read)).encode()]


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    read, more = 0, True
    while more:
        message = await receive()
        read, more = read + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": str(read).encode()})


def nexios_app(**options: Any) -> NexiosApp:
    app = NexiosApp(**options)

    @app.post("/")
    async def read(request: Request, response: Response) -> str:
        return str(len(await request.body()))

    return app


async def post(app: NexiosApp, path: str, size: int) -> RawAnswer:
    return await call(app, method="POST", path=path, chunks=[b"x" * size])


FOREIGN = pytest.mark.parametrize("mounted", [wsgi, asgi], ids=["wsgi", "asgi"])


@FOREIGN
@pytest.mark.parametrize(
    "options", [{"max_body_size": 10}, {"limits": Limits(max_body_size=10)}], ids=["size", "limits"]
)
@pytest.mark.parametrize(("size", "status"), [(10, 200), (11, 413)])
async def test_the_limits_of_a_router_hold_for_what_is_mounted_in_it(
    mounted: Any, options: dict[str, Any], size: int, status: int
) -> None:
    app, router = NexiosApp(), Router("/a", **options)
    router.mount("/m", mounted)
    app.include_router(router)

    assert (await post(app, "/a/m/", size)).status == status


@FOREIGN
@pytest.mark.parametrize(("size", "status"), [(20, 200), (21, 413)])
async def test_the_nearest_router_has_the_say(mounted: Any, size: int, status: int) -> None:
    """As for routes: it may allow more than those further out."""
    app, outer, inner = NexiosApp(), Router("/a", max_body_size=10), Router("/b", max_body_size=20)
    inner.mount("/m", mounted)
    outer.include_router(inner)
    app.include_router(outer)

    assert (await post(app, "/a/b/m/", size)).status == status


@FOREIGN
async def test_a_router_may_lift_the_limit_of_the_app_for_a_mount(mounted: Any) -> None:
    app, router = NexiosApp(limits=Limits(max_body_size=10)), Router("/a", max_body_size=None)
    router.mount("/m", mounted)
    app.include_router(router)

    assert (await post(app, "/a/m/", 100)).body == b"100"


@FOREIGN
async def test_a_mount_beside_the_router_has_the_limits_of_the_app(mounted: Any) -> None:
    app = NexiosApp(limits=Limits(max_body_size=100))
    app.include_router(Router("/a", max_body_size=10))
    app.mount("/m", mounted)

    assert [(await post(app, "/m/", size)).status for size in (100, 101)] == [200, 413]


@pytest.mark.parametrize(("size", "status"), [(20, 200), (21, 413)])
async def test_a_mounted_nexios_app_keeps_its_own_limits(size: int, status: int) -> None:
    app, router = NexiosApp(), Router("/a", max_body_size=10)
    router.mount("/m", nexios_app(limits=Limits(max_body_size=20)))
    app.include_router(router)

    assert (await post(app, "/a/m", size)).status == status


async def test_the_middleware_around_a_mount_sees_the_limits_of_its_router() -> None:
    seen: list[int | None] = []

    async def look(request: Request, response: Response, call_next: CallNext) -> Response:
        seen.append(request.limits.max_body_size)
        return await call_next()

    app, router = NexiosApp(), Router("/a", max_body_size=10, middleware=[look])
    router.mount("/m", asgi)
    app.include_router(router)
    await post(app, "/a/m/", 1)

    assert seen == [10]
