"""What does PostgreSQL keep for the channels, and in which statements is it asked?

Messages, parcels (bodies that are too large for a notification), and presence. What needs several steps is a function
on the server, so that a message takes one round trip.

Whoever publishes holds a lock on the channel until the end of the transaction: so numbers have no holes, nobody sees 7
before 6, and notifications come in the same order. The newest message of a channel also says which older ones are kept
and how large they are together. So no row is changed again and again, and nothing is searched in what was deleted:
a long transaction elsewhere, as that of a backup, keeps deleted rows for its duration, and must not slow channels.

Channels are stored as bytes, in UTF-8: that works with every encoding of a database, and compares exactly.
"""

from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Final

from nexios.errors import ConfigurationError
from nexios.websockets.history import MAX_SEQUENCE, HistoryLimits

__all__ = ["Limits", "Tables", "limits_of"]

Limits = tuple[int, float, int]
"""Count, age in seconds, bytes: what the statements take."""

_LONGEST: Final = 63
"""Bytes of a name in PostgreSQL (NAMEDATALEN)."""
_AGES: Final = 3_000_000_000.0
"""Seconds of a century or so, longer than anything is kept: the server's times have an end."""
_NAMES: Final = ("messages", "parcels", "members", "nodes")

_PUBLISH_NAME: Final = "publish_1"
_SWEEP_NAME: Final = "sweep_1"
"""A function that is changed takes a new name: what is in databases already has the old one, and is in use."""

_CREATE_TABLES: Final = """
CREATE {kind} TABLE IF NOT EXISTS {messages} (
  channel bytea, sequence bigint, body bytea, at timestamptz NOT NULL, until timestamptz NOT NULL,
  first bigint NOT NULL, size bigint NOT NULL, PRIMARY KEY (channel, sequence)
);
CREATE INDEX IF NOT EXISTS {messages_until} ON {messages} (until);
CREATE {kind} TABLE IF NOT EXISTS {parcels} (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body bytea NOT NULL, at timestamptz NOT NULL
);
CREATE {kind} TABLE IF NOT EXISTS {members} (
  channel bytea, node text, member bytea, body bytea NOT NULL, PRIMARY KEY (channel, node, member)
);
CREATE INDEX IF NOT EXISTS {members_node} ON {members} (node);
CREATE {kind} TABLE IF NOT EXISTS {nodes} (
  node text PRIMARY KEY, expires timestamptz NOT NULL
) WITH (fillfactor = 50);
ALTER TABLE {messages} ALTER body SET STORAGE EXTERNAL;
ALTER TABLE {parcels} ALTER body SET STORAGE EXTERNAL;
"""
"""Of a message: `until` it may be asked for; `first` is the oldest that was kept when it came, and `size` the bytes of
all that were. A message without a body was forgotten, and is there for its number."""

