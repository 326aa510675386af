"""The REST API: everything below /api. Errors are the problem documents of nexios (RFC 9457)."""

from nexios import Router

from ..middleware import SameOrigin
from . import activity, attachments, live, members, messages, moderation, rooms, search

__all__ = ["api"]

api = Router(prefix="/api", name="api", middleware=[SameOrigin()])
api.include_router(rooms.router)
api.include_router(messages.router)
api.include_router(live.router)
api.include_router(activity.router)
api.include_router(attachments.router)
api.include_router(search.router)
api.include_router(members.router)
api.include_router(moderation.router)
