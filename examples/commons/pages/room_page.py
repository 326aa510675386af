"""What does the page of a room show? What was said, forms to say more and to manage it, and what keeps it live."""

from typing import Annotated

from msgspec import Struct

from nexios import Depend, Request, Response

from ..models import Room, Window
from ..news import News
from ..store import attachments, messages, rooms
from ..store.storage import Transaction
from .assets import asset_url
from .html import NOTHING, Html, joined, render
from .views import attachment_view, blank_attachment, blank_message, counted, error_view, message_view, page, time_view

__all__ = ["Draft", "RoomPage", "ThePage"]


class Draft(Struct, frozen=True):
    """What is in the form for a message, as it was typed: whatever is wrong with it, it is shown again."""

    author: str = ""
    text: str = ""
    caption: str = ""


NEWEST = Window()
NOTHING_TYPED = Draft()


class RoomPage:
    """Answers with the page of a room. A class is a provider too, and asks for what it needs."""

    def __init__(self, board: Transaction, news: News) -> None:
        self._board = board
        self._news = news

    async def show(
        self,
        request: Request,
        response: Response,
        room_id: int,
        window: Window = NEWEST,
        *,
        draft: Draft = NOTHING_TYPED,
        error: str | None = None,
        name_error: str | None = None,
    ) -> Response:
        """Show the messages of a window; only the newest ones are live. Raises RoomNotFound."""
        last_seen = await self._news.last_seen(room_id)
        room = await self._board.run(rooms.get, room_id)
        found, has_older = await self._board.run(messages.list_window, room_id, window)
        files = [file for file in await self._board.run(attachments.of_room, room_id) if file.message_id is None]
        content = render(
            "room",
            id=room.id,
            name=room.name,
            message_count=room.message_count,
            count=counted(room.message_count, "message"),
            created=time_view(room.created_at),
            files=render("files", files=joined(map(attachment_view, files))) if files else NOTHING,
            older=render("older", id=room.id, before=found[-1].id) if has_older else NOTHING,
            messages=joined(map(message_view, reversed(found))) if found else render("no_messages"),
            composer=_composer(room, draft, error),
            name_error=error_view(name_error),
            manage=" open" if name_error else "",
            live=_live(room, last_seen) if window.before is None else NOTHING,
        )
        return page(request, response, room.name, content)


ThePage = Annotated[RoomPage, Depend(RoomPage, scope="handler")]


def _composer(room: Room, draft: Draft, error: str | None) -> Html:
    return render(
        "composer",
        id=room.id,
        author=draft.author,
        text=draft.text,
        caption=draft.caption,
        error=error_view(error),
    )


def _live(room: Room, last_seen: int) -> Html:
    """`last_seen` was read before the messages were: what came since is heard, perhaps again, and never missed."""
    return render(
        "live",
        id=room.id,
        last_seen=last_seen,
        blank_message=blank_message(),
        blank_attachment=blank_attachment(),
        script=asset_url("room.js"),
    )
