"""What fills the leaves of a program from a request? Readers for the head, one by one, and one for the body."""

from typing import Any

import msgspec

from nexios._injection.graph import Leaf
from nexios._injection.program import Program
from nexios._injection.scopes import Scopes
from nexios._pipeline.inputs.compile import BodyReader, HeadReader, Located, compile_inputs, errors_of
from nexios._pipeline.inputs.input import Input
from nexios._pipeline.sources import APP
from nexios.messages.request import Request

__all__ = ["Reading", "note_failure", "read_head", "reading_of", "scopes_of"]


class Reading(msgspec.Struct, frozen=True):
    """What fills the leaves of a program from a request: the head slot by slot, the body from one slot on."""

    head: tuple[tuple[int, HeadReader], ...] = ()
    body: BodyReader | None = None
    body_start: int = 0
    body_stop: int = 0


def reading_of(program: Program, app: object) -> tuple[Reading, tuple[Input, ...]]:
    """Return what fills the leaves of a program, and the typed inputs among them. The app's slot is filled at once."""
    inputs = {slot: leaf.key for slot, leaf in enumerate(program.leaves) if isinstance(leaf.key, Input)}
    compiled = compile_inputs(list(inputs.values()))
    slots = [list(inputs)[index] for index in compiled.order]
    head = list(zip(slots, compiled.head, strict=False))
    for slot, leaf in enumerate(program.leaves):
        if leaf == APP:
            program.blank[slot] = app
        elif isinstance(leaf.key, tuple):
            head.append((slot, _path_reader(leaf)))
    body_slots = slots[len(compiled.head) :]
    reading = Reading(tuple(head), compiled.body, min(body_slots, default=0), max(body_slots, default=-1) + 1)
    return reading, compiled.inputs


def _path_reader(leaf: Leaf) -> HeadReader:
    name: str = leaf.key[1]  # type: ignore[index]
    return lambda request: request._path_params[name]  # type: ignore[index]


def scopes_of(request: Request) -> Scopes:
    """Return the scopes of a request, made when something is first opened in them."""
    scopes = request._scopes
    if scopes is None:
        scopes = request._scopes = Scopes()
    return scopes  # type: ignore[no-any-return]


def read_head(reading: Reading, values: list[Any]) -> None:
    """Fill the slots of the head from what is in the first slot.

    Raises:
        InvalidInput: Something does not fit; all that does not is told.
    """
    found: list[Located] = []
    for slot, read in reading.head:
        try:
            values[slot] = read(values[0])
        except Located as exc:
            found.append(exc)
    if found:
        raise errors_of(found)


def note_failure(request: Request, exc: Exception) -> None:
    """Let what providers hold open know that the answer has failed after their handler or middleware had ended."""
    if request._scopes is not None:
        request._scopes.failed = exc
