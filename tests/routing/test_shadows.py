"""Shadows: what no request can reach is reported, and nothing else is."""

import pytest

from nexios.routing import ConverterRegistry, FunctionConverter, Router, flatten, shadowed
from nexios.routing.registry import DEFAULT_CONVERTERS

REGISTRY = ConverterRegistry(DEFAULT_CONVERTERS)
SAME = FunctionConverter()
REGISTRY.register("one", SAME)
REGISTRY.register("same", SAME)
REGISTRY.register("late", FunctionConverter(rank=55))


async def handler(request: object, response: object) -> None: ...


def hidden_among(*paths: str, mounts: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    router = Router()
    for path in paths:
        router.get(path)(handler)
    for mount in mounts:
        router.mount(mount, object())
    everything = flatten(router)
    found = shadowed(everything.routes, everything.mounts, REGISTRY)
    return [(getattr(shadow.hidden, "template", None) or shadow.hidden.prefix, shadow.by.template) for shadow in found]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("paths", "hidden"),
    [
        (("/x/{a:one}", "/x/{b:same}"), [("/x/{b:same}", "/x/{a:one}")]),
        (("/x/{b:late}", "/x/{a}"), [("/x/{b:late}", "/x/{a}")]),
        (("/x/{b:late}/me", "/x/{a}/{c}"), [("/x/{b:late}/me", "/x/{a}/{c}")]),
        (("/x/{a:one}/{p:path}", "/x/{a:same}/{b}/c"), [("/x/{a:same}/{b}/c", "/x/{a:one}/{p:path}")]),
        (("/users/{id}", "/users/me", "/users/{id:int}", "/users/{p:path}", "/{p:path}"), []),
        (("/x/{p:path}/edit", "/x/{p:path}", "/x/{a}-{b}", "/x/{a}", "/x/{a}/"), []),
        (("/x/{a}/", "/x/{b:late}"), []),
        (("/{a}/x", "/{b:late}/y"), []),
    ],
)
def test_a_route_behind_one_that_matches_as_much_is_reported(
    paths: tuple[str, ...], hidden: list[tuple[str, str]]
) -> None:
    assert hidden_among(*paths) == hidden


@pytest.mark.parametrize(
    ("paths", "mounts", "hidden"),
    [
        (("/{p:path}",), ("/api", "/"), [("/api", "/{p:path}"), ("/", "/{p:path}")]),
        (("/api/{p:path}",), ("/api", "/apix"), [("/api", "/api/{p:path}")]),
        (("/{a}/{p:path}",), ("/api",), [("/api", "/{a}/{p:path}")]),
        (("/api/v1/{p:path}", "/api/{a}", "/{p:path}/x"), ("/api",), []),
    ],
)
def test_a_mount_below_a_catch_all_route_is_reported(
    paths: tuple[str, ...], mounts: tuple[str, ...], hidden: list[tuple[str, str]]
) -> None:
    assert hidden_among(*paths, mounts=mounts) == hidden


def test_the_message_names_methods_and_places() -> None:
    router = Router()
    router.get("/{a:one}")(handler)
    router.route("/{b:same}", methods=["GET", "POST"])(handler)
    (shadow,) = shadowed(flatten(router).routes, registry=REGISTRY)

    assert shadow.message.startswith("GET, HEAD /{b:same} is never reached: /{a:one} matches the same paths")
    assert shadow.message.count(f"{__file__}:") == 2


def test_a_shadow_as_text_is_its_message() -> None:
    router = Router()
    router.get("/{p:path}")(handler)
    router.mount("/api", object())
    everything = flatten(router)
    (shadow,) = shadowed(everything.routes, everything.mounts)

    assert str(shadow) == shadow.message
