"""What does a mounted WSGI application see of a request? The environ of PEP 3333."""

import sys
from collections.abc import Callable, Iterable
from typing import IO, Any

from nexios._servers.mounted_body import octets
from nexios.messages.request import Request

__all__ = ["Environ", "StartResponse", "WSGIApp", "environ_of"]

Environ = dict[str, Any]
StartResponse = Callable[..., Callable[[bytes], object]]
WSGIApp = Callable[[Environ, StartResponse], Iterable[bytes]]

_LEFT_OUT = frozenset({"connection", "content-length", "content-type", "keep-alive", "proxy", "transfer-encoding"})
"""Said elsewhere in the environ, of the connection only, or never said: HTTP_PROXY is what programs
take for the proxy of their own requests (CVE-2016-1000110)."""


def environ_of(request: Request, body: IO[bytes], size: int) -> Environ:
    """Return the environ for a request whose whole body, of `size` bytes, is in `body`."""
    root_path, path = request.root_path, request.path
    below = path.removeprefix(root_path) if path.startswith(f"{root_path}/") or path == root_path else path
    server, client = request._transport.server, request.client
    environ: Environ = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": _native(root_path),
        "PATH_INFO": _native(below),
        "QUERY_STRING": octets(request.query_string).decode("latin-1"),
        "SERVER_NAME": server.host if server is not None else request.host.name,
        "SERVER_PORT": str((server.port if server is not None else None) or (443 if request.scheme == "https" else 80)),
        "SERVER_PROTOCOL": f"HTTP/{request.http_version}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": request.scheme,
        "wsgi.input": body,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        **_header_variables(request),
    }
    if size or "content-length" in request.headers:
        environ["CONTENT_LENGTH"] = str(size)
    if client is not None:
        environ["REMOTE_ADDR"] = client.host
        environ["REMOTE_PORT"] = str(client.port or 0)
    return environ


def _native(path: str) -> str:
    """One character for each byte (PEP 3333, "Unicode Issues")."""
    return path.encode("utf-8", "replace").decode("latin-1")


def _header_variables(request: Request) -> dict[str, str]:
    """A name with an underscore could pass for the one with a hyphen, so it is left out (CVE-2024-45614)."""
    headers = request.headers
    variables = {
        f"HTTP_{name.upper().replace('-', '_')}": octets(headers[name]).decode("latin-1")
        for name in headers
        if name not in _LEFT_OUT and "_" not in name
    }
    if "content-type" in headers:
        variables["CONTENT_TYPE"] = octets(headers["content-type"]).decode("latin-1")
    return variables
