"""The page of what was found: a link that can be shared, so it is a GET."""

from typing import Annotated

from nexios import Query, Request, Response, Router
from nexios.errors import InvalidInput

from ..models import Search
from ..store import messages, rooms
from ..store.storage import Transaction
from .html import joined, render
from .page import page
from .views import counted, result_view

__all__ = ["router"]

router = Router()


@router.get("/search")
async def search(
    request: Request, response: Response, wanted: Annotated[Search, Query()], board: Transaction
) -> Response:
    found = await board.run(messages.search, wanted)
    names = {room.id: room.name for room in await board.run(rooms.list_all)}
    results = joined(result_view(message, names.get(message.room_id, "")) for message in found)
    content = render("search", text=wanted.text, count=counted(len(found), "message"), results=results)
    return page(request, response, "Search", content, search=wanted.text)


@router.exception_handler(InvalidInput)
async def nothing_to_search(request: Request, response: Response, exc: InvalidInput) -> Response:
    return page(request, response.status(exc.status_code), "Search", render("no_search"))
