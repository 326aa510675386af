"""Does a value fit a type? For scripts, jobs and messages: what a handler would be told of the same value in a body."""

from typing import Any, Final, TypeVar, overload

import msgspec

from nexios.errors import InvalidInput
from nexios.models.adapter import adapt
from nexios.models.problems import Invalid

__all__ = ["validate"]

T = TypeVar("T")

_MOST_NOTES: Final = 10
"""Problems that a traceback shows."""


@overload
def validate(kind: type[T], value: object) -> T: ...
@overload
def validate(kind: Any, value: object) -> Any: ...
def validate(kind: Any, value: object) -> Any:
    """Return `value`, which is plain data as JSON has it, as a `kind`: any type that a handler may declare.

    Nothing is guessed: "5" is no int. An object of the type is returned as it is.

    Raises:
        InvalidInput: It does not fit. `errors` have the JSON Pointers, codes and details that a client would get.
        ConfigurationError: Nothing knows the type.

    >>> validate(list[int], [1, 2])
    [1, 2]
    """
    try:
        return adapt(kind).convert(value)
    except Invalid as refusal:
        error = InvalidInput({"in": "body", **msgspec.to_builtins(problem)} for problem in refusal.problems)
        for problem in refusal.problems[:_MOST_NOTES]:
            error.add_note(f"{problem.pointer or '(the whole)'} {problem.detail}")
    raise error
