"""The room on Django Channels, with its layer in memory: a group, and a consumer for each member."""

import json
from typing import Any

import django
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.urls import path

from benchmarks.asgi import AsgiApplication

__all__ = ["NAME", "PACKAGE", "build"]

NAME = "Django Channels"
PACKAGE = "channels"

_GROUP = "room"
_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}


class Room(AsyncWebsocketConsumer):
    """Send on what each member says. The message is encoded once, by who sends it."""

    async def connect(self) -> None:
        await self.channel_layer.group_add(_GROUP, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(_GROUP, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        text = json.dumps(json.loads(text_data or ""), separators=(",", ":"))
        await self.channel_layer.group_send(_GROUP, {"type": "room.message", "text": text})

    async def room_message(self, event: dict[str, Any]) -> None:
        """Give this member what another one said."""
        await self.send(text_data=event["text"])


def build(engine: str = "") -> AsgiApplication:
    """Return the application."""
    settings.configure(CHANNEL_LAYERS=_LAYERS, ROOT_URLCONF=(), ALLOWED_HOSTS=["*"])
    django.setup()
    sockets = URLRouter([path("ws", Room.as_asgi())])
    app: AsgiApplication = ProtocolTypeRouter({"http": get_asgi_application(), "websocket": sockets})
    return app
