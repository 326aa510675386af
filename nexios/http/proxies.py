"""Who is the client, when trusted proxies stand between? The one reading of what they say.

Each proxy adds what it saw to the end of a list, so the list is read from its end, and only as far as those who
wrote it are trusted: what stands further left may be the client's own invention. What a trusted proxy
says and nobody can read is an error and not silence, which would make a client of the proxy itself.

Sources: RFC 7239; X-Forwarded-For, -Proto, -Host and -Prefix as nginx, Apache, HAProxy, Envoy and Traefik write them.
"""

from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from string import ascii_letters, digits
from typing import Final

import msgspec

from nexios.errors import BadRequest, ConfigurationError
from nexios.http.forwarded import parse_forwarded, parse_node
from nexios.http.url import Host, parse_host, parse_ip

__all__ = ["UNIX", "Claim", "TrustedProxies", "forwarded_claim", "x_forwarded_claim"]

UNIX: Final = "unix"
"""In a list of proxies: the peer at the other end of a socket that has no IP address."""

_SCHEMES: Final = frozenset({"http", "https", "ws", "wss"})
_SECURE: Final = frozenset({"https", "wss"})
_PREFIX_CHARACTERS: Final = frozenset(ascii_letters + digits + "-._~/")
_LONGEST_PREFIX: Final = 1024
_LONGEST_VALUE: Final = 16 * 1024
"""Characters of one header, its lines together: some hundred addresses, and proxies stop at half of it."""
_MOST_HOPS: Final = 100

Values = Callable[[str], Sequence[str]]
"""Gives the values of a header, named in lower case."""


class Claim(msgspec.Struct, frozen=True):
    """What trusted proxies say. None where they say nothing.

    Shape:  `client` is the address at the far end of the last trusted proxy, of which `is_hidden` says that it is
            not told. `prefix` is "" or a path without a slash at its end.
    """

    client: Host | None = None
    is_hidden: bool = False
    is_secure: bool | None = None
    host: Host | None = None
    prefix: str = ""


class TrustedProxies:
    """The addresses that proxies of ours have, and how many of them a request passes at most.

    >>> proxies = TrustedProxies(["10.0.0.0/8", "2001:db8::1"], hops=1)
    >>> proxies.includes("10.1.2.3"), proxies.includes("::ffff:10.1.2.3"), proxies.includes("192.0.2.1")
    (True, True, False)
    """

    __slots__ = ("_networks", "_single", "hops")

    def __init__(self, addresses: Iterable[str], *, hops: int) -> None:
        """Take addresses, networks such as "10.0.0.0/8", and "unix". Raises `ConfigurationError` for anything else."""
        if isinstance(addresses, str):
            if addresses != UNIX:
                _network(addresses)
            raise ConfigurationError(f"'trusted' must be a list: write trusted=[{addresses!r}].")
        if type(hops) is not int or not 1 <= hops <= _MOST_HOPS:
            raise ConfigurationError(f"'hops' is how many proxies a request passes at most: 1 to {_MOST_HOPS}.")
        self.hops: int = hops
        single: set[str] = set()
        networks: list[IPv4Network | IPv6Network] = []
        for text in addresses:
            address = UNIX if text == UNIX else parse_ip(text)
            if address is not None:
                single.add(address)
            else:
                networks.append(_network(text))
        self._single = frozenset(single)
        self._networks = tuple(networks)

    def includes(self, address: str | None) -> bool:
        """Whether a proxy of ours has this address; None is a socket without one."""
        if address is None:
            return UNIX in self._single
        if address in self._single:
            return address != UNIX
        plain = parse_ip(address)
        if plain is None:
            return False
        return plain in self._single or any(ip_address(plain) in network for network in self._networks)

    def last_of(self, entries: Sequence[str]) -> tuple[Host | None, int]:
        """Return whom the farthest trusted proxy names, None for one it hides, and how many proxies were passed.

        `entries` are the addresses that proxies added, the nearest last; there is one at least.

        Raises:
            BadRequest: One of them is no address.
        """
        node, count = None, 0
        for entry in reversed(entries):
            node, count = _node(entry), count + 1
            if count == self.hops or node is None or not self.includes(node.name):
                break
        return node, count


