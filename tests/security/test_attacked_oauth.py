"""A login service that is slow or was away for a moment, and links that were made to fill a session: logins go on."""

import asyncio
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from nexios.errors import ConfigurationError, ServiceUnavailable
from nexios.stores.memory import MemoryStore
from tests.security.kit import until
from tests.session.visitor import Visitor

pytest.importorskip("authlib")
pytest.importorskip("joserfc")
from nexios.auth.jwks import JWKS
from nexios.auth.oauth import OAuthClient
from nexios.auth.oauth_wire import Wire
from nexios.auth.oidc_discovery import Provider
from tests.auth.oauth_provider import CALLBACK, CLIENT, ISSUER, LoginService, make_site

ALGORITHMS = frozenset({"RS256"})
DOCUMENT = "/.well-known/openid-configuration"


class Slow(httpx2.AsyncBaseTransport):
    """A network that answers when `turn` is set; `asked` counts who waits for it, or has waited."""

    def __init__(self, service: LoginService) -> None:
        self._inner = httpx2.ASGITransport(app=service.app)
        self.turn = asyncio.Event()
        self.turn.set()
        self.asked = 0

    async def handle_async_request(self, request: Any) -> Any:
        self.asked += 1
        await self.turn.wait()
        return await self._inner.handle_async_request(request)


def provider(service: LoginService, now: list[float], transport: Any = None) -> Provider:
    wire = Wire(timeout=60, transport=transport or httpx2.ASGITransport(app=service.app))
    return Provider(ISSUER, wire, clock=lambda: now[0])


async def test_a_service_that_hangs_holds_up_one_request_and_not_all_whose_keys_are_known() -> None:
    """Every hour, and then every ten seconds, all requests with a token waited until it gave up."""
    now, service = [0.0], LoginService()
    network = Slow(service)
    source = provider(service, now, network)
    await source.find_key("k1", ALGORITHMS)
    now[0] = 3600.0
    network.turn.clear()
    first = asyncio.create_task(source.metadata())
    await until(lambda: network.asked == 3)

    assert (await source.metadata()).issuer == ISSUER

    network.turn.set()
    assert (await first).issuer == ISSUER


async def test_what_is_too_old_is_waited_for_by_all() -> None:
    now, service = [0.0], LoginService()
    network = Slow(service)
    source = provider(service, now, network)
    await source.metadata()
    now[0] = 86_400.0
    network.turn.clear()
    waiting = [asyncio.create_task(source.metadata()) for _ in range(3)]
    await until(lambda: network.asked == 2)

    assert not any(task.done() for task in waiting)

    network.turn.set()
    assert [(await task).issuer for task in waiting] == [ISSUER] * 3
    assert network.asked == 2


@pytest.mark.parametrize("path", ["/keys", DOCUMENT])
async def test_one_answer_that_is_lost_at_the_start_costs_a_second_of_logins(path: str) -> None:
    """It cost a minute: the pause between two looks for an unknown key held before there were any."""
    now, service = [0.0], LoginService()
    service.instead[path] = lambda response: response.text("not yet", 502)
    source = provider(service, now)
    with pytest.raises(ServiceUnavailable):
        await source.find_key("k1", ALGORITHMS)
    service.instead.clear()

    now[0] = 0.9
    with pytest.raises(ServiceUnavailable):
        await source.find_key("k1", ALGORITHMS)
    now[0] = 1.0
    assert await source.find_key("k1", ALGORITHMS) is not None


async def test_j6_a_key_server_that_stays_away_is_asked_ever_more_seldom() -> None:
    now, asked = [0.0], []

    async def fetch(url: str) -> bytes:
        asked.append(now[0])
        raise OSError

    keys = JWKS("https://login.example/keys", fetch=fetch, clock=lambda: now[0])
    for second in range(200):
        now[0] = float(second)
        with pytest.raises(ServiceUnavailable):
            await keys.find_key("k1", ALGORITHMS)

    assert asked == [0.0, 1.0, 3.0, 7.0, 15.0, 31.0, 63.0, 123.0, 183.0]


async def test_j6_keys_that_are_known_are_asked_for_once_a_minute_while_that_fails() -> None:
    now, service = [0.0], LoginService()
    source = provider(service, now)
    await source.find_key("k1", ALGORITHMS)
    service.instead["/keys"] = lambda response: response.text("gone", 502)

    for now[0] in (60.0, 61.0, 63.0, 119.0, 120.0):
        assert await source.find_key("made-up", ALGORITHMS) is None

    assert service.paths().count("/keys") == 3


