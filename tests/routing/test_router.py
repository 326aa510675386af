"""Routers: registration, its errors and the places they name, inclusion, freezing."""

import functools
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from nexios.errors import ConfigurationError, DuplicateRoute
from nexios.places import calling_place, name_of, place_of
from nexios.routing import MiddlewareEntry, Mount, Route, Router, WebSocketRoute, flatten
from nexios.routing.router import Inclusion


async def handler(request: object, response: object) -> None: ...


async def other(request: object, response: object) -> None: ...


def routes_of(router: Router) -> list[tuple[str, str]]:
    return [(method, route.template) for route in flatten(router).routes for method in route.methods]


@pytest.mark.parametrize("verb", ["get", "post", "put", "patch", "delete", "head", "options", "query"])
def test_each_verb_has_a_decorator_that_returns_the_handler(verb: str) -> None:
    router = Router()

    assert getattr(router, verb)("/x")(handler) is handler
    route = router.items[0]
    assert isinstance(route, Route)
    assert (route.methods, route.template, route.handler, route.name) == ((verb.upper(),), "/x", handler, "handler")


def test_a_handler_may_have_several_paths() -> None:
    router = Router()
    router.get("/b")(router.post("/a")(handler))

    assert routes_of(router) == [("POST", "/a"), ("GET", "/b"), ("HEAD", "/b")]


def test_route_is_for_get_unless_methods_are_given() -> None:
    router = Router()
    router.route("/a")(handler)
    router.route("/b", methods=["get", "purge", "GET"])(handler)
    router.add_route("/c", handler, methods=(m for m in ["PUT"]))

    assert [item.methods for item in router.items if isinstance(item, Route)] == [("GET",), ("GET", "PURGE"), ("PUT",)]


def test_options_are_kept_on_the_route() -> None:
    router = Router()
    answer: dict[type[Exception] | int, Callable[..., object]] = {KeyError: handler, 404: handler}
    router.get(
        "/x",
        name="x",
        middleware=["m"],
        dependencies=["d"],
        exception_handlers=answer,
        max_body_size=None,
        on_disconnect="cancel",
        tags=["t"],
        include_in_schema=False,
        metadata={"k": 1},
    )(handler)
    route = router.items[0]

    assert isinstance(route, Route)
    assert (route.name, route.is_named, route.middleware, route.dependencies) == ("x", True, ("m",), ("d",))
    assert [dict(handlers) for handlers in route.exception_handlers] == [answer]
    assert (route.max_body_size, route.on_disconnect, route.tags) == (None, "cancel", ("t",))
    assert (route.include_in_schema, dict(route.metadata)) == (False, {"k": 1})


def test_a_route_knows_where_handler_and_registration_are() -> None:
    router = Router()
    here = calling_place()
    router.add_route("/x", handler)
    route = router.items[0]

    assert isinstance(route, Route)
    assert route.location.registered.file == here.file
    assert route.location.registered.line == here.line + 1
    assert route.location.handler.line == handler.__code__.co_firstlineno
    assert str(route.location) == f"{__file__}:{handler.__code__.co_firstlineno}"


class CallableObject:
    async def __call__(self, request: object, response: object) -> None: ...


def test_the_place_of_a_wrapped_handler_is_its_own() -> None:
    @functools.wraps(handler)
    async def wrapper(request: object, response: object) -> None: ...

    for wrapped in (wrapper, functools.partial(handler), functools.partial(wrapper)):
        assert place_of(wrapped) == place_of(handler)
        assert name_of(wrapped) == "handler"
    assert place_of(CallableObject()) == place_of(CallableObject.__call__)
    assert name_of(CallableObject()) == "CallableObject"
    assert place_of(len).line == 0
    assert place_of(CallableObject).line == 0


def register_sock(router: Router) -> None:
    @router.websocket("/ws/{room}", name="room")
    async def sock(websocket: object, room: str) -> None: ...


