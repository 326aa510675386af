"""What does the page of a room show? What was said, forms to say more and to manage it, and what keeps it live."""

from typing import Annotated

from msgspec import Struct

from nexios import Depend, Request, Response

from ..models import Room, Window
from ..news import News
from ..people import Member
from ..store import attachments, messages, rooms
from ..store.storage import Transaction
from .assets import asset_url
from .html import NOTHING, Html, joined, render
from .page import page
from .views import (
    Viewer,
    attachment_view,
    blank_attachment,
    blank_message,
    counted,
    error_view,
    message_view,
    time_view,
    viewer_of,
)

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
        viewer = viewer_of(request)
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
            messages=joined(message_view(one, viewer) for one in reversed(found)) if found else render("no_messages"),
            composer=_composer(room, viewer, draft, error),
            manage=" open" if name_error else "",
            rename=_rename(room, viewer, name_error),
            delete=render("delete_room", id=room.id, field=viewer.field) if viewer.has("admin") else NOTHING,
            live=_live(room, viewer, last_seen) if window.before is None else NOTHING,
        )
        return page(request, response, room.name, content)


ThePage = Annotated[RoomPage, Depend(RoomPage, scope="handler")]


def _rename(room: Room, viewer: Viewer, error: str | None) -> Html:
    if not viewer.has("editor"):
        return NOTHING
    return render("rename_room", id=room.id, name=room.name, name_error=error_view(error), field=viewer.field)


def _composer(room: Room, viewer: Viewer, draft: Draft, error: str | None) -> Html:
    if isinstance(viewer.user, Member):
        author = render("author_member", name=viewer.user.name)
    else:
        author = render("author_guest", author=draft.author)
    return render(
        "composer",
        id=room.id,
        author=author,
        text=draft.text,
        caption=draft.caption,
        error=error_view(error),
        field=viewer.field,
    )


def _live(room: Room, viewer: Viewer, last_seen: int) -> Html:
    """`last_seen` was read before the messages were: what came since is heard, perhaps again, and never missed."""
    return render(
        "live",
        id=room.id,
        last_seen=last_seen,
        member="" if viewer.member_id is None else viewer.member_id,
        editor="yes" if viewer.has("editor") else "",
        blank_message=blank_message(viewer),
        blank_attachment=blank_attachment(),
        script=asset_url("room.js"),
    )
