"""What moderators may do, and others may not: look at all files, and remove whatever somebody has written.

Moderators are the admins among the members, and programs with the token of the board. One guard is for all routes.
"""

from typing import Annotated

from nexios import Query, Router

from ..models import Authored, Files, Removed, StoredAttachment
from ..news import News
from ..people import ADMINS
from ..store import attachments, messages
from ..store.storage import Transaction

__all__ = ["TAG", "router"]

TAG = "moderation"


router = Router(prefix="/moderation", tags=[TAG], dependencies=[ADMINS])


@router.get("/files")
async def list_files(files: Annotated[Files, Query()], board: Transaction) -> list[StoredAttachment]:
    """List the files of all rooms, with their names on disk."""
    return await board.run(attachments.list_after, files.after, files.limit)


@router.delete("/messages")
async def delete_messages(authored: Annotated[Authored, Query()], board: Transaction, news: News) -> Removed:
    """Delete all messages of one author."""
    gone, files = await board.run(messages.delete_by, authored.author)
    board.discard(files)
    for room_id, message_id in gone:
        board.then(news.deleted, room_id, message_id)
    return Removed(len(gone), len(files))
