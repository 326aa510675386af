"""What the tests of the example `commons` do again and again."""

import httpx2

from nexios.testing import TestClient

__all__ = ["FROM_HERE", "MODERATOR", "TOKEN", "new_file", "new_message", "new_room", "problem_of"]

TOKEN = "sesame"
MODERATOR = {"authorization": f"Bearer {TOKEN}"}
FROM_HERE = {"sec-fetch-site": "same-origin"}
"""What browsers say of a request of our own pages."""


async def new_room(client: TestClient, name: str = "Garden") -> int:
    response = await client.post("/api/rooms", json={"name": name})
    assert response.status_code == 201
    return int(response.json()["id"])


async def new_message(client: TestClient, room_id: int, text: str, author: str = "Ada") -> int:
    response = await client.post(f"/api/rooms/{room_id}/messages", json={"author": author, "text": text})
    assert response.status_code == 201
    return int(response.json()["id"])


async def new_file(
    client: TestClient, target: str, name: str = "plan.txt", body: bytes = b"0123456789"
) -> httpx2.Response:
    return await client.post(f"/api/{target}/attachments", files={"file": (name, body)}, data={"caption": "The plan"})


def problem_of(response: httpx2.Response) -> tuple[int, str, str | None]:
    """Return status and code, and where the first wrong value is."""
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == response.status_code
    pointers = [error["pointer"] for error in problem.get("errors", ())]
    return response.status_code, problem["code"], pointers[0] if pointers else None
