"""White space around a text is taken off before anything is checked, where the marker says so."""

from typing import Annotated, Any

import msgspec
import pytest

from nexios import Cookie, Form, NexiosApp, Path, Query
from nexios.testing import TestClient


class Login(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(min_length=2)]
    tags: list[str] = []
    age: int | None = None


async def answer(handler: Any, path: str = "/", route: str = "/", **sent: Any) -> Any:
    app = NexiosApp()
    app.add_route(route, handler, methods=["GET", "POST"] if not sent.get("data") else ["POST"])
    async with TestClient(app) as client:
        response = await (client.post(path, **sent) if sent.get("data") else client.get(path, **sent))
    return response.json()


async def test_each_part_of_a_head() -> None:
    async def show(
        name: str = Path(strip_whitespace=True, min_length=2),
        q: str = Query("x", strip_whitespace=True),
        tags: list[str] = Query([], strip_whitespace=True),
        limit: int = Query(1, strip_whitespace=True, ge=1),
        kept: str = Query(""),
    ) -> object:
        return [name, q, tags, limit, kept]

    path = "/%20ada%20?q=%20a%20b%0A&tags=%20x&tags=y%20&limit=%205%20&kept=%20z"
    assert await answer(show, path, "/{name}") == ["ada", "a b", ["x", "y"], 5, " z"]


async def test_what_is_only_space_breaks_the_rules_of_what_is_empty() -> None:
    async def show(q: str = Query(strip_whitespace=True, min_length=1)) -> str:
        return q

    told = await answer(show, "/?q=%20%20")

    assert [(error["pointer"], error["code"]) for error in told["errors"]] == [("/q", "too_short")]


async def test_a_cookie() -> None:
    async def show(theme: str = Cookie(strip_whitespace=True)) -> object:
        return [theme]

    assert await answer(show, headers={"cookie": 'theme=" dark "'}) == ["dark"]


async def test_fields_of_a_form() -> None:
    async def login(
        name: str = Form(strip_whitespace=True, min_length=2),
        tags: list[str] = Form([], strip_whitespace=True),
        age: int | None = Form(None, strip_whitespace=True),
    ) -> object:
        return [name, tags, age]

    assert await answer(login, data={"name": " ada ", "tags": [" a", "b "], "age": "  "}) == ["ada", ["a", "b"], None]


@pytest.mark.parametrize("by_form", [False, True])
async def test_a_whole_model(by_form: bool) -> None:
    async def by_query(login: Annotated[Login, Query(strip_whitespace=True)]) -> object:
        return [login.name, login.tags, login.age]

    async def by_fields(login: Annotated[Login, Form(strip_whitespace=True)]) -> object:
        return [login.name, login.tags, login.age]

    given = {"name": " ada ", "tags": [" a", "b "]}
    if by_form:
        assert await answer(by_fields, data={**given, "age": " "}) == ["ada", ["a", "b"], None]
    else:
        assert await answer(by_query, params={**given, "age": " 5 "}) == ["ada", ["a", "b"], 5]