def test_a_websocket_has_a_route_of_its_own() -> None:
    router = Router(prefix="/live")
    router.get("/ws/{room}")(handler)
    register_sock(router)
    (route,) = flatten(router).websockets

    assert isinstance(route, WebSocketRoute)
    assert (route.template, route.name, route.is_named) == ("/live/ws/{room}", "room", True)


def test_a_second_websocket_at_one_path_is_refused() -> None:
    router = Router()
    register_sock(router)
    with pytest.raises(DuplicateRoute, match="WEBSOCKET /ws/"):
        register_sock(router)


def test_the_same_method_and_path_twice_names_both_places() -> None:
    router = Router(prefix="/api")
    first = calling_place()
    router.get("/users/{id}")(handler)
    router.post("/users/{id}")(handler)
    with pytest.raises(DuplicateRoute) as caught:
        router.get("/users/{user_id:str}")(other)

    text = str(caught.value)
    assert text.startswith("GET /api/users/{user_id:str} is registered twice.")
    assert f"{first.file}:{first.line + 1}\n" in text
    assert f"{first.file}:{first.line + 4}\n" in text


def test_a_malformed_path_names_the_handler_and_the_registration() -> None:
    router = Router()
    here = calling_place()
    with pytest.raises(ConfigurationError) as caught:
        router.get("items/{id}")(handler)

    assert "must begin with '/': write '/items/{id}'" in str(caught.value)
    assert f"{__file__}:{handler.__code__.co_firstlineno}   handler()" in str(caught.value)
    assert f"{here.file}:{here.line + 2}" in str(caught.value)


