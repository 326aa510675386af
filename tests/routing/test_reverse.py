"""Reverse URLs: encoded, on this site, read back as they were written, or refused with words."""

from datetime import date
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.errors import ConfigurationError, NoSuchRoute
from nexios.routing import Matcher, ReverseIndex, Router, compile_template, flatten, reverse


async def handler(request: object, response: object) -> None: ...


async def other(request: object, response: object) -> None: ...


def index_of(router: Router) -> ReverseIndex:
    everything = flatten(router)
    return ReverseIndex(everything.routes, everything.websockets, everything.mounts)


def url(template: str, **parameters: object) -> str:
    router = Router()
    router.get(template, name="it")(handler)
    return reverse(index_of(router), "it", **parameters)


@pytest.mark.parametrize(
    ("template", "parameters", "path"),
    [
        ("/", {}, "/"),
        ("/items/", {}, "/items/"),
        ("/items/{id:int}", {"id": 7}, "/items/7"),
        ("/items/{id:int}", {"id": "7"}, "/items/7"),
        ("/items/{id}", {"id": 7}, "/items/7"),
        ("/d/{day:date}", {"day": date(2024, 1, 31)}, "/d/2024-01-31"),
        ("/u/{id:uuid}", {"id": UUID(int=5)}, "/u/00000000-0000-0000-0000-000000000005"),
        ("/café/{x}", {"x": "é"}, "/caf%C3%A9/%C3%A9"),
        ("/{x}", {"x": "a?b#c"}, "/a%3Fb%23c"),
        ("/{x}", {"x": "{other}"}, "/%7Bother%7D"),
        ("/{x}", {"x": "\\\\evil"}, "/%5C%5Cevil"),
        ("/{x}", {"x": "100%2F"}, "/100%252F"),
        ("/{x}", {"x": "a;b'c\"d"}, "/a%3Bb%27c%22d"),
        ("/{x}", {"x": "\\1"}, "/%5C1"),
        ("/{x}", {"x": "a b+c"}, "/a%20b+c"),
        ("/{a}-{b:int}.html", {"a": "x-y", "b": 5}, "/x-y-5.html"),
        ("/f/{p:path}", {"p": "a/b c"}, "/f/a/b%20c"),
        ("/f/{p:path}", {"p": "a/"}, "/f/a/"),
        ("/f/{p:path}", {"p": ""}, "/f/"),
        ("/{p:path}", {"p": "/evil.com"}, "/%2Fevil.com"),
        ("/{p:path}", {"p": "//evil"}, "/%2F%2Fevil"),
        ("/{p:path}", {"p": "\\\\evil"}, "/%5C%5Cevil"),
        ("/f/{p:path}/y", {"p": "a/"}, "/f/a%2F/y"),
    ],
)
def test_values_are_encoded(template: str, parameters: dict[str, object], path: str) -> None:
    assert url(template, **parameters) == path


@pytest.mark.parametrize(
    ("template", "parameters", "words"),
    [
        ("/{id:int}", {"id": "seven"}, "cannot have 'seven' as 'id'"),
        ("/{id:int}", {"id": 1.5}, "cannot have 1.5 as 'id'"),
        ("/{id:int}", {"id": None}, "cannot have None as 'id'"),
        ("/{x}", {"x": "/evil.com"}, "cannot have '/evil.com' as 'x'"),
        ("/{x}", {"x": "../x"}, "cannot have '../x' as 'x'"),
        ("/{x}", {"x": ""}, "cannot have '' as 'x'"),
        ("/{x}", {"x": "a\r\nb"}, "cannot have"),
        ("/{x}", {"x": "\ud800"}, "cannot have"),
        ("/{x}", {"x": ".."}, "browsers rewrite"),
        ("/{x}", {"x": "."}, "browsers rewrite"),
        ("/f/{p:path}", {"p": ".."}, "browsers rewrite"),
        ("/f/{p:path}", {"p": "../x"}, "browsers rewrite"),
        ("/f/{p:path}", {"p": "a/../../b"}, "browsers rewrite"),
        ("/f/{p:path}", {"p": "a/./b"}, "browsers rewrite"),
        ("/f/{p:path}/y", {"p": ""}, "browsers rewrite"),
        ("/{p:path}", {"p": 5.5}, "cannot have 5.5 as 'p'"),
        ("/{a}-{b}", {"a": "x", "b": "y-z"}, "would read these values back as others"),
        ("/{s:slug}-{x}", {"s": "a", "x": "--b"}, "would read these values back as others"),
        ("/{a:path}/y/{b:path}", {"a": "1/y/2", "b": "3"}, "would read these values back as others"),
        ("/{id:int}", {}, "lacks 'id'"),
        ("/{id:int}", {"id": 1, "x": 2}, "does not know 'x'"),
        ("/{a}/{b}", {"c": 1}, "lacks 'a', 'b' and does not know 'c'"),
    ],
)
def test_what_does_not_fit_is_refused(template: str, parameters: dict[str, object], words: str) -> None:
    with pytest.raises(NoSuchRoute) as caught:
        url(template, **parameters)

    assert words in str(caught.value)


