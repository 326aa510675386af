"""What moderators may do, and others may not: look at all files, and remove whatever somebody has written."""

from secrets import compare_digest
from typing import Annotated

from nexios import Depend, Header, Query, Router

from ..errors import NotAModerator
from ..models import Authored, Files, Removed, StoredAttachment
from ..news import News
from ..options import Options
from ..store import attachments, messages
from ..store.storage import Transaction

__all__ = ["TAG", "router"]

TAG = "moderation"


async def only_moderators(
    options: Options, authorization: Annotated[str, Header(include_in_schema=False)] = ""
) -> None:
    """Let those pass who show the token of the board. A guard: it runs before anything else of a route does."""
    expected = f"Bearer {options.moderator_token}"
    if options.moderator_token is None or not compare_digest(authorization.encode(), expected.encode()):
        raise NotAModerator


router = Router(prefix="/moderation", tags=[TAG], dependencies=[Depend(only_moderators)])


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
