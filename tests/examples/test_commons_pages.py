"""The pages of the example `commons`, in memory."""

import sqlite3
from pathlib import Path

import pytest

from examples.commons.app import create_app
from examples.commons.options import Options
from examples.commons.store import rooms
from nexios.testing import TestClient

HOSTILE = "<script>alert('x')</script> \"&$name"
ESCAPED = "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt; &quot;&amp;$name"


async def new_room(client: TestClient, name: str = "Garden") -> str:
    """Open a room by the form, and return where it is."""
    response = await client.post("/rooms", data={"name": name})
    assert response.status_code == 303
    return response.headers["location"].partition("?")[0]


async def test_a_new_board_says_what_to_do(client: TestClient) -> None:
    response = await client.get("/")

    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "No rooms yet." in response.text


async def test_a_room_opens_by_a_form(client: TestClient) -> None:
    response = await client.post("/rooms", data={"name": "Garden"}, follow_redirects=True)

    assert response.status_code == 200
    assert response.url.path == "/rooms/1"
    assert "The room is open." in response.text
    assert "It is quiet here." in response.text


@pytest.mark.parametrize(("name", "status"), [("  ", 422), ("x" * 61, 422), ("GARDEN", 409)])
async def test_a_room_that_cannot_be_opened_keeps_what_was_typed(client: TestClient, name: str, status: int) -> None:
    await new_room(client, "Garden")

    response = await client.post("/rooms", data={"name": name})

    assert response.status_code == status
    assert 'role="alert"' in response.text
    assert f'name="name" value="{name}"' in response.text


async def test_a_message_is_on_the_page_after_it_was_posted(client: TestClient) -> None:
    url = await new_room(client)

    response = await client.post(f"{url}/messages", data={"author": "Ada", "text": "one\r\ntwo"})

    assert response.status_code == 303
    assert response.headers["location"] == f"{url}?notice=message-posted#message-1"
    text = (await client.get(response.headers["location"])).text
    assert '<p class="text">one\ntwo</p>' in text
    assert "Your message is there" in text


async def test_a_long_text_may_have_as_many_lines_as_its_form_counts(client: TestClient) -> None:
    """A browser counts the end of a line as one character and sends two."""
    url = await new_room(client)

    response = await client.post(f"{url}/messages", data={"author": "Ada", "text": "a\r\n" * 1999 + "ab"})

    assert response.status_code == 303


async def test_the_form_knows_who_wrote_last(client: TestClient) -> None:
    url = await new_room(client)

    await client.post(f"{url}/messages", data={"author": 'Zo\u00eb "<b>', "text": "Hello"})

    assert 'name="author" value="Zo\u00eb &quot;&lt;b&gt;"' in (await client.get(url)).text


async def test_a_message_can_bring_a_file(client: TestClient) -> None:
    url = await new_room(client)

    await client.post(
        f"{url}/messages",
        data={"author": "Ada", "text": "See", "caption": "The plan"},
        files={"file": ("plan.txt", b"roses")},
    )

    text = (await client.get(url)).text
    assert '<a href="/api/attachments/1" download="plan.txt">The plan</a>' in text
    assert (await client.get("/api/attachments/1")).content == b"roses"


async def test_a_form_where_no_file_was_chosen_brings_none(client: TestClient) -> None:
    url = await new_room(client)

    body = (
        b'--b\r\ncontent-disposition: form-data; name="author"\r\n\r\nAda\r\n'
        b'--b\r\ncontent-disposition: form-data; name="text"\r\n\r\nHello\r\n'
        b'--b\r\ncontent-disposition: form-data; name="file"; filename=""\r\n'
        b"content-type: application/octet-stream\r\n\r\n\r\n--b--\r\n"
    )
    headers = {"content-type": "multipart/form-data; boundary=b"}
    response = await client.post(f"{url}/messages", content=body, headers=headers)

    assert response.status_code == 303
    assert (await client.get("/api/rooms/1/attachments")).json() == []


async def test_a_message_that_cannot_be_posted_keeps_what_was_typed(client: TestClient) -> None:
    url = await new_room(client)

    response = await client.post(f"{url}/messages", data={"author": "", "text": HOSTILE, "caption": "c"})

    assert response.status_code == 422
    assert "Say who you are" in response.text
    assert f"required>{ESCAPED}</textarea>" in response.text


async def test_nothing_that_a_stranger_wrote_is_markup(client: TestClient) -> None:
    url = await new_room(client, HOSTILE)
    await client.post(
        f"{url}/messages",
        data={"author": HOSTILE, "text": HOSTILE, "caption": HOSTILE},
        files={"file": ("'>\"<b>.txt", b"x")},
    )

    pages = [(await client.get(path)).text for path in ("/", url, "/search?text=%3Cscript%3E")]

    assert all(ESCAPED in page for page in pages)
    assert not any("<script>" in page or "<b>" in page for page in pages)


async def test_a_notice_is_never_the_text_of_the_url(client: TestClient) -> None:
    response = await client.get("/?notice=You+won+%3Cb%3Ea+prize")

    assert "prize" not in response.text
    assert 'role="status"' not in response.text


async def test_older_messages_are_a_link_away(client: TestClient) -> None:
    url = await new_room(client)
    for number in range(3):
        await client.post(f"{url}/messages", data={"author": "Ada", "text": f"message {number}"})

    newest = (await client.get(f"{url}?limit=2")).text
    oldest = (await client.get(f"{url}?before=2")).text

    assert f'href="{url}?before=2"' in newest
    assert newest.index("message 1") < newest.index("message 2")
    assert "message 0" in oldest
    assert "Older messages" not in oldest


