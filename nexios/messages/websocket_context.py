"""What does a WebSocket ask of the application that serves it? Little: itself, and the paths of its routes."""

from collections.abc import Mapping
from typing import Any, Protocol

__all__ = ["WebSocketContext"]


class WebSocketContext(Protocol):
    """What a WebSocket asks of the application that serves it."""

    @property
    def app(self) -> Any:
        """The application, as in `websocket.app`."""

    def url_path_for(self, name: str, params: Mapping[str, Any]) -> str:
        """The path of a named route."""
