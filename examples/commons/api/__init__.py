"""The REST API: everything below /api, as JSON. Errors are the problem documents of nexios (RFC 9457)."""

from nexios import Router

from ..middleware import SameOrigin
from . import attachments, messages, rooms, search

__all__ = ["api"]

api = Router(prefix="/api", name="api", middleware=[SameOrigin()], tags=["api"])
api.include_router(rooms.router)
api.include_router(messages.router)
api.include_router(attachments.router)
api.include_router(search.router)