async def test_a_room_can_be_renamed(client: TestClient) -> None:
    url = await new_room(client)

    response = await client.post(f"{url}/rename", data={"name": "Kitchen"}, follow_redirects=True)

    assert "<h1>Kitchen</h1>" in response.text
    assert "The room has a new name." in response.text


async def test_a_name_that_is_taken_opens_the_form_again(client: TestClient) -> None:
    await new_room(client, "Garden")
    url = await new_room(client, "Kitchen")

    response = await client.post(f"{url}/rename", data={"name": "garden"})

    assert response.status_code == 409
    assert '<details class="manage" open>' in response.text
    assert "There is a room of this name already." in response.text


async def test_a_room_can_be_deleted(client: TestClient) -> None:
    url = await new_room(client)

    response = await client.post(f"{url}/delete", follow_redirects=True)

    assert response.url.path == "/"
    assert "The room and all that was in it are gone." in response.text
    assert (await client.get(url)).status_code == 404


async def test_a_message_can_be_deleted(client: TestClient) -> None:
    url = await new_room(client)
    await client.post(f"{url}/messages", data={"author": "Ada", "text": "Hello"})

    response = await client.post("/messages/1/delete")

    assert response.headers["location"] == f"{url}?notice=message-deleted"
    assert "It is quiet here." in (await client.get(url)).text


async def test_search_shows_where_it_was_said(client: TestClient) -> None:
    url = await new_room(client, "Garden")
    await client.post(f"{url}/messages", data={"author": "Ada", "text": "The roses are out"})

    response = await client.get("/search?text=ROSES")

    assert "1 message with" in response.text
    assert f'in <a href="{url}">Garden</a>' in response.text


async def test_search_for_nothing_says_what_to_do(client: TestClient) -> None:
    assert (await client.get("/search")).status_code == 422


@pytest.mark.parametrize("path", ["/nothing", "/rooms/7", "/rooms/x", "/assets/..%2fhtml.py"])
async def test_what_is_not_there_is_a_page_for_a_browser(client: TestClient, path: str) -> None:
    response = await client.get(path, headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})

    assert response.status_code == 404
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "<h1>Not Found</h1>" in response.text


async def test_a_path_that_is_no_page_is_a_problem_for_a_program(client: TestClient) -> None:
    response = await client.get("/nothing", headers={"accept": "*/*"})

    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "cross-site", "origin": "https://board.example"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "http://board.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "same-origin"}, 303),
        ({"origin": "https://board.example"}, 303),
        ({}, 403),
    ],
)
async def test_a_form_counts_only_from_here(client: TestClient, headers: dict[str, str], status: int) -> None:
    del client.headers["sec-fetch-site"]

    response = await client.post("/rooms", data={"name": "Garden"}, headers=headers)

    assert response.status_code == status
    assert ("Garden" in (await client.get("/")).text) is (status == 303)


async def test_a_refused_form_is_answered_with_a_page(client: TestClient) -> None:
    response = await client.post("/rooms", data={"name": "x"}, headers={"sec-fetch-site": "cross-site"})

    assert "That came from another site" in response.text


@pytest.mark.parametrize("path", ["/", "/rooms/7", "/sign-in", "/nothing", "/account"])
async def test_every_page_says_what_it_may_load_and_run(client: TestClient, path: str) -> None:
    headers = (await client.get(path, headers={"accept": "text/html"})).headers

    assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'; script-src 'self';")
    assert "unsafe" not in headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/", "/rooms/7", "/nothing", "/api/rooms"])
async def test_every_answer_tells_browsers_to_be_careful(client: TestClient, path: str) -> None:
    headers = (await client.get(path)).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["referrer-policy"] == "same-origin"


async def test_pages_load_nothing_from_elsewhere(client: TestClient) -> None:
    text = (await client.get("/")).text

    assert "http://" not in text
    assert "https://" not in text
    assert "style=" not in text.replace("stylesheet", "")
    assert text.count("<script") == text.count('<script type="module" src="/assets/') == 1


async def test_every_page_leads_to_the_documentation_of_the_api(client: TestClient) -> None:
    assert '<a href="/docs">' in (await client.get("/")).text


async def test_the_style_sheet_may_be_kept_for_ever_under_its_version(client: TestClient) -> None:
    text = (await client.get("/")).text
    url = text.partition('rel="stylesheet" href="')[2].partition('"')[0]

    current, unversioned = await client.get(url), await client.get("/assets/style.css")

    assert current.headers["content-type"].startswith("text/css")
    assert current.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert unversioned.headers["cache-control"] == "no-cache"
    again = await client.get("/assets/style.css", headers={"if-none-match": unversioned.headers["etag"]})
    assert again.status_code == 304


async def test_a_fault_of_ours_is_a_page_that_tells_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(database: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("no such table: secrets")

    monkeypatch.setattr(rooms, "list_all", broken)
    async with TestClient(create_app(Options(tmp_path)), raise_app_exceptions=False) as client:
        response = await client.get("/")

    assert response.status_code == 500
    assert "That is our fault." in response.text
    assert "secrets" not in response.text


async def test_a_form_that_is_too_large_is_answered_with_a_page(client: TestClient) -> None:
    response = await client.post("/rooms", data={"name": "x" * 70_000})

    assert response.status_code == 413
    assert "That was too large." in response.text
