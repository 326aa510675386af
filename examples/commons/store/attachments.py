"""Units of work on attachments, for `Transaction.run`. The files themselves are the transaction's business."""

from sqlite3 import Connection

from msgspec import convert

from ..errors import AttachmentNotFound, MessageNotFound
from ..models import Attachment, NewAttachment, StoredAttachment
from . import rooms

__all__ = ["add", "add_to_message", "add_to_room", "get", "list_after", "of_messages", "of_room"]


def add_to_room(db: Connection, room_id: int, new: NewAttachment) -> StoredAttachment:
    """Add a file to a room and return what is kept of it. Raises RoomNotFound."""
    rooms.get(db, room_id)
    return add(db, room_id, new)


def add_to_message(db: Connection, message_id: int, new: NewAttachment) -> StoredAttachment:
    """Add a file to a message and return what is kept of it. Raises MessageNotFound."""
    row = db.execute("SELECT room_id FROM message WHERE id = ?", (message_id,)).fetchone()
    if row is None:
        raise MessageNotFound
    return add(db, row["room_id"], new, message_id=message_id)


def add(db: Connection, room_id: int, new: NewAttachment, *, message_id: int | None = None) -> StoredAttachment:
    """Add a file to a room that is known to exist, or to one of its messages."""
    done = db.execute(
        """INSERT INTO attachment (room_id, message_id, filename, caption, size, stored_as, created_at)
           VALUES (?, ?, ?, ?, ?, ?, ?)""",
        (room_id, message_id, new.filename, new.caption, new.size, new.stored_as, rooms.now()),
    )
    return get(db, done.lastrowid or 0)


def get(db: Connection, attachment_id: int) -> StoredAttachment:
    """Return an attachment. Raises AttachmentNotFound."""
    row = db.execute("SELECT * FROM attachment WHERE id = ?", (attachment_id,)).fetchone()
    if row is None:
        raise AttachmentNotFound
    return convert(dict(row), StoredAttachment)


def of_room(db: Connection, room_id: int) -> list[StoredAttachment]:
    """Return all files of a room and of its messages, the oldest first. Raises RoomNotFound."""
    rooms.get(db, room_id)
    rows = db.execute("SELECT * FROM attachment WHERE room_id = ? ORDER BY id", (room_id,))
    return convert([dict(row) for row in rows], list[StoredAttachment])


def of_messages(db: Connection, message_ids: list[int]) -> list[Attachment]:
    """Return the files of these messages, message by message."""
    places = ", ".join("?" * len(message_ids))
    rows = db.execute(f"SELECT * FROM attachment WHERE message_id IN ({places}) ORDER BY message_id, id", message_ids)
    return convert([dict(row) for row in rows], list[Attachment])


def list_after(db: Connection, after: int, limit: int) -> list[StoredAttachment]:
    """Return the next files of all rooms, the oldest first."""
    rows = db.execute("SELECT * FROM attachment WHERE id > ? ORDER BY id LIMIT ?", (after, limit))
    return convert([dict(row) for row in rows], list[StoredAttachment])
