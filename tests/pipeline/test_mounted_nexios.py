"""A nexios app inside another, and an app below the root path of its server."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from nexios import HTTPException, NexiosApp, Request, Response, Router
from nexios._pipeline.middleware import CallNext
from nexios.errors import ConfigurationError
from nexios.testing.raw import call


async def where(request: Request, response: Response) -> dict[str, Any]:
    return {
        "path": request.path,
        "root_path": request.root_path,
        "params": dict(request.path_params),
        "url": str(request.url),
    }


def mark(name: str, log: list[str]) -> Callable[..., Any]:
    async def middleware(request: Request, response: Response, call_next: CallNext) -> Any:
        log.append(name)
        return await call_next()

    return middleware


async def test_a_mounted_app_matches_below_its_prefix_and_sees_the_whole_path() -> None:
    app, api = NexiosApp(), NexiosApp()
    api.add_route("/items/{id:int}", where)
    app.mount("/api", api)

    answer = await call(app, path="/api/items/7", headers=[(b"host", b"a.example")])

    assert answer.json() == {
        "path": "/api/items/7",
        "root_path": "/api",
        "params": {"id": 7},
        "url": "http://a.example/api/items/7",
    }


@pytest.mark.parametrize("path", ["/api", "/api/"])
async def test_the_prefix_alone_is_the_root_of_the_mounted_app(path: str) -> None:
    app, api = NexiosApp(), NexiosApp()
    api.add_route("/", where)
    app.mount("/api", api)

    assert (await call(app, path=path)).json()["root_path"] == "/api"


@pytest.mark.parametrize("path", ["/apix", "/api-old/items", "/ap", "//api/items", "/API/items", "/x/api/items"])
async def test_a_prefix_ends_where_a_segment_ends(path: str) -> None:
    app, api = NexiosApp(), NexiosApp()
    api.add_route("/{rest:path}", where)
    app.mount("/api", api)

    assert (await call(app, path=path)).status == 404


async def test_mounts_within_mounts_add_up() -> None:
    app, outer, inner = NexiosApp(), NexiosApp(), NexiosApp()
    inner.add_route("/x", where)
    outer.mount("/b/c", inner)
    app.mount("/a", outer)

    assert (await call(app, path="/a/b/c/x")).json()["root_path"] == "/a/b/c"


async def test_a_mount_at_the_root_answers_what_has_no_route() -> None:
    app, rest = NexiosApp(), NexiosApp()
    rest.add_route("/{rest:path}", where)
    app.mount("/", rest)
    app.add_route("/own", lambda request, response: "own")

    assert (await call(app, path="/own")).body == b"own"
    assert (await call(app, path="/a/b")).json()["root_path"] == ""
    assert (await call(app, path="/")).json()["path"] == "/"


async def test_routes_of_the_parent_come_first_and_the_longer_prefix_wins() -> None:
    app, api, v2 = NexiosApp(), NexiosApp(), NexiosApp()
    api.add_route("/{rest:path}", lambda request, response: "api")
    v2.add_route("/{rest:path}", lambda request, response: "v2")
    app.mount("/api", api)
    app.mount("/api/v2", v2)
    app.add_route("/api/own", lambda request, response: "own")

    bodies = [(await call(app, path=path)).body for path in ("/api/own", "/api/x", "/api/v2", "/api/v2/x", "/api/v2x")]
    assert bodies == [b"own", b"api", b"v2", b"v2", b"api"]


async def test_a_prefix_may_have_parameters() -> None:
    app, shop = NexiosApp(), NexiosApp()
    shop.add_route("/items/{id:int}", where)
    app.mount("/shops/{shop:slug}", shop)

    answer = await call(app, path="/shops/books/items/7")

    assert (answer.json()["root_path"], answer.json()["params"]) == ("/shops/books", {"id": 7})
    assert (await call(app, path="/shops/BOOKS/items/7")).status == 404


async def test_below_a_router_the_prefixes_are_joined() -> None:
    log: list[str] = []
    app, inner = NexiosApp(), NexiosApp()
    inner.add_route("/x", where)
    router = Router("/r", middleware=[mark("router", log)])
    router.mount("/m", inner)
    app.include_router(router)

    assert (await call(app, path="/r/m/x")).json()["root_path"] == "/r/m"
    assert log == ["router"]


async def test_middleware_of_the_parent_runs_around_that_of_the_mounted_app() -> None:
    log: list[str] = []
    app, api = NexiosApp(middleware=[mark("app", log)]), NexiosApp(middleware=[mark("api", log)])
    api.add_route("/x", where, middleware=[mark("route", log)])
    app.mount("/api", api)

    await call(app, path="/api/x")

    assert log == ["app", "api", "route"]


async def test_the_parent_sees_its_own_request_before_and_after() -> None:
    seen: list[object] = []

    async def watch(request: Request, response: Response, call_next: CallNext) -> Any:
        seen.append((request.app, request.root_path, request.route, dict(request.path_params)))
        answer = await call_next()
        seen.append((request.app, request.root_path, request.route, dict(request.path_params)))
        return answer

    app, api = NexiosApp(middleware=[watch]), NexiosApp()

    @api.get("/{id}")
    async def handler(request: Request, response: Response) -> str:
        seen.append((request.app, request.root_path, request.route is not None, dict(request.path_params)))
        return "x"

    app.mount("/{tenant}", api)

    await call(app, path="/acme/7")

    outside = (app, "", None, {"tenant": "acme"})
    assert seen == [outside, (api, "/acme", True, {"id": "7"}), outside]


async def test_a_stream_and_a_background_task_below_a_mount_see_the_request_as_the_handler_saw_it() -> None:
    """They run when the mounted app has answered long ago."""
    seen: list[object] = []
    app, api = NexiosApp(), NexiosApp()

    @api.get("/{id}", name="one")
    async def handler(request: Request, response: Response) -> Response:
        def look() -> None:
            seen.append((request.app, request.root_path, dict(request.path_params), request.url_for("one", id="8")))

        async def chunks() -> AsyncIterator[str]:
            look()
            yield "x"

        return response.stream(chunks()).add_background(look)

    app.mount("/api", api)

    assert (await call(app, path="/api/7")).body == b"x"
    assert seen == [(api, "/api", {"id": "7"}, "/api/8")] * 2


async def test_a_body_read_on_one_side_of_a_mount_is_there_on_the_other() -> None:
    async def reads(request: Request, response: Response, call_next: CallNext) -> Any:
        if request.query_string == "before":
            await request.body()
        answer = await call_next()
        assert await request.body() == b"abc"
        return answer.set_header("x-id", request.id)

    app, api = NexiosApp(middleware=[reads]), NexiosApp()

    @api.post("/")
    async def handler(request: Request, response: Response) -> list[str]:
        request.state.left = "inside"
        return [(await request.body()).decode(), request.id]

    app.mount("/api", api)

    for query in (b"before", b"after"):
        answer = await call(app, method="POST", path="/api", query=query, chunks=[b"ab", b"c"])
        assert answer.json() == ["abc", answer.header("x-id")]


async def test_state_that_a_mounted_app_sets_is_seen_outside() -> None:
    seen: list[object] = []

    async def looks(request: Request, response: Response, call_next: CallNext) -> Any:
        answer = await call_next()
        seen.append(request.state.user)
        return answer

    app, api = NexiosApp(middleware=[looks]), NexiosApp()

    @api.get("/")
    async def handler(request: Request, response: Response) -> None:
        request.state.user = "ada"

    app.mount("/api", api)
    await call(app, path="/api")

    assert seen == ["ada"]


async def test_a_mount_is_found_after_a_listener_looked_at_the_request() -> None:
    app, api = NexiosApp(), NexiosApp()
    api.add_route("/x", where)
    app.mount("/api", api)
    app.event_emitter.on("request.started", lambda request: request.headers)

    assert (await call(app, path="/api/x")).json()["root_path"] == "/api"


async def test_state_is_shared_along_the_chain_and_app_state_is_not() -> None:
    async def user(request: Request, response: Response, call_next: CallNext) -> Any:
        request.state.user = "ada"
        return await call_next()

    app, api = NexiosApp(middleware=[user]), NexiosApp()
    app.state.name, api.state.name = "app", "api"

    @api.get("/")
    async def handler(request: Request, response: Response) -> list[str]:
        return [request.state.user, request.app.state.name]

    app.mount("/api", api)

    assert (await call(app, path="/api")).json() == ["ada", "api"]


async def test_a_mounted_app_answers_its_own_errors() -> None:
    app = NexiosApp(
        exception_handlers={ValueError: lambda request, exc: ("parent", 418), 404: lambda request, exc: "parent 404"}
    )
    api = NexiosApp(exception_handlers={404: lambda request, exc: "api 404"})

    @api.get("/boom")
    async def boom(request: Request, response: Response) -> None:
        raise ValueError

    app.mount("/api", api)

    assert (await call(app, path="/api/none")).body == b"api 404"
    assert (await call(app, path="/none")).body == b"parent 404"
    assert (await call(app, path="/api/boom")).status == 500


async def test_an_error_below_a_mount_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    async def outer(request: Request, response: Response, call_next: CallNext) -> Any:
        return await call_next()

    app, api = NexiosApp(middleware=[outer]), NexiosApp()

    @api.get("/boom")
    async def boom(request: Request, response: Response) -> None:
        raise ValueError

    app.mount("/api", api)
    await call(app, path="/api/boom", headers=[(b"x-request-id", b"r1")])

    assert caplog.messages == ["unhandled error: GET /boom (request r1)"]


async def test_405_options_and_slashes_below_a_mount_are_those_of_the_mounted_app() -> None:
    app, api = NexiosApp(), NexiosApp()
    api.add_route("/items", where)
    app.mount("/api", api)

    assert (await call(app, method="PUT", path="/api/items")).header("allow") == "GET, HEAD, OPTIONS"
    assert (await call(app, method="OPTIONS", path="/api/items")).header("allow") == "GET, HEAD, OPTIONS"
    assert (await call(app, path="/api/items/", query=b"a=1")).header("location") == "../items?a=1"
    assert (await call(app, method="HEAD", path="/api/items")).status == 200


async def test_files_limits_and_background_tasks_work_below_a_mount(tmp_path: Any) -> None:
    done: list[str] = []
    (tmp_path / "a.txt").write_text("a file")
    app, api = NexiosApp(), NexiosApp(limits={"max_body_size": 3})

    @api.get("/file")
    async def file(request: Request, response: Response) -> Response:
        return response.file(tmp_path / "a.txt").add_background(done.append, "sent")

    @api.post("/body")
    async def body(request: Request, response: Response) -> bytes:
        return await request.body()

    app.mount("/api", api)

    assert (await call(app, path="/api/file")).body == b"a file"
    assert done == ["sent"]
    assert (await call(app, method="POST", path="/api/body", chunks=[b"abc"])).body == b"abc"
    assert (await call(app, method="POST", path="/api/body", chunks=[b"abcd"])).status == 413


async def test_url_for_in_the_parent_reaches_a_named_mount() -> None:
    app, api = NexiosApp(), NexiosApp()
    api.add_route("/items/{id:int}", where, name="item")
    app.mount("/api", api, name="api")

    assert app.url_for("api", path="items/7") == "/api/items/7"
    assert api.url_for("item", id=7) == "/items/7"


async def test_url_for_of_a_request_leads_back_to_the_route() -> None:
    app, api = NexiosApp(), NexiosApp()

    @api.get("/items/{id:int}", name="item")
    async def item(request: Request, response: Response) -> str:
        return request.url_for("item", id=8)

    app.mount("/api", api)

    assert (await call(app, path="/api/items/7")).body == b"/api/items/8"
    scope = {"root_path": "/proxy"}
    assert (await call(app, path="/proxy/api/items/7", scope_extra=scope)).body == b"/proxy/api/items/8"
    assert (await call(api, path="/items/7")).body == b"/items/8"


@pytest.mark.parametrize("root_path", ["/proxy", "/proxy/", "/a/b c"])
async def test_the_root_path_of_the_server_is_taken_off(root_path: str) -> None:
    """ASGI: `path` begins with `root_path`."""
    app = NexiosApp()
    app.add_route("/items/{id:int}", where)
    prefix = root_path.rstrip("/")

    answer = await call(app, path=f"{prefix}/items/7", scope_extra={"root_path": root_path})

    assert (answer.json()["path"], answer.json()["root_path"]) == (f"{prefix}/items/7", prefix)


async def test_a_root_path_that_is_no_prefix_of_the_path_changes_nothing() -> None:
    """Some servers, and WSGI-minded proxies, take it off themselves."""
    app = NexiosApp()
    app.add_route("/items", where)

    for root_path in ("/proxy", "/it", "/items/x"):
        answer = await call(app, path="/items", scope_extra={"root_path": root_path})
        assert (answer.status, answer.json()["root_path"]) == (200, "")


async def test_root_path_and_mounts_add_up() -> None:
    app, api = NexiosApp(), NexiosApp()
    api.add_route("/x", where)
    app.mount("/api", api)

    answer = await call(app, path="/proxy/api/x", scope_extra={"root_path": "/proxy"})

    assert answer.json()["root_path"] == "/proxy/api"


def test_an_app_that_is_mounted_in_itself_is_refused() -> None:
    app, inner = NexiosApp(title="outer"), NexiosApp()
    inner.mount("/again", app)
    app.mount("/inner", inner)

    with pytest.raises(
        ConfigurationError, match="<NexiosApp 'outer'> is mounted in itself, directly or by way of other"
    ):
        app.compile()


def test_what_is_registered_twice_is_refused() -> None:
    app = NexiosApp()
    app.mount("/api", NexiosApp())

    with pytest.raises(ConfigurationError, match="mount /api is registered twice"):
        app.mount("/api", NexiosApp())


async def test_a_mounted_app_may_still_be_served_alone() -> None:
    app, api = NexiosApp(), NexiosApp()
    api.add_route("/x", where)
    app.mount("/api", api)

    assert (await call(app, path="/api/x")).json()["root_path"] == "/api"
    assert (await call(api, path="/x")).json()["root_path"] == ""


async def test_an_http_exception_of_a_mounted_app_is_its_answer() -> None:
    app, api = NexiosApp(), NexiosApp()

    @api.get("/")
    async def handler(request: Request, response: Response) -> None:
        raise HTTPException(402)

    app.mount("/api", api)

    assert (await call(app, path="/api")).status == 402
