"""nexios: an async-first web framework that speaks ASGI and RSGI."""

from typing import TYPE_CHECKING, Any, Final

from nexios._injection.depend import Depend
from nexios._pipeline.inputs.markers import Body, Cookie, File, Form, Header, Path, Query
from nexios.application import NexiosApp
from nexios.errors import HTTPException
from nexios.http.forms import FormData
from nexios.messages.connection import Connection
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.messages.sse import Event
from nexios.messages.state import State
from nexios.messages.upload import UploadFile
from nexios.models.patch import Patch
from nexios.openapi.config import OpenAPI
from nexios.places import missing_name
from nexios.routing.registry import register_path_converter
from nexios.routing.router import Router
from nexios.settings import Limits, Settings

__all__ = [
    "Body",
    "Connection",
    "Cookie",
    "Depend",
    "Event",
    "File",
    "Form",
    "FormData",
    "HTTPException",
    "Header",
    "Limits",
    "NexiosApp",
    "OpenAPI",
    "Patch",
    "Path",
    "Query",
    "Request",
    "Response",
    "Router",
    "Settings",
    "State",
    "UploadFile",
    "register_path_converter",
]

_IN_WEBSOCKETS: Final = (
    "Channel",
    "Heartbeat",
    "HistoryLimits",
    "Hub",
    "Listeners",
    "WebSocket",
    "WebSocketConsumer",
    "WebSocketDisconnect",
)
_CALLED: Final = {"Depends": "Depend", "Security": "Depend", "APIRouter": "Router", "FastAPI": "NexiosApp"}
_HINTS: Final = {
    **{name: f"it is in nexios.websockets: from nexios.websockets import {name}" for name in _IN_WEBSOCKETS},
    **{name: f"nexios calls it {ours}: from nexios import {ours}" for name, ours in _CALLED.items()},
    "CORSMiddleware": "it is in nexios.middleware: from nexios.middleware import CORSMiddleware",
    "StaticFiles": "it is in nexios.static: from nexios.static import StaticFiles",
    "TestClient": "it is in nexios.testing: from nexios.testing import TestClient",
    "BackgroundTasks": "nexios has response.add_background(fn, ...) in its place",
    "WebSocketException": "raise HTTPException before accept(), and await websocket.close(code, reason) after it",
}

if not TYPE_CHECKING:  # for a type checker an unknown name stays an error

    def __getattr__(name: str) -> Any:
        """Say where a name is that others look for here."""
        raise missing_name(__name__, name, _HINTS)
