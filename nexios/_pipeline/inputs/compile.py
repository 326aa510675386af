"""How do the inputs of one route become readers? The head one by one, the body all at once."""

from collections.abc import Sequence
from typing import Final

import msgspec

from nexios._pipeline.inputs.body import BodyReader, body_reader
from nexios._pipeline.inputs.form import form_reader
from nexios._pipeline.inputs.head import HeadReader, head_reader
from nexios._pipeline.inputs.input import Input
from nexios._pipeline.inputs.located import Located, errors_of
from nexios.errors import ConfigurationError

__all__ = ["BodyReader", "CompiledInputs", "HeadReader", "Located", "compile_inputs", "errors_of", "settled"]

_FORMS: Final = frozenset({"form", "file"})
_BODIES: Final = _FORMS | {"body"}


class CompiledInputs(msgspec.Struct, frozen=True):
    """The readers of some inputs, made once and shared by all requests.

    Shape:  `head` has one reader for each path, query, header and cookie input, in their order; `body` gives one
            value for each body, form and file input, in their order, and is None when there are none.
            The values of `head` and then those of `body` belong to the inputs with the indexes `order`.
            `inputs` are those that were given, as they are read (see `settled`).
    """

    inputs: tuple[Input, ...]
    head: tuple[HeadReader, ...]
    body: BodyReader | None
    order: tuple[int, ...]


def compile_inputs(inputs: Sequence[Input]) -> CompiledInputs:
    """Return the readers of the inputs of one route.

    Raises:
        ConfigurationError: Nothing knows a type, or the inputs cannot be read from one request.
    """
    inputs = settled(inputs)
    head = [index for index, item in enumerate(inputs) if item.source not in _BODIES]
    body = [index for index, item in enumerate(inputs) if item.source in _BODIES]
    return CompiledInputs(
        inputs=tuple(inputs),
        head=tuple(head_reader(inputs[index]) for index in head),
        body=_reader_of([inputs[index] for index in body]) if body else None,
        order=(*head, *body),
    )


def settled(inputs: Sequence[Input]) -> tuple[Input, ...]:
    """Return the inputs as they are read together: of several bodies, none is the whole, and each is a key.

    Two inputs of one name are one body, which two functions ask for.
    """
    bodies = [item for item in inputs if item.source == "body"]
    if len({item.name for item in bodies}) < 2 and all(item.whole for item in bodies):
        return tuple(inputs)
    return tuple(msgspec.structs.replace(item, whole=False) if item.source == "body" else item for item in inputs)


def _reader_of(inputs: Sequence[Input]) -> BodyReader:
    forms = [item for item in inputs if item.source in _FORMS]
    if not forms:
        return body_reader(inputs)
    if len(forms) == len(inputs):
        return form_reader(inputs)
    body = next(item for item in inputs if item.source == "body")
    raise ConfigurationError(
        f"{body.parameter!r} is read from a JSON body and {forms[0].parameter!r} from a form, and a request has one "
        f"body. Send both as a form:\n\n    {body.parameter}: Annotated[..., Form()]"
    )
