"""Is a parameter of a handler a typed input, and of which part of the request? Decided once, at compile.

    a marker                      decides
    a name of the path template   path
    UploadFile, or a list of it   file
    a model, a dict or a list     body, where the route's methods may carry one
    a scalar, a list of scalars   query
    anything else                 no input

A mistake is a ConfigurationError with the line to paste; the caller adds route and place.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final

import msgspec

from nexios._injection.signature import EMPTY, Parameter
from nexios._pipeline.inputs import markers
from nexios._pipeline.inputs.kinds import (
    bare,
    constrained,
    is_many,
    is_mapping,
    is_scalar,
    is_simple,
    is_upload,
    item_of,
    members_of,
)
from nexios._pipeline.inputs.markers import Marker, Source
from nexios.errors import ConfigurationError, InvalidHeader
from nexios.http.headers import check_name
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.messages.upload import UploadFile
from nexios.messages.websocket import WebSocket
from nexios.models.adapter import adapt, holds_model, is_model
from nexios.models.problems import Invalid

__all__ = ["Input", "input_of"]

_BODILESS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "CONNECT"})
"""Methods whose content has no meaning (RFC 9110 section 9.3); every other may carry a body."""

_FROM_BODY: Final = frozenset({"body", "form", "file"})
_OURS: Final = (Request, Response, WebSocket)
_MARKERS: Final = {
    getattr(markers, name): name for name in ("Query", "Path", "Header", "Cookie", "Body", "Form", "File")
}


class Input(msgspec.Struct, frozen=True, eq=False):
    """One value that a handler, dependency or guard asks of the request.

    Shape:  `parameter` is its name in Python, `name` the one on the wire. `kind` is the type with its constraints.
            `default` is EMPTY for one that must be there. `whole` is a model or dict that is read from the whole
            query, all headers, all cookies, the whole form or the whole body; its `name` is not on the wire then.
    """

    source: Source
    parameter: str
    name: str
    kind: Any
    default: Any = EMPTY
    whole: bool = False
    marker: Marker | None = None

    @property
    def required(self) -> bool:
        """Whether there is no default."""
        return self.default is EMPTY


def input_of(parameter: Parameter, *, path_names: Sequence[str], methods: Sequence[str]) -> Input | None:
    """Return what the parameter reads from a request; None when it is no typed input.

    Raises:
        ConfigurationError: It cannot be read as it is written; the text has the line to write instead.

    >>> import inspect
    >>> limit = Parameter("limit", int, (), 20, inspect.Parameter.KEYWORD_ONLY)
    >>> input_of(limit, path_names=(), methods=("GET",)).source
    'query'
    """
    if parameter.is_variadic:
        return None
    marker, default = _marker_and_default(parameter)
    source = marker.source if marker is not None else _source_of(parameter, path_names, methods)
    if source is None:
        return None
    kind = _kind_of(parameter, source, default, marker)
    if source == "path":
        default = _no_default(parameter, marker)
    found = Input(
        source=source,
        parameter=parameter.name,
        name=_name_of(parameter.name, source, marker),
        kind=kind,
        default=default,
        whole=_is_whole(kind, source, marker),
        marker=marker,
    )
    _check_source(found, path_names, methods)
    _check_kind(found)
    _check_default(found)
    return found


def _marker_and_default(parameter: Parameter) -> tuple[Marker | None, Any]:
    """The default stands after "=", or in the marker; `...` is "required", as elsewhere."""
    given = [entry for entry in (*parameter.metadata, parameter.default) if isinstance(entry, Marker)]
    for entry in (*parameter.metadata, parameter.default):
        if _is_hashable(entry) and entry in _MARKERS:
            name = _MARKERS[entry]
            raise ConfigurationError(f"{name} of {parameter.name!r} is a function; call it:\n\n    {name}()")
    if len(given) > 1:
        raise ConfigurationError(
            f"The parameter {parameter.name!r} has two markers, and comes from one place; keep one of "
            f"{' and '.join(_word(marker) for marker in given)}."
        )
    marker = given[0] if given else None
    after = EMPTY if isinstance(parameter.default, Marker) else parameter.default
    within = EMPTY if marker is None or marker.default is ... else marker.default
    if after is not EMPTY and within is not EMPTY:
        raise ConfigurationError(
            f"The parameter {parameter.name!r} has two defaults, {within!r} in its marker and {after!r} after '='; "
            f"write it once:\n\n    {parameter.name}: Annotated[..., {_word(marker)}] = {after!r}"
        )
    return marker, within if after is EMPTY else after


def _is_hashable(entry: object) -> bool:
    return type(entry).__hash__ is not None and callable(entry)


def _source_of(parameter: Parameter, path_names: Sequence[str], methods: Sequence[str]) -> Source | None:
    kind = parameter.annotation
    if kind is EMPTY or isinstance(kind, str) or _is_ours(kind):
        return None
    if parameter.name in path_names:
        return "path"
    if is_simple(kind):
        return "query"
    if is_upload(kind):
        return "file"
    if _is_for_a_body(kind):
        if _may_carry(methods):
            return "body"
        if not is_scalar(item_of(kind)) or is_mapping(kind):
            raise _body_without_method(parameter, methods)
    return "query" if _is_for_a_query(kind) else None


def _is_ours(kind: Any) -> bool:
    """A Request is a Struct, but no model."""
    return any(isinstance(member, type) and issubclass(member, _OURS) for member in members_of(kind))


def _is_for_a_body(kind: Any) -> bool:
    return is_many(kind) or is_mapping(kind) or holds_model(bare(kind))


def _is_for_a_query(kind: Any) -> bool:
    members = members_of(kind)
    return bool(members) and all(is_scalar(item_of(member) if is_many(member) else member) for member in members)


def _may_carry(methods: Iterable[str]) -> bool:
    return any(method not in _BODILESS for method in methods)


def _kind_of(parameter: Parameter, source: Source, default: Any, marker: Marker | None) -> Any:
    kind = parameter.annotation
    if kind is EMPTY:
        kind = _unannotated(source, default)
    elif isinstance(kind, str):
        raise ConfigurationError(
            f"The annotation {kind!r} of {parameter.name!r} cannot be resolved: it must be a name of the module, "
            "imported or defined there, not one inside a function or under TYPE_CHECKING."
        )
    metadata = tuple(entry for entry in parameter.metadata if not isinstance(entry, Marker))
    kind = Annotated[(kind, *metadata)] if metadata else kind
    if marker is None:
        return kind
    try:
        return constrained(kind, marker)
    except ConfigurationError as exc:
        raise ConfigurationError(f"{_word(marker)} of {parameter.name!r}: {exc}") from None


def _unannotated(source: Source, default: Any) -> Any:
    """A marker without an annotation: the type of its default, else what its place holds."""
    if source == "file":
        return UploadFile
    if source == "body":
        return Any
    return type(default) if is_scalar(type(default)) else str


def _name_of(parameter: str, source: Source, marker: Marker | None) -> str:
    name = marker.alias if marker is not None and marker.alias is not None else None
    if source != "header":
        return parameter if name is None else name
    try:
        return check_name(parameter.strip("_").replace("_", "-") if name is None else name)
    except InvalidHeader as exc:
        raise ConfigurationError(f"Header() of {parameter!r}: {exc}") from None


def _is_whole(kind: Any, source: Source, marker: Marker | None) -> bool:
    if source == "body":
        return marker is None or not marker.embed
    if source in ("path", "file") or is_simple(kind):
        return False
    return is_mapping(kind) or any(is_model(member) for member in members_of(kind))


def _no_default(parameter: Parameter, marker: Marker | None) -> Any:
    """A path parameter is always there: a default after "=" is for another route of the same handler."""
    if marker is not None and marker.default is not EMPTY and marker.default is not ...:
        raise ConfigurationError(
            f"Path() of {parameter.name!r} has a default, and a path parameter is always there:\n\n"
            f"    {parameter.name}: {_shown(parameter.annotation)} = Path()"
        )
    return EMPTY


def _check_source(found: Input, path_names: Sequence[str], methods: Sequence[str]) -> None:
    if found.source == "path" and found.name not in path_names:
        has = f"has {', '.join(path_names)}" if path_names else "has no parameter"
        raise ConfigurationError(
            f"The parameter {found.parameter!r} is read from the path, which {has}. Add it to the template, as in\n\n"
            f"    /{{{found.name}}}\n\nor name the one it is with Path(alias=...)."
        )
    if found.source in _FROM_BODY and not methods:
        raise ConfigurationError(
            f"The parameter {found.parameter!r} is read from the body, and a WebSocket has none. "
            f"{_receive_it(found.parameter, _shown(found.kind))}"
        )
    if found.source in _FROM_BODY and not _may_carry(methods):
        raise ConfigurationError(
            f"The parameter {found.parameter!r} is read from the body, and {_listed(methods)} has none. "
            "Register the route for a method with a body, such as POST, or read the query:\n\n"
            f"    {found.parameter}: Annotated[{_shown(found.kind)}, Query()]"
        )


def _body_without_method(parameter: Parameter, methods: Sequence[str]) -> ConfigurationError:
    shown = _shown(parameter.annotation)
    if not methods:
        return ConfigurationError(
            f"The parameter {parameter.name!r} is of the type {shown}, which is read from the body, and a WebSocket "
            f"has none. {_receive_it(parameter.name, shown)}"
        )
    return ConfigurationError(
        f"The parameter {parameter.name!r} is of the type {shown}, which is read from the body, and "
        f"{_listed(methods)} has none. Read it from the query:\n\n    {parameter.name}: Annotated[{shown}, Query()]\n\n"
        "or register the route for a method with a body, such as POST."
    )


def _receive_it(name: str, shown: str) -> str:
    """What comes to a WebSocket after its handshake are messages."""
    return (
        f"Receive it as a message, in the handler:\n\n    {name} = await websocket.receive_as({shown})\n\n"
        f"or read it from the query:\n\n    {name}: Annotated[{shown}, Query()]"
    )


def _check_kind(found: Input) -> None:
    """What a flat part of a request cannot hold is said now, and not to every client."""
    source, kind = found.source, found.kind
    if is_simple(kind) and source != "file":
        return
    if source == "file":
        if not is_upload(kind) and not _is_every_bytes(kind):
            raise _wrong_kind(found, "is an UploadFile, a list of them, or bytes", "UploadFile")
        return
    if source == "body":
        return
    if is_upload(kind):
        raise ConfigurationError(
            f"The parameter {found.parameter!r} is a file:\n\n    {found.parameter}: {_shown(kind)} = File()"
        )
    if found.whole:
        if found.marker is not None and found.marker.alias is not None:
            raise ConfigurationError(f"{found.parameter!r} takes all names, so an alias says nothing; take it away.")
        return
    if is_many(kind) and (source in ("path", "cookie") or holds_model(item_of(kind)) or is_many(item_of(kind))):
        raise _wrong_kind(found, "holds one text", "str")


def _is_every_bytes(kind: Any) -> bool:
    return all(member is bytes or item_of(member) is bytes for member in members_of(kind))


def _wrong_kind(found: Input, rule: str, instead: str) -> ConfigurationError:
    return ConfigurationError(
        f"The parameter {found.parameter!r} cannot be {_shown(found.kind)}: a value of the {found.source} {rule}.\n\n"
        f"    {found.parameter}: {instead}"
    )


def _check_default(found: Input) -> None:
    if found.required or found.source == "file":
        return
    fault = _fault_of(found.kind, found.default)
    if fault is None:
        return
    name, shown = found.parameter, _shown(found.kind)
    if _fault_of(bare(found.kind), found.default) is None:
        raise ConfigurationError(
            f"The default {found.default!r} of {name!r} {fault}, as it says itself. Change one of the two, or let "
            f"None stand for a {found.source} that has none:\n\n    {name}: {shown} | None = {_with_none(found.marker)}"
        )
    instead = f"{shown} | None" if found.default is None else _shown(type(found.default))
    raise ConfigurationError(
        f"The default {found.default!r} of {name!r} is no {shown}. Change one of the two:\n\n    {name}: {instead}"
    )


def _with_none(marker: Marker | None) -> str:
    return "None" if marker is None else repr(msgspec.structs.replace(marker, default=None))


def _fault_of(kind: Any, default: Any) -> str | None:
    """What is wrong with the default as a value of the type. What has no plain form is the developer's own business."""
    if type(default) is kind:
        return None
    if any(isinstance(member, type) and type(default) is member for member in members_of(kind)) and bare(kind) is kind:
        return None
    try:
        plain = msgspec.to_builtins(default)
    except (TypeError, ValueError, RecursionError):
        return None
    try:
        adapt(kind).convert(plain)
    except Invalid as exc:
        return exc.problems[0].detail
    return None


def _word(marker: Marker | None) -> str:
    return f"{marker.source.capitalize()}()" if marker is not None else ""


def _listed(methods: Sequence[str]) -> str:
    """The HEAD that a GET implies goes without saying."""
    return "/".join(method for method in methods if method != "HEAD" or "GET" not in methods) or "a WebSocket"


def _shown(kind: Any) -> str:
    kind = bare(kind)
    return kind.__name__ if isinstance(kind, type) and not hasattr(kind, "__args__") else str(kind)
