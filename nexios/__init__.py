"""nexios: an async-first web framework that speaks ASGI and RSGI."""

from nexios.application import NexiosApp
from nexios.errors import HTTPException
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.messages.state import State
from nexios.routing.registry import register_path_converter
from nexios.routing.router import Router
from nexios.settings import Limits, Settings

__all__ = [
    "HTTPException",
    "Limits",
    "NexiosApp",
    "Request",
    "Response",
    "Router",
    "Settings",
    "State",
    "register_path_converter",
]
