"""What does a store say to PostgreSQL?

Keys are bytes, in UTF-8: that works with every encoding of a database, and compares exactly. `id` is what the index
has, `key` a long key as a whole. A statement looks at the clock when it has what it waited for, not when it began.
"""

from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Final

from nexios.errors import ConfigurationError
from nexios.stores.sweeper import BATCH

__all__ = ["Table"]

_LONGEST: Final = 63
"""Bytes of a name in PostgreSQL (NAMEDATALEN)."""
_LIVE: Final = "(t.expires IS NULL OR t.expires > clock_timestamp())"


@dataclass(frozen=True)
class Table:
    """The table of one store. Every statement gives one value: how many rows it changed, or what it found.

    Raises:
        ConfigurationError: A name cannot be one in PostgreSQL.
    """

    schema: str
    prefix: str

    def __post_init__(self) -> None:
        for name in (self.schema, f"{self.prefix}store_expires"):
            if not name or "\0" in name or len(name.encode(errors="replace")) > _LONGEST:
                raise ConfigurationError(
                    f"PostgresStore cannot use {name!r} as a name: 1 to {_LONGEST} bytes of UTF-8 are allowed.\n\n"
                    '    PostgresStore(url, schema="public", prefix="nexios_")\n'
                )

    @cached_property
    def name(self) -> str:
        """The table with its schema, quoted."""
        return f"{_quoted(self.schema)}.{_quoted(self.prefix + 'store')}"

    @cached_property
    def exists(self) -> str:
        """Whether it is there."""
        return f"SELECT to_regclass({_literal(self.name)}) IS NOT NULL"

    @cached_property
    def create(self) -> str:
        """Make it if it is missing, in one transaction, and one process at a time."""
        schema = _quoted(self.schema)
        missing = f"to_regnamespace({_literal(schema)}) IS NULL"
        return (
            f"BEGIN;\nSELECT pg_advisory_xact_lock({self._lock});\n"
            f"DO {_literal(f'BEGIN IF {missing} THEN CREATE SCHEMA {schema}; END IF; END')};\n"
            f"CREATE TABLE IF NOT EXISTS {self.name} (\n"
            "  id bytea PRIMARY KEY, key bytea, value bytea NOT NULL, expires timestamptz\n);\n"
            f"CREATE INDEX IF NOT EXISTS {_quoted(self.prefix + 'store_expires')} ON {self.name} (expires)"
            " WHERE expires IS NOT NULL;\n"
            "COMMIT;\n"
        )

    @cached_property
    def get(self) -> str:
        """Id. Returns the value."""
        return f"SELECT t.value FROM {self.name} t WHERE t.id = $1 AND {_LIVE}"

    @cached_property
    def set(self) -> str:
        """Id, key, value, seconds."""
        return _counted(self._insert)

    @cached_property
    def add(self) -> str:
        """Id, key, value, seconds."""
        return _counted(f"{self._insert} WHERE NOT {_LIVE}")

    @cached_property
    def update(self) -> str:
        """Id, value, seconds."""
        return _counted(self._update)

    @cached_property
    def replace(self) -> str:
        """Id, value, seconds, value that is expected."""
        return _counted(f"{self._update} AND t.value = $4")

    @cached_property
    def touch(self) -> str:
        """Id, seconds."""
        return _counted(f"UPDATE {self.name} t SET expires = {_in_seconds(2)} WHERE t.id = $1 AND {_LIVE}")

    @cached_property
    def delete(self) -> str:
        """Id."""
        return _counted(f"DELETE FROM {self.name} t WHERE t.id = $1 AND {_LIVE}")

    @cached_property
    def clear(self) -> str:
        """First id, id after the last one, beginning of the keys."""
        begins = "substr(coalesce(t.key, t.id), 1, octet_length($3::bytea)) = $3::bytea"
        return _counted(f"DELETE FROM {self.name} t WHERE t.id >= $1 AND t.id < $2 AND {begins} AND {_LIVE}")

    @cached_property
    def sweep(self) -> str:
        """Remove what has expired, some of it, and never wait for a lock of others."""
        old = (
            f"SELECT o.id FROM {self.name} o WHERE o.expires <= now() ORDER BY o.expires LIMIT {BATCH}"
            " FOR UPDATE SKIP LOCKED"
        )
        return _counted(f"DELETE FROM {self.name} t WHERE t.id = ANY (ARRAY({old}))")

    def explain(self, error: BaseException) -> str:
        """Say what to do when the app's role may not make the table."""
        return (
            f"PostgresStore may not make its table in the schema {self.schema!r}: {error}.\n\n"
            "Let the role of the app do it:\n\n"
            f"    GRANT CREATE, USAGE ON SCHEMA {_quoted(self.schema)} TO ...\n\n"
            "or run what PostgresStore(...).create_sql says as another role, and give the app's role the rights to "
            "select, insert, update and delete in it.\n"
        )

    @property
    def _insert(self) -> str:
        return (
            f"INSERT INTO {self.name} AS t (id, key, value, expires) VALUES ($1, $2, $3, {_in_seconds(4)})"
            " ON CONFLICT (id) DO UPDATE SET value = excluded.value, expires = excluded.expires"
        )

    @property
    def _update(self) -> str:
        return f"UPDATE {self.name} t SET value = $2, expires = {_in_seconds(3)} WHERE t.id = $1 AND {_LIVE}"

    @property
    def _lock(self) -> int:
        """The number of an advisory lock: these are for a whole database."""
        place = "\0".join((self.schema, self.prefix, "store"))
        return int.from_bytes(blake2b(place.encode(), digest_size=8).digest(), signed=True)


def _counted(statement: str) -> str:
    return f"WITH changed AS ({statement} RETURNING 1) SELECT count(*) FROM changed"


def _in_seconds(number: int) -> str:
    """The time in as many seconds as a parameter says; no time where it is NULL."""
    return f"clock_timestamp() + make_interval(secs => ${number}::double precision)"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    """Write a text, with a backslash as what it is even where the server is set to take it for an escape."""
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
