"""What do things look like? Values in, Html out."""

from datetime import UTC, datetime

from nexios import Request, Response

from ..models import Attachment, Message, Room
from .assets import asset_url
from .html import NOTHING, Html, joined, render

__all__ = [
    "attachment_view",
    "blank_attachment",
    "blank_message",
    "counted",
    "error_view",
    "message_view",
    "page",
    "room_card",
    "time_view",
]

NOTICES = {
    "room-created": "The room is open. Write the first message.",
    "room-renamed": "The room has a new name.",
    "room-deleted": "The room and all that was in it are gone.",
    "message-posted": "Your message is there for everyone to read.",
    "message-deleted": "The message is gone.",
}
"""A page shows the text of the code that a redirect put into its URL, and never what else is there."""


def page(request: Request, response: Response, title: str, content: Html, *, search: str = "") -> Response:
    """Answer with a whole page around `content`."""
    notice = NOTICES.get(request.query_params.get("notice", ""))
    html = render(
        "page",
        title=title,
        style=asset_url("style.css"),
        icon=asset_url("icon.svg"),
        search=search,
        notice=NOTHING if notice is None else render("notice", text=notice),
        content=content,
    )
    return response.html(html)


def error_view(text: str | None) -> Html:
    """Return what a form says above its fields when it was not taken."""
    return NOTHING if text is None else render("form_error", text=text)


def room_card(room: Room) -> Html:
    """Return a room as one of several."""
    return render(
        "room_card",
        id=room.id,
        name=room.name,
        count=counted(room.message_count, "message"),
        active=time_view(room.active_at),
    )


def message_view(message: Message, *, room_name: str | None = None) -> Html:
    """Return a message; with the name of its room, as a result of a search."""
    return render(
        "message" if room_name is None else "result",
        id=message.id,
        room_id=message.room_id,
        room_name=room_name,
        author=message.author,
        text=message.text,
        written=time_view(message.created_at),
        attachments=joined(map(attachment_view, message.attachments)),
    )


def attachment_view(attachment: Attachment) -> Html:
    """Return a file as a link to its download."""
    return render(
        "attachment",
        id=attachment.id,
        filename=attachment.filename,
        caption=attachment.caption or attachment.filename,
        size=_size(attachment.size),
    )


def blank_message() -> Html:
    """Return a message without words, for scripts to copy and fill: so there is one markup for both."""
    never = datetime.fromtimestamp(0, UTC)
    return message_view(Message(id=0, room_id=0, author="", text="", created_at=never))


def blank_attachment() -> Html:
    """Return the link to a file that is none, for scripts to copy and fill."""
    return render("attachment", id=0, filename="", caption="", size="")


def time_view(moment: datetime) -> Html:
    """Return a moment for people and for programs."""
    return render("time", iso=moment.isoformat(), text=f"{moment:%d %b %Y, %H:%M} UTC")


def counted(number: int, noun: str) -> str:
    """Return "1 message" or "2 messages"."""
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"


def _size(size: int) -> str:
    if size < 1024:
        return counted(size, "byte")
    return f"{size / 1024:.1f} KiB" if size < 1024 * 1024 else f"{size / 1024 / 1024:.1f} MiB"
