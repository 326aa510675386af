"""What strangers and members of the example `commons` may try, and what comes of it; in memory."""

import logging
from pathlib import Path

import pytest

from nexios.auth import LoginThrottle
from nexios.testing import TestClient
from tests.examples.commons_people import COOKIE, PASSWORD, browsing, field_in, member, picture, sign_in, sign_up
from tests.examples.commons_steps import new_room, problem_of

FROM_ELSEWHERE = {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"></svg>'
PAGE = b"<!doctype html><script>alert(1)</script>"

FORMS = {
    "/sign-up": {"name": "Eve", "password": PASSWORD},
    "/sign-in": {"name": "Ada", "password": PASSWORD},
    "/sign-out": {},
    "/account/avatar/delete": {},
    "/members/2/role": {"role": "admin"},
    "/rooms": {"name": "Casino"},
    "/rooms/1/messages": {"author": "Eve", "text": "Buy!"},
    "/rooms/1/rename": {"name": "Casino"},
    "/rooms/1/delete": {},
    "/messages/1/edit": {"text": "Buy!"},
    "/messages/1/delete": {},
}


async def send_picture(client: TestClient, body: bytes, name: str = "me.png", kind: str = "image/png") -> int:
    response = await client.post("/account/avatar", files={"avatar": (name, body, kind)})
    return response.status_code


def files_in(folder: Path) -> list[Path]:
    return list((folder / "avatars").iterdir())


def paths_in(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


@pytest.mark.parametrize("path", FORMS)
async def test_a_form_of_another_site_is_refused(tmp_path: Path, path: str) -> None:
    async with member(tmp_path, "Ada") as ada:
        await new_room(ada)
        response = await ada.post(path, data=FORMS[path], headers=FROM_ELSEWHERE)

        assert response.status_code == 403
        assert "That came from another site" in response.text
        assert (await ada.get("/api/me")).json()["name"] == "Ada"
        assert [room["name"] for room in (await ada.get("/api/rooms")).json()] == ["Garden"]


@pytest.mark.parametrize("path", FORMS)
async def test_a_form_that_says_nothing_of_where_it_comes_from_needs_its_token(tmp_path: Path, path: str) -> None:
    """As an old browser sends it, or one whose extensions leave headers out."""
    async with member(tmp_path, "Ada") as ada, browsing(tmp_path) as eve:
        await new_room(ada)
        for one in (ada, eve):
            del one.headers["sec-fetch-site"]
        hers = field_in((await eve.get("/sign-in")).text)
        own = field_in((await ada.get("/sign-in")).text)
        statuses = [
            (await ada.post(path, data={**FORMS[path], **field})).status_code
            for field in ({}, {"csrf_token": hers}, {"csrf_token": own})
        ]

    assert statuses[:2] == [403, 403]
    assert statuses[2] != 403


async def test_a_picture_of_another_site_is_refused(tmp_path: Path) -> None:
    async with member(tmp_path, "Ada") as ada:
        ada.headers.update(FROM_ELSEWHERE)

        assert await send_picture(ada, picture()) == 403
    assert files_in(tmp_path) == []


@pytest.mark.parametrize(("headers", "status"), [({}, 403), ({"origin": "https://board.example"}, 201)])
async def test_with_a_session_the_api_wants_to_know_where_a_request_comes_from(
    tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    async with member(tmp_path, "Ada") as ada:
        del ada.headers["sec-fetch-site"]

        assert (await ada.post("/api/rooms", json={"name": "x"}, headers=headers)).status_code == status


async def test_the_id_of_a_session_changes_when_someone_signs_in_and_out(tmp_path: Path) -> None:
    async with browsing(tmp_path) as client, browsing(tmp_path) as thief:
        await sign_up(client, "Ada")
        await client.get("/sign-in")
        before = client.cookies[COOKIE]
        await sign_in(client, "Ada")
        during = client.cookies[COOKIE]
        await client.post("/sign-out")
        after = client.cookies[COOKIE]
        known = []
        for stolen in (before, during, after):
            thief.cookies[COOKIE] = stolen
            known.append((await thief.get("/api/me")).status_code)

    assert len({before, during, after}) == 3
    assert known == [401, 401, 401]


async def test_a_session_that_someone_else_made_up_is_not_taken(tmp_path: Path) -> None:
    planted = "A" * 43
    async with browsing(tmp_path) as client:
        await sign_up(client, "Ada")
        client.cookies.clear()
        response = await client.post(
            "/sign-in", data={"name": "Ada", "password": PASSWORD}, headers={"cookie": f"{COOKIE}={planted}"}
        )

    assert response.status_code == 303
    assert COOKIE in response.headers["set-cookie"]
    assert planted not in response.headers["set-cookie"]


async def test_the_cookie_is_for_this_host_alone_and_for_no_script(tmp_path: Path) -> None:
    async with browsing(tmp_path) as client:
        cookie = (await client.get("/")).headers["set-cookie"]

    assert cookie.startswith("__Host-commons=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


async def test_a_name_that_is_taken_is_answered_as_one_that_is_not(tmp_path: Path) -> None:
    async with browsing(tmp_path) as owner:
        await sign_up(owner, "Ada")
        answers = []
        for name in ("Ada", "Nobody"):
            async with browsing(tmp_path) as eve:
                answer = await sign_up(eve, name, "the password of Eve")
                page = (await eve.get("/sign-in")).text.partition("csrf_token")[0]
                answers.append((answer.status_code, answer.headers["location"], answer.content, page))

        assert answers[0] == answers[1]
        assert (await sign_in(owner, "Ada", "the password of Eve")).status_code == 422
        assert (await sign_in(owner, "Ada")).status_code == 303


async def test_a_wrong_name_is_answered_as_a_wrong_password(tmp_path: Path) -> None:
    async with browsing(tmp_path) as client:
        await sign_up(client, "Ada")
        await client.get("/")  # has the message that was left at signing up
        texts = []
        for name in ("Ada", "Eve"):
            response = await sign_in(client, name, "not her password")
            text = response.text.replace(f'value="{name}"', 'value="..."')
            texts.append((response.status_code, text.replace(field_in(text), "...")))

    assert "The name or the password is wrong." in texts[0][1]
    assert texts[0] == texts[1]


async def test_nobody_guesses_on_and_on(tmp_path: Path) -> None:
    """A name that nobody has is treated as one that somebody has. The clock stands still."""
    throttle = LoginThrottle(clock=lambda: 1000.0)
    async with browsing(tmp_path, throttle) as one, browsing(tmp_path, throttle) as two:
        await sign_up(one, "Ada")
        statuses = {
            name: [(await sign_in(client, name, "a guess")).status_code for client in (one, two, one, two, one, two)]
            for name in ("Ada", "Nobody")
        }
        late = await sign_in(two, "Ada")

    assert statuses["Ada"] == statuses["Nobody"] == [422, 422, 422, 422, 422, 429]
    assert late.status_code == 429
    assert late.headers["retry-after"] == "30"
    assert "Too many attempts to sign in." in late.text


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/%0d%0aset-cookie:x",
        "evil",
    ],
)
async def test_signing_in_leads_nowhere_else(tmp_path: Path, target: str) -> None:
    async with browsing(tmp_path) as client:
        await sign_up(client, "Ada")

        assert (await sign_in(client, "Ada", next=target)).headers["location"] == "/"


async def test_nobody_signs_up_as_an_admin(tmp_path: Path) -> None:
    async with member(tmp_path, "Root"), browsing(tmp_path) as eve:
        await eve.post("/sign-up", data={"name": "Eve", "password": PASSWORD, "role": "admin", "id": "1"})
        await sign_in(eve, "Eve")

        assert (await eve.get("/api/me")).json() == {"id": 2, "name": "Eve", "role": "member", "avatar": None}


async def test_who_may_do_less_may_do_so_at_once(tmp_path: Path) -> None:
    """On all devices, and whatever an open page offers still."""
    async with member(tmp_path, "Root") as root, member(tmp_path, "Eve") as eve, browsing(tmp_path) as other:
        await root.post("/members/2/role", data={"role": "editor"})
        for one in (eve, other):
            await sign_in(one, "Eve")
        await new_room(root)
        await root.post("/members/2/role", data={"role": "member"})
        statuses = [(await one.post("/rooms/1/rename", data={"name": "x"})).status_code for one in (eve, other)]

    assert statuses == [401, 401]


@pytest.mark.parametrize(
    ("name", "kind", "body"),
    [
        ("me.svg", "image/svg+xml", SVG),
        ("me.png", "image/png", SVG),
        ("me.png", "image/png", b'<?xml version="1.0"?>' + SVG),
        ("me.html", "text/html", PAGE),
        ("me.png", "image/png", PAGE),
        ("me.js", "text/javascript", b"alert(1)"),
        ("me.pdf", "application/pdf", b"%PDF-1.7"),
        ("me.png", "image/png", b""),
        ("me.png", "image/png", b"\x89PNG"),
        ("me.webp", "image/webp", b"RIFF\x00\x00\x00\x00WAVE"),
    ],
)
async def test_what_is_no_picture_is_refused(tmp_path: Path, name: str, kind: str, body: bytes) -> None:
    """By what it is, and not by what it is called."""
    async with member(tmp_path, "Ada") as ada:
        response = await ada.post("/account/avatar", files={"avatar": (name, body, kind)})

    assert response.status_code == 422
    assert "That is no picture that we take." in response.text
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("size", [512 * 1024 + 1, 2 * 1024 * 1024])
async def test_a_picture_that_is_too_large_is_refused(tmp_path: Path, size: int) -> None:
    async with member(tmp_path, "Ada") as ada:
        status = await send_picture(ada, picture() + b"\0" * size)

    assert status in (413, 422)
    assert files_in(tmp_path) == []


async def test_a_picture_that_is_a_page_too_is_inert(tmp_path: Path) -> None:
    """A GIF may be a script as well; it is sent as a picture, to be downloaded, and to run nothing."""
    body = b"GIF89a=1;" + PAGE
    async with member(tmp_path, "Ada") as ada:
        await send_picture(ada, body, "me.html", "text/html")
        [kept] = files_in(tmp_path)
        answer = await ada.get(f"/avatars/{kept.name}")

    assert kept.suffix == ".gif"
    assert answer.headers["content-type"] == "image/gif"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(
    "name", ["../../board.sqlite3", "..\\..\\secret.key", "/etc/passwd", "a/../../b.png", "CON", "."]
)
async def test_no_name_of_a_file_is_a_path_of_ours(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "data"
    async with member(folder, "Ada") as ada:
        before = paths_in(tmp_path)
        status = await send_picture(ada, picture(), name)
        after = paths_in(tmp_path)

    assert status == 303
    [new] = after - before
    assert (new.parent, new.suffix) == (folder / "avatars", ".png")
    assert (folder / "secret.key").stat().st_size == 43


@pytest.mark.parametrize(
    "path",
    [
        "..%2fsecret.key",
        "%2e%2e/secret.key",
        "..%5csecret.key",
        "/etc/passwd",
        "..%2fboard.sqlite3",
        "",
        ".",
        "%00.png",
    ],
)
async def test_no_path_leads_out_of_the_pictures(tmp_path: Path, path: str) -> None:
    async with member(tmp_path, "Ada") as ada:
        response = await ada.get(f"/avatars/{path}")

    assert response.status_code in (400, 404)
    assert (tmp_path / "secret.key").read_text() not in response.text


async def test_nobody_changes_the_picture_of_somebody_else(tmp_path: Path) -> None:
    """Whose it is, the session says: nothing that is sent, neither a field, a path nor a name of a file."""
    async with member(tmp_path, "Ada") as ada, member(tmp_path, "Eve") as eve:
        await send_picture(ada, picture())
        before = (await ada.get("/api/me")).json()["avatar"]
        name = before.rpartition("/")[2]
        other = picture(16, 16)
        await eve.post(
            "/account/avatar?member_id=1&id=1",
            data={"member_id": "1", "id": "1", "name": "Ada"},
            files={"avatar": (name, other)},
        )
        refused = [
            (await eve.request(method, path, content=other)).status_code
            for method in ("PUT", "POST", "DELETE", "PATCH")
            for path in (before, "/members/1/avatar", "/account/avatar/1")
        ]
        after = (await ada.get("/api/me")).json()["avatar"]
        hers = (await eve.get("/api/me")).json()["avatar"]
        shown = (await eve.get(before)).content

    assert (before, picture()) == (after, shown)
    assert hers not in (None, before)
    assert set(refused) <= {404, 405}


async def test_a_picture_that_was_replaced_is_gone(tmp_path: Path) -> None:
    async with member(tmp_path, "Ada") as ada:
        for _ in range(2):
            await send_picture(ada, picture())
        now = (await ada.get("/api/me")).json()["avatar"]

    assert [path.name for path in files_in(tmp_path)] == [now.rpartition("/")[2]]


async def test_a_guest_has_no_picture(tmp_path: Path) -> None:
    async with browsing(tmp_path) as guest:
        assert await send_picture(guest, picture()) == 401
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("path", ["/", "/account", "/members", "/rooms/1", "/messages/1/edit", "/sign-in", "/sign-up"])
async def test_no_page_stays_behind(tmp_path: Path, path: str) -> None:
    """After signing out, the button that goes back has nothing to show."""
    async with member(tmp_path, "Ada") as ada:
        await ada.post("/rooms", data={"name": "Garden"})
        await ada.post("/rooms/1/messages", data={"text": "Hello"})
        response = await ada.get(path)

    assert response.status_code == 200
    assert "no-store" in response.headers["cache-control"]


async def test_the_name_of_a_member_is_no_markup(tmp_path: Path) -> None:
    name = '<img src=x onerror="a()">'
    async with member(tmp_path, name) as hostile:
        await hostile.post("/rooms", data={"name": "Garden"})
        await hostile.post("/rooms/1/messages", data={"text": "Hello"})
        pages = [(await hostile.get(path)).text for path in ("/", "/account", "/members", "/rooms/1", "/search?text=l")]

    assert all("&lt;img src=x" in page for page in pages)
    assert not any("<img src=x" in page for page in pages)


async def test_neither_passwords_nor_ids_of_sessions_are_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with member(tmp_path, "Ada") as ada:
        await sign_in(ada, "Ada", "a wrong password")
        cookie = ada.cookies[COOKIE]

    assert not any(secret in caplog.text for secret in (PASSWORD, "a wrong password", cookie))


async def test_a_forged_token_of_the_board_opens_nothing(tmp_path: Path) -> None:
    async with member(tmp_path, "Ada") as ada:
        response = await ada.get("/api/moderation/files", headers={"authorization": "Bearer None"})

    assert problem_of(response) == (401, "invalid_token", None)
