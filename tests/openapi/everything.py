"""Routes with everything that the document describes; `python -m tests.openapi.everything 3.2` prints it."""

import sys
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

import msgspec
import pydantic

from nexios import Body, Cookie, File, Form, Header, Path, Query
from nexios.errors import NotFound
from nexios.messages.upload import UploadFile
from nexios.openapi.build import document_bytes
from nexios.openapi.config import Callback, Webhook
from nexios.openapi.model import (
    Contact,
    ExternalDocs,
    License,
    OAuthFlow,
    OAuthFlows,
    SecurityScheme,
    Server,
    ServerVariable,
    Tag,
)
from nexios.routing.router import Router
from tests.openapi.documents import document_of

__all__ = ["everything"]

T = TypeVar("T")


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Address(msgspec.Struct, rename="camel"):
    street_name: str
    country: Literal["de", "fr", "it"] = "de"


class Item(msgspec.Struct):
    """A thing to buy."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=20, pattern="^[a-z]+$")]
    price: Decimal
    colour: Colour = Colour.RED
    since: date | None = None
    labels: frozenset[str] = frozenset()


class Page(msgspec.Struct, Generic[T]):
    items: list[T]
    total: int


class Cat(msgspec.Struct, tag="cat"):
    lives: int


class Dog(msgspec.Struct, tag="dog"):
    owner: Address


class Tree(msgspec.Struct):
    children: dict[str, "Tree"] = {}


@dataclass
class Person:
    name: str
    born: datetime | None = None


class Account(pydantic.BaseModel):
    email: Annotated[str, pydantic.Field(min_length=3)]
    limit: timedelta = timedelta(hours=1)

    @pydantic.computed_field  # type: ignore[prop-decorator]
    @property
    def domain(self) -> str:
        return self.email.partition("@")[2]


class Filters(msgspec.Struct):
    text: str
    colours: list[Colour] = []


def everything(version: Literal["3.1", "3.2"]) -> dict[str, Any]:
    """Return the document."""
    return document_of(
        router(),
        openapi_version=version,
        title="Everything",
        version="1.0",
        summary="All of it",
        description="Every feature of a *document*.",
        terms_of_service="https://example.com/terms",
        contact=Contact(name="Ann", url="https://example.com", email="ann@example.com"),
        license=License(name="MIT", identifier="MIT"),
        servers=[
            Server(url="https://{where}.example.com", name="main", variables={"where": ServerVariable(default="eu")})
        ],
        tags=[Tag(name="items", summary="Items", description="Things", parent="shop", kind="nav"), Tag(name="shop")],
        external_docs=ExternalDocs(url="https://example.com/guide", description="Guide"),
        webhooks={"restocked": Webhook(body=Item, responses={200: "Thanks"})},
        security_schemes={
            "token": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT"),
            "key": SecurityScheme(type="apiKey", name="x-key", in_="header"),
            "oauth": SecurityScheme(
                type="oauth2",
                flows=OAuthFlows(
                    client_credentials=OAuthFlow(scopes={"read": "Read"}, token_url="https://example.com/token")
                ),
            ),
        },
        security=[{"token": []}],
    )


def router() -> Router:
    """Return the routes."""
    shop = Router(prefix="/shop", name="shop", tags=["shop"])
    shop.get("/items/{item_id:int}", responses={404: NotFound})(show_item)
    shop.delete("/items/{id:int}", security=[])(remove_item)
    shop.get("/items/{slug:slug}")(item_by_slug)
    shop.post("/items", status_code=201, tags=["items"], callbacks={"sold": sold()})(create_item)
    shop.query("/items", operation_id="searchItems")(search_items)
    shop.get("/files/{rest:path}", response_model=bytes)(show_file)
    shop.get("/events", responses={200: {"content": {"text/event-stream": {"item_schema": Cat | Dog}}}})(events)
    shop.put("/keys", security=[{"oauth": ["read"]}, {"key": []}])(several_bodies)
    shop.post("/forms", deprecated=True)(fields)
    shop.post("/files")(upload)
    shop.patch("/tree", openapi_extra={"x-extra": {"deep": [1]}})(tree)
    shop.route("/raw", methods=["GET", "POST", "PURGE"])(raw)
    shop.get("/search", external_docs={"url": "https://example.com/search"})(search)
    shop.post("/accounts")(account)
    whole = Router(tags=["whole"])
    whole.include_router(shop)
    return whole


def sold() -> Callback:
    return Callback(expression="{$request.body#/url}", body=Item, summary="Sold", responses={204: None})


async def show_item(request: Any, response: Any, item_id: Annotated[int, Path(ge=1)]) -> Item:
    """Show one item.

    With its price.
    """
    raise NotImplementedError


async def remove_item(request: Any, response: Any, id: int) -> None: ...


async def item_by_slug(request: Any, response: Any, slug: str) -> tuple[Item, int]:
    raise NotImplementedError


async def create_item(
    request: Any, response: Any, item: Item, x_request_id: Annotated[UUID | None, Header()] = None
) -> Item:
    raise NotImplementedError


async def search_items(request: Any, response: Any, filters: Filters) -> Page[Item]:
    raise NotImplementedError


async def show_file(request: Any, response: Any, rest: str) -> Any: ...


async def events(request: Any, response: Any) -> Any: ...


async def several_bodies(
    request: Any, response: Any, address: Address, person: Person, note: Annotated[str, Body(max_length=9)] = ""
) -> dict[str, Cat | Dog]:
    raise NotImplementedError


async def fields(
    request: Any,
    response: Any,
    name: Annotated[str, Form()],
    ages: Annotated[list[int], Form()],
    nick: str | None = None,
) -> str:
    raise NotImplementedError


async def upload(
    request: Any,
    response: Any,
    photo: Annotated[UploadFile, File(max_size=1000, content_types=["image/*"])],
    title: Annotated[str, Form()] = "",
) -> list[Person]:
    raise NotImplementedError


async def tree(request: Any, response: Any, tree: Tree) -> Tree:
    raise NotImplementedError


async def raw(request: Any, response: Any, data: Annotated[bytes, Body()]) -> bytes:
    raise NotImplementedError


async def search(
    request: Any,
    response: Any,
    filters: Annotated[Filters, Query()],
    rest: Annotated[dict[str, str], Cookie()],
    x_tag: Annotated[list[str], Header(description="Tags", deprecated=True)],
    theme: Annotated[Literal["light", "dark"], Cookie(examples=["dark"])] = "light",
    page: Annotated[int, Query(ge=1, lt=100, multiple_of=1, title="Page")] = 1,
) -> Page[Person]:
    raise NotImplementedError


async def account(request: Any, response: Any, account: Account) -> Page[Account]:
    raise NotImplementedError


if __name__ == "__main__":
    sys.stdout.buffer.write(document_bytes(everything("3.2" if "3.2" in sys.argv else "3.1")))
