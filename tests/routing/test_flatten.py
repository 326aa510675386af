"""Flattening: prefixes, names, middleware, handlers and limits of nested routers."""

import pytest

from nexios.errors import ConfigurationError, DuplicateRoute
from nexios.routing import NOT_GIVEN, Route, Router, flatten
from nexios.settings import Limits


async def handler(request: object, response: object) -> None: ...


async def other(request: object, response: object) -> None: ...


def nested(**inner_options: object) -> tuple[Router, Router, Router]:
    """Three routers within one another: /a, /a/b, /a/b/c."""
    outer, middle, inner = Router("/a"), Router("/b", name="mid"), Router("/c", **inner_options)  # type: ignore[arg-type]
    outer.include_router(middle)
    middle.include_router(inner, name="inmost")
    return outer, middle, inner


def only_route(router: Router) -> Route:
    (route,) = flatten(router).routes
    return route


def test_prefixes_and_names_add_up() -> None:
    outer, _, inner = nested()
    inner.post("/x/{id:int}", name="x")(handler)

    route = only_route(outer)
    assert (route.template, route.name) == ("/a/b/c/x/{id:int}", "mid:inmost:x")


def test_an_empty_path_is_the_prefix_itself() -> None:
    router = Router("/items")
    router.post("")(handler)
    router.post("/")(handler)

    assert [route.template for route in flatten(router).routes] == ["/items", "/items/"]


def test_an_empty_path_without_a_prefix_is_refused() -> None:
    router = Router()
    router.get("")(handler)
    with pytest.raises(ConfigurationError, match="for the root, write '/'") as caught:
        flatten(router)

    assert f"{__file__}:" in str(caught.value)


def test_the_middleware_of_every_level_is_there_once_outermost_first() -> None:
    """CVE-2026-6270: a guard must not get lost in nested prefixes."""
    outer, middle, inner = nested()
    for router, name in ((inner, "inner"), (outer, "outer"), (middle, "middle")):
        router.middleware.append(name)
    inner.post("/x", middleware=["route"])(handler)
    inner.websocket("/ws", middleware=["route"])(handler)
    inner.mount("/files", object())
    everything = flatten(outer)

    assert everything.routes[0].middleware == ("outer", "middle", "inner", "route")
    assert everything.websockets[0].middleware == ("outer", "middle", "inner")
    assert everything.websockets[0].websocket_middleware == ("route",)
    assert everything.mounts[0].middleware == ("outer", "middle", "inner")
    assert flatten(outer, own_middleware=False).routes[0].middleware == ("middle", "inner", "route")


def test_exception_handlers_are_nearest_first() -> None:
    outer, _, inner = nested()
    outer.exception_handler(404)(handler)
    inner.exception_handler(404)(other)
    inner.post("/x", exception_handlers={404: handler})(handler)

    route = only_route(outer)
    assert [dict(handlers) for handlers in route.exception_handlers] == [{404: handler}, {404: other}, {404: handler}]


def test_dependencies_tags_schema_and_metadata_are_inherited() -> None:
    outer, middle, inner = nested(tags=["t", "u"], metadata={"a": "inner"})
    outer.dependencies.append("one")
    outer.tags.append("t")
    outer.metadata.update(a="outer", b="outer")
    middle.include_in_schema = False
    inner.post("/x", dependencies=["two"], tags=["v"], metadata={"c": "route"})(handler)

    route = only_route(outer)
    assert route.dependencies == ("one", "two")
    assert route.tags == ("t", "u", "v")
    assert route.include_in_schema is False
    assert route.metadata == {"a": "inner", "b": "outer", "c": "route"}


def test_the_nearest_limits_win() -> None:
    wide, narrow = Limits(max_ranges=20), Limits(max_ranges=1)
    outer, _, inner = nested()
    outer.limits = wide
    inner.post("/wide")(handler)
    inner.post("/narrow", limits=narrow)(handler)

    assert [route.limits for route in flatten(outer).routes] == [wide, narrow]


def test_the_nearest_body_size_wins_and_limits_further_in_replace_it() -> None:
    outer, _, inner = nested()
    inner.post("/none", max_body_size=None)(handler)
    inner.post("/inherited")(handler)
    inner.post("/own", limits=Limits(max_body_size=7))(handler)
    assert [route.max_body_size for route in flatten(outer).routes] == [None, NOT_GIVEN, NOT_GIVEN]

    outer.max_body_size = 5
    assert [route.max_body_size for route in flatten(outer).routes] == [None, 5, NOT_GIVEN]


def test_get_implies_head_unless_the_same_path_has_its_own() -> None:
    router = Router()
    router.get("/a/{x}")(handler)
    router.get("/b/{x}")(handler)
    router.head("/b/{y}")(other)

    assert [(route.template, route.methods) for route in flatten(router).routes] == [
        ("/a/{x}", ("GET", "HEAD")),
        ("/b/{x}", ("GET",)),
        ("/b/{y}", ("HEAD",)),
    ]


def test_the_same_path_by_way_of_two_routers_is_refused() -> None:
    outer, _, inner = nested()
    outer.get("/b/c/{id}")(handler)
    inner.get("/{name}")(other)
    with pytest.raises(DuplicateRoute, match=r"GET /a/b/c/\{id\} is registered twice") as caught:
        flatten(outer)

    assert str(caught.value).count(f"{__file__}:") == 2


def test_a_parameter_of_prefix_and_path_is_refused() -> None:
    router = Router("/{id}")
    router.get("/{id}")(handler)
    with pytest.raises(ConfigurationError, match="'id' more than once") as caught:
        flatten(router)

    assert f"{__file__}:" in str(caught.value)


def test_flattening_leaves_the_routers_as_they_are() -> None:
    outer, _, inner = nested()
    inner.get("/x")(handler)

    assert flatten(outer).routes[0].template == flatten(outer).routes[0].template == "/a/b/c/x"
    assert flatten(inner).routes[0].template == "/c/x"


def test_a_mount_at_the_root_has_a_slash_as_prefix() -> None:
    router = Router()
    router.mount("/", object())

    assert flatten(router).mounts[0].prefix == "/"
