"""Rooms, and the export of one."""

import logging
from collections.abc import AsyncGenerator

import msgspec

from nexios import Patch, Request, Response, Router

from ..errors import NameTaken, RoomNotFound
from ..models import Message, NewRoom, Room
from ..news import News
from ..people import ADMINS, EDITORS
from ..store import messages, rooms
from ..store.storage import Store, Transaction
from .parts import CREATED, RoomId

__all__ = ["router"]

EXPORT_PAGE = 200
"""Messages that are read at once."""

EXPORTED = {"description": "One message a line", "content": {"application/jsonl": {"item_schema": Message}}}

logger = logging.getLogger("commons")
encode_lines = msgspec.json.Encoder().encode_lines

router = Router(prefix="/rooms", tags=["rooms"])


@router.get("")
async def list_rooms(board: Transaction) -> list[Room]:
    """List all rooms, the most active first."""
    return await board.run(rooms.list_all)


@router.post("", status_code=201, responses={201: CREATED, 409: NameTaken})
async def create_room(request: Request, response: Response, new: NewRoom, board: Transaction) -> Room:
    """Open a room."""
    room = await board.run(rooms.create, new)
    response.set_header("location", request.url_for("api:show_room", room_id=room.id))
    return room


@router.get("/{room_id:id}", responses={404: RoomNotFound})
async def show_room(room_id: RoomId, board: Transaction) -> Room:
    """Show a room."""
    return await board.run(rooms.get, room_id)


@router.patch("/{room_id:id}", dependencies=[EDITORS], responses={404: RoomNotFound, 409: NameTaken})
async def edit_room(room_id: RoomId, patch: Patch[NewRoom], board: Transaction) -> Room:
    """Change a room, as an editor. What is not sent stays as it is."""
    room = await board.run(rooms.get, room_id)
    return await board.run(rooms.rename, room_id, patch.apply(NewRoom(room.name)))


@router.delete("/{room_id:id}", dependencies=[ADMINS], responses={404: RoomNotFound})
async def delete_room(room_id: RoomId, board: Transaction, news: News) -> None:
    """Delete a room with all that is in it, as an admin."""
    board.discard(await board.run(rooms.delete, room_id))
    board.then(news.closed, room_id)


@router.get("/{room_id:id}/export", responses={200: EXPORTED, 404: RoomNotFound})
async def export_room(response: Response, room_id: RoomId, board: Transaction, store: Store) -> Response:
    """Export all messages of a room as JSON Lines, the oldest first."""
    room = await board.run(rooms.get, room_id)
    response.set_header("content-disposition", f'attachment; filename="room-{room.id}.jsonl"')
    return response.stream(_lines(store, room.id), "application/jsonl")


async def _lines(store: Store, room_id: int) -> AsyncGenerator[bytes, None]:
    """Read page by page, each in a transaction of its own: that of the handler is over when this begins.

    The stream is closed when the client leaves, so the last line runs however it ends.
    """
    sent = last_id = 0
    try:
        while page := await _page(store, room_id, last_id):
            yield encode_lines(page)
            sent, last_id = sent + len(page), page[-1].id
    finally:
        logger.info("the export of room %d ended after %d messages", room_id, sent)


async def _page(store: Store, room_id: int, after: int) -> list[Message]:
    async with store.transaction() as board:
        return await board.run(messages.list_after, room_id, after, EXPORT_PAGE)
