"""What does the `validated` workload send and get back? An order of twenty fields, and its receipt.

Values only, and only the standard library, for the reason that `workloads.py` gives.
"""

import copy
from typing import Any, Final

__all__ = ["ORDER", "RECEIPT", "WRONG_ORDER"]

_ADDRESS: Final = {"name": "Ada Lovelace", "street": "12 St James's Square", "city": "London", "country": "GB"}
_LINES: Final = [
    {"sku": "BRASS-GEAR-12", "title": "Brass gear, 12 teeth", "quantity": 4, "price": 12.5, "tags": ["brass", "gear"]},
    {"sku": "PUNCH-CARD-100", "title": "Punched cards, 100", "quantity": 2, "price": 7.25, "tags": ["paper"]},
    {"sku": "OIL-CAN", "title": "Oil can", "quantity": 1, "price": 19.0, "tags": []},
]

ORDER: Final[dict[str, Any]] = {
    "reference": "5f0c0e6e-3a0f-4b52-9a0b-6a8c6f6d2a11",
    "placed_at": "2026-01-31T12:30:00Z",
    "customer": "Ada Lovelace",
    "email": "ada@example.com",
    "phone": "+44 20 7946 0018",
    "company": None,
    "vat_number": None,
    "currency": "GBP",
    "channel": "web",
    "priority": 3,
    "discount": 0.5,
    "is_express": True,
    "is_gift": False,
    "has_newsletter": False,
    "note": "Leave it at the door.",
    "coupons": ["WELCOME", "WINTER"],
    "labels": {"campaign": "winter", "source": "letter"},
    "billing": _ADDRESS,
    "shipping": _ADDRESS,
    "lines": _LINES,
}

RECEIPT: Final[dict[str, Any]] = {
    "reference": ORDER["reference"],
    "customer": "Ada Lovelace",
    "currency": "GBP",
    "total": 41.75,
    "lines": [
        {"sku": "BRASS-GEAR-12", "quantity": 4, "amount": 50.0},
        {"sku": "PUNCH-CARD-100", "quantity": 2, "amount": 14.5},
        {"sku": "OIL-CAN", "quantity": 1, "amount": 19.0},
    ],
}

WRONG_ORDER: Final[dict[str, Any]] = copy.deepcopy(ORDER)
"""The second line is for none: whoever answers it with a receipt has validated nothing."""
WRONG_ORDER["lines"][1]["quantity"] = 0
