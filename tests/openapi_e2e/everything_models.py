"""Models of every kind that nexios knows, for `everything_app.py`."""

import datetime
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Generic, Literal, NotRequired, TypedDict, TypeVar
from uuid import UUID

import attrs
import msgspec
import pydantic
from msgspec import Meta

__all__ = [
    "Account",
    "Address",
    "Cat",
    "Colour",
    "Contact",
    "Dog",
    "Filters",
    "Folder",
    "Item",
    "Key",
    "Level",
    "Money",
    "Order",
    "Page",
    "Parcel",
    "Person",
    "Preferences",
    "Refusal",
    "Team",
    "Trace",
]

T = TypeVar("T")

Name = Annotated[str, Meta(min_length=1, max_length=40, description="How it is called")]


class Colour(Enum):
    """An enum of texts."""

    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    """An enum of numbers."""

    LOW = 1
    HIGH = 2


class Item(msgspec.Struct):
    """A Struct, with what a number, a text and a list can be held to."""

    name: Name
    price: Annotated[float, Meta(ge=0, lt=1_000_000)]
    stock: Annotated[int, Meta(ge=0, multiple_of=5)] = 0
    code: Annotated[str, Meta(pattern="^[a-z]{2,8}$")] = "none"
    tags: Annotated[list[str], Meta(max_length=5)] = msgspec.field(default_factory=list[str])
    colour: Colour | None = None
    level: Level = Level.LOW


class Money(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """Names that differ on the wire, and none but those."""

    in_cents: Annotated[int, Meta(ge=0)]
    currency_code: Literal["EUR", "GBP"] = "EUR"


class Order(msgspec.Struct):
    """Nested models, and every text with a format."""

    reference: UUID
    placed_at: datetime.datetime
    lines: Annotated[list[Item], Meta(min_length=1, max_length=3)]
    total: Money
    ship_on: datetime.date | None = None
    labels: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    discount: Annotated[Decimal, Meta(description="Of the whole")] | None = None


class Cat(msgspec.Struct, tag="cat", tag_field="kind"):
    """One of a union."""

    name: Name
    lives: Annotated[int, Meta(ge=0, le=9)] = 9


class Dog(msgspec.Struct, tag="dog", tag_field="kind"):
    """The other one."""

    name: Name
    is_loud: bool = True


class Folder(msgspec.Struct):
    """A model that holds itself."""

    name: Name
    folders: Annotated[list["Folder"], Meta(max_length=2)] = msgspec.field(default_factory=list["Folder"])


class Page(msgspec.Struct, Generic[T]):
    """A generic Struct."""

    items: list[T]
    total: Annotated[int, Meta(ge=0)]
    next: str | None = None


@dataclass
class Address:
    """A dataclass."""

    street: Name
    city: str = "London"
    lines: list[str] = field(default_factory=list[str])


class Person(TypedDict):
    """A TypedDict."""

    name: Name
    age: NotRequired[Annotated[int, Meta(ge=0, le=150)]]


@attrs.define
class Parcel:
    """A class of attrs."""

    weight: Annotated[float, Meta(gt=0, le=100)]
    is_fragile: bool = False
    address: Address | None = None


class Contact(pydantic.BaseModel):
    """A model of pydantic inside another one."""

    email: str = pydantic.Field(max_length=60, pattern=r"^[a-z]+@[a-z]+\.test$")
    phones: list[str] = []


class Account(pydantic.BaseModel):
    """A model of pydantic; a lax one takes more than its own schema says."""

    model_config = pydantic.ConfigDict(strict=True)

    name: str = pydantic.Field(min_length=1, max_length=40)
    age: int = pydantic.Field(default=0, ge=0, le=150)
    contact: Contact | None = None


class Team(msgspec.Struct):
    """A Struct that holds a model of pydantic."""

    lead: Contact
    size: Annotated[int, Meta(ge=1)] = 1


class Filters(msgspec.Struct):
    """A whole query."""

    text: Annotated[str, Meta(max_length=40)] = ""
    colours: list[Colour] = msgspec.field(default_factory=list[Colour])
    limit: Annotated[int, Meta(ge=1, le=100)] = 10
    since: datetime.date | None = None


class Trace(msgspec.Struct):
    """Several headers."""

    x_request_id: Annotated[str, Meta(pattern="^[a-f0-9]{4,8}$")]
    x_depth: Annotated[int, Meta(ge=0)] = 0


class Preferences(msgspec.Struct):
    """All cookies."""

    theme: Literal["light", "dark"] = "light"
    size: Annotated[int, Meta(ge=8, le=32)] = 12


@dataclass
class Key:
    """A whole form."""

    user: Name
    age: Annotated[int, Meta(ge=0)]
    is_new: bool = False
    colours: list[Colour] = field(default_factory=list[Colour])


class Refusal(msgspec.Struct):
    """What a declared error answers."""

    reason: str
