"""The order and its receipt as pydantic models, for the frameworks that validate with pydantic."""

from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, create_model

from benchmarks.models import TYPED_MODELS

__all__ = ["Address", "Line", "Order", "Receipt", "ReceiptLine", "model_of", "receipt_of"]

Name = Annotated[str, Field(min_length=1, max_length=100)]


class Address(BaseModel):
    """Where to, or who pays."""

    name: Name
    street: Name
    city: Name
    country: Annotated[str, Field(min_length=2, max_length=2)]


class Line(BaseModel):
    """One thing that was ordered."""

    sku: Annotated[str, Field(min_length=3, max_length=32)]
    title: Name
    quantity: Annotated[int, Field(ge=1, le=999)]
    price: Annotated[float, Field(ge=0)]
    tags: list[str]


class Order(BaseModel):
    """Twenty fields, three of them nested."""

    reference: UUID
    placed_at: datetime
    customer: Name
    email: Annotated[str, Field(min_length=3, max_length=254)]
    phone: str | None
    company: str | None
    vat_number: str | None
    currency: Literal["EUR", "GBP", "USD"]
    channel: Literal["web", "shop", "phone"]
    priority: Annotated[int, Field(ge=0, le=9)]
    discount: Annotated[float, Field(ge=0, le=1)]
    is_express: bool
    is_gift: bool
    has_newsletter: bool
    note: Annotated[str, Field(max_length=500)]
    coupons: list[str]
    labels: dict[str, str]
    billing: Address
    shipping: Address
    lines: Annotated[list[Line], Field(min_length=1)]


class ReceiptLine(BaseModel):
    """What one line costs."""

    sku: str
    quantity: int
    amount: float


class Receipt(BaseModel):
    """The answer to an order."""

    reference: UUID
    customer: str
    currency: str
    total: float
    lines: list[ReceiptLine]


def receipt_of(order: Order) -> Receipt:
    """Return what the handler of every framework makes of an order."""
    lines = [ReceiptLine(sku=x.sku, quantity=x.quantity, amount=x.quantity * x.price) for x in order.lines]
    total = sum(line.amount for line in lines) * (1 - order.discount)
    return Receipt(
        reference=order.reference, customer=order.customer, currency=order.currency, total=total, lines=lines
    )


def model_of(index: int) -> Any:
    """Return the model that typed route number `index` reads and answers; ten routes share one."""
    return _numbered(index % TYPED_MODELS)


@cache
def _numbered(number: int) -> type[BaseModel]:
    return create_model(
        f"Thing{number}",
        name=(Name, ...),
        price=(Annotated[float, Field(ge=0)], ...),
        tags=(list[str], ...),
        address=(Address | None, None),
    )
