"""What do the header fields of a message say, and what may be written into one?

Reading (`Headers`) trusts nothing and costs nothing until the first look-up.
Writing (`MutableHeaders`) passes `check_name` and `check_value`, the one gate
that keeps CR, LF and NUL off the wire whichever helper is used.

Source: RFC 9110 section 5.
"""

import re
from collections.abc import ItemsView, Iterable, Iterator, Mapping, MutableMapping, Sequence
from typing import Protocol, TypeVar, cast, overload

from nexios.errors import InvalidHeader
from nexios.http.secret_names import is_secret_name

__all__ = ["Headers", "MutableHeaders", "Pairs", "check_name", "check_value", "is_token"]

T = TypeVar("T")

Pairs = Sequence[tuple[str, str]]
"""Header fields as they came, in order; names in lower case."""

_is_token = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_is_value = re.compile(r"[\t\x20-\x7e\x80-\xff]*").fullmatch
_illegal_in_value = re.compile(r"[^\t\x20-\x7e\x80-\xff]").search


def is_token(text: str) -> bool:
    """Whether `text` is a token of RFC 9110 section 5.6.2: one or more visible ASCII characters, no delimiter."""
    return _is_token(text) is not None


def check_name(name: str) -> str:
    """Return the header name in lower case.

    Raises:
        InvalidHeader: It is not a token (RFC 9110 section 5.1): empty, or has a
            space, colon, control or non-ASCII character.

    >>> check_name("Content-Type")
    'content-type'
    """
    if not isinstance(name, str) or _is_token(name) is None:
        raise InvalidHeader(f"{name!r} is not a header name: use letters, digits and hyphens, as in 'X-Request-Id'.")
    return name.lower()


def check_value(value: str) -> str:
    """Return the header value without surrounding spaces and tabs, which are no part of it (RFC 9110 section 5.5).

    Raises:
        InvalidHeader: It has a control character other than TAB, or a character
            outside latin-1. The text names the character and never the value.

    >>> check_value(" no-store ")
    'no-store'
    """
    if not isinstance(value, str):
        raise InvalidHeader(f"A header value is str, not {type(value).__name__}; write str(value).")
    if _is_value(value) is None:
        raise InvalidHeader(_why_illegal(value))
    return value.strip(" \t")


def _why_illegal(value: str) -> str:
    found = _illegal_in_value(value)
    character, index = (found.group(), found.start()) if found else ("", 0)
    if character > "\xff":
        return (
            f"A header value is latin-1 text; it has {character!r} at index {index}. "
            "Percent-encode it, for example with urllib.parse.quote()."
        )
    return f"A header value may not hold control characters; it has {character!r} at index {index}."


class _SupportsPairs(Protocol):
    @property
    def pairs(self) -> Pairs: ...


class _AllPairs(ItemsView[str, str]):
    """Every field, repeated names included."""

    __slots__ = ("_pairs",)

    def __init__(self, headers: Mapping[str, str], pairs: Pairs) -> None:
        super().__init__(headers)
        self._pairs = pairs

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def __contains__(self, item: object) -> bool:
        return item in self._pairs


def _combine(name: str, values: Sequence[str]) -> str:
    """Several fields of one name as one value (RFC 9110 section 5.3; cookies by RFC 9113 section 8.2.3)."""
    if len(values) == 1 or name == "set-cookie":  # Set-Cookie is the one that cannot be combined
        return values[0]
    return ("; " if name == "cookie" else ", ").join(values)


def _describe(headers: _SupportsPairs) -> str:
    shown = [(name, "***" if is_secret_name(name) else value) for name, value in headers.pairs]
    return f"{type(headers).__name__}({shown!r})"