_PUBLISH: Final = """
DECLARE
  number bigint := 0;
  was bigint;
  oldest bigint;
  held bigint := 0;
  moment timestamptz;
  one record;
  said text;
BEGIN
  IF most_count > 0 THEN
    PERFORM pg_advisory_xact_lock(hashtextextended(topic, {channel_lock}));
    moment := clock_timestamp();
    SELECT m.sequence + 1, m.first, m.size INTO number, was, held
      FROM {messages} m WHERE m.channel = name ORDER BY m.sequence DESC LIMIT 1;
    IF NOT FOUND THEN
      number := extract(epoch FROM moment) * 1000000;
      was := number;
      held := 0;
    END IF;
    oldest := was;
    WHILE oldest < number LOOP
      SELECT octet_length(m.body) AS length, m.at INTO one
        FROM {messages} m WHERE m.channel = name AND m.sequence = oldest;
      IF one.length IS NULL THEN
        SELECT coalesce(min(m.sequence), number), coalesce(sum(octet_length(m.body)), 0) INTO oldest, held
          FROM {messages} m WHERE m.channel = name AND m.sequence > oldest AND m.body IS NOT NULL;
        CONTINUE;
      END IF;
      EXIT WHEN oldest > number - most_count AND held + octet_length(content) <= most_size
        AND one.at > moment - make_interval(secs => most_age);
      held := held - one.length;
      oldest := oldest + 1;
    END LOOP;
    IF octet_length(content) <= most_size THEN
      INSERT INTO {messages} (channel, sequence, body, at, until, first, size)
        VALUES (name, number, content, moment, moment + make_interval(secs => most_age),
                oldest, held + octet_length(content));
    ELSE
      INSERT INTO {messages} (channel, sequence, body, at, until, first, size)
        VALUES (name, number, NULL, moment, moment + make_interval(secs => most_age), number + 1, 0);
    END IF;
    IF oldest > was THEN
      DELETE FROM {messages} m WHERE m.channel = name AND m.sequence >= was AND m.sequence < oldest;
    END IF;
  END IF;
  IF how = 't' THEN
    said := convert_from(content, 'SQL_ASCII');
  ELSIF how = 'b' THEN
    said := translate(encode(content, 'base64'), chr(10), '');
  ELSE
    INSERT INTO {parcels} (body, at) VALUES (content, clock_timestamp()) RETURNING id INTO said;
  END IF;
  PERFORM pg_notify(lane, concat_ws(':', topic, how, number, serial, said));
  RETURN number;
END
"""
"""Number and keep a message if its count is not 0, and notify; returns the number.

Where an older message is missing, it was swept: then what is left is counted anew.
"""

_SWEEP: Final = """
DECLARE
  started timestamptz := clock_timestamp();
  found_rows bigint;
BEGIN
  IF NOT pg_try_advisory_xact_lock({sweep_lock}) THEN
    RETURN false;
  END IF;
  INSERT INTO {nodes} AS n (node, expires) VALUES ('', started + make_interval(secs => pause))
    ON CONFLICT (node) DO UPDATE SET expires = excluded.expires WHERE n.expires < started;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  WITH old AS (
    SELECT m.channel, m.sequence, m.body IS NULL OR EXISTS (
      SELECT FROM {messages} n WHERE n.channel = m.channel AND n.sequence > m.sequence
    ) AS can_go
    FROM {messages} m WHERE m.until < started ORDER BY m.until LIMIT 1000 FOR UPDATE OF m SKIP LOCKED
  ), gone AS (
    DELETE FROM {messages} m USING old o WHERE o.can_go AND m.channel = o.channel AND m.sequence = o.sequence
  ), emptied AS (
    UPDATE {messages} m
      SET body = NULL, first = m.sequence + 1, size = 0, until = started + make_interval(secs => remember)
      FROM old o WHERE NOT o.can_go AND m.channel = o.channel AND m.sequence = o.sequence
  )
  SELECT count(*) INTO found_rows FROM old;
  DELETE FROM {parcels} p WHERE p.at < started - interval '30 seconds';
  DELETE FROM {nodes} n WHERE n.expires < started - interval '1 hour' AND n.node <> '';
  DELETE FROM {members} m WHERE NOT EXISTS (SELECT FROM {nodes} n WHERE n.node = m.node);
  IF found_rows = 1000 THEN
    UPDATE {nodes} n SET expires = '-infinity' WHERE n.node = '';
  END IF;
  RETURN found_rows = 1000;
END
"""
"""Remove what nobody asks for any more: messages that are too old, parcels, processes that died, and their members.

The newest message of a channel stays for its number, for `remember` seconds. Only one process does this every `pause`
seconds: it is a lease. Returns whether there is more to do, for which the next one need not wait. It never waits
for a lock that a message holds, so that no two transactions wait for each other.
"""


