"""Which addresses are one client's? An IPv4 address is; of IPv6 a client has the 64 bits behind its network's.

Whoever counts per client counts by this: with IPv6 a client may use a new address for each request (RFC 8981).
"""

from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

__all__ = ["network_of"]

_NAT64: Final = int(IPv6Address("64:ff9b::")) >> 32
"""What IPv4 addresses have in front of them where a network of IPv6 translates them (RFC 6052 section 2.1)."""


def network_of(address: str | None) -> str:
    """Return of IPv6 the network of 64 bits, and anything else as it is: an IPv4 address, or the path of a socket.

    Clients without an address, as at a Unix socket, are one.

    >>> network_of("203.0.113.9"), network_of("2001:db8:1:2:3::4"), network_of("::ffff:203.0.113.9")
    ('203.0.113.9', '2001:db8:1:2::/64', '203.0.113.9')
    """
    if address is None:
        return "unknown"
    if ":" not in address:
        return address
    try:
        parsed = IPv6Address(address.partition("%")[0])
    except AddressValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    if int(parsed) >> 32 == _NAT64:
        return str(IPv4Address(int(parsed) & 0xFFFFFFFF))
    return f"{IPv6Address(int(parsed) >> 64 << 64)}/64"
