"""The example `commons` as a real process, under each server, driven as people would drive it."""

import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx2
import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.examples.commons_board import PATIENCE, ROOT, Board, running
from tests.examples.commons_steps import MODERATOR

pytestmark = pytest.mark.slow

SERVERS = ["uvicorn", "hypercorn", "granian"]


@pytest.fixture(scope="module", params=SERVERS)
def board(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """One board for all tests that do not stop it: each test opens a room of its own."""
    with running(request.param, tmp_path_factory.mktemp("board")) as board:
        yield board


@pytest.fixture(params=SERVERS)
def own_board(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Board]:
    with running(request.param, tmp_path) as board:
        yield board


@pytest.fixture
def client(board: Board) -> Iterator[httpx2.Client]:
    """A program with the token of the board."""
    with httpx2.Client(base_url=board.url, timeout=PATIENCE, trust_env=False, headers=MODERATOR) as client:
        yield client


@pytest.fixture
def room(client: httpx2.Client, request: pytest.FixtureRequest) -> str:
    """The path of a new room in the API."""
    response = client.post("/api/rooms", json={"name": request.node.name[-60:]})
    assert response.status_code == 201
    return str(response.headers["location"])


def test_a_conversation_by_the_api(client: httpx2.Client, room: str) -> None:
    posted = client.post(f"{room}/messages", json={"author": "Ada", "text": "Hello"})
    listed = client.get(f"{room}/messages")
    found = client.request("QUERY", "/api/search", json={"text": "hello", "room_id": int(room.rpartition("/")[2])})
    gone = client.delete(posted.headers["location"])

    assert posted.status_code == 201
    assert listed.json() == {"messages": [posted.json()], "older": None}
    assert found.json()["messages"] == [posted.json()]
    assert gone.status_code == 204
    assert client.get(posted.headers["location"]).status_code == 404


def test_a_message_is_written_and_changed_in_messagepack(client: httpx2.Client, room: str) -> None:
    headers = {"content-type": "application/msgpack", "accept": "application/json;q=0.5, application/msgpack"}
    body = msgspec.msgpack.encode({"author": "Ada", "text": "Helo"})

    posted = client.post(f"{room}/messages", content=body, headers=headers)
    changed = client.patch(posted.headers["location"], json={"text": "Hello"})

    assert (posted.status_code, posted.headers["content-type"]) == (201, "application/msgpack")
    assert msgspec.msgpack.decode(posted.content)["text"] == "Helo"
    assert (changed.json()["author"], changed.json()["text"]) == ("Ada", "Hello")


def test_a_mistake_is_pointed_at(client: httpx2.Client, room: str) -> None:
    query = client.get(f"{room}/messages?limit=0&before=x")
    body = client.post(f"{room}/messages", json={"author": "", "text": 7})

    found = [(error["in"], error["pointer"]) for answer in (query, body) for error in answer.json()["errors"]]
    assert (query.status_code, body.status_code) == (422, 422)
    assert found[:2] == [("query", "/before"), ("query", "/limit")]
    assert {("body", "/author"), ("body", "/text")} == set(found[2:])


def test_the_documentation_leads_from_the_first_page_to_a_valid_document(client: httpx2.Client) -> None:
    first, page = client.get("/"), client.get("/docs")
    document, moderation = client.get("/openapi.json"), client.get("/moderation/openapi.json")

    assert 'href="/docs"' in first.text
    assert (page.status_code, client.get("/moderation/docs").status_code) == (200, 200)
    for answer in (document, moderation):
        assert list(OpenAPIV31SpecValidator(answer.json()).iter_errors()) == []
    assert client.get("/openapi.json", headers={"if-none-match": document.headers["etag"]}).status_code == 304


def test_a_moderator_cleans_up(client: httpx2.Client, room: str) -> None:
    client.post(f"{room}/messages", json={"author": room, "text": "Buy!"})
    client.post(f"{room}/messages", json={"author": "Ada", "text": "Hello"})

    removed = client.delete("/api/moderation/messages", params={"author": room})
    del client.headers["authorization"]
    refused = client.delete("/api/moderation/messages", params={"author": room})

    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Bearer realm="commons", Session')
    assert removed.json() == {"messages": 1, "files": 0}
    assert client.get(room).json()["message_count"] == 1


def test_many_write_at_once_and_nothing_is_lost(client: httpx2.Client, room: str) -> None:
    """Transactions take turns; none waits for another one's client."""

    def post(number: int) -> int:
        return client.post(f"{room}/messages", json={"author": "Ada", "text": f"line {number}"}).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(post, range(80)))

    assert statuses == [201] * 80
    assert client.get(room).json()["message_count"] == 80


def test_a_file_travels_whole_and_in_part(client: httpx2.Client, room: str) -> None:
    body = bytes(range(256)) * 8192  # over the spool size, so it has been on disk on its way
    created = client.post(f"{room}/attachments", files={"file": ("all bytes.bin", body)}, data={"caption": "all"})
    url = created.headers["location"]

    whole = client.get(url)
    part = client.get(url, headers={"range": "bytes=-257", "if-range": whole.headers["etag"]})
    known = client.get(url, headers={"if-none-match": whole.headers["etag"]})
    late = client.get(url, headers={"range": f"bytes={len(body)}-"})
    head = client.head(url)

    assert whole.content == body
    assert (part.status_code, part.content) == (206, body[-257:])
    assert (known.status_code, known.content) == (304, b"")
    assert (late.status_code, late.headers["content-range"]) == (416, f"bytes */{len(body)}")
    assert (head.headers["content-length"], head.content) == (str(len(body)), b"")


