"""Search with QUERY: safe and repeatable like GET, with a body like POST (RFC 10008)."""

from nexios import Request, Response, Router

from ..inputs import read_json
from ..store import messages
from ..store.storage import storage_of
from ..store.values import MessagePage, Search

__all__ = ["router"]

router = Router()


@router.query("/search")
async def search(request: Request, response: Response) -> MessagePage:
    """Answer with the newest messages that hold the `text` of a JSON body."""
    wanted = await read_json(request, Search)
    return MessagePage(await storage_of(request).run(messages.search, wanted))
