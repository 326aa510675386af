"""The pages: HTML that works without scripts, with errors that are pages too, and forms that no other site can send."""

from nexios import HTTPException, Router
from nexios.middleware import CSRFMiddleware

from ..middleware import never_kept
from . import account, assets, members, message, room, rooms, search
from .errors import error_page, failure_page, no_route

__all__ = ["no_route", "pages"]

pages = Router(
    name="pages",
    middleware=[CSRFMiddleware(), never_kept],
    exception_handlers={HTTPException: error_page, 500: failure_page},
    include_in_schema=False,
)
pages.include_router(rooms.router)
pages.include_router(room.router)
pages.include_router(message.router)
pages.include_router(account.router)
pages.include_router(members.router)
pages.include_router(search.router)
pages.include_router(assets.router)
