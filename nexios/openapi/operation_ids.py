"""What is each operation called? Generated clients make their functions' names of it.

The name of the handler, as long as it is the only one. Operations that would share a
name all get the next longer one that tells them apart:

    list_users
    admin_list_users               with the names of the routers around it
    admin_list_users               with the first tag
    list_users_get_admin_users     with the method and the path

So an id changes only when another handler of the same name appears. An id that was
given, by the route or by `OpenAPI(operation_id=...)`, is never changed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from nexios._pipeline.operation import Operation
from nexios.errors import ConfigurationError
from nexios.openapi.paths import Listed
from nexios.places import name_of
from nexios.routing.views import VERBS

__all__ = ["operation_ids"]

_VERBS: Final = frozenset(verb.lower() for verb in VERBS)

Naming = Callable[[Listed], str]


def operation_ids(operations: Sequence[Listed], choose: Callable[[Operation], str] | None = None) -> list[str]:
    """Return the ids, in order; no two are the same.

    Raises:
        ConfigurationError: Two operations were given the same id; the text has both places.
    """
    ids: dict[int, str] = {}
    taken: dict[str, Listed] = {}
    for number, operation in enumerate(operations):
        given = _given(operation, choose)
        if given is not None:
            _take(taken, given, operation)
            ids[number] = given
    waiting = {number: operation for number, operation in enumerate(operations) if number not in ids}
    for naming in (_by_function, _by_router, _by_tag, _by_path):
        unique = _unique(waiting, naming, taken)
        for number, name in unique.items():
            taken[name] = waiting.pop(number)
        ids.update(unique)
    for number, operation in waiting.items():
        ids[number] = _numbered(_by_path(operation), taken)
        taken[ids[number]] = operation
    return [ids[number] for number in range(len(operations))]


def _given(operation: Listed, choose: Callable[[Operation], str] | None) -> str | None:
    """With several methods, one id that was given to the route needs the method to tell them apart."""
    given = operation.operation.route.documentation.operation_id
    if given is None and choose is not None:
        given = choose(operation.operation)
    return given if given is None or operation.is_only else f"{given}_{operation.method.lower()}"


def _take(taken: dict[str, Listed], name: str, operation: Listed) -> None:
    earlier = taken.setdefault(name, operation)
    if earlier is not operation:
        raise ConfigurationError(
            f"The operation id {name!r} was given to two operations, and clients call them by it.\n\n"
            f"  {_place(earlier)}\n  {_place(operation)}\n\nGive one of them another operation_id=."
        )


def _place(operation: Listed) -> str:
    route = operation.operation.route
    return f"{route.location.registered}   {operation.method} {route.template}"


def _unique(waiting: Mapping[int, Listed], naming: Naming, taken: Mapping[str, object]) -> dict[int, str]:
    """Return the names that nobody else has or would have."""
    names = {number: naming(operation) for number, operation in waiting.items()}
    counts: dict[str, int] = {}
    for name in names.values():
        counts[name] = counts.get(name, 0) + 1
    return {number: name for number, name in names.items() if counts[name] == 1 and name not in taken}


def _by_function(operation: Listed) -> str:
    """A class that answers several methods has one function for each, and all are called alike in every class."""
    handler = operation.operation.route.handler
    name = name_of(handler)
    owner = getattr(handler, "__self__", None)
    if name in _VERBS and owner is not None:
        name = f"{type(owner).__name__}_{name}"
    return _word(name if operation.is_only else f"{name}_{operation.method.lower()}")


def _by_router(operation: Listed) -> str:
    routers = operation.operation.route.name.split(":")[:-1]
    return _word("_".join((*routers, _by_function(operation))))


def _by_tag(operation: Listed) -> str:
    return _word("_".join((*operation.operation.route.tags[:1], _by_function(operation))))


def _by_path(operation: Listed) -> str:
    name = _by_function(operation)
    method = operation.method.lower()
    method = "" if name.endswith(f"_{method}") else f"_{method}"
    return _word(f"{name}{method} {operation.path}")


def _word(text: str) -> str:
    """Return a text as an identifier; "_" stands for every run of other letters."""
    return "_".join(_pieces(text)) or "operation"


def _pieces(text: str) -> Iterable[str]:
    plain = "".join(letter if letter.isascii() and (letter.isalnum() or letter == "_") else " " for letter in text)
    return plain.split()


def _numbered(name: str, taken: Mapping[str, object]) -> str:
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}" if name in taken else name
