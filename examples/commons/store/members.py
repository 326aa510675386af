"""Members: who they are, and what is kept of their passwords.

Whoever signs in waits for a hash, so each of these is a short transaction of its own: nobody else waits meanwhile.
"""

from collections.abc import Callable
from sqlite3 import Connection, IntegrityError, Row
from typing import Concatenate, ParamSpec, TypeVar
from unicodedata import normalize

from msgspec import convert

from ..errors import MemberNotFound
from ..models import Role
from ..people import Account, Member
from . import rooms
from .storage import Store

__all__ = ["Members", "get", "set_avatar", "set_role"]

P = ParamSpec("P")
T = TypeVar("T")

SELECT = "SELECT id, name, role, avatar, password_hash FROM member"


class Members:
    """The members of the board, for those who hold no transaction. Shared by all requests."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def find(self, member_id: int) -> Member | None:
        """Return a member; None when there is none."""
        return await self._run(_find, member_id)

    async def account_of(self, name: str) -> Account | None:
        """Return the account of this name, however it is written; None when there is none."""
        return await self._run(_account_of, name)

    async def add(self, name: str, password_hash: str) -> Member | None:
        """Add a member, the first one as an admin; None when the name is taken."""
        return await self._run(_add, name, password_hash)

    async def keep_hash(self, member_id: int, password_hash: str) -> None:
        """Keep another hash of the same password."""
        await self._run(_keep_hash, member_id, password_hash)

    async def all(self) -> list[Member]:
        """Return all members in the order of their names."""
        return await self._run(_all)

    async def is_empty(self) -> bool:
        """Whether nobody has signed up."""
        return not await self._run(_count)

    async def _run(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        async with self._store.transaction() as board:
            return await board.run(work, *args, **kwargs)


def get(db: Connection, member_id: int) -> Member:
    """Return a member. Raises MemberNotFound."""
    found = _find(db, member_id)
    if found is None:
        raise MemberNotFound
    return found


def set_role(db: Connection, member_id: int, role: Role) -> Member:
    """Let a member be something else. Raises MemberNotFound."""
    db.execute("UPDATE member SET role = ? WHERE id = ?", (role, member_id))
    return get(db, member_id)


def set_avatar(db: Connection, member_id: int, avatar: str | None) -> str | None:
    """Keep the file of a member's picture, or that there is none; return the former one. Raises MemberNotFound."""
    former = get(db, member_id).avatar
    db.execute("UPDATE member SET avatar = ? WHERE id = ?", (avatar, member_id))
    return former


def _find(db: Connection, member_id: int) -> Member | None:
    row = db.execute(f"{SELECT} WHERE id = ?", (member_id,)).fetchone()
    return None if row is None else _member(row)


def _account_of(db: Connection, name: str) -> Account | None:
    row = db.execute(f"{SELECT} WHERE name_key = ?", (_key(name),)).fetchone()
    return None if row is None else Account(_member(row), row["password_hash"])


def _add(db: Connection, name: str, password_hash: str) -> Member | None:
    kept, role = _one_line(name), "member" if _count(db) else "admin"
    try:
        done = db.execute(
            "INSERT INTO member (name, name_key, password_hash, role, created_at) VALUES (?, ?, ?, ?, ?)",
            (kept, _key(name), password_hash, role, rooms.now()),
        )
    except IntegrityError:
        return None
    return get(db, done.lastrowid or 0)


def _keep_hash(db: Connection, member_id: int, password_hash: str) -> None:
    db.execute("UPDATE member SET password_hash = ? WHERE id = ?", (password_hash, member_id))


def _all(db: Connection) -> list[Member]:
    return [_member(row) for row in db.execute(f"{SELECT} ORDER BY name_key")]


def _count(db: Connection) -> int:
    number: int = db.execute("SELECT count(*) FROM member").fetchone()[0]
    return number


def _member(row: Row) -> Member:
    return convert({name: row[name] for name in ("id", "name", "role", "avatar")}, Member)


def _one_line(name: str) -> str:
    """One way to write what looks the same."""
    return " ".join(normalize("NFKC", name).split())


def _key(name: str) -> str:
    return normalize("NFKC", _one_line(name).casefold())