@dataclass(frozen=True)
class Tables:
    """The tables and functions of one app: their names begin with `prefix`, in a schema. Says what to send.

    `logged` tables survive a crash of the server, for which every message waits for its disk.

    Raises:
        ConfigurationError: A name cannot be one in PostgreSQL.
    """

    schema: str
    prefix: str
    logged: bool

    def __post_init__(self) -> None:
        for name in (self.schema, f"{self.prefix}messages_until"):
            if not name or "\0" in name or len(name.encode(errors="replace")) > _LONGEST:
                raise ConfigurationError(
                    f"PostgresBackend cannot use {name!r} as a name: "
                    f"PostgreSQL allows 1 to {_LONGEST} bytes of UTF-8.\n\n"
                    '    PostgresBackend(url, schema="public", prefix="nexios_")\n'
                )

    @cached_property
    def exist(self) -> str:
        """Whether all of them are there."""
        found = [f"to_regclass({_literal(self.name(name))}) IS NOT NULL" for name in _NAMES]
        found += [f"to_regproc({_literal(self.name(name))}) IS NOT NULL" for name in (_PUBLISH_NAME, _SWEEP_NAME)]
        return f"SELECT {' AND '.join(found)}"

    @cached_property
    def create(self) -> str:
        """Make what is missing, in one transaction, and one process at a time."""
        schema = _quoted(self.schema)
        is_missing = f"to_regnamespace({_literal(schema)}) IS NULL"
        make_schema = f"BEGIN IF {is_missing} THEN CREATE SCHEMA {schema}; END IF; END"
        return (
            f"BEGIN;\nSELECT pg_advisory_xact_lock({self._lock('create')});\n"
            f"DO {_literal(make_schema)};\n"
            f"{self._fill(_CREATE_TABLES).lstrip()}"
            f"{self._function(_PUBLISH_NAME, _PUBLISH_ARGUMENTS, 'bigint', _PUBLISH)}"
            f"{self._function(_SWEEP_NAME, 'pause double precision, remember double precision', 'boolean', _SWEEP)}"
            "COMMIT;\n"
        )

    @cached_property
    def publish(self) -> str:
        """Lane, topic, how, serial, channel, body, and the limits: count, age, size. Returns the number."""
        return f"SELECT {self.name(_PUBLISH_NAME)}($1, $2, $3, $4, $5, $6, $7, $8, $9)"

    @cached_property
    def sweep(self) -> str:
        """Seconds until it is done again, seconds for which the number of a quiet channel is remembered.
        Returns whether there is more to do."""
        return f"SELECT {self.name(_SWEEP_NAME)}($1, $2)"

    @cached_property
    def last(self) -> str:
        """Channel. Returns the number of its last message."""
        return self._fill("SELECT sequence FROM {messages} WHERE channel = $1 ORDER BY sequence DESC LIMIT 1")

    @cached_property
    def history(self) -> str:
        """Channel, number, and the limits: count, age, size. Returns the last number, and number and body of each
        message that came after, or of each there is when the number was never given."""
        return self._fill(
            "WITH newest AS ("
            " SELECT m.sequence AS last, m.first FROM {messages} m WHERE m.channel = $1"
            " ORDER BY m.sequence DESC LIMIT 1"
            "), kept AS ("
            " SELECT m.sequence, m.body, sum(octet_length(m.body)) OVER (ORDER BY m.sequence DESC) AS held"
            " FROM newest n JOIN {messages} m ON m.channel = $1 AND m.sequence BETWEEN n.first AND n.last"
            " AND m.sequence > n.last - $3::bigint"
            " AND m.sequence > CASE WHEN $2::bigint > n.last THEN 0 ELSE $2::bigint END"
            " AND m.at > now() - make_interval(secs => $4) AND m.body IS NOT NULL"
            ") SELECT n.last, k.sequence, k.body FROM newest n LEFT JOIN kept k ON k.held <= $5::bigint"
            " ORDER BY k.sequence"
        )

    @cached_property
    def parcel(self) -> str:
        """Number of a parcel. Returns its body."""
        return self._fill("SELECT body FROM {parcels} WHERE id = $1")

    @cached_property
    def renew(self) -> str:
        """Node, seconds. Returns whether it had a lease."""
        return self._fill(
            "WITH held AS (SELECT 1 FROM {nodes} WHERE node = $1 AND expires > clock_timestamp()), renewed AS ("
            " INSERT INTO {nodes} (node, expires) VALUES ($1, clock_timestamp() + make_interval(secs => $2))"
            " ON CONFLICT (node) DO UPDATE SET expires = excluded.expires"
            ") SELECT EXISTS (SELECT FROM held)"
        )

    @cached_property
    def join(self) -> str:
        """Channel, node, member, body."""
        return self._fill(
            "INSERT INTO {members} (channel, node, member, body) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (channel, node, member) DO UPDATE SET body = excluded.body"
        )

    @cached_property
    def leave(self) -> str:
        """Channel, node, member."""
        return self._fill("DELETE FROM {members} WHERE channel = $1 AND node = $2 AND member = $3")

    @cached_property
    def present(self) -> str:
        """Channel. Returns members and their bodies."""
        return self._fill(
            "SELECT m.member, m.body FROM {members} m JOIN {nodes} n ON n.node = m.node"
            " WHERE m.channel = $1 AND n.expires > clock_timestamp()"
        )

    @cached_property
    def forget(self) -> str:
        """Node: it is gone, with its members."""
        return self._fill("WITH gone AS (DELETE FROM {nodes} WHERE node = $1) DELETE FROM {members} WHERE node = $1")

    def explain(self, error: BaseException) -> str:
        """Say what to do when the app's role may not make the tables."""
        return (
            f"PostgresBackend may not make its tables in the schema {self.schema!r}: {error}.\n\n"
            "Let the role of the app do it:\n\n"
            f"    GRANT CREATE, USAGE ON SCHEMA {_quoted(self.schema)} TO ...\n\n"
            "or run what PostgresBackend(...).create_sql says as another role, and give the app's role the rights to "
            "select, insert, update and delete in them.\n"
        )

    def name(self, name: str) -> str:
        """Return a name with its schema and prefix, quoted."""
        return f"{_quoted(self.schema)}.{_quoted(self.prefix + name)}"

    def _function(self, name: str, arguments: str, result: str, body: str) -> str:
        """Make a function, or replace it. Its body is a literal, so that no name can end it early."""
        head = f"CREATE OR REPLACE FUNCTION {self.name(name)}({arguments}) RETURNS {result} LANGUAGE plpgsql"
        return f"{head} AS {_literal(self._fill(body))};\n"

    def _lock(self, purpose: str) -> int:
        """Return the number of an advisory lock: these are for a whole database."""
        place = "\0".join((self.schema, self.prefix, purpose))
        return int.from_bytes(blake2b(place.encode(), digest_size=8).digest(), signed=True)

    def _fill(self, statement: str) -> str:
        """Put the names into a statement."""
        return statement.format(
            kind="" if self.logged else "UNLOGGED",
            members_node=_quoted(f"{self.prefix}members_node"),
            messages_until=_quoted(f"{self.prefix}messages_until"),
            channel_lock=self._lock("channel"),
            sweep_lock=self._lock("sweep"),
            **{name: self.name(name) for name in _NAMES},
        )


_PUBLISH_ARGUMENTS: Final = (
    "lane text, topic text, how text, serial integer, name bytea, content bytea,"
    " most_count bigint, most_age double precision, most_size bigint"
)


def limits_of(keep: HistoryLimits | None) -> Limits:
    """Return limits as numbers that the server can count with; all 0 where nothing is kept."""
    if keep is None:
        return 0, 0.0, 0
    return min(keep.count, MAX_SEQUENCE), min(keep.age, _AGES), min(keep.size, MAX_SEQUENCE)


def _quoted(name: str) -> str:
    """Write an identifier."""
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    """Write a text, with a backslash as what it is even where the server is set to take it for an escape."""
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
