"""Typed inputs and answers as a user of nexios declares them, with annotations throughout.

`test_typed_user_code.py` runs it, and `test_type_checkers.py` has the checkers look at it in their strict modes.
"""

import datetime
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from typing import Annotated, Generic, Literal, NotRequired, TypedDict, TypeVar
from uuid import UUID

import attrs
import msgspec
import pydantic
from msgspec import Meta

from nexios import (
    Body,
    Cookie,
    File,
    Form,
    Header,
    NexiosApp,
    Patch,
    Path,
    Query,
    Request,
    Response,
    Router,
    UploadFile,
)
from nexios.openapi import OpenAPI
from nexios.testing import TestClient

T = TypeVar("T")


class Colour(Enum):
    """A value of a list."""

    RED = "red"
    BLUE = "blue"


# models of all kinds


class Item(msgspec.Struct):
    """A Struct."""

    name: Annotated[str, Meta(min_length=1)]
    price: Annotated[float, Meta(ge=0)]
    tags: list[str] = msgspec.field(default_factory=list[str])


class Page(msgspec.Struct, Generic[T]):
    """A generic Struct."""

    items: list[T]
    total: int


@dataclass
class Address:
    """A dataclass."""

    street: str
    city: str = "London"


class Person(TypedDict):
    """A TypedDict."""

    name: str
    age: NotRequired[int]


@attrs.define
class Parcel:
    """A class of attrs."""

    weight: float
    is_fragile: bool = False


class Account(pydantic.BaseModel):
    """A model of pydantic."""

    email: str
    age: int = pydantic.Field(default=0, ge=0)


class Filters(msgspec.Struct):
    """A whole query."""

    q: str = ""
    colours: list[Colour] = msgspec.field(default_factory=list[Colour])
    limit: Annotated[int, Meta(ge=1, le=100)] = 10


class Trace(msgspec.Struct):
    """Several headers."""

    x_request_id: str
    x_tenant: str | None = None


class Preferences(msgspec.Struct):
    """All cookies."""

    theme: Literal["light", "dark"] = "light"


@dataclass
class Login:
    """A whole form."""

    user: str
    password: str


class Refusal(msgspec.Struct):
    """What an error answers."""

    detail: str


items = Router(prefix="/items", tags=["items"])


# a value here and there, by annotation, in Annotated and as a default


@items.get("/{item_id:int}", summary="One item", responses={404: Refusal})
async def show(
    item_id: Annotated[int, Path(ge=1)], fields: Annotated[list[str] | None, Query(alias="field")] = None
) -> Item:
    return Item(f"item {item_id}", 1.5, fields or [])


@items.get("")
async def search(
    request: Request,
    response: Response,
    q: str,
    limit: int = Query(10, ge=1, le=100),
    colour: Colour | None = None,
    since: datetime.date | None = Query(None, description="Not older than this day"),
    price: Decimal = Query(Decimal("0"), ge=0, examples=[Decimal("9.90")]),
    sort: Literal["name", "price"] = "name",
    tags: list[str] = Query([], alias="tag", max_length=10),
) -> dict[str, object]:
    return {"q": q, "limit": limit, "colour": colour, "since": since, "price": price, "sort": sort, "tags": tags}


@items.get("/by-key/{key}", deprecated=True, operation_id="itemByKey")
async def by_key(
    request: Request,
    response: Response,
    key: UUID = Path(description="Printed on the box"),
    user_agent: str = Header("unknown"),
    session: Annotated[str | None, Cookie(alias="sid")] = None,
    theme: str = Cookie("light"),
) -> dict[str, str | None]:
    return {"key": key.hex, "agent": user_agent, "session": session, "theme": theme}


# whole models


@items.query("")
async def find(filters: Filters) -> Page[Item]:
    return Page([Item(filters.q, 1)], filters.limit)


@items.get("/whole")
async def whole(
    filters: Annotated[Filters, Query()], trace: Trace = Header(), preferences: Preferences = Cookie()
) -> dict[str, object]:
    return {"limit": filters.limit, "id": trace.x_request_id, "theme": preferences.theme}


