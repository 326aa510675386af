"""The page of what was found: a link that can be shared, so it is a GET."""

from nexios import Request, Response, Router

from ..inputs import InvalidInput, read_query
from ..store import messages, rooms
from ..store.storage import storage_of
from ..store.values import Search
from .html import joined, render
from .views import counted, message_view, page

__all__ = ["router"]

router = Router()


@router.get("/search")
async def search(request: Request, response: Response) -> Response:
    try:
        wanted = read_query(request, Search)
    except InvalidInput as exc:
        return page(request, response.status(exc.status_code), "Search", render("no_search"))
    storage = storage_of(request)
    found = await storage.run(messages.search, wanted)
    names = {room.id: room.name for room in await storage.run(rooms.list_all)}
    results = joined(message_view(message, room_name=names.get(message.room_id, "")) for message in found)
    content = render("search", text=wanted.text, count=counted(len(found), "message"), results=results)
    return page(request, response, "Search", content, search=wanted.text)
