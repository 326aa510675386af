"""What does the board speak of? What it keeps, what may be asked of it, and what may be wrong with that.

Lengths are in characters. Whoever reads input strips it first, so a text of spaces is an empty one.
"""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from nexios.errors import HTTPException, NotFound

__all__ = [
    "Attachment",
    "AttachmentNotFound",
    "Caption",
    "Message",
    "MessageNotFound",
    "MessagePage",
    "NameTaken",
    "NewAttachment",
    "NewMessage",
    "NewRoom",
    "Room",
    "RoomNotFound",
    "Search",
    "Window",
]

MAX_ID = 10**18 - 1
"""What the path converter `id` accepts, and well within what SQLite holds."""

Id = Annotated[int, Meta(ge=1, le=MAX_ID)]
Limit = Annotated[int, Meta(ge=1, le=100)]


class NewRoom(Struct, frozen=True):
    """What is asked for with a new room, or a new name for one."""

    name: Annotated[str, Meta(min_length=1, max_length=60)]


class Room(Struct, frozen=True):
    """A room; `active_at` is when the last message was written, or when the room was made."""

    id: int
    name: str
    created_at: datetime
    active_at: datetime
    message_count: int


class NewMessage(Struct, frozen=True):
    """What someone writes."""

    author: Annotated[str, Meta(min_length=1, max_length=40)]
    text: Annotated[str, Meta(min_length=1, max_length=4000)]


class Caption(Struct, frozen=True):
    """What someone says of a file."""

    caption: Annotated[str, Meta(max_length=200)] = ""


class NewAttachment(Struct, frozen=True):
    """A file that is on disk under the name `stored_as`; `filename` is what its owner calls it."""

    filename: str
    caption: str
    size: int
    stored_as: str


class Attachment(Struct, frozen=True):
    """A file of a room or of one of its messages; `size` is in bytes."""

    id: int
    room_id: int
    message_id: int | None
    filename: str
    caption: str
    size: int
    created_at: datetime


class Message(Struct, frozen=True):
    """What someone wrote, and the files that came with it."""

    id: int
    room_id: int
    author: str
    text: str
    created_at: datetime
    attachments: list[Attachment] = []


class Window(Struct, frozen=True):
    """Which messages: the newest `limit` of those with an id under `before`."""

    before: Id | None = None
    limit: Limit = 50


class MessagePage(Struct, frozen=True):
    """Messages, the newest first; `older` is where the next ones are, if there are any."""

    messages: list[Message]
    older: str | None = None


class Search(Struct, frozen=True):
    """Messages that hold a text, in one room or in all of them."""

    text: Annotated[str, Meta(min_length=1, max_length=200)]
    room_id: Id | None = None
    limit: Limit = 50


class RoomNotFound(NotFound):
    """There is no room with this id."""

    def __init__(self) -> None:
        super().__init__("There is no such room.", code="room_not_found")


class MessageNotFound(NotFound):
    """There is no message with this id."""

    def __init__(self) -> None:
        super().__init__("There is no such message.", code="message_not_found")


class AttachmentNotFound(NotFound):
    """There is no attachment with this id."""

    def __init__(self) -> None:
        super().__init__("There is no such attachment.", code="attachment_not_found")


class NameTaken(HTTPException):
    """409: another room has this name, in whatever case."""

    def __init__(self) -> None:
        super().__init__(409, "There is a room of this name already.", code="room_name_taken")
