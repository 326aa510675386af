"""What do the routes of the API have in common? Path parameters, and what several of them answer."""

from typing import Annotated

from nexios import Depend, Path, Request

from ..models import Message
from ..people import check_may_change
from ..store import messages
from ..store.storage import Transaction

__all__ = ["CREATED", "AttachmentId", "MessageId", "OwnMessage", "RoomId"]

RoomId = Annotated[int, Path(description="The id of a room.")]
MessageId = Annotated[int, Path(description="The id of a message.")]
AttachmentId = Annotated[int, Path(description="The id of an attachment.")]

CREATED = {"headers": {"Location": {"description": "Where it is.", "schema": {"type": "string"}}}}
"""How the document describes a 201 beside its model."""


async def own_message(request: Request, message_id: MessageId, board: Transaction) -> Message:
    """Find a message that the client may change. Raises MessageNotFound, NotYours."""
    return check_may_change(request, await board.run(messages.get, message_id))


OwnMessage = Annotated[Message, Depend(own_message, scope="handler")]
