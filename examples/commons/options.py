"""What does whoever starts the board choose? Its only settings; `__main__` reads them."""

from pathlib import Path

from msgspec import Struct

__all__ = ["Options"]


class Options(Struct, frozen=True):
    """Where everything is kept, and what a program has to show to moderate; without a token none does.

    `channels` is the Redis or Valkey server by which several processes on one folder are one board. `hosts` are the
    names that the board answers to, all of them when it is empty. Without a `secret` there is one in the folder.
    """

    folder: Path
    moderator_token: str | None = None
    channels: str | None = None
    hosts: tuple[str, ...] = ()
    secret: str | None = None

    def __repr__(self) -> str:
        """Without what is secret."""
        return f"<Options {str(self.folder)!r}>"
