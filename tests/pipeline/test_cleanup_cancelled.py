"""A clean-up that is cancelled half way: what comes after it is let go of all the same."""

import asyncio
from typing import Any

import pytest

from nexios import NexiosApp, Request, Response
from nexios.messages.upload import UploadFile

BODY = b'--b\r\ncontent-disposition: form-data; name="f"; filename="a.txt"\r\n\r\nwords\r\n--b--\r\n'
SCOPE = {
    "type": "http",
    "method": "POST",
    "path": "/",
    "headers": [(b"content-type", b"multipart/form-data; boundary=b")],
    "query_string": b"",
}


async def test_the_watch_for_the_client_ends_although_closing_an_upload_is_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log: list[str] = []
    watching, watch_ended = asyncio.Event(), asyncio.Event()
    close = UploadFile.close

    async def closing_is_cancelled(upload: UploadFile) -> None:
        await close(upload)
        log.append("closed")
        raise asyncio.CancelledError

    monkeypatch.setattr(UploadFile, "close", closing_is_cancelled)
    app = NexiosApp()

    @app.post("/")
    async def handler(request: Request, response: Response) -> str:
        await request.form()
        await request.is_disconnected()
        await watching.wait()
        return "received"

    messages = [{"type": "http.request", "body": BODY, "more_body": False}]

    async def receive() -> Any:
        if messages:
            return messages.pop()
        watching.set()
        try:
            await asyncio.Event().wait()
        finally:
            watch_ended.set()

    async def send(message: Any) -> None:
        log.append(message["type"])

    before = asyncio.all_tasks()
    with pytest.raises(asyncio.CancelledError):
        await app(dict(SCOPE), receive, send)
    async with asyncio.timeout(5):  # only so that a failure is no hang
        await watch_ended.wait()
    await asyncio.sleep(0)

    assert log == ["http.response.start", "http.response.body", "closed"]
    assert asyncio.all_tasks() == before
