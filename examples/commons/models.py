"""What does the board speak of? All that clients send and get, with the rules that hold for it.

nexios checks what comes in against these types, writes what goes out by them, and describes both in the document.
Lengths are in characters; the space around a text is counted here, and dropped when it is kept.
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

__all__ = [
    "Activity",
    "Arrival",
    "Attachment",
    "Authored",
    "Caption",
    "Files",
    "Gone",
    "Message",
    "MessagePage",
    "NewAttachment",
    "NewMessage",
    "NewRoom",
    "Profile",
    "Removed",
    "Role",
    "Room",
    "Said",
    "Say",
    "Search",
    "StoredAttachment",
    "Typing",
    "Window",
    "Writer",
    "Writing",
]

MAX_ID = 10**18 - 1
"""What the path converter `id` accepts, and well within what SQLite holds."""

NOT_BLANK = r"\S"

Id = Annotated[int, Meta(ge=1, le=MAX_ID)]
Limit = Annotated[int, Meta(ge=1, le=100, description="How many at most.")]
Author = Annotated[str, Meta(min_length=1, max_length=40, pattern=NOT_BLANK, examples=["Ada"])]
Caption = Annotated[str, Meta(max_length=200)]
Role = Literal["member", "editor", "admin"]
Text = Annotated[str, Meta(min_length=1, max_length=4000, pattern=NOT_BLANK, examples=["Hello!"])]


class NewRoom(Struct, frozen=True):
    """What is asked for with a new room, or a new name for one."""

    name: Annotated[str, Meta(min_length=1, max_length=60, pattern=NOT_BLANK, examples=["Garden"])]


class Room(Struct, frozen=True):
    """A room; `active_at` is when the last message was written, or when the room was made."""

    id: int
    name: str
    created_at: datetime
    active_at: datetime
    message_count: int


class NewMessage(Struct, frozen=True):
    """What someone writes. A member writes under the name of the account, whatever `author` is."""

    author: Author
    text: Text


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


class StoredAttachment(Attachment, frozen=True):
    """The same with the name it has on our disk. Only moderators are told that."""

    stored_as: str


class Writer(Struct, frozen=True):
    """The member who wrote something; `avatar` is where their picture is."""

    id: int
    role: Role
    avatar: str | None


class Profile(Struct, frozen=True):
    """A member, as they are told who they are; `avatar` is where their picture is."""

    id: int
    name: str
    role: Role
    avatar: str | None


class Message(Struct, frozen=True):
    """What someone wrote, and the files that came with it; a guest is no `member`, whatever the name."""

    id: int
    room_id: int
    author: str
    text: str
    created_at: datetime
    attachments: list[Attachment] = []
    member: Writer | None = None


class Window(Struct, frozen=True):
    """Which messages: the newest `limit` of those with an id under `before`."""

    before: Annotated[Id | None, Meta(description="Only messages with a smaller id.")] = None
    limit: Limit = 50


class MessagePage(Struct, frozen=True):
    """Messages, the newest first; `older` is where the next ones are, if there are any."""

    messages: list[Message]
    older: str | None = None


class Search(Struct, frozen=True):
    """Messages that hold a text, in one room or in all of them."""

    text: Annotated[str, Meta(min_length=1, max_length=200, pattern=NOT_BLANK)]
    room_id: Id | None = None
    limit: Limit = 50


class Files(Struct, frozen=True):
    """Which files, for a moderator: the first `limit` of those with an id over `after`."""

    after: Annotated[int, Meta(ge=0, le=MAX_ID)] = 0
    limit: Limit = 50


class Authored(Struct, frozen=True):
    """All messages of one author."""

    author: Author


class Removed(Struct, frozen=True):
    """How much is gone."""

    messages: int
    files: int


class Arrival(Struct, frozen=True):
    """How someone comes into a live room: by name or as a guest, with the number of the last message they have seen."""

    name: Annotated[str, Meta(max_length=40)] = ""
    last_seen: Annotated[int, Meta(ge=0)] = 0


class Say(Struct, frozen=True, tag="chat.message"):
    """What someone says in a live room. The `key` comes back with the message: so its writer knows that it is kept."""

    text: Text
    key: Annotated[str, Meta(max_length=40)] = ""


class Typing(Struct, frozen=True, tag="chat.typing"):
    """Somebody has begun to write."""


class Said(Struct, frozen=True):
    """What a live room hears when something was said."""

    message: Message
    key: str = ""


class Gone(Struct, frozen=True):
    """What a live room hears when a message was deleted."""

    id: int


class Writing(Struct, frozen=True):
    """What a live room hears when somebody writes."""

    name: str


class Activity(Struct, frozen=True):
    """Something was said, in whichever room; `text` is how it begins."""

    room_id: int
    room: str
    author: str
    text: str
    message_id: int
