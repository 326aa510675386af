"""A room, live: who is in it hears what is said, sees who else is there and who writes, and misses nothing.

Each message comes in an envelope, `{"channel", "sequence", "event", "data"}`, with the event "said", "edited",
"deleted", "closed", "typing" or "presence". Who returns with the last `sequence` gets the rest, in order.

Who has signed in is in the room under the name of the account; all others under the one that they give, as guests.
"""

from typing import Annotated

from nexios import Limits, Query, Router
from nexios.websockets import BadMessage, Heartbeat, WebSocket, WebSocketConsumer, on

from ..errors import RoomNotFound
from ..models import Arrival, NewMessage, Say, Typing, Writing
from ..news import News, post
from ..people import member_of
from ..store import rooms
from ..store.storage import Store

__all__ = ["router"]

LIMITS = Limits(max_message_size=32 * 1024, max_messages_per_second=10)

router = Router(tags=["live"], limits=LIMITS, websocket_middleware=[Heartbeat(interval=25, timeout=60)])


@router.websocket("/rooms/{room_id:id}/live")
class LiveRoom(WebSocketConsumer):
    """One visitor of one room: an instance for each WebSocket, which leaves by itself when the line breaks."""

    async def on_connect(
        self, websocket: WebSocket, room_id: int, arrival: Annotated[Arrival, Query()], store: Store, news: News
    ) -> None:
        """Let the visitor in, with what they missed. A room that is not there is a 404 in place of the handshake."""
        async with store.transaction() as board:
            await board.run(rooms.get, room_id)
        self.member = member_of(websocket)
        self.name = arrival.name.strip() if self.member is None else self.member.name
        self.room_id, self.store, self.news = room_id, store, news
        self.channel = news.room(room_id)
        await news.arrive(websocket, room_id, self.member, self.name, arrival.last_seen)

    @on("chat.message")
    async def say(self, websocket: WebSocket, message: Say) -> None:
        """Keep it; everyone hears of it, its writer too."""
        self._refuse_guests()
        try:
            async with self.store.transaction() as board:
                new = NewMessage(self.name, message.text)
                await post(board, self.news, self.room_id, new, writer=self.member, key=message.key)
        except RoomNotFound as exc:
            raise BadMessage(exc.detail, error=exc.code) from None

    @on("chat.typing")
    async def typing(self, websocket: WebSocket, message: Typing) -> None:
        """Tell the others. Nobody who comes later needs to know, so it is not kept."""
        self._refuse_guests()
        await self.channel.publish(Writing(self.name), event="typing", exclude=websocket, keep=False)

    def _refuse_guests(self) -> None:
        """A bad message is answered, and the next one may be a good one."""
        if not self.name:
            raise BadMessage("Say who you are: connect with a name.", error="no_name")
