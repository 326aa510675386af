"""nexios: an async-first web framework that speaks ASGI and RSGI."""

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
