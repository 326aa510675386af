"""The command line: `python -m examples.commons --help` says what it takes."""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from .options import Options
from .servers import SERVERS, free_port

LOOPBACK = ("127.0.0.1", "::1", "localhost")
LOOPBACK_NAMES = ("127.0.0.1", "[::1]", "localhost")


def main() -> None:
    """Serve until SIGTERM or Ctrl-C comes, both of which end with exit code 0."""
    given = _arguments()
    signal.signal(signal.SIGINT, _leave)
    signal.signal(signal.SIGTERM, _leave)
    logging.basicConfig(format="%(asctime)s %(name)s: %(message)s", level=logging.INFO)
    try:
        port = free_port(given.host, given.port)
    except OSError as exc:
        sys.exit(f"commons: {given.host}:{given.port} cannot be used ({exc.strerror}); try --port 0")
    with _folder(given.data) as folder:
        options = Options(
            folder,
            moderator_token=given.token or None,
            channels=given.channels or None,
            hosts=_hosts(given.host, given.allow_host),
            secret=os.environ.get("COMMONS_SECRET") or None,
        )
        SERVERS[given.server](options, given.host, port)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="commons", description="A small community board, built with nexios.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free one")
    parser.add_argument("--server", choices=SERVERS, default="uvicorn")
    parser.add_argument("--data", type=Path, help="a folder to keep everything in; without it all is gone at the end")
    parser.add_argument(
        "--token",
        default=os.environ.get("COMMONS_TOKEN"),
        help="what programs show that moderate; better in COMMONS_TOKEN, where the list of processes does not have it",
    )
    parser.add_argument(
        "--channels",
        metavar="URL",
        default=os.environ.get("COMMONS_CHANNELS"),
        help="a Redis or Valkey server, redis://...: all boards on it that have the same --data are one",
    )
    parser.add_argument(
        "--allow-host",
        metavar="NAME",
        action="append",
        default=[],
        help="a name by which others reach the board, as shop.example; may be there several times",
    )
    given = parser.parse_args()
    if given.channels and given.data is None:
        parser.error("--channels joins boards that keep the same data: say where with --data")
    return given


def _hosts(host: str, named: list[str]) -> tuple[str, ...]:
    """On this machine alone, no other name may lead here: a page of a stranger could let its own do so, and read on.

    Where everybody can reach it, who starts the board has to say by which names; without any, all are taken.
    """
    return (*LOOPBACK_NAMES, *named) if named or host in LOOPBACK else ()


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with TemporaryDirectory(prefix="commons-") as folder:
        yield Path(folder)


def _leave(number: int, frame: FrameType | None) -> None:
    """Uvicorn sends itself the signal again once it has stopped; others never let it come here."""
    sys.exit(0)


if __name__ == "__main__":
    main()
