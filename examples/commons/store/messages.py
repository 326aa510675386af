"""Units of work on messages, for `Transaction.run`."""

from collections.abc import Iterable
from itertools import groupby
from sqlite3 import Connection, Row
from typing import Any

from msgspec import convert

from ..errors import MessageNotFound
from ..models import Message, NewAttachment, NewMessage, Search, Window
from ..people import picture_path
from . import attachments, rooms

__all__ = ["delete", "delete_by", "edit", "get", "list_after", "list_window", "post", "search"]

SELECT = """
    SELECT message.*, member.id AS member_id, role, avatar
    FROM message LEFT JOIN authorship ON authorship.message_id = message.id
                 LEFT JOIN member ON member.id = authorship.member_id
"""


def list_window(db: Connection, room_id: int, window: Window) -> tuple[list[Message], bool]:
    """Return the messages of a window, the newest first, and whether there are older ones. Raises RoomNotFound."""
    rooms.get(db, room_id)
    rows = db.execute(
        f"{SELECT} WHERE room_id = ? AND (? IS NULL OR message.id < ?) ORDER BY message.id DESC LIMIT ?",
        (room_id, window.before, window.before, window.limit + 1),
    ).fetchall()
    return _messages(db, rows[: window.limit]), len(rows) > window.limit


def list_after(db: Connection, room_id: int, after: int, limit: int) -> list[Message]:
    """Return the next messages of a room, the oldest first; none when there are no more, or no such room."""
    rows = db.execute(
        f"{SELECT} WHERE room_id = ? AND message.id > ? ORDER BY message.id LIMIT ?", (room_id, after, limit)
    )
    return _messages(db, rows)


def search(db: Connection, wanted: Search) -> list[Message]:
    """Return the newest messages that hold the text, whatever the case of its ASCII letters."""
    rows = db.execute(
        rf"{SELECT} WHERE text LIKE ? ESCAPE '\' AND (? IS NULL OR room_id = ?) ORDER BY message.id DESC LIMIT ?",
        (f"%{_literal(wanted.text.strip())}%", wanted.room_id, wanted.room_id, wanted.limit),
    )
    return _messages(db, rows)


def post(
    db: Connection,
    room_id: int,
    new: NewMessage,
    attachment: NewAttachment | None = None,
    *,
    member_id: int | None = None,
) -> Message:
    """Add a message, with a file and a member as its writer if there are; return it. Raises RoomNotFound."""
    rooms.get(db, room_id)
    done = db.execute(
        "INSERT INTO message (room_id, author, text, created_at) VALUES (?, ?, ?, ?)",
        (room_id, *_kept(new), rooms.now()),
    )
    if member_id is not None:
        db.execute("INSERT INTO authorship (message_id, member_id) VALUES (?, ?)", (done.lastrowid, member_id))
    if attachment is not None:
        attachments.add(db, room_id, attachment, message_id=done.lastrowid)
    return get(db, done.lastrowid or 0)


def get(db: Connection, message_id: int) -> Message:
    """Return a message. Raises MessageNotFound."""
    found = _messages(db, db.execute(f"{SELECT} WHERE message.id = ?", (message_id,)))
    if not found:
        raise MessageNotFound
    return found[0]


def edit(db: Connection, message_id: int, new: NewMessage) -> Message:
    """Let a message say something else and return it; that of a member keeps its author. Raises MessageNotFound."""
    author, text = _kept(new)
    db.execute("UPDATE message SET text = ? WHERE id = ?", (text, message_id))
    db.execute(
        "UPDATE message SET author = ? WHERE id = ? AND id NOT IN (SELECT message_id FROM authorship)",
        (author, message_id),
    )
    return get(db, message_id)


def delete(db: Connection, message_id: int) -> tuple[Message, list[str]]:
    """Delete a message; return what it was, and the files that may go too. Raises MessageNotFound."""
    message = get(db, message_id)
    files = db.execute("SELECT stored_as FROM attachment WHERE message_id = ?", (message_id,)).fetchall()
    db.execute("DELETE FROM message WHERE id = ?", (message_id,))
    return message, [file["stored_as"] for file in files]


def delete_by(db: Connection, author: str) -> tuple[list[tuple[int, int]], list[str]]:
    """Delete all messages of an author; return where they were, (room id, id), and the files that may go too."""
    files = db.execute(
        "SELECT stored_as FROM attachment JOIN message ON message.id = message_id WHERE author = ?", (author.strip(),)
    ).fetchall()
    gone = db.execute("DELETE FROM message WHERE author = ? RETURNING room_id, id", (author.strip(),)).fetchall()
    return [(row["room_id"], row["id"]) for row in gone], [file["stored_as"] for file in files]


def _messages(db: Connection, rows: Iterable[Row]) -> list[Message]:
    """Put the attachments to their messages: two queries, however many messages there are."""
    values = [_value(row) for row in rows]
    files = attachments.of_messages(db, [value["id"] for value in values])
    by_message = {key: list(group) for key, group in groupby(files, key=lambda one: one.message_id)}
    return convert([value | {"attachments": by_message.get(value["id"], [])} for value in values], list[Message])


def _value(row: Row) -> dict[str, Any]:
    value = dict(row)
    writer = {"id": value.pop("member_id"), "role": value.pop("role"), "avatar": picture_path(value.pop("avatar"))}
    return value | {"member": None if writer["id"] is None else writer}


def _kept(new: NewMessage) -> tuple[str, str]:
    """Author and text as they are kept; browsers end lines with both CR and LF."""
    return new.author.strip(), new.text.replace("\r\n", "\n").strip()


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
