"""Faults that a published framework of this name had in its sessions, each as the behaviour that we have instead."""

import asyncio
import gc
import os
from pathlib import Path

import pytest

from nexios import NexiosApp, Request, Response
from nexios.errors import ConfigurationError
from nexios.session import SessionMiddleware
from nexios.stores import MemoryStore, SQLiteStore
from tests.session.visitor import KEY, NAME, OLD_KEY, Clock, Visitor, make_app


async def test_two_apps_at_once_each_have_their_own_sessions() -> None:
    """Key, name and options of the last app that was made held for all of them."""
    first = make_app(secret_key=KEY, session_cookie="first")
    second = make_app(secret_key=OLD_KEY, session_cookie="second")
    ada, bob = Visitor(first), Visitor(second)

    await asyncio.gather(ada.get("/login/ada"), bob.get("/login/bob"))

    assert (list(ada.cookies), list(bob.cookies)) == (["__Host-first"], ["__Host-second"])
    assert ((await ada.json("/all"))["user"], (await bob.json("/all"))["user"]) == ("ada", "bob")


async def test_a_cookie_of_ten_years_ago_is_refused() -> None:
    """A signed session was good for ever, whatever its options said."""
    clock = Clock()
    visitor = Visitor(make_app(clock=clock))
    await visitor.get("/login/7")
    clock.now += 10 * 365 * 86400

    assert (await visitor.json("/all"))["user"] is None


def test_an_option_that_there_is_not_is_refused() -> None:
    """`cookie_secure=` was in the documentation, and was swallowed."""
    app = NexiosApp()
    app.add_middleware(SessionMiddleware, secret_key=KEY, cookie_secure=True)

    with pytest.raises(ConfigurationError, match="SessionMiddleware cannot be made"):
        app.compile()


async def test_an_id_is_never_the_name_of_a_file(tmp_path: Path) -> None:
    """`session_id=../evil` read and wrote outside of the directory."""
    store = SQLiteStore(tmp_path / "inside" / "sessions.db")
    (tmp_path / "inside").mkdir()
    visitor = Visitor(make_app(store=store))
    visitor.cookies[NAME] = "../evil"
    await store.start()

    await visitor.get("/login/7")
    await store.stop()

    assert visitor.cookies[NAME] != "../evil"
    assert os.listdir(tmp_path) == ["inside"]


async def test_a_session_outlives_the_object_that_read_it() -> None:
    """When the object was collected, it deleted what it stood for."""
    visitor = Visitor(make_app(store=MemoryStore()))
    await visitor.get("/login/7")
    await visitor.get("/all")

    gc.collect()

    assert (await visitor.json("/all"))["user"] == "7"


async def test_a_logout_deletes_the_cookie_where_it_was_set() -> None:
    """The cookie was deleted without its domain and path, and so it stayed."""
    visitor = Visitor(make_app(store=MemoryStore(), domain="example.com", session_cookie="sid"))
    await visitor.get("/login/7")

    (deleted,) = (await visitor.get("/clear")).header_all("set-cookie")

    assert deleted == (
        "__Secure-sid=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Domain=example.com; Path=/; Secure; "
        "HttpOnly; SameSite=Lax"
    )


async def test_a_logout_of_nobody_is_none() -> None:
    """It was a KeyError."""
    app = make_app()

    @app.get("/logout")
    async def logout(request: Request, response: Response) -> str:
        request.session.user_id = None
        request.session.clear()
        return "out"

    answer = await Visitor(app).get("/logout")

    assert (answer.status, answer.header_all("set-cookie")) == (200, [])


async def test_a_change_inside_of_a_dict_is_kept() -> None:
    """`session["cart"]["x"] = 1` was lost."""
    app = make_app(store=MemoryStore())

    @app.get("/add")
    async def add(request: Request, response: Response) -> int:
        cart = request.session.setdefault("cart", {})
        cart["x"] = cart.get("x", 0) + 1
        return int(cart["x"])

    visitor = Visitor(app)

    assert [await visitor.json("/add") for _ in range(3)] == [1, 2, 3]
