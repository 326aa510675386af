"""Models: what a type is to nexios; it is decoded, converted, written and described."""

from nexios.models.adapter import DEFAULT_BACKENDS, TypeAdapter, adapt, holds_model, is_model
from nexios.models.backend import Malformed, SchemaMode, TypeBackend
from nexios.models.msgspec_backend import MsgspecBackend
from nexios.models.problems import Invalid, Problem
from nexios.models.validation import validate

__all__ = [
    "DEFAULT_BACKENDS",
    "Invalid",
    "Malformed",
    "MsgspecBackend",
    "Problem",
    "SchemaMode",
    "TypeAdapter",
    "TypeBackend",
    "adapt",
    "holds_model",
    "is_model",
    "validate",
]
