"""How is a connection broken that the server would end as if all were well? By its socket, found by its two ends.

RSGI 1.6 has no way to say that a stream failed: Granian sends the last chunk when the stream is let go,
and the client takes half an answer for a whole one (RFC 9112 section 8 says that it must not).
"""

import os
import socket
from collections.abc import Iterator
from contextlib import closing

from nexios.messages.transport import Address

__all__ = ["break_connection"]

_FOLDERS = ("/proc/self/fd", "/dev/fd")


def break_connection(client: Address | None, server: Address | None) -> bool:
    """Shut down this process's TCP connection between the two addresses; False when it was not found.

    Looks at every open file of the process: meant for the rare case. Unix sockets have no address to
    tell them apart, and Windows has no such list, so there it finds nothing.
    """
    if client is None or server is None or client.port is None:
        return False
    for connection in _connections():
        with closing(connection):
            if _is_between(connection, client, server):
                connection.shutdown(socket.SHUT_RDWR)
                return True
    return False


def _connections() -> Iterator[socket.socket]:
    folder = next((path for path in _FOLDERS if os.path.isdir(path)), None)
    for name in os.listdir(folder) if folder is not None else ():
        try:
            copy = os.dup(int(name))  # so that no other file can take the number meanwhile
        except (OSError, ValueError):
            continue
        try:
            connection = socket.socket(fileno=copy)
        except OSError:
            os.close(copy)
            continue
        yield connection


def _is_between(connection: socket.socket, client: Address, server: Address) -> bool:
    try:
        if connection.family not in (socket.AF_INET, socket.AF_INET6) or connection.type != socket.SOCK_STREAM:
            return False
        return _same(connection.getpeername(), client) and _same(connection.getsockname(), server)
    except OSError:
        return False


def _same(name: tuple[str, int], address: Address) -> bool:
    return name[1] == address.port and name[0].removeprefix("::ffff:") == address.host.removeprefix("::ffff:")
