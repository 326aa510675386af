"""What does nexios ask of a library that knows types?

One backend answers for a family of types: msgspec for nearly everything, pydantic for its
own models. An application cannot add one. Each function is made once, when the application
is compiled, and called for every request.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol

__all__ = ["Malformed", "SchemaMode", "TypeBackend"]

SchemaMode = Literal["input", "output"]


class Malformed(Exception):
    """A body is not of the format it claims: the client gets a 400.

    `code` is "malformed_json", "json_too_deep" or "malformed_msgpack".
    """

    code: str

    def __init__(self, code: str = "malformed_json") -> None:
        self.code = code
        super().__init__(code)


class TypeBackend(Protocol):
    """Decodes, converts, encodes and describes the types that it handles.

    One per process; it keeps nothing of a request, so it is safe to share. Whoever gets `Any`
    as a type gets it as written: a class, or `list[X]`, `X | None`, `Annotated[X, ...]`.
    """

    name: str

    def handles(self, kind: Any) -> bool:
        """Return whether this type is the backend's own; it is asked once, and never raises."""
        ...

    def json_decoder(self, kind: Any) -> Callable[[bytes], Any]:
        """Return what makes a value out of JSON.

        It raises Malformed when the bytes are not JSON, and Invalid with all problems when the value does not fit.
        """
        ...

    def msgpack_decoder(self, kind: Any) -> Callable[[bytes], Any]:
        """Return what makes a value out of MessagePack; it raises as that of `json_decoder` does."""
        ...

    def converter(self, kind: Any, *, from_text: bool) -> Callable[[Any], Any]:
        """Return what makes a value out of builtins; it raises Invalid.

        With `from_text` they are text, a list of it or a dict of both, as a query, a header or a form has them:
        "5" may become 5 and "true" True.
        """
        ...

    def to_json(self, kind: Any) -> Callable[[Any], bytes]:
        """Return what writes a handler's result as JSON, with the declared fields and no others.

        A subclass with more fields loses them, nested and in lists too. It raises Invalid when the result does not fit.
        """
        ...

    def to_msgpack(self, kind: Any) -> Callable[[Any], bytes]:
        """Return what writes a handler's result as MessagePack, under the rules of `to_json`."""
        ...

    def schemas(
        self, kinds: Sequence[Any], *, mode: SchemaMode, ref_template: str
    ) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
        """Return one JSON Schema 2020-12 a type, and the named components they refer to.

        `ref_template` has `{name}` where the name of a component goes: "#/components/schemas/{name}".
        """
        ...