def test_an_unknown_name_suggests_the_nearest() -> None:
    router = Router()
    router.get("/u", name="users")(handler)
    with pytest.raises(NoSuchRoute, match=r"No route has the name 'user'\. Did you mean 'users'"):
        index_of(router).path_for("user")
    with pytest.raises(NoSuchRoute, match=r"'zzz'\.$"):
        index_of(router).path_for("zzz")


@given(
    st.sampled_from(["/{x}", "/a/{x}/b", "/v{x}.txt", "/{x:path}", "/f/{x:path}", "/f/{x:path}/y", "/s/{x}-{y}"]),
    st.text() | st.text("/.\\%?#-é"),
    st.text("ab-"),
)
def test_a_path_is_safe_and_leads_back_to_its_values(template: str, x: str, y: str) -> None:
    parameters = {"x": x, "y": y} if "{y}" in template else {"x": x}
    try:
        path = url(template, **parameters)
    except NoSuchRoute:
        return
    matcher = Matcher[None]()
    matcher.add(compile_template(template), ["GET"], None)

    assert path.isascii()
    assert path.startswith("/")
    assert "//" not in path
    assert not {".", ".."} & set(path.split("/"))
    assert not set(path) & set(" ?#\\{}\r\n\"'<>")
    assert matcher.find("GET", unquote(path)) == (None, parameters)


def test_methods_of_one_path_share_a_name() -> None:
    router = Router()
    router.get("/u/{id}", name="user")(handler)
    router.post("/u/{id}", name="user")(other)

    assert index_of(router).path_for("user", id="x") == "/u/x"


def test_a_name_given_to_two_paths_is_refused() -> None:
    router = Router()
    router.get("/a", name="x")(handler)
    router.get("/b", name="x")(other)
    with pytest.raises(ConfigurationError, match="The name 'x' is given to two routes") as caught:
        index_of(router)

    assert str(caught.value).count(f"{__file__}:") == 2
    assert str(caught.value).endswith("Give the second one a name of its own, with another name=.")


def test_the_parameters_choose_among_the_paths_of_one_handler() -> None:
    router = Router()
    router.get("/posts")(handler)
    router.get("/posts/{page:int}")(handler)
    router.get("/p/{page:int}")(handler)
    index = index_of(router)

    assert index.path_for("handler") == "/posts"
    assert index.path_for("handler", page=2) == "/posts/2"


def test_two_handlers_that_happen_to_have_one_name_are_told_apart_by_nobody() -> None:
    async def handler(request: object, response: object) -> None: ...

    router = Router()
    router.get("/a")(globals()["handler"])
    router.get("/b")(handler)
    index = index_of(router)

    with pytest.raises(NoSuchRoute, match="Several routes have the name 'handler'") as caught:
        index.path_for("handler")

    assert str(caught.value).count(f"{__file__}:") == 2
    assert 'as in @app.get("/a", name="...")' in str(caught.value)


@pytest.mark.parametrize("named_first", [True, False])
def test_a_given_name_goes_before_a_handler_of_that_name(named_first: bool) -> None:
    router = Router()
    for is_named in (named_first, not named_first):
        if is_named:
            router.get("/named", name="handler")(other)
        else:
            router.get("/unnamed")(handler)

    assert index_of(router).path_for("handler") == "/named"


def test_websockets_and_mounts_have_names_too() -> None:
    router = Router()
    router.websocket("/ws/{room}", name="room")(handler)
    router.mount("/static", object(), name="static")
    router.mount("/t/{tenant:int}", object(), name="tenant")
    router.mount("/unnamed", object())
    index = index_of(router)

    assert index.names == ["room", "static", "tenant"]
    assert index.path_for("room", room="a b") == "/ws/a%20b"
    assert index.path_for("static", path="/css/a.css") == "/static/css/a.css"
    assert index.path_for("static") == "/static/"
    assert index.path_for("tenant", tenant=5, path="x") == "/t/5/x"


def test_names_of_nested_routers_are_joined_by_colons() -> None:
    router, api = Router(), Router("/api", name="api")
    router.include_router(api)
    api.get("/users/{name}", name="user")(handler)
    keyword: dict[str, Any] = {"name": "bob"}

    assert index_of(router).path_for("api:user", **keyword) == "/api/users/bob"
