"""Path templates: what are the segments and the parameters of `/items/{id:int}`?

A template begins with "/" and is written decoded (`/café`, not `/caf%C3%A9`).
Between two "/" is a segment; a segment is literal text, a placeholder `{name}` or
`{name:converter}`, or both mixed (`{year:int}-{slug}.html`). Literal text means
itself: there is no wildcard and no regular expression. Two placeholders need
text between them, and one whose value may hold "/" fills a whole segment.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from nexios.errors import ConfigurationError
from nexios.places import Place
from nexios.routing.converters import Converter, is_plain
from nexios.routing.registry import DEFAULT_CONVERTERS, ConverterRegistry

__all__ = [
    "Placeholder",
    "Segment",
    "Template",
    "Templates",
    "check_prefix",
    "compile_template",
    "parse_segments",
    "segment_shape",
    "shape_of",
]


_OTHER_WORDS_FOR_STR = frozenset({"string", "str", "default"})
"""What Flask and others call the converter that needs no name here."""


class Placeholder(msgspec.Struct, frozen=True):
    """`{name:converter}`; without a converter, `str`."""

    name: str
    converter: str


Segment = tuple[str | Placeholder, ...]
"""Literal texts and placeholders in turn; an empty segment is `("",)`."""


class Template(msgspec.Struct, frozen=True):
    """A path template whose converters are known.

    Shape:  `segments` are those after the first "/"; "/" has one, and it is empty.
            `converters` has one entry a parameter, in the order of the text.

    >>> compile_template("/items/{id:int}").parameters
    ('id',)
    """

    text: str
    segments: tuple[Segment, ...]
    converters: Mapping[str, Converter[Any]]

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the path parameters, in the order of the text."""
        return tuple(self.converters)

    @property
    def shape(self) -> str:
        """The text without the parameter names: templates of one shape match the same paths."""
        return "".join(f"/{segment_shape(segment)}" for segment in self.segments)


def compile_template(
    text: str, registry: ConverterRegistry = DEFAULT_CONVERTERS, place: Place | None = None
) -> Template:
    """Parse `text` and look up its converters. `place` is where it was registered.

    Raises:
        ConfigurationError: The text is malformed, or names a converter that does not exist.
    """
    try:
        return _compile(text, registry)
    except ConfigurationError as exc:
        if place is None:
            raise
        raise ConfigurationError(f"{exc}\n\n  {place}") from None


class Templates:
    """Compiles templates, each text once. One per compile of an app, shared by all who look at its routes."""

    def __init__(self, registry: ConverterRegistry = DEFAULT_CONVERTERS) -> None:
        self._registry = registry
        self._known: dict[str, Template] = {}

    def compile(self, text: str, place: Place | None = None) -> Template:
        """Return `compile_template(text, registry, place)`. Raises as that does."""
        known = self._known.get(text)
        if known is None:
            known = self._known[text] = compile_template(text, self._registry, place)
        return known


def parse_segments(text: str) -> tuple[Segment, ...]:
    """Split a template at its slashes and braces; converters are not looked up.

    Raises:
        ConfigurationError: The text is malformed, or a parameter name appears twice.

    >>> parse_segments("/v1/{name}.txt")
    (('v1',), (Placeholder(name='name', converter='str'), '.txt'))
    """
    if not isinstance(text, str):
        raise ConfigurationError(f"A path template is a text such as '/items/{{id:int}}', not {text!r}.")
    if not text.startswith("/"):
        raise ConfigurationError(f"The path template {text!r} must begin with '/': write '/{text}'.")
    if not is_plain(text):
        raise ConfigurationError(f"The path template {text!r} has a control character, which no path may hold.")
    segments = tuple(_parse_segment(text, part) for part in text[1:].split("/"))
    if ("",) in segments[:-1]:
        raise ConfigurationError(f"The path template {text!r} has an empty segment ('//').")
    _check_names(text, segments)
    return segments


def check_prefix(prefix: str) -> str:
    """Return a prefix for templates: "" or "/...", without a slash at its end.

    Raises:
        ConfigurationError: It does not begin with "/" or is no template.

    >>> check_prefix("/api/")
    '/api'
    """
    if prefix == "":
        return ""
    parse_segments(prefix)
    return prefix.removesuffix("/")