def oauth(service: LoginService) -> OAuthClient:
    return OAuthClient(
        client_id=CLIENT,
        redirect_uri=CALLBACK,
        authorization_endpoint=f"{ISSUER}/authorize",
        token_endpoint=f"{ISSUER}/token",
        transport=httpx2.ASGITransport(app=service.app),
    )


LONG_NEXT = {
    "letters": "/" + "a" * 599,
    "quotes": "/?" + '"' * 190,
    "backslashes": "/?" + "\\" * 190,
    "wide": "/?" + "\U0001f600" * 49,
}


@pytest.mark.parametrize("what", LONG_NEXT)
async def test_links_that_begin_logins_do_not_fill_a_session_in_a_cookie(what: str) -> None:
    """Three of them, followed by whoever was sent them, and each further login was a 500."""
    visitor = Visitor(make_site(oauth(LoginService())))

    answers = [await visitor.get("/login", query=b"next=" + quote(LONG_NEXT[what], safe="").encode()) for _ in range(6)]

    assert [answer.status for answer in answers] == [303] * 6
    assert sum(map(len, visitor.cookies.values())) < 2600


@pytest.mark.parametrize("kept", ["cookie", "store"])
async def test_after_many_such_links_the_newest_login_still_ends(kept: str) -> None:
    service = LoginService(issuer=None)
    sessions: dict[str, Any] = {} if kept == "cookie" else {"store": MemoryStore()}
    visitor = Visitor(make_site(oauth(service), **sessions))
    for _ in range(6):
        sent = await visitor.get("/login", query=b"next=" + quote("/" + "a" * 599).encode())

    answer = await visitor.get("/callback", query=service.authorize(sent.header("location") or ""))

    assert answer.status == 303
    assert answer.header("location") == "/" + "a" * 599


async def test_a_path_beyond_ascii_is_where_a_login_leads() -> None:
    service = LoginService(issuer=None)
    visitor = Visitor(make_site(oauth(service)))
    sent = await visitor.get("/login", query=b"next=" + quote("/книги?a=ü").encode())

    answer = await visitor.get("/callback", query=service.authorize(sent.header("location") or ""))

    assert answer.header("location") == "/%D0%BA%D0%BD%D0%B8%D0%B3%D0%B8?a=%C3%BC"


class Crowded(MemoryStore):
    """A store of which `together` requests have read before one of them goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.together = 1
        self._read = 0
        self._turn = asyncio.Event()

    async def get(self, key: str) -> bytes | None:
        found = await super().get(key)
        self._read += 1
        if self._read >= self.together:
            self._turn.set()
        await self._turn.wait()
        return found

    def wait_for(self, together: int) -> None:
        self.together, self._read, self._turn = together, 0, asyncio.Event()


async def test_j13_logins_that_several_tabs_begin_at_once_all_end() -> None:
    """A browser that opens again loads all its tabs at once, and all but one had no login to come back to."""
    store, service = Crowded(), LoginService(issuer=None)
    visitor = Visitor(make_site(oauth(service), store=store))
    await visitor.get("/login")
    store.wait_for(3)

    sent = await asyncio.gather(*(visitor.get("/login") for _ in range(3)))

    back = [service.authorize(answer.header("location") or "") for answer in sent]
    assert [(await visitor.get("/callback", query=query)).status for query in back] == [303] * 3
    assert [(await visitor.get("/callback", query=query)).status for query in back] == [400] * 3


ODD_PLACES = [
    *("https://127.1/authorize", "https://0x7f.1/", "https://h%2eexample/", "https://[v1.a]/", "https://a..b/"),
    *("https://login.example:0/", "https://login.example:/a", "https://login.example/%0d%0a", "https://a;b/"),
]


@pytest.mark.parametrize("place", ODD_PLACES, ids=range(len(ODD_PLACES)))
async def test_a_url_that_others_may_read_in_another_way_is_none(place: str) -> None:
    """One parser let them pass and another did not: each login was a 500, and an option told nothing at the start."""
    service = LoginService()
    service.said["authorization_endpoint"] = place
    with pytest.raises(ServiceUnavailable):
        await provider(service, [0.0]).metadata()
    with pytest.raises(ConfigurationError, match="authorization_endpoint"):
        OAuthClient(
            client_id=CLIENT,
            redirect_uri=CALLBACK,
            authorization_endpoint=place,
            token_endpoint=f"{ISSUER}/token",
        )


async def test_the_log_says_which_issuer_a_document_is_of(caplog: pytest.LogCaptureFixture) -> None:
    """A slash at the end, or the name of a tenant, is what is wrong most often."""
    service = LoginService()
    service.said["issuer"] = f"{ISSUER}/\nforged"
    with pytest.raises(ServiceUnavailable):
        await provider(service, [0.0]).metadata()

    assert f"it calls itself '{ISSUER}/\\nforged'" in caplog.text
