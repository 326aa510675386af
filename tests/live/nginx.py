"""nginx before an application: a process of our own, with the configuration that docs/howto/behind-a-proxy.md shows.

It runs in the foreground, in one process, and writes below a folder of the test alone. The sites that the page does
not show are below `_MORE`; a request chooses one by its Host.
"""

import os
import re
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.contract.servers import DEADLINE, eventually, reserved_port
from tests.live.children import Child, child

__all__ = ["NEEDS_NGINX", "fronting"]

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "behind-a-proxy.md"
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")

NEEDS_NGINX = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="clients have addresses of their own on loopback, as on Linux"),
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed"),
]

_MAIN = """
daemon off;
master_process off;
pid nginx.pid;
error_log stderr info;
events { worker_connections 256; }
http {
    access_log off;
    lingering_timeout 300ms;  # how long it reads on after an early answer, when nothing comes
    client_body_temp_path body;
    proxy_temp_path proxied;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
%s
%s
}
"""

_MORE = """
server {  # ends TLS, as far as the application can tell
    listen {front};
    server_name tls.example;
    location / {
        proxy_pass http://app;
        proxy_set_header Host              $host;
        proxy_set_header X-Forwarded-For   $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto https;
    }
}
server {  # stands before the nginx of the page
    listen {front};
    server_name outer.example;
    location / {
        proxy_pass http://{front};
        proxy_bind 127.0.0.5;
        proxy_set_header Host            shop.example;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
}
server {  # passes on all that the client wrote
    listen {front};
    server_name careless.example;
    location / { proxy_pass http://app; }
}
server {
    listen {front};
    server_name prefix.example;
%s
}
server {
    listen {front};
    server_name rfc7239.example;
    location / {
        proxy_pass http://app;
%s
    }
}
server {
    listen {front};
    server_name guarded.example;
%s
}
server {
    listen {front};
    server_name rewritten.example;
    location /admin { deny all; }
    location / { proxy_pass http://app/; }
}
"""


def blocks() -> list[str]:
    """The blocks of nginx's configuration on the page: the site, Forwarded, a prefix, and a guard."""
    return [part.partition("\n```")[0] for part in PAGE.read_text("utf-8").split("\n```nginx\n")[1:]]


@contextmanager
def fronting(application: str, directory: Path) -> Iterator[tuple[str, int]]:
    """Start nginx before `application`, which is "127.0.0.1:8000" or "unix:/path", and return its address.

    Raises:
        NotStarted: It ended by itself.
    """
    directory.mkdir()
    with reserved_port() as port:
        _configure(directory, application, f"127.0.0.1:{port}")
        command = [*_dies_with_us(), str(NGINX), "-p", str(directory), "-c", "nginx.conf", "-e", "stderr"]
        with child(command, directory / "output.log") as process:
            eventually(lambda: _listens(process, port), "the start of nginx")
            yield "127.0.0.1", port


def _configure(directory: Path, application: str, front: str) -> None:
    site, forwarded, prefix, guard = blocks()
    more = (_MORE % (prefix, forwarded, guard)).replace("listen {front}", f"listen {front}").replace("{front}", front)
    site = site.replace("listen 80;", f"listen {front} reuseport default_server;")
    site = site.replace("server 127.0.0.1:8000;", f"server {application};")
    text = _MAIN % (site, more)
    assert text.count(f"listen {front}") == len(re.findall(r"^ *listen ", text, re.MULTILINE)), text
    (directory / "nginx.conf").write_text(text)


def _dies_with_us() -> list[str]:
    """What gives it SIGTERM when the tests end without a word."""
    setpriv = shutil.which("setpriv")
    return [] if setpriv is None else [setpriv, "--pdeathsig", "TERM"]


def _listens(process: Child, port: int) -> bool:
    process.check()
    try:
        socket.create_connection(("127.0.0.1", port), timeout=DEADLINE).close()
    except OSError:
        return False
    return True
