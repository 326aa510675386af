"""What does whoever starts the board choose? Its only settings; `__main__` reads them."""

from pathlib import Path

from msgspec import Struct

__all__ = ["Options"]


class Options(Struct, frozen=True):
    """Where everything is kept, and what a moderator has to show; without a token nobody is one.

    `channels` is the Redis or Valkey server by which several processes on one folder are one board.
    """

    folder: Path
    moderator_token: str | None = None
    channels: str | None = None