def break_by(call: Callable[[Router], object]) -> Callable[[Router], object]:
    return call


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (break_by(lambda r: r.get(handler)), "needs a path"),  # type: ignore[arg-type]
        (break_by(lambda r: r.websocket(handler)), "needs a path"),  # type: ignore[arg-type]
        (break_by(lambda r: r.add_route("/x", handler, methods="GET")), "write methods=\\['GET'\\]"),
        (break_by(lambda r: r.route("/x", methods="GET")(handler)), "write methods=\\['GET'\\]"),
        (break_by(lambda r: r.add_route("/x", handler, methods=[])), "is empty"),
        (break_by(lambda r: r.add_route("/x", handler, methods=["A B"])), "not the name of a method"),
        (break_by(lambda r: r.add_route("/x", handler, methods=[""])), "not the name of a method"),
        (break_by(lambda r: r.add_route("/x", 5)), "cannot handle requests"),
        (break_by(lambda r: r.get("/x", nmae="x")(handler)), "'nmae' is not known. Did you mean 'name'"),  # type: ignore[call-arg]
        (break_by(lambda r: r.get("/x", on_disconnect="stop")(handler)), "'finish' or 'cancel'"),  # type: ignore[arg-type]
        (break_by(lambda r: r.get("/x", exception_handlers={200: handler})(handler)), "status 400-599"),
        (break_by(lambda r: r.exception_handler(str)(handler)), "status 400-599"),  # type: ignore[arg-type]
        (break_by(lambda r: r.mount("files", handler)), "write '/files'"),
        (break_by(lambda r: r.group("admin")), "write '/admin'"),
        (break_by(lambda r: r.include_router(handler)), "put below a path by mount"),  # type: ignore[arg-type]
        (break_by(lambda r: r.mount_router("/x")), "Write mount_router"),
        (break_by(lambda r: r.include_router(r)), "cannot include itself"),
        (break_by(lambda r: Router(prefx="/x")), "'prefx' is not known"),  # type: ignore[call-arg]
    ],
)
def test_a_mistake_is_found_at_registration_and_placed(call: Callable[[Router], object], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        call(Router())

    assert f"{__file__}:" in str(caught.value)


def test_a_router_cannot_include_one_that_contains_it() -> None:
    outer, middle, inner = Router(), Router(), Router()
    outer.include_router(middle)
    middle.include_router(inner)
    with pytest.raises(ConfigurationError, match="cannot include itself"):
        inner.include_router(outer)


def test_a_router_is_included_once_at_a_prefix() -> None:
    outer, inner = Router(), Router()
    inner.get("/x")(handler)
    outer.include_router(inner, "/a")
    outer.include_router(inner, "/b")
    with pytest.raises(DuplicateRoute, match="included twice at '/a'"):
        outer.include_router(inner, "/a/")

    assert [path for method, path in routes_of(outer) if method == "GET"] == ["/a/x", "/b/x"]


def test_routes_added_after_inclusion_are_seen() -> None:
    outer, inner = Router(), Router(prefix="/in")
    outer.include_router(inner)
    inner.post("/late")(handler)

    assert routes_of(outer) == [("POST", "/in/late")]


def test_mount_router_takes_its_arguments_in_either_order() -> None:
    outer = Router()
    inner = [Router(prefix="/own") for _ in range(3)]
    for number, router in enumerate(inner):
        router.post(f"/{number}")(handler)
    outer.mount_router(inner[0])
    outer.mount_router(inner[1], "/a")
    outer.mount_router("/b", inner[2])

    assert routes_of(outer) == [("POST", "/own/0"), ("POST", "/a/own/1"), ("POST", "/b/own/2")]


def test_a_group_is_a_router_already_included() -> None:
    router = Router()
    with router.group("/admin", middleware=["guard"], name="admin") as admin:
        admin.post("/x")(handler)
    (route,) = flatten(router).routes

    assert (route.template, route.name, route.middleware) == ("/admin/x", "admin:handler", ("guard",))
    assert isinstance(router.items[0], Inclusion)


def test_an_error_leaves_the_block_of_a_group() -> None:
    with pytest.raises(KeyError), Router().group("/admin"):
        raise KeyError("x")


def test_middleware_is_kept_with_its_options_and_its_place() -> None:
    router = Router(middleware=["first"])
    here = calling_place()
    router.add_middleware(CallableObject, 1, key="k")
    entry = router.middleware[1]

    assert router.middleware[0] == "first"
    assert isinstance(entry, MiddlewareEntry)
    assert (entry.middleware, entry.args, dict(entry.options)) == (CallableObject, (1,), {"key": "k"})
    assert entry.location.line == here.line + 1


def test_an_exception_handler_is_kept_and_returned() -> None:
    router = Router()

    assert router.exception_handler(KeyError)(handler) is handler
    assert router.exception_handler(404)(other) is other
    assert router.exception_handlers == {KeyError: handler, 404: other}


def test_a_mount_is_kept_with_its_name() -> None:
    router = Router(prefix="/api")
    app = object()
    router.mount("/files/", app, name="files")
    router.mount("/", app)
    mounts = flatten(router).mounts

    assert all(isinstance(mount, Mount) and mount.app is app for mount in mounts)
    assert [(mount.prefix, mount.name) for mount in mounts] == [("/api/files", "files"), ("/api", None)]
    with pytest.raises(DuplicateRoute):
        router.mount("/files", app)


def change(router: Router) -> Iterable[Callable[[], Any]]:
    yield lambda: router.get("/x")(handler)
    yield lambda: router.websocket("/x")(handler)
    yield lambda: router.mount("/x", handler)
    yield lambda: router.include_router(Router())
    yield lambda: router.group("/x")
    yield lambda: router.add_middleware(handler)
    yield lambda: router.exception_handler(404)(handler)


def test_nothing_is_registered_after_compile_at_any_depth() -> None:
    outer, inner = Router(), Router()
    outer.include_router(inner)
    outer.freeze()

    assert (outer.frozen, inner.frozen) == (True, True)
    for router in (outer, inner):
        for call in change(router):
            with pytest.raises(ConfigurationError, match="nothing can be registered any more") as caught:
                call()
            assert f"{__file__}:" in str(caught.value)
