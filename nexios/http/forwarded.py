"""Forwarded: which proxies did a request pass, and what did each one say?

Only a reading; whether to believe it is decided by who sent it. A header that is
malformed anywhere says nothing at all, so that no part of it is taken for more
than the sender meant.

Source: RFC 7239 sections 4 to 6. Wider in one point: `:`, `[` and `]` may stand
outside quotes, as many proxies write `for=192.0.2.1:4711`.
"""

from string import ascii_letters, digits
from typing import Final

from nexios.http.url import Host, parse_ip, parse_port

__all__ = ["parse_forwarded", "parse_node"]

_TOKEN: Final = frozenset(ascii_letters + digits + "!#$%&'*+-.^_`|~")
_BARE_VALUE: Final = _TOKEN | frozenset(":[]")


def parse_forwarded(value: str) -> list[dict[str, str]]:
    """Return one dict for each proxy, in the order of the header: the last is the nearest proxy.

    Names are in lower case; quotes are resolved. Several header lines are joined with a comma first.

    >>> parse_forwarded('for=192.0.2.1;proto=https, for="[2001:db8::1]:80"')
    [{'for': '192.0.2.1', 'proto': 'https'}, {'for': '[2001:db8::1]:80'}]
    >>> parse_forwarded("for=192.0.2.1, proto")
    []
    """
    elements: list[dict[str, str]] = [{}]
    position = 0
    while True:
        position = _skip_space(value, position)
        if position < len(value) and value[position] not in ",;":
            pair = _read_pair(value, position)
            if pair is None or pair[0] in elements[-1]:
                return []
            elements[-1][pair[0]] = pair[1]
            position = _skip_space(value, pair[2])
        if position == len(value):
            return [element for element in elements if element]
        if value[position] == ",":
            if elements[-1]:
                elements.append({})
        elif value[position] != ";":
            return []
        position += 1


def parse_node(text: str) -> Host | None:
    """Return the address that `for` or `by` names, or None for `unknown`, a made-up name and what is no address.

    Also reads an entry of X-Forwarded-For, where IPv6 has no brackets.

    >>> parse_node("[2001:db8::1]:4711")
    Host(name='2001:db8::1', port=4711)
    >>> parse_node("2001:db8::1"), parse_node("_hidden")
    (Host(name='2001:db8::1', port=None), None)
    """
    if text.startswith("["):
        address, bracket, rest = text[1:].partition("]")
        name = parse_ip(address) if bracket and ":" in address else None
    elif text.count(":") > 1:
        name, rest = parse_ip(text), ""
    else:
        address, colon, port_text = text.partition(":")
        name, rest = parse_ip(address), colon + port_text
    if name is None or not rest:
        return None if name is None else Host(name)
    if rest.startswith(":_"):
        return Host(name)  # An obfuscated port, section 6.
    port = parse_port(rest[1:]) if rest.startswith(":") else None
    return None if port is None else Host(name, port)


def _skip_space(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t":
        position += 1
    return position


def _read_pair(text: str, position: int) -> tuple[str, str, int] | None:
    """Return name, value and where the pair ends."""
    equals = _end_of(text, position, _TOKEN)
    if equals == position or not text.startswith("=", equals):
        return None
    start = equals + 1
    if text.startswith('"', start):
        quoted = _read_quoted(text, start + 1)
        return None if quoted is None else (text[position:equals].lower(), *quoted)
    end = _end_of(text, start, _BARE_VALUE)
    return None if end == start else (text[position:equals].lower(), text[start:end], end)


def _end_of(text: str, position: int, allowed: frozenset[str]) -> int:
    while position < len(text) and text[position] in allowed:
        position += 1
    return position


def _read_quoted(text: str, position: int) -> tuple[str, int] | None:
    """Return what is between the quotes, and the position after them (RFC 9110 section 5.6.4)."""
    characters: list[str] = []
    while position < len(text):
        character = text[position]
        if character == '"':
            return "".join(characters), position + 1
        if character == "\\":
            position += 1
            character = text[position : position + 1]
        if not _is_quotable(character):
            return None
        characters.append(character)
        position += 1
    return None


def _is_quotable(character: str) -> bool:
    return character == "\t" or " " <= character <= "~" or "\x80" <= character <= "\xff"
