"""What does whoever starts the board choose? Its only settings; `__main__` reads them."""

from pathlib import Path

from msgspec import Struct

__all__ = ["Options"]


class Options(Struct, frozen=True):
    """Where everything is kept, and what a moderator has to show; without a token nobody is one."""

    folder: Path
    moderator_token: str | None = None
