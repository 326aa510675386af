"""The pages: HTML that works without scripts, with errors that are pages too."""

from nexios import HTTPException, Router

from ..middleware import SameOrigin, never_kept
from . import assets, room, rooms, search
from .errors import error_page, failure_page, no_route

__all__ = ["no_route", "pages"]

pages = Router(
    name="pages",
    middleware=[SameOrigin(), never_kept],
    exception_handlers={HTTPException: error_page, 500: failure_page},
    include_in_schema=False,
)
pages.include_router(rooms.router)
pages.include_router(room.router)
pages.include_router(search.router)
pages.include_router(assets.router)
