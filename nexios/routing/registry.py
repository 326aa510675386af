"""The names of converters: what does `int` in `{id:int}` stand for?

There is one default registry, filled by `register_path_converter`, and every
application may have one of its own that is looked into first. A name is resolved
when a template is compiled; routes compiled before keep the converter they have.
"""

import difflib
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from nexios.errors import ConfigurationError
from nexios.routing.converters import BUILT_IN_CONVERTERS, RANK_CUSTOM, Converter

__all__ = ["DEFAULT_CONVERTERS", "ConverterRegistry", "FunctionConverter", "register_path_converter"]


class FunctionConverter(Converter[Any]):
    """A converter put together from functions and, if given, a pattern that the whole text must match.

    A text longer than `max_length` characters never reaches the pattern, so even a
    pattern that backtracks cannot hold up the server for long.

    >>> FunctionConverter(regex="[0-9a-f]+", convert=lambda text: int(text, 16)).convert("ff")
    255
    """

    def __init__(
        self,
        *,
        regex: str | None = None,
        convert: Callable[[str], object] = str,
        to_string: Callable[[Any], str] = str,
        rank: int = RANK_CUSTOM,
        max_length: int | None = 255,
    ) -> None:
        try:
            self._pattern = None if regex is None else re.compile(regex)
        except re.error as exc:
            raise ConfigurationError(f"The pattern {regex!r} of a path converter is not valid: {exc}.") from exc
        self._convert = convert
        self._to_string = to_string
        self.rank = rank
        self.max_length = max_length

    def convert(self, text: str) -> object:
        """Return what the function makes of `text`, if the pattern matches the whole of it."""
        if self._pattern is not None and self._pattern.fullmatch(text) is None:
            raise ValueError("the pattern does not match")
        return self._convert(text)

    def format(self, value: object) -> str:
        """Return the text that the function for it makes of `value`."""
        return self._to_string(value)


class ConverterRegistry:
    """Converters by name. What it does not know, its parent may.

    Lifetime: one per application, and the default one for the process. Not for use from several threads at once.

    >>> ConverterRegistry(DEFAULT_CONVERTERS).get("int").convert("7")
    7
    """

    __slots__ = ("_converters", "_parent")

    def __init__(
        self, parent: "ConverterRegistry | None" = None, *, converters: Mapping[str, Converter[Any]] | None = None
    ) -> None:
        self._parent = parent
        self._converters: dict[str, Converter[Any]] = dict(converters or {})

    def register(
        self,
        name: str,
        converter: object = None,
        *,
        regex: str | None = None,
        convert: Callable[[str], object] | None = None,
        to_string: Callable[[Any], str] | None = None,
        rank: int = RANK_CUSTOM,
        max_length: int | None = 255,
        replace: bool = False,
    ) -> None:
        """Make `{...:name}` mean `converter`, or the functions given in its place.

        `converter` is a Converter, a subclass of it, or any object with `convert`
        and either `format` or `to_string` (and possibly `regex`). A name that was
        registered before is taken over; a built-in one only with `replace=True`.

        Raises:
            ConfigurationError: The name is not an identifier or is built in, or the converter is none.
        """
        _check_name(name, replace=replace)
        parts = (regex, convert, to_string)
        if converter is None:
            if all(part is None for part in parts):
                raise ConfigurationError(f"The path converter {name!r} has neither a converter nor 'convert='.")
            converter = FunctionConverter(
                regex=regex, convert=convert or str, to_string=to_string or str, rank=rank, max_length=max_length
            )
        elif any(part is not None for part in parts):
            raise ConfigurationError(
                f"The path converter {name!r} has a converter and 'regex/convert/to_string' as well."
            )
        self._converters[name] = _as_converter(name, converter)

    def find(self, name: str) -> Converter[Any] | None:
        """Return the converter of this name, or None."""
        found = self._converters.get(name)
        if found is None and self._parent is not None:
            return self._parent.find(name)
        return found

    def get(self, name: str) -> Converter[Any]:
        """Return the converter of this name.

        Raises:
            ConfigurationError: There is none; the text lists those there are.
        """
        found = self.find(name)
        if found is None:
            known = self.names()
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ConfigurationError(
                f"The path converter {name!r} is not known.{hint} Known are: {', '.join(known)}.\n"
                f"For one of your own: register_path_converter({name!r}, MyConverter)"
            )
        return found

    def names(self) -> list[str]:
        """Return every name that `get` knows, sorted."""
        inherited = self._parent.names() if self._parent is not None else []
        return sorted({*inherited, *self._converters})


DEFAULT_CONVERTERS: Final = ConverterRegistry(converters=BUILT_IN_CONVERTERS)


def register_path_converter(
    name: str,
    converter: object = None,
    *,
    regex: str | None = None,
    convert: Callable[[str], object] | None = None,
    to_string: Callable[[Any], str] | None = None,
    rank: int = RANK_CUSTOM,
    max_length: int | None = 255,
    replace: bool = False,
) -> None:
    """Make `{...:name}` mean `converter` in every application of the process; see `ConverterRegistry.register`.

    Raises:
        ConfigurationError: The name is not an identifier or is built in, or the converter is none.
    """
    DEFAULT_CONVERTERS.register(
        name,
        converter,
        regex=regex,
        convert=convert,
        to_string=to_string,
        rank=rank,
        max_length=max_length,
        replace=replace,
    )


def _check_name(name: str, *, replace: bool) -> None:
    if not (name.isascii() and name.isidentifier()):
        raise ConfigurationError(f"{name!r} cannot name a path converter: it must be an identifier of ASCII letters.")
    if name in BUILT_IN_CONVERTERS and not replace:
        raise ConfigurationError(f"The path converter {name!r} is built in. To change it, add replace=True.")


def _as_converter(name: str, given: object) -> Converter[Any]:
    instance = _instance_of(name, given)
    if isinstance(instance, Converter):
        return instance
    convert = getattr(instance, "convert", None)
    to_string: Any = getattr(instance, "format", None) or getattr(instance, "to_string", None)
    if not callable(convert) or not callable(to_string):
        raise ConfigurationError(
            f"The path converter {name!r} is {given!r}, which has no convert(text) and format(value).\n"
            "Derive it from nexios.routing.Converter, or give convert= and to_string=."
        )
    pattern = getattr(instance, "regex", None)
    return FunctionConverter(regex=getattr(pattern, "pattern", pattern), convert=convert, to_string=to_string)


def _instance_of(name: str, given: object) -> object:
    if not inspect.isclass(given):
        return given
    try:
        return given()
    except TypeError as exc:
        raise ConfigurationError(
            f"The path converter {name!r} cannot be made: {given.__name__}() says {exc}.\nRegister an instance instead."
        ) from exc
