"""Rooms, and the export of one."""

import logging
from collections.abc import AsyncGenerator

import msgspec

from nexios import Request, Response, Router

from ..inputs import read_json
from ..store import messages, rooms
from ..store.storage import Storage, storage_of
from ..store.values import NewRoom, Room

__all__ = ["router"]

EXPORT_PAGE = 200
"""Messages that are read at once."""

logger = logging.getLogger("commons")
encode_lines = msgspec.json.Encoder().encode_lines

router = Router(prefix="/rooms")


@router.get("")
async def list_rooms(request: Request, response: Response) -> list[Room]:
    return await storage_of(request).run(rooms.list_all)


@router.post("")
async def create_room(request: Request, response: Response) -> tuple[Room, int, dict[str, str]]:
    new = await read_json(request, NewRoom)
    room = await storage_of(request).run(rooms.create, new)
    return room, 201, {"location": request.url_for("api:show_room", room_id=room.id)}


@router.get("/{room_id:id}")
async def show_room(request: Request, response: Response, room_id: int) -> Room:
    return await storage_of(request).run(rooms.get, room_id)


@router.patch("/{room_id:id}")
async def rename_room(request: Request, response: Response, room_id: int) -> Room:
    new = await read_json(request, NewRoom)
    return await storage_of(request).run(rooms.rename, room_id, new)


@router.delete("/{room_id:id}")
async def delete_room(request: Request, response: Response, room_id: int) -> None:
    storage = storage_of(request)
    await storage.discard(await storage.run(rooms.delete, room_id))


@router.get("/{room_id:id}/export")
async def export_room(request: Request, response: Response, room_id: int) -> Response:
    """Answer with one message a line, the oldest first; no more than a page of them is in memory."""
    storage = storage_of(request)
    room = await storage.run(rooms.get, room_id)
    response.set_header("content-disposition", f'attachment; filename="room-{room.id}.jsonl"')
    return response.stream(_lines(storage, room.id), "application/jsonl")


async def _lines(storage: Storage, room_id: int) -> AsyncGenerator[bytes, None]:
    """The stream is closed when the client leaves, so the last line runs however it ends."""
    sent = last_id = 0
    try:
        while page := await storage.run(messages.list_after, room_id, last_id, EXPORT_PAGE):
            yield encode_lines(page)
            sent, last_id = sent + len(page), page[-1].id
    finally:
        logger.info("the export of room %d ended after %d messages", room_id, sent)
