"""What of a session is kept, and how is it written? A record, as JSON: never code, never a class of the app.

When two requests of one session change it at once, the second to save finds the record of the first, and puts its own
changes on it: of each name it changed, its value stands; names it left alone keep what the first one wrote.
"""

from typing import Any, Final

import msgspec

__all__ = ["Record", "check_value", "decode_record", "encode_record", "merged"]


class Record(msgspec.Struct, omit_defaults=True, rename={
    "created": "c", "seen": "n", "id": "i", "user": "u", "since": "s", "values": "v", "flashes": "f",
}):  # fmt: skip
    """A session as it is kept.

    Units:  seconds since 1970.
    """

    created: float
    """When it began: it ends so long afterwards, however much it is used."""
    seen: float
    """When it was last used, or a little earlier: a use soon after another is not written."""
    id: str = ""
    """Where it is in a cookie itself; in a store it is kept under the hash of its id, and the id nowhere."""
    user: str | None = None
    since: float = 0.0
    """When the user was set."""
    values: dict[str, Any] = {}
    flashes: list[tuple[str, str]] = []

    def __repr__(self) -> str:
        """Without the id, which is as good as a password, and without the values."""
        return f"Record({', '.join(sorted(self.values)) or 'empty'})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """As `repr`."""
        return [("values", sorted(self.values))]


_encode = msgspec.json.Encoder().encode
_NO_JSON: Final = (TypeError, ValueError, RecursionError)
_decode = msgspec.json.Decoder(Record).decode


def encode_record(record: Record) -> bytes:
    """Return the JSON of a record.

    Raises:
        TypeError: A value has no JSON form; the text names it.
    """
    try:
        return _encode(record)
    except _NO_JSON:
        for name, value in record.values.items():
            check_value(name, value)
        raise


def check_value(name: str, value: object) -> None:
    """Raise TypeError for what cannot be kept. Names alone are shown: a value may be a secret."""
    try:
        _encode({name: value})
    except _NO_JSON as exc:
        raise TypeError(f"session[{name!r}] has no JSON form, so it cannot be kept: {exc}") from exc


def decode_record(encoded: bytes) -> Record | None:
    """Return the record, None for what is none of ours.

    >>> decode_record(encode_record(Record(1.0, 2.0, values={"cart": [7]}))).values
    {'cart': [7]}
    """
    try:
        return _decode(encoded)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None


def merged(base: Record, mine: Record, theirs: Record) -> Record:
    """Return `theirs` with what was changed from `base` to `mine`.

    >>> base, mine, theirs = ({"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 1, "b": 3, "c": 4})
    >>> merged(*(Record(0, 0, values=values) for values in (base, mine, theirs))).values
    {'a': 2, 'b': 3, 'c': 4}
    """
    values = dict(theirs.values)
    for name in base.values.keys() - mine.values.keys():
        values.pop(name, None)
    for name, value in mine.values.items():
        if name not in base.values or _encode(value) != _encode(base.values[name]):
            values[name] = value
    taken = len(base.flashes) if mine.flashes[: len(base.flashes)] != base.flashes else 0
    added = mine.flashes if taken else mine.flashes[len(base.flashes) :]
    return msgspec.structs.replace(
        theirs, values=values, flashes=[*theirs.flashes[taken:], *added], seen=max(mine.seen, theirs.seen)
    )
