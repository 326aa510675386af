"""What do things look like? Values in, Html out."""

from datetime import UTC, datetime

from msgspec import Struct

from nexios import Request

from ..models import Attachment, Message, Room, Writer
from ..people import Member, Moderator, may_change
from .html import NOTHING, Html, csrf_field, joined, render

__all__ = [
    "Viewer",
    "attachment_view",
    "blank_attachment",
    "blank_message",
    "counted",
    "error_view",
    "message_view",
    "picture_view",
    "result_view",
    "room_card",
    "time_view",
    "viewer_of",
]


class Viewer(Struct, frozen=True):
    """Who looks at a page, and the field that belongs in each of their forms."""

    user: Member | Moderator | None
    field: Html

    @property
    def member_id(self) -> int | None:
        """Which member it is; None for guests and programs."""
        return self.user.id if isinstance(self.user, Member) else None

    def has(self, role: str) -> bool:
        """Whether someone may do what this role may."""
        return self.user is not None and role in self.user.roles


def viewer_of(request: Request) -> Viewer:
    """Return who asks for the page."""
    return Viewer(request.user, csrf_field(request))


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


def message_view(message: Message, viewer: Viewer) -> Html:
    """Return a message with what its viewer may do to it."""
    actions = NOTHING
    if may_change(viewer.user, message):
        actions = render("message_actions", id=message.id, author=message.author, field=viewer.field)
    return render(
        "message",
        id=message.id,
        picture=picture_view(message.author, message.member.avatar if message.member else None),
        author=message.author,
        kind=_kind(message.member),
        text=message.text,
        written=time_view(message.created_at),
        attachments=joined(map(attachment_view, message.attachments)),
        actions=actions,
    )


def result_view(message: Message, room_name: str) -> Html:
    """Return a message as a result of a search, with where it was said."""
    return render(
        "result",
        id=message.id,
        room_id=message.room_id,
        room_name=room_name,
        picture=picture_view(message.author, message.member.avatar if message.member else None),
        author=message.author,
        kind=_kind(message.member),
        text=message.text,
        written=time_view(message.created_at),
        attachments=joined(map(attachment_view, message.attachments)),
    )


def picture_view(name: str, path: str | None) -> Html:
    """Return the picture of somebody; without one, the first letter of the name. It tells no more than the name."""
    if path is None:
        return render("no_picture", letter=name[:1].upper())
    return render("picture", path=path)


def attachment_view(attachment: Attachment) -> Html:
    """Return a file as a link to its download."""
    return render(
        "attachment",
        id=attachment.id,
        filename=attachment.filename,
        caption=attachment.caption or attachment.filename,
        size=_size(attachment.size),
    )


def blank_message(viewer: Viewer) -> Html:
    """Return a message without words, for scripts to copy and fill: so there is one markup for both.

    It is the viewer's own; scripts take away what is not for them in a message of somebody else.
    """
    never = datetime.fromtimestamp(0, UTC)
    own = None if viewer.member_id is None else Writer(viewer.member_id, "member", None)
    return message_view(Message(id=0, room_id=0, author="", text="", created_at=never, member=own), viewer)


def blank_attachment() -> Html:
    """Return the link to a file that is none, for scripts to copy and fill."""
    return render("attachment", id=0, filename="", caption="", size="")


def time_view(moment: datetime) -> Html:
    """Return a moment for people and for programs."""
    return render("time", iso=moment.isoformat(), text=f"{moment:%d %b %Y, %H:%M} UTC")


def counted(number: int, noun: str) -> str:
    """Return "1 message" or "2 messages"."""
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"


def _kind(writer: Writer | None) -> str:
    """A guest may write under any name, so it is said who is one."""
    if writer is None:
        return "guest"
    return "" if writer.role == "member" else writer.role


def _size(size: int) -> str:
    if size < 1024:
        return counted(size, "byte")
    return f"{size / 1024:.1f} KiB" if size < 1024 * 1024 else f"{size / 1024 / 1024:.1f} MiB"
