"""The messages of a room, page by page."""

from nexios import Request, Response, Router

from ..inputs import read_json, read_query
from ..store import messages
from ..store.storage import storage_of
from ..store.values import Message, MessagePage, NewMessage, Window

__all__ = ["router"]

router = Router()


@router.get("/rooms/{room_id:id}/messages")
async def list_messages(request: Request, response: Response, room_id: int) -> MessagePage:
    """Answer with `?limit=` messages that are older than `?before=`, the newest first."""
    window = read_query(request, Window)
    found, has_older = await storage_of(request).run(messages.list_window, room_id, window)
    older = f"{request.path}?before={found[-1].id}&limit={window.limit}" if has_older else None
    return MessagePage(found, older)


@router.post("/rooms/{room_id:id}/messages")
async def post_message(request: Request, response: Response, room_id: int) -> tuple[Message, int, dict[str, str]]:
    new = await read_json(request, NewMessage)
    message = await storage_of(request).run(messages.post, room_id, new)
    return message, 201, {"location": request.url_for("api:show_message", message_id=message.id)}


@router.get("/messages/{message_id:id}")
async def show_message(request: Request, response: Response, message_id: int) -> Message:
    return await storage_of(request).run(messages.get, message_id)


@router.delete("/messages/{message_id:id}")
async def delete_message(request: Request, response: Response, message_id: int) -> None:
    storage = storage_of(request)
    _, files = await storage.run(messages.delete, message_id)
    await storage.discard(files)
