"""Units of work on rooms, for `Transaction.run`."""

from datetime import UTC, datetime
from sqlite3 import Connection, IntegrityError

from msgspec import convert

from ..errors import NameTaken, RoomNotFound
from ..models import NewRoom, Room

__all__ = ["create", "delete", "get", "list_all", "now", "rename"]

SELECT = """
    SELECT room.id, name, room.created_at,
           coalesce(max(message.created_at), room.created_at) AS active_at,
           count(message.id) AS message_count
    FROM room LEFT JOIN message ON message.room_id = room.id
"""


def list_all(db: Connection) -> list[Room]:
    """Return all rooms, the most active first."""
    rows = db.execute(f"{SELECT} GROUP BY room.id ORDER BY active_at DESC, room.id DESC")
    return convert([dict(row) for row in rows], list[Room])


def get(db: Connection, room_id: int) -> Room:
    """Return a room. Raises RoomNotFound."""
    row = db.execute(f"{SELECT} WHERE room.id = ? GROUP BY room.id", (room_id,)).fetchone()
    if row is None:
        raise RoomNotFound
    return convert(dict(row), Room)


def create(db: Connection, new: NewRoom) -> Room:
    """Make a room and return it. Raises NameTaken."""
    name = _one_line(new.name)
    try:
        done = db.execute(
            "INSERT INTO room (name, name_key, created_at) VALUES (?, ?, ?)", (name, name.casefold(), now())
        )
    except IntegrityError:
        raise NameTaken from None
    return get(db, done.lastrowid or 0)


def rename(db: Connection, room_id: int, new: NewRoom) -> Room:
    """Give a room another name and return it. Raises RoomNotFound, NameTaken."""
    name = _one_line(new.name)
    try:
        db.execute("UPDATE room SET name = ?, name_key = ? WHERE id = ?", (name, name.casefold(), room_id))
    except IntegrityError:
        raise NameTaken from None
    return get(db, room_id)


def delete(db: Connection, room_id: int) -> list[str]:
    """Delete a room with all that is in it, and return the files that may go too. Raises RoomNotFound."""
    stored = [row["stored_as"] for row in db.execute("SELECT stored_as FROM attachment WHERE room_id = ?", (room_id,))]
    if db.execute("DELETE FROM room WHERE id = ?", (room_id,)).rowcount == 0:
        raise RoomNotFound
    return stored


def now() -> str:
    """Return this moment as the tables hold it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _one_line(text: str) -> str:
    return " ".join(text.split())
