"""Search with QUERY: safe and repeatable like GET, with a body like POST (RFC 10008)."""

from nexios import Router

from ..models import MessagePage, Search
from ..store import messages
from ..store.storage import Transaction

__all__ = ["router"]

router = Router(tags=["messages"])


@router.query("/search")
async def search(wanted: Search, board: Transaction) -> MessagePage:
    """Find the newest messages that hold a text."""
    return MessagePage(await board.run(messages.search, wanted))
