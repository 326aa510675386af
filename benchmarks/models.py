"""The order and its receipt as msgspec Structs, for whoever validates with msgspec: by hand or through a framework."""

from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

__all__ = ["TYPED_MODELS", "Address", "Line", "Order", "Receipt", "ReceiptLine", "model_of", "receipt_of"]

TYPED_MODELS = 200
"""How many models the 2,000 typed routes share."""

Name = Annotated[str, Meta(min_length=1, max_length=100)]


class Address(Struct):
    """Where to, or who pays."""

    name: Name
    street: Name
    city: Name
    country: Annotated[str, Meta(min_length=2, max_length=2)]


class Line(Struct):
    """One thing that was ordered."""

    sku: Annotated[str, Meta(min_length=3, max_length=32)]
    title: Name
    quantity: Annotated[int, Meta(ge=1, le=999)]
    price: Annotated[float, Meta(ge=0)]
    tags: list[str]


class Order(Struct):
    """Twenty fields, three of them nested."""

    reference: UUID
    placed_at: datetime
    customer: Name
    email: Annotated[str, Meta(min_length=3, max_length=254)]
    phone: str | None
    company: str | None
    vat_number: str | None
    currency: Literal["EUR", "GBP", "USD"]
    channel: Literal["web", "shop", "phone"]
    priority: Annotated[int, Meta(ge=0, le=9)]
    discount: Annotated[float, Meta(ge=0, le=1)]
    is_express: bool
    is_gift: bool
    has_newsletter: bool
    note: Annotated[str, Meta(max_length=500)]
    coupons: list[str]
    labels: dict[str, str]
    billing: Address
    shipping: Address
    lines: Annotated[list[Line], Meta(min_length=1)]


class ReceiptLine(Struct):
    """What one line costs."""

    sku: str
    quantity: int
    amount: float


class Receipt(Struct):
    """The answer to an order."""

    reference: UUID
    customer: str
    currency: str
    total: float
    lines: list[ReceiptLine]


def receipt_of(order: Order) -> Receipt:
    """Return what the handler of every framework makes of an order."""
    lines = [ReceiptLine(line.sku, line.quantity, line.quantity * line.price) for line in order.lines]
    total = sum(line.amount for line in lines) * (1 - order.discount)
    return Receipt(order.reference, order.customer, order.currency, total, lines)


def model_of(index: int) -> Any:
    """Return the model that typed route number `index` reads and answers; ten routes share one."""
    return _numbered(index % TYPED_MODELS)


@cache
def _numbered(number: int) -> type[Struct]:
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = [
        ("name", Name),
        ("price", Annotated[float, Meta(ge=0)]),
        ("tags", list[str]),
        ("address", Address | None, None),
    ]
    return msgspec.defstruct(f"Thing{number}", fields, module=__name__)
