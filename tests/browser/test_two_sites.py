"""What do pages of other origins and sites get from an API, in a real browser? CORS, SameSite, WebSockets.

127.0.0.1 and localhost are two sites; two ports of 127.0.0.1 are two origins of one site.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import httpx2
import pytest

from tests.browser.headless import NEEDS_CHROMIUM
from tests.contract.servers import DEADLINE, SERVERS, Running, eventually, running

pytestmark = [
    *NEEDS_CHROMIUM,
    pytest.mark.skipif(find_spec("websockets") is None, reason="uvicorn serves WebSockets with websockets"),
]

UVICORN = next(server for server in SERVERS if server.name == "uvicorn-h11")
FETCH = """([url, options]) => fetch(url, options).then(
  async (answer) => `${answer.status} ${await answer.text()}`, (error) => error.name)"""
OPEN = """(url) => new Promise((resolve) => {
  const socket = new WebSocket(url);
  socket.onmessage = (event) => resolve(event.data);
  socket.onerror = () => resolve("refused");
})"""
WITH_COOKIES = {"credentials": "include"}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("api")
    with running(UVICORN, "tests.browser.two_sites_app:app", folder, {"UPLOADS": str(folder)}) as server:
        yield server


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("other")
    with running(UVICORN, "tests.browser.two_sites_app:app", folder, {"UPLOADS": str(folder)}) as server:
        yield server


def asked_of(api: Running) -> list[list[str | None]]:
    asked: list[list[str | None]] = httpx2.get(f"{api.url}/asked", trust_env=False, timeout=DEADLINE).json()
    return asked


def origin_of(kind: str, api: Running, other: Running) -> str:
    return {"own": api.url, "another port": other.url, "another site": other.url.replace("127.0.0.1", "localhost")}[
        kind
    ]


def go_to(page: Any, origin: str) -> None:
    page.goto(f"{origin}/blank")


@pytest.mark.parametrize(
    ("kind", "body"), [("own", "200 ada"), ("another port", "200 ada"), ("another site", "TypeError")]
)
def test_an_allowed_origin_reads_what_is_for_the_session_and_no_other_does(
    api: Running, other: Running, page: Any, kind: str, body: str
) -> None:
    page.goto(f"{api.url}/api/login")
    go_to(page, origin_of(kind, api, other))

    assert page.evaluate(FETCH, [f"{api.url}/api/me", WITH_COOKIES]) == body


def test_without_credentials_an_allowed_origin_is_nobody(api: Running, other: Running, page: Any) -> None:
    page.goto(f"{api.url}/api/login")
    go_to(page, other.url)

    assert page.evaluate(FETCH, [f"{api.url}/api/me", {"credentials": "omit"}]) == "200 nobody"
    assert page.evaluate(FETCH, [f"{api.url}/everybody/me", {"credentials": "omit"}]) == "200 nobody"


def test_h2_what_all_origins_may_read_is_read_by_none_with_credentials(api: Running, other: Running, page: Any) -> None:
    page.goto(f"{api.url}/everybody/login")
    go_to(page, other.url)

    assert page.evaluate(FETCH, [f"{api.url}/everybody/me", WITH_COOKIES]) == "TypeError"
    assert page.evaluate(FETCH, [f"{api.url}/everybody/me", {}]) == "200 nobody"


def test_a_preflight_is_asked_for_once(api: Running, other: Running, page: Any) -> None:
    go_to(page, other.url)
    before = len(asked_of(api))
    request = {"method": "PUT", "headers": {"x-request-id": "7"}, **WITH_COOKIES}

    answers = [page.evaluate(FETCH, [f"{api.url}/api/me", request]) for _ in range(3)]

    assert answers == ["200 nobody"] * 3
    assert [what for what, _ in asked_of(api)[before:]] == ["OPTIONS /api/me", *["PUT /api/me"] * 3]


@pytest.mark.parametrize(
    ("kind", "request_"),
    [
        ("another site", {"method": "PUT"}),
        ("another port", {"method": "DELETE"}),
        ("another port", {"method": "PUT", "headers": {"x-other": "1"}}),
    ],
    ids=["an origin", "a method", "a header"],
)
def test_what_a_preflight_refuses_is_never_sent(
    api: Running, other: Running, page: Any, kind: str, request_: dict[str, object]
) -> None:
    go_to(page, origin_of(kind, api, other))
    before = len(asked_of(api))

    assert page.evaluate(FETCH, [f"{api.url}/api/me", request_]) == "TypeError"
    assert [what for what, _ in asked_of(api)[before:]] == ["OPTIONS /api/me"]


LOGGED_IN = ["lax", "strict", "none"]


@pytest.mark.parametrize(
    ("kind", "way", "known"),
    [
        ("another site", "a link", ["lax", "none"]),
        ("another site", "a form", ["none"]),
        ("another port", "a link", ["lax", "strict", "none"]),
        ("another port", "a script", ["lax", "strict", "none"]),
    ],
)
def test_a_session_comes_along_from_elsewhere_as_its_cookie_says(
    api: Running, other: Running, page: Any, kind: str, way: str, known: list[str]
) -> None:
    assert known_by(way, origin_of(kind, api, other), api, page) == known


def test_a_session_does_not_come_along_with_a_script_of_another_site(api: Running, other: Running, page: Any) -> None:
    """With SameSite=None it does, unless the browser keeps cookies of third parties back."""
    known = known_by("a script", origin_of("another site", api, other), api, page)

    assert known in ([], ["none"])


def known_by(way: str, origin: str, api: Running, page: Any) -> list[str]:
    """Which sessions come along when a page of `origin` makes the browser ask the API in this way."""
    for same_site in LOGGED_IN:
        page.goto(f"{api.url}/{same_site}/login")
    known: list[str] = []
    for same_site in LOGGED_IN:
        go_to(page, origin)
        before = len(asked_of(api))
        page.evaluate(WAYS[way], f"{api.url}/{same_site}/me")
        if way in LEAVING:
            page.wait_for_url(f"{api.url}/{same_site}/me")
        [user] = eventually(lambda: users_since(before, api), "the request")  # noqa: B023
        if user == "ada":
            known.append(same_site)
    return known


def users_since(before: int, api: Running) -> list[str]:
    """Who was told who he is, after as many requests."""
    return [user for _, user in asked_of(api)[before:] if user is not None]


LEAVING = {"a link", "a form"}
"""Ways by which the page goes elsewhere; it has to be there before it is sent on."""

WAYS = {
    "a link": "(url) => { document.body.innerHTML = `<a href='${url}'>go</a>`; document.querySelector('a').click(); }",
    "a form": """(url) => {
      document.body.innerHTML = `<form method='post' action='${url}'></form>`;
      document.querySelector('form').submit();
    }""",
    "a script": "(url) => fetch(url, {mode: 'no-cors', credentials: 'include'}).then(() => null)",
}


@pytest.mark.parametrize(
    ("kind", "heard"), [("own", "hello"), ("another port", "refused"), ("another site", "refused")]
)
def test_i3_a_page_of_our_own_opens_a_websocket_and_no_other_does(
    api: Running, other: Running, page: Any, kind: str, heard: str
) -> None:
    go_to(page, origin_of(kind, api, other))
    before = len(asked_of(api))

    assert page.evaluate(OPEN, f"{api.url.replace('http', 'ws')}/socket") == heard
    assert [["opened", None]] * (heard == "hello") == asked_of(api)[before:]
