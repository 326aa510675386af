"""nexios: an async-first web framework that speaks ASGI and RSGI."""

from nexios.application import NexiosApp
from nexios.errors import HTTPException
from nexios.http.forms import FormData
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.messages.state import State
from nexios.messages.upload import UploadFile
from nexios.routing.registry import register_path_converter
from nexios.routing.router import Router
from nexios.settings import Limits, Settings

__all__ = [
    "FormData",
    "HTTPException",
    "Limits",
    "NexiosApp",
    "Request",
    "Response",
    "Router",
    "Settings",
    "State",
    "UploadFile",
    "register_path_converter",
]