class Headers(Mapping[str, str]):
    """The header fields of a request, looked up by name in any case.

    `h[name]` is the field's value. A name that came several times reads as one
    value joined with ", ", so a second `Host` or `Content-Type` makes an invalid
    value instead of being overlooked; `get_all` has them apart. Hyphen and
    underscore differ. Read-only; the pairs must be in lower case and must not be
    changed afterwards. Built on the first look-up, in linear time.

    Source: RFC 9110 sections 5.1 to 5.3.

    >>> h = Headers([("accept", "text/html"), ("accept", "text/plain")])
    >>> h["Accept"], h.get_all("accept"), h.get("cookie", "none")
    ('text/html, text/plain', ['text/html', 'text/plain'], 'none')
    """

    __slots__ = ("_index", "_repeated", "pairs")

    pairs: Pairs
    """The fields as they came, in order."""

    def __init__(self, pairs: Pairs = ()) -> None:
        self.pairs = pairs
        self._index: dict[str, str] | None = None
        self._repeated: dict[str, list[str]] = {}

    @classmethod
    def of(cls, fields: Mapping[str, str] | Iterable[tuple[str, str]]) -> "Headers":
        """Headers from names in any case, for hands and tests; nothing is checked.

        >>> Headers.of({"Accept": "*/*"})["accept"]
        '*/*'
        """
        if isinstance(fields, Mapping):
            fields = cast("Mapping[str, str]", fields).items()
        return cls([(name.lower(), value) for name, value in fields])

    def __getitem__(self, name: str) -> str:
        index = self._index
        if index is None:
            index = self._build()
        return index[name.lower()]

    @overload
    def get(self, name: str, /) -> str | None: ...
    @overload
    def get(self, name: str, /, default: str) -> str: ...
    @overload
    def get(self, name: str, /, default: T) -> str | T: ...
    def get(self, name: str, /, default: object = None) -> object:
        """The value of `name`, or `default`."""
        index = self._index
        if index is None:
            index = self._build()
        return index.get(name.lower(), default)

    def get_all(self, name: str) -> list[str]:
        """The value of every field called `name`, in order; an empty list when there is none."""
        index = self._build() if self._index is None else self._index
        name = name.lower()
        if name in self._repeated:
            return list(self._repeated[name])
        return [index[name]] if name in index else []

    def __contains__(self, name: object) -> bool:
        index = self._build() if self._index is None else self._index
        return isinstance(name, str) and name.lower() in index

    def __iter__(self) -> Iterator[str]:
        return iter(self._build() if self._index is None else self._index)

    def __len__(self) -> int:
        """How many distinct names there are."""
        return len(self._build() if self._index is None else self._index)

    def items(self) -> ItemsView[str, str]:
        """Every field, repeated names included."""
        return _AllPairs(self, self.pairs)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Headers):
            return list(self.pairs) == list(other.pairs)
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # the pairs may be a list

    def __repr__(self) -> str:
        """The values of credentials are hidden."""
        return _describe(self)

    def _build(self) -> dict[str, str]:
        index = dict(self.pairs)
        if len(index) != len(self.pairs):
            grouped: dict[str, list[str]] = {}
            for name, value in self.pairs:
                grouped.setdefault(name, []).append(value)
            index = {name: _combine(name, values) for name, values in grouped.items()}
            self._repeated = {name: values for name, values in grouped.items() if len(values) > 1}
        self._index = index
        return index


class MutableHeaders(MutableMapping[str, str]):
    """The header fields of a response, written in place into the list it was given.

    Names are stored in lower case. `h[name] = value` replaces every field of that
    name, `add` appends one. Every write is checked, so what is in the list is legal
    on the wire. A look-up walks the list: responses have few fields.

    Raises (on every write):
        InvalidHeader: The name or the value is illegal; see `check_name`, `check_value`.

    >>> fields: list[tuple[str, str]] = []
    >>> h = MutableHeaders(fields)
    >>> h["Cache-Control"] = "no-store"
    >>> h.add_vary("Origin", "Cookie")
    >>> fields
    [('cache-control', 'no-store'), ('vary', 'Origin, Cookie')]
    """

    __slots__ = ("_pairs",)

    def __init__(self, pairs: list[tuple[str, str]] | None = None) -> None:
        self._pairs: list[tuple[str, str]] = [] if pairs is None else pairs

    @property
    def pairs(self) -> Pairs:
        """The fields as they are now, in order; a copy, since no write may pass by the checks."""
        return list(self._pairs)

    def __getitem__(self, name: str) -> str:
        values = self.get_all(name)
        if not values:
            raise KeyError(name)
        return _combine(name.lower(), values)

    def get_all(self, name: str) -> list[str]:
        """The value of every field called `name`, in order; an empty list when there is none."""
        name = name.lower()
        return [value for key, value in self._pairs if key == name]

    def __setitem__(self, name: str, value: str) -> None:
        name, value = check_name(name), check_value(value)
        pairs = self._pairs
        for index, (key, _) in enumerate(pairs):
            if key == name:
                pairs[index] = (name, value)
                pairs[index + 1 :] = [pair for pair in pairs[index + 1 :] if pair[0] != name]
                return
        pairs.append((name, value))

    def add(self, name: str, value: str) -> None:
        """Append one field and keep those of the same name, as `set-cookie` needs."""
        self._pairs.append((check_name(name), check_value(value)))

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        lowered = name.lower()
        self._pairs[:] = [pair for pair in self._pairs if pair[0] != lowered]

    def setdefault(self, name: str, default: str = "") -> str:
        """Write the field unless there is one, and return the value that holds now."""
        if name not in self:
            self.add(name, default)
        return self[name]

    def clear(self) -> None:
        """Remove every field."""
        self._pairs.clear()

    def add_vary(self, *names: str) -> None:
        """Add to `Vary` the names it does not have yet; `*` swallows all others (RFC 9110 section 12.5.5)."""
        listed = [part.strip(" \t") for value in self.get_all("vary") for part in value.split(",")]
        merged: dict[str, str] = {}
        for name in listed:
            merged.setdefault(name.lower(), name)
        for name in names:
            merged.setdefault(check_name(name), name)
        merged.pop("", None)
        if merged:
            self["vary"] = "*" if "*" in merged else ", ".join(merged.values())

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        name = name.lower()
        return any(key == name for key, _ in self._pairs)

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self._pairs))

    def __len__(self) -> int:
        """How many distinct names there are."""
        return len(dict(self._pairs))

    def items(self) -> ItemsView[str, str]:
        """Every field, repeated names included."""
        return _AllPairs(self, self._pairs)

    def __repr__(self) -> str:
        """The values of credentials are hidden."""
        return _describe(self)