def shape_of(text: str) -> str:
    """Return `Template.shape` without looking up converters.

    >>> shape_of("/items/{id:int}/{name}")
    '/items/{:int}/{:str}'
    """
    return "".join(f"/{segment_shape(segment)}" for segment in parse_segments(text))


def segment_shape(segment: Segment) -> str:
    """Return the text of a segment without its parameter names."""
    return "".join(part if isinstance(part, str) else f"{{:{part.converter}}}" for part in segment)


def _compile(text: str, registry: ConverterRegistry) -> Template:
    segments = parse_segments(text)
    converters: dict[str, Converter[Any]] = {}
    for segment in segments:
        for part in segment:
            if isinstance(part, Placeholder):
                converters[part.name] = _converter_of(text, segment, part, registry)
    return Template(text, segments, MappingProxyType(converters))


def _parse_segment(text: str, rest: str) -> Segment:
    parts: list[str | Placeholder] = []
    while rest:
        literal, brace, after = rest.partition("{")
        if "}" in literal:
            raise ConfigurationError(f"The path template {text!r} has a '}}' without its '{{'.")
        if literal:
            _refuse_other_style(text, literal, is_first=not parts)
            parts.append(literal)
        if not brace:
            break
        inside, closing, rest = after.partition("}")
        if not closing:
            raise ConfigurationError(f"The path template {text!r} has a '{{' without its '}}' before the next '/'.")
        if parts and isinstance(parts[-1], Placeholder):
            raise ConfigurationError(
                f"The path template {text!r} needs text between '{{{parts[-1].name}}}' and '{{{inside}}}'."
            )
        parts.append(_parse_placeholder(text, inside))
    return tuple(parts) or ("",)


def _refuse_other_style(text: str, literal: str, *, is_first: bool) -> None:
    """What other frameworks write as a placeholder would be literal text here, which no client ever asks for."""
    inside, closing, _ = literal.partition("<")[2].partition(">")
    if closing and inside:
        kind, _, name = inside.rpartition(":")
        converter = "" if kind in _OTHER_WORDS_FOR_STR else kind.partition("(")[0]
        raise _other_style(text, f"<{inside}>", name, converter)
    if is_first and literal[:1] == ":":
        name = _leading_identifier(literal[1:])
        if name:
            raise _other_style(text, f":{name}", name, "")


def _other_style(text: str, found: str, name: str, converter: str) -> ConfigurationError:
    name = name if name.isidentifier() else "name"
    ours = f"{{{name}:{converter}}}" if converter.isidentifier() else f"{{{name}}}"
    return ConfigurationError(
        f"The path template {text!r} has '{found}', which is no placeholder here and would match itself alone: "
        f"write '{ours}'."
    )


def _leading_identifier(text: str) -> str:
    end = next(
        (at for at, letter in enumerate(text) if not (letter.isascii() and (letter.isalnum() or letter == "_"))),
        len(text),
    )
    return text[:end] if text[:end].isidentifier() else ""


def _parse_placeholder(text: str, inside: str) -> Placeholder:
    name, colon, converter = inside.partition(":")
    for word in (name, converter) if colon else (name,):
        if not (word.isascii() and word.isidentifier()):
            raise ConfigurationError(
                f"The path template {text!r} has the placeholder '{{{inside}}}': "
                "write '{name}' or '{name:converter}', both identifiers of ASCII letters, without spaces."
            )
    return Placeholder(name, converter or "str")


def _check_names(text: str, segments: tuple[Segment, ...]) -> None:
    names = [part.name for segment in segments for part in segment if isinstance(part, Placeholder)]
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(f"The path template {text!r} has the parameter {name!r} more than once.")


def _converter_of(text: str, segment: Segment, part: Placeholder, registry: ConverterRegistry) -> Converter[Any]:
    if registry.find(part.converter) is None and registry.find(part.name) is not None:
        raise ConfigurationError(
            f"The path template {text!r} has '{{{part.name}:{part.converter}}}': the name comes before the converter, "
            f"write '{{{part.converter}:{part.name}}}'."
        )
    try:
        converter = registry.get(part.converter)
    except ConfigurationError as exc:
        raise ConfigurationError(f"The path template {text!r} cannot be compiled. {exc}") from None
    if converter.spans_segments and len(segment) > 1:
        raise ConfigurationError(
            f"The path template {text!r} mixes '{{{part.name}:{part.converter}}}' with other text: "
            f"a {part.converter!r} may hold '/', so it must stand between two '/' alone."
        )
    return converter
