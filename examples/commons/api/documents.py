"""How does the API describe itself? In one document for everybody, and in another one for moderators."""

from nexios import OpenAPI
from nexios.openapi import License, SecurityScheme, Server, Tag

from .moderation import TAG

__all__ = ["DOCUMENTS"]

SERVERS = [Server(url="/", description="This board")]

DOCUMENTS = [
    OpenAPI(
        title="Commons",
        version="1.0",
        description="Rooms, messages and files of a small community board. JSON or MessagePack, as you like.",
        license=License(name="BSD 3-Clause", identifier="BSD-3-Clause"),
        servers=SERVERS,
        tags=[
            Tag(name="rooms", description="Where people talk"),
            Tag(name="messages", description="What they say"),
            Tag(name="files", description="What they bring along"),
            Tag(name="live", description="What happens, as it happens"),
            Tag(name="members", description="Who signed in"),
        ],
        include=lambda operation: TAG not in operation.route.tags,
    ),
    OpenAPI(
        title="Commons moderation",
        version="1.0",
        description="For those who keep the board clean.",
        servers=SERVERS,
        security_schemes={"moderator": SecurityScheme(type="http", scheme="bearer")},
        security=[{"moderator": []}],
        path="/moderation/openapi.json",
        docs_path="/moderation/docs",
        uis=["swagger"],
        include=lambda operation: TAG in operation.route.tags,
    ),
]