@items.post("/login")
async def log_in(login: Annotated[Login, Form()]) -> str:
    return login.user


@items.post("/upload")
async def upload(
    photo: UploadFile,
    title: Annotated[str, Form(min_length=1)],
    raw: bytes = File(b"", max_size=1_000),
    more: list[UploadFile] = File([], content_types=["image/*"]),
    copies: int = Form(1, ge=1),
) -> dict[str, int | str]:
    return {"size": len(await photo.read()), "title": title, "raw": len(raw), "more": len(more), "copies": copies}


# bodies and answers


@items.post("", status_code=201, response_model=Item)
async def create(item: Item, response: Response) -> Item:
    response.set_header("location", f"/items/{item.name}")
    return item


@items.post("/many")
async def create_many(new: list[Item]) -> list[Item]:
    return new


@items.put("/address")
async def move(address: Address) -> Address:
    return replace(address, city=address.city.upper())


@items.put("/person")
async def rename(person: Person) -> Person:
    return {"name": person["name"].title(), "age": person.get("age", 0)}


@items.put("/parcel")
async def weigh(parcel: Parcel) -> tuple[Parcel, int]:
    return parcel, 202


@items.put("/account")
async def register(account: Account) -> Account | None:
    return account if account.age else None


@items.put("/either")
async def either(given: Item | None = Body(None, embed=True), note: str = Body("", max_length=10)) -> dict[str, bool]:
    return {"given": given is not None, "noted": bool(note)}


@items.put("/text")
async def text(given: Annotated[str, Body(media_type="text/plain")]) -> str:
    return given.upper()


@items.patch("/{item_id:int}")
async def change(item_id: int, patch: Patch[Item]) -> Item:
    stored = Item(f"item {item_id}", 1.5)
    return patch.apply(stored)


def create_app() -> NexiosApp:
    """Put everything together."""
    app = NexiosApp(openapi=OpenAPI(title="Items", version="1.2", openapi_version="3.2", uis=["swagger"]))
    app.include_router(items)
    return app


def described(app: NexiosApp) -> list[str]:
    document: dict[str, object] = app.openapi()
    return [key for key in document if key in ("openapi", "info", "paths")]


def visit(app: NexiosApp) -> dict[str, object]:
    with TestClient(app) as client:
        files = {"photo": ("a.png", b"abc", "image/png")}
        return {
            "show": client.get("/items/7", params={"field": ["a", "b"]}).json(),
            "refused": client.get("/items/0").status_code,
            "search": client.get("/items", params={"q": "x", "tag": ["a"], "since": "2024-01-31"}).json(),
            "key": client.get(f"/items/by-key/{UUID(int=7)}", headers={"cookie": "sid=1; theme=dark"}).json(),
            "find": client.request("QUERY", "/items", json={"q": "x", "colours": ["red"]}).json(),
            "whole": client.get("/items/whole?limit=5", headers={"x-request-id": "r1"}).json(),
            "login": client.post("/items/login", data={"user": "Ada", "password": "p"}).text,
            "upload": client.post("/items/upload", data={"title": "t"}, files=files).json(),
            "created": client.post("/items", json={"name": "n", "price": 2}).status_code,
            "many": client.post("/items/many", json=[{"name": "n", "price": 2}]).json(),
            "address": client.put("/items/address", json={"street": "s", "city": "Paris"}).json(),
            "person": client.put("/items/person", json={"name": "ada"}).json(),
            "parcel": client.put("/items/parcel", json={"weight": 2}).status_code,
            "account": client.put("/items/account", json={"email": "a@b", "age": 3}).json(),
            "either": client.put("/items/either", json={"note": "x"}).json(),
            "text": client.put("/items/text", content="abc", headers={"content-type": "text/plain"}).text,
            "patched": client.patch("/items/7", json={"price": 3}).json(),
        }
