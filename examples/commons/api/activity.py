"""What is new in all rooms, as server-sent events: a channel that is read over HTTP."""

from nexios import Request, Response, Router

from ..models import Activity
from ..news import News

__all__ = ["router"]

FOLLOWED = {"description": "One event a message", "content": {"text/event-stream": {"item_schema": Activity}}}

router = Router(tags=["live"])


@router.get("/activity", responses={200: FOLLOWED})
async def follow_activity(request: Request, news: News) -> Response:
    """Follow what is said in all rooms.

    Whoever comes is told the last 20 messages first; whoever comes back with `Last-Event-ID`, what came since.
    """
    return news.activity().sse(request, last_seen=0)