def x_forwarded_claim(values: Values, proxies: TrustedProxies, believed: frozenset[str]) -> Claim:
    """Return what X-Forwarded-For, -Proto, -Host and -Prefix say, as far as they are in `believed`.

    Raises:
        BadRequest: A proxy wrote what cannot be read.
    """
    entries = _last(values("x-forwarded-for"), proxies.hops)
    client, count = proxies.last_of(entries) if entries else (None, 1)
    names_client = bool(entries) and "for" in believed
    proto = _at(values("x-forwarded-proto"), count) if "proto" in believed else None
    host = _at(values("x-forwarded-host"), count) if "host" in believed else None
    return Claim(
        client=client if names_client else None,
        is_hidden=names_client and client is None,
        is_secure=None if proto is None else _is_secure(proto),
        host=None if host is None else _host(host),
        prefix=_claimed_prefix(values, count, believed),
    )


def forwarded_claim(values: Values, proxies: TrustedProxies, believed: frozenset[str]) -> Claim:
    """Return what Forwarded (RFC 7239) says, and X-Forwarded-Prefix, for which it has no word. Raises as the other."""
    text = _joined(values("forwarded"))
    elements = parse_forwarded(text)
    if not elements:
        if text.strip(" \t,"):
            raise _malformed()
        return Claim(prefix=_claimed_prefix(values, 1, believed))
    entries = [element["for"] for element in elements[_first_named(elements) :]][-proxies.hops :]
    client, count = proxies.last_of(entries) if entries else (None, 1)
    names_client = bool(entries) and "for" in believed
    said = elements[-count]
    proto = said.get("proto") if "proto" in believed else None
    host = said.get("host") if "host" in believed else None
    return Claim(
        client=client if names_client else None,
        is_hidden=names_client and client is None,
        is_secure=None if proto is None else _is_secure(proto),
        host=None if host is None else _host(host),
        prefix=_claimed_prefix(values, count, believed),
    )


def _first_named(elements: Sequence[dict[str, str]]) -> int:
    """Where the elements at the end begin that say for whom: one that does not say it breaks the chain."""
    position = len(elements)
    while position and "for" in elements[position - 1]:
        position -= 1
    return position


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        network = ip_network(text)
    except ValueError as exc:
        raise ConfigurationError(
            f"{text!r} in 'trusted' is no address and no network: {exc}.\n"
            'Name your proxies, as in trusted=["10.0.0.0/8", "192.0.2.7"]; "unix" is who is at a Unix socket.\n'
            "Where only the proxies can reach the app, whatever their addresses are, name all of them:\n\n"
            '    trusted=["0.0.0.0/0", "::/0"]\n'
        ) from exc
    if isinstance(network, IPv6Network) and network.prefixlen >= 96 and network.network_address.ipv4_mapped:
        raise ConfigurationError(f"{text!r} in 'trusted' is IPv4 in the form of IPv6; write it as IPv4.")
    return network


def _last(values: Sequence[str], most: int) -> list[str]:
    """The last entries of a list, `most` of them; none when there is nothing in it."""
    text = _joined(values)
    if not text.strip(" \t"):
        return []
    return [part.strip(" \t") for part in text.rsplit(",", most)[-most:]]


def _joined(values: Sequence[str]) -> str:
    text = ",".join(values)
    if len(text) > _LONGEST_VALUE:
        raise _malformed()
    return text


def _at(values: Sequence[str], count: int) -> str | None:
    """What the farthest of `count` proxies said, or the first that said anything; None when none did."""
    entries = _last(values, count)
    return entries[0] if entries else None


def _node(entry: str) -> Host | None:
    node = parse_node(entry)
    if node is None and entry.lower() != "unknown" and not entry.startswith("_"):
        raise _malformed()
    return node


def _is_secure(proto: str) -> bool:
    scheme = proto.lower()
    if scheme not in _SCHEMES:
        raise _malformed()
    return scheme in _SECURE


def _host(text: str) -> Host:
    host = parse_host(text)
    if host is None:
        raise _malformed()
    return host


def _claimed_prefix(values: Values, count: int, believed: frozenset[str]) -> str:
    text = _at(values("x-forwarded-prefix"), count) if "prefix" in believed else None
    prefix = "" if text is None else text.removesuffix("/")
    if prefix and (
        not prefix.startswith("/")
        or len(prefix) > _LONGEST_PREFIX
        or not _PREFIX_CHARACTERS.issuperset(prefix)
        or any(segment in ("", ".", "..") for segment in prefix.split("/")[1:])
    ):
        raise _malformed()
    return prefix


def _malformed() -> BadRequest:
    return BadRequest("What the proxy says of the request is malformed.", code="malformed_forwarding")
