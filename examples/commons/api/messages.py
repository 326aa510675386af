"""The messages of a room, page by page, and each of them."""

from typing import Annotated

from nexios import Patch, Query, Request, Response, Router

from ..errors import MessageNotFound, NotYours, RoomNotFound
from ..models import Message, MessagePage, NewMessage, Window
from ..news import News, post
from ..people import SIGNED_IN, member_of
from ..store import messages
from ..store.storage import Transaction
from .parts import CREATED, MessageId, OwnMessage, RoomId

__all__ = ["router"]

router = Router(tags=["messages"])


@router.get("/rooms/{room_id:id}/messages", responses={404: RoomNotFound})
async def list_messages(
    request: Request, room_id: RoomId, window: Annotated[Window, Query()], board: Transaction
) -> MessagePage:
    """List the messages of a room, the newest first."""
    found, has_older = await board.run(messages.list_window, room_id, window)
    older = f"{request.path}?before={found[-1].id}&limit={window.limit}" if has_older else None
    return MessagePage(found, older)


@router.post("/rooms/{room_id:id}/messages", status_code=201, responses={201: CREATED, 404: RoomNotFound})
async def post_message(
    request: Request, response: Response, room_id: RoomId, new: NewMessage, board: Transaction, news: News
) -> Message:
    """Write a message."""
    message = await post(board, news, room_id, new, writer=member_of(request))
    response.set_header("location", request.url_for("api:show_message", message_id=message.id))
    return message


@router.get("/messages/{message_id:id}", responses={404: MessageNotFound})
async def show_message(message_id: MessageId, board: Transaction) -> Message:
    """Show a message."""
    return await board.run(messages.get, message_id)


@router.patch("/messages/{message_id:id}", dependencies=[SIGNED_IN], responses={403: NotYours, 404: MessageNotFound})
async def edit_message(message: OwnMessage, patch: Patch[NewMessage], board: Transaction, news: News) -> Message:
    """Change what a message says, your own or as an editor. What is not sent stays as it is."""
    new = patch.apply(NewMessage(message.author, message.text))
    edited = await board.run(messages.edit, message.id, new)
    board.then(news.edited, edited)
    return edited


@router.delete("/messages/{message_id:id}", dependencies=[SIGNED_IN], responses={403: NotYours, 404: MessageNotFound})
async def delete_message(message: OwnMessage, board: Transaction, news: News) -> None:
    """Delete a message and its files, your own or as an editor."""
    _, files = await board.run(messages.delete, message.id)
    board.discard(files)
    board.then(news.deleted, message.room_id, message.id)