def test_an_export_streams_every_line(client: httpx2.Client, room: str) -> None:
    for number in range(250):
        client.post(f"{room}/messages", json={"author": "Ada", "text": f"line {number}"})

    with client.stream("GET", f"{room}/export") as response:
        texts = [json.loads(line)["text"] for line in response.iter_lines()]

    assert "content-length" not in response.headers
    assert texts == [f"line {number}" for number in range(250)]


def test_an_export_ends_when_the_client_leaves(board: Board, client: httpx2.Client, room: str) -> None:
    """20 MB are more than fits between the two."""
    room_id = int(room.rpartition("/")[2])
    with closing(sqlite3.connect(board.folder / "board.sqlite3")) as database, database:
        row = (room_id, "Ada", "x" * 4000, "2026-01-01T00:00:00+00:00")
        database.executemany(
            "INSERT INTO message (room_id, author, text, created_at) VALUES (?, ?, ?, ?)", [row] * 5000
        )

    with httpx2.Client(base_url=board.url, timeout=PATIENCE, trust_env=False) as leaving:
        with leaving.stream("GET", f"{room}/export") as response:
            next(response.iter_raw(1024))

    line = board.line_with(f"the export of room {room_id} ended after ")
    assert int(line.split()[-2]) < 5000
    assert client.get(room).json()["message_count"] == 5000


def test_a_visit_by_the_pages(client: httpx2.Client, room: str) -> None:
    page = room.removeprefix("/api")
    hostile = "<script>alert(1)</script>"

    posted = client.post(
        f"{page}/messages",
        data={"author": hostile, "text": hostile, "caption": hostile},
        files={"file": ("../../../etc/passwd", b"nothing")},
        headers={"origin": str(client.base_url).rstrip("/")},
    )
    shown = client.get(posted.headers["location"])

    assert posted.status_code == 303
    assert "<script>" not in shown.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown.text
    assert 'download="passwd"' in shown.text
    assert "Your message is there" in shown.text
    assert client.get("/nothing", headers={"accept": "text/html"}).status_code == 404


def test_a_form_from_another_site_changes_nothing(client: httpx2.Client, room: str) -> None:
    response = client.post(f"{room.removeprefix('/api')}/delete", headers={"origin": "https://evil.example"})

    assert response.status_code == 403
    assert client.get(room).status_code == 200


@pytest.mark.parametrize("size", [100_000, 20_000_000])
def test_a_body_that_is_too_large_is_refused(client: httpx2.Client, room: str, size: int) -> None:
    response = client.post(f"{room}/messages", json={"author": "Ada", "text": "x" * size})

    assert response.status_code == 413
    assert response.json()["code"] == "content_too_large"
    assert client.get(room).json()["message_count"] == 0


def test_an_upload_that_is_too_large_is_refused(client: httpx2.Client, room: str) -> None:
    response = client.post(f"{room}/attachments", files={"file": ("big.bin", b"x" * 9_000_000)})

    assert response.status_code == 413
    assert client.get(f"{room}/attachments").json() == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "invalid_input"),
        (b"{", 400, "malformed_json"),
        (b'{"name": "\\ud800"}', 400, "malformed_json"),
        (b"\xff\xfe", 400, "malformed_json"),
        (b"[" * 100_00, 400, "json_too_deep"),
        (b'{"name":1}{}', 400, "malformed_json"),
    ],
)
def test_what_is_no_json_is_refused(client: httpx2.Client, body: bytes, status: int, code: str) -> None:
    response = client.post("/api/rooms", content=body, headers={"content-type": "application/json"})

    assert (response.status_code, response.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    "path", ["/assets/..%2f..%2fapp.py", "/assets/%2e%2e/app.py", "/assets//etc/passwd", "/assets/style.css%00"]
)
def test_no_path_leads_out_of_the_assets(client: httpx2.Client, path: str) -> None:
    assert client.get(path).status_code in (400, 404)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_ends_the_board_with_exit_code_0(own_board: Board, name: str) -> None:
    with httpx2.Client(base_url=own_board.url, timeout=PATIENCE, trust_env=False) as client:
        assert client.get("/").status_code == 200

    code = own_board.end(getattr(signal, name))

    assert (code, [line for line in own_board.printed if "Traceback" in line]) == (0, [])


def test_control_c_in_a_terminal_ends_the_board_with_exit_code_0(own_board: Board) -> None:
    """A terminal sends SIGINT to every process in the foreground, to workers too."""
    code = own_board.end(signal.SIGINT, group=True)

    assert (code, [line for line in own_board.printed if "Traceback" in line]) == (0, [])


def test_the_data_folder_keeps_what_was_written(own_board: Board, tmp_path: Path) -> None:
    with httpx2.Client(base_url=own_board.url, timeout=PATIENCE, trust_env=False) as client:
        client.post("/api/rooms", json={"name": "Garden"})
    own_board.end(signal.SIGTERM)

    with running("uvicorn", tmp_path) as second:
        rooms = httpx2.get(f"{second.url}/api/rooms", trust_env=False, timeout=PATIENCE).json()
    assert [room["name"] for room in rooms] == ["Garden"]


@pytest.mark.parametrize("server", SERVERS)
def test_without_a_data_folder_nothing_stays(server: str, tmp_path: Path) -> None:
    with running(server, tmp_path, kept=False) as board:
        there = [path.name for path in tmp_path.iterdir()]
        board.end(signal.SIGTERM)

    assert len(there) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_said_so(board: Board) -> None:
    port = board.url.rpartition(":")[2]

    answer = subprocess.run(
        [sys.executable, "-m", "examples.commons", "--port", port],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )

    assert answer.returncode == 1
    assert answer.stderr.startswith(f"commons: 127.0.0.1:{port} cannot be used")
