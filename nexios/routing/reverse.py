"""Reverse URLs: what is the path of the route `api:user` with id 7?

Values are percent-encoded, so that none can end its segment, start a query, or
make a path that a browser reads as another site (`//evil`) or climbs out of
(`..`). Before a path is returned it is matched against its own template: it comes
back with the same values or not at all.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any
from urllib.parse import quote, unquote

import msgspec

from nexios.errors import ConfigurationError, NoSuchRoute
from nexios.places import Place
from nexios.routing.converters import Converter, bounded_convert
from nexios.routing.matcher import Matcher
from nexios.routing.registry import DEFAULT_CONVERTERS, ConverterRegistry
from nexios.routing.route import Mount, Route, WebSocketRoute
from nexios.routing.template import Placeholder, Segment, Template, Templates

__all__ = ["ReverseIndex", "reverse"]

_SAFE = "!$&()*+,=:@~"
"""What RFC 3986 section 3.3 allows in a segment, without the quote (for HTML) and ";" (which some proxies cut off)."""

_MOUNTED = "path"
"""The parameter for what is below a mount."""


class _Target(msgspec.Struct, frozen=True):
    template: Template
    owner: object
    """The handler, or the mounted application."""
    place: Place
    is_named: bool
    is_mount: bool = False


class ReverseIndex:
    """The templates of an application by the names of their routes.

    Lifetime: made by compile, then only read. Several routes may have a name in
    common when they have the path in common too, or the handler; the parameters then choose.
    A mount with a name has the parameter `path`, what is below it.

    Raises:
        ConfigurationError: A name was given to two handlers at different paths.
    """

    __slots__ = ("_targets",)

    def __init__(
        self,
        routes: Iterable[Route] = (),
        websockets: Iterable[WebSocketRoute] = (),
        mounts: Iterable[Mount] = (),
        registry: ConverterRegistry = DEFAULT_CONVERTERS,
        *,
        templates: Templates | None = None,
    ) -> None:
        self._targets: dict[str, dict[str, _Target]] = {}
        templates = templates or Templates(registry)
        every: tuple[Route | WebSocketRoute, ...] = (*routes, *websockets)
        for route in every:
            template = templates.compile(route.template, route.location.registered)
            self._add(route.name, _Target(template, route.handler, route.location.registered, route.is_named))
        for mount in mounts:
            if mount.name is not None:
                below = templates.compile(f"{mount.prefix.removesuffix('/')}/{{{_MOUNTED}:path}}", mount.location)
                self._add(mount.name, _Target(below, mount.app, mount.location, is_named=True, is_mount=True))

    @property
    def names(self) -> list[str]:
        """Every name, sorted."""
        return sorted(self._targets)

    def path_for(self, name: str, /, **parameters: object) -> str:
        """Return the path of the route of this name; see `reverse`."""
        targets = self._targets.get(name)
        if targets is None:
            near = get_close_matches(name, self._targets, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise NoSuchRoute(f"No route has the name {name!r}.{hint}")
        return _fill(name, _choose(name, list(targets.values()), parameters), parameters)

    def _add(self, name: str, target: _Target) -> None:
        """Targets of one name are all named, and then of one owner, or none of them is."""
        known = self._targets.setdefault(name, {})
        first = next(iter(known.values()), None)
        if first is not None and first.is_named != target.is_named:
            if first.is_named:
                return
            known.clear()
            first = None
        text = target.template.text
        if first is not None and target.is_named and first.owner != target.owner and first.template.text != text:
            raise ConfigurationError(
                f"The name {name!r} is given to two routes.\n\n"
                f"  {first.place}   {first.template.text}\n  {target.place}   {text}\n\n"
                "Give the second one a name of its own, with another name=."
            )
        known.setdefault(text, target)


def reverse(index: ReverseIndex, name: str, /, **parameters: object) -> str:
    """Return the path of the route `name`, percent-encoded, beginning with exactly one "/".

    A value may be given as text where the converter accepts that text.

    Raises:
        NoSuchRoute: No route has the name, parameters are missing or too many, or a value
            does not fit; the text says which.
    """
    return index.path_for(name, **parameters)


def _choose(name: str, targets: list[_Target], parameters: Mapping[str, object]) -> _Target:
    fitting = [target for target in targets if _parameters(target, parameters) == set(parameters)]
    if not fitting:
        raise NoSuchRoute(_misfit_text(name, targets[0], parameters))
    if any(target.owner != fitting[0].owner for target in fitting):
        places = "\n".join(f"  {target.place}   {target.template.text}" for target in fitting)
        raise NoSuchRoute(
            f"Several routes have the name {name!r}, which is that of their handlers.\n\n{places}\n\n"
            f'Give them names of their own, as in @app.get("{fitting[0].template.text}", name="...").'
        )
    return fitting[0]


def _parameters(target: _Target, given: Mapping[str, object]) -> set[str]:
    """What is below a mount may be left out."""
    optional = {_MOUNTED} if target.is_mount and _MOUNTED not in given else set[str]()
    return set(target.template.parameters) - optional


def _misfit_text(name: str, target: _Target, parameters: Mapping[str, object]) -> str:
    wanted = target.template.parameters
    missing = ", ".join(repr(parameter) for parameter in wanted if parameter not in parameters)
    unknown = ", ".join(repr(parameter) for parameter in parameters if parameter not in wanted)
    complaints = [f"lacks {missing}"] * bool(missing) + [f"does not know {unknown}"] * bool(unknown)
    return f"The route {name!r} ({target.template.text}) {' and '.join(complaints)}."


def _fill(name: str, target: _Target, parameters: Mapping[str, object]) -> str:
    template = target.template
    if target.is_mount:
        parameters = {**parameters, _MOUNTED: str(parameters.get(_MOUNTED, "")).removeprefix("/")}
    texts = {key: _text_of(name, key, value, template.converters[key]) for key, value in parameters.items()}
    encoded = [_encode(segment, texts, template) for segment in template.segments]
    path = "/" + "/".join(encoded)
    if "//" in path or not {".", ".."}.isdisjoint(unquote(path).split("/")):
        raise NoSuchRoute(
            f"The route {name!r} ({template.text}) cannot have these values: browsers rewrite '//', '.' and '..', "
            "and proxies do."
        )
    if len(texts) > 0 and not _reads_back(template, texts):
        raise NoSuchRoute(f"The route {name!r} ({template.text}) would read these values back as others: {texts}.")
    return path


def _text_of(name: str, key: str, value: object, converter: Converter[Any]) -> str:
    """Format the value; a text that the converter reads is taken as it is."""
    try:
        text = _formatted(value, converter)
        bounded_convert(converter)(text)
    except Exception as exc:
        raise NoSuchRoute(f"The route {name!r} cannot have {value!r} as {key!r}: {exc}.") from None
    return text


def _formatted(value: object, converter: Converter[Any]) -> str:
    try:
        return converter.format(value)
    except Exception:
        if isinstance(value, str):
            return value
        raise


def _encode(segment: Segment, texts: Mapping[str, str], template: Template) -> str:
    part = segment[0]
    if isinstance(part, Placeholder) and template.converters[part.name].spans_segments:
        return _encode_span(texts[part.name], is_last=segment is template.segments[-1])
    decoded = (texts[part.name] if isinstance(part, Placeholder) else part for part in segment)
    return quote("".join(decoded), safe=_SAFE)


def _encode_span(text: str, *, is_last: bool) -> str:
    """Keep "/" where it is harmless; beside an empty segment it becomes %2F, which browsers leave alone."""
    segments = text.split("/")
    path = quote(segments[0], safe=_SAFE)
    for index in range(1, len(segments)):
        pair = segments[index - 1 : index + 1]
        is_end = is_last and index == len(segments) - 1 and pair[1] == ""
        is_beside_nothing = "" in (pair[:1] if is_end else pair)
        path += ("%2F" if is_beside_nothing else "/") + quote(segments[index], safe=_SAFE)
    return path


def _reads_back(template: Template, texts: Mapping[str, str]) -> bool:
    pieces = (
        texts[part.name] if isinstance(part, Placeholder) else part for s in template.segments for part in ("/", *s)
    )
    matcher = Matcher[None]()
    matcher.add(template, ("GET",), None)
    found = matcher.find("GET", "".join(pieces))
    if found is None:
        return False
    return all(_same(template.converters[key], found[1][key], text) for key, text in texts.items())


def _same(converter: Converter[Any], value: object, text: str) -> bool:
    return bool(value == bounded_convert(converter)(text))
