"""Tools for testing applications: a client, a raw exchange, and the transport in memory.

>>> from nexios import NexiosApp
>>> app = NexiosApp()
>>> @app.get("/api/endpoint")
... async def endpoint(request, response):
...     return {"ready": True}
>>> with TestClient(app) as client:
...     client.get("/api/endpoint").json()
{'ready': True}
"""

from nexios.testing.client import TestClient
from nexios.testing.event_reader import ReceivedEvent
from nexios.testing.events import EventStream, EventTimeout, NoEventStream
from nexios.testing.raw import RawAnswer, call
from nexios.testing.transport import MemoryTransport
from nexios.testing.websocket import WebSocketDenied, WebSocketSession, WebSocketTimeout

__all__ = [
    "EventStream",
    "EventTimeout",
    "MemoryTransport",
    "NoEventStream",
    "RawAnswer",
    "ReceivedEvent",
    "TestClient",
    "WebSocketDenied",
    "WebSocketSession",
    "WebSocketTimeout",
    "call",
]
