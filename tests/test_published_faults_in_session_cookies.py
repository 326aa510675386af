"""What the sessions of the published package of this name did, and do not do here (faults 16, 17 and 19)."""

import stat
from pathlib import Path
from typing import Any

import pytest

from nexios import NexiosApp, Request, Response
from nexios.errors import ConfigurationError
from nexios.session import SessionMiddleware
from nexios.stores import MemoryStore, SQLiteStore
from tests.session.visitor import KEY, NAME, Clock, Visitor, make_app


@pytest.mark.parametrize("kept", ["cookie", "store"])
@pytest.mark.parametrize(("idle", "absolute", "end"), [(60, 3600, 60), (3600, 90, 90)])
async def test_the_cookie_and_the_server_keep_to_the_times_of_the_options(
    kept: str, idle: int, absolute: int, end: int
) -> None:
    """Fault 16: the cookie said seven days whatever the options said, and the server had no end at all."""
    clock = Clock()
    options: dict[str, Any] = {"store": MemoryStore(clock=clock)} if kept == "store" else {}
    visitor = Visitor(make_app(idle_timeout=idle, absolute_timeout=absolute, clock=clock, **options))

    (made,) = (await visitor.get("/login/7")).header_all("set-cookie")

    assert f"Max-Age={absolute};" in made
    clock.now += end + 1
    assert (await visitor.json("/all"))["user"] is None


@pytest.mark.parametrize("option", ["cookie_secure", "session_expiration_time", "session_permanent", "manager"])
def test_an_option_that_means_nothing_is_refused(option: str) -> None:
    """Fault 16: unknown options were swallowed, those of the documentation among them."""
    app = NexiosApp()
    app.add_middleware(SessionMiddleware, secret_key=KEY, **{option: True})

    with pytest.raises(ConfigurationError, match=option):
        app.compile()


async def test_an_id_of_the_client_is_never_used_and_a_login_makes_a_new_one() -> None:
    """Fault 17: the file had the name that the cookie said, and a login kept it."""
    store = MemoryStore()
    visitor = Visitor(make_app(store=store))
    visitor.cookies[NAME] = "../evil"
    await visitor.get("/set/theme/dark")
    before = visitor.cookies[NAME]

    await visitor.get("/login/7")

    assert "evil" not in before
    assert visitor.cookies[NAME] != before
    assert (await visitor.json("/all"))["values"] == {"theme": "dark"}
    assert len(store) == 1


async def test_what_is_kept_in_a_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Fault 17: everybody on the machine could read every session."""
    store = SQLiteStore(tmp_path / "sessions.db")
    await store.start()
    await Visitor(make_app(store=store)).get("/login/7")
    await store.stop()

    assert modes_in(tmp_path) == {0o600}


def modes_in(folder: Path) -> set[int]:
    return {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


async def test_after_a_logout_a_copy_of_the_cookie_is_worth_nothing() -> None:
    """Fault 19: the record was kept, because `save` forgot what `logout` had said."""
    store = MemoryStore()
    visitor = Visitor(make_app(store=store))
    await visitor.get("/login/7")
    thief = Visitor(visitor.app)
    thief.cookies = dict(visitor.cookies)

    await visitor.get("/clear")

    assert (await thief.json("/all"))["user"] is None
    assert (visitor.cookies, len(store)) == ({}, 0)


async def test_all_sessions_of_a_user_end_at_once() -> None:
    """Fault 19: there was no way to do so."""
    app = make_app(store=MemoryStore())
    phone, laptop, other = Visitor(app), Visitor(app), Visitor(app)
    for visitor, user in ((phone, "7"), (laptop, "7"), (other, "8")):
        await visitor.get(f"/login/{user}")

    await phone.get("/end-all/7")

    assert [(await one.json("/all"))["user"] for one in (phone, laptop, other)] == [None, None, "8"]


async def test_to_read_a_session_counts_as_reading_it() -> None:
    """Fault 19: `get()` did not, so that caches gave one user's page to another."""
    app = make_app()

    @app.get("/theme")
    async def theme(request: Request, response: Response) -> str:
        return str(request.session.get("theme"))

    assert (await Visitor(app).get("/theme")).header("vary") == "Cookie"
