"""Which settings has an application, and where does each value come from?

An argument wins over the environment, the environment over the default. The
environment names a field in capitals after `NEXIOS_`, and a field of `Limits`
after `NEXIOS_LIMITS__`:

    NEXIOS_DEBUG=true
    NEXIOS_LIMITS__MAX_BODY_SIZE=1048576
    NEXIOS_LIMITS__BODY_READ_TIMEOUT=none
    NEXIOS_SECRET_KEY_FILE=/run/secrets/key

A list is written with commas: `NEXIOS_ALLOWED_ORIGINS=https://a.example,https://b.example`.

Every fault is found before anything is reported, so one start shows them all;
the value of a secret is in no message and no repr. Other variables that begin
with `NEXIOS_` are left alone, as deployments have theirs, but for one warning of
those that are nearly a setting; an unknown one under `NEXIOS_LIMITS__` is a
fault, because a limit that is misspelt protects nothing.
"""

import logging
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Final, Literal, Self, TypeVar, cast, get_args, get_type_hints

import msgspec

from nexios.errors import ConfigurationError

__all__ = ["BadMessages", "Limits", "Settings", "Slashes"]

BadMessages = Literal["answer", "raise"]
"""What becomes of a WebSocket message that is not what the handler asked for: the client is told, or the handler."""

Slashes = Literal["strict", "redirect", "ignore"]
"""What `/users/` means where only `/users` is a route: nothing, a redirect, or the same."""

_T = TypeVar("_T")

logger: logging.Logger = logging.getLogger("nexios")

_PREFIX: Final = "NEXIOS_"
_LIMITS_PREFIX: Final = "NEXIOS_LIMITS__"
_FILE_SUFFIX: Final = "_FILE"
_ORIGINS: Final = tuple[str, ...]
"""The type of the one setting that is a list."""
_SCHEME_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.")
"""RFC 3986 section 3.1. Apps on phones have schemes of their own."""
_HIDDEN: Final = "(hidden)"
_BOOLEANS: Final = {
    "true": True, "1": True, "yes": True, "on": True,
    "false": False, "0": False, "no": False, "off": False,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of everything a client may send, and how long it may take.

    Shape:  no number is negative; None, where the type has it, is "no limit".
    Units:  bytes for sizes, received ones and not announced ones; seconds for timeouts; counts for the rest.

    >>> Limits(max_body_size=1024).max_body_size
    1024

    Raises:
        ConfigurationError: Names every field that is of the wrong type or negative.
    """

    max_body_size: int | None = 10 * 1024 * 1024
    max_form_fields: int = 1000
    max_form_files: int = 100
    max_form_part_size: int = 1024 * 1024
    """One text field, in either encoding."""
    max_form_text_size: int = 8 * 1024 * 1024
    """All text fields of one form together."""
    spool_size: int = 1024 * 1024
    """An upload beyond this is kept on disk instead of in memory."""
    max_part_headers: int = 16
    max_part_header_size: int = 8 * 1024
    max_query_params: int = 1000
    max_query_size: int = 64 * 1024
    max_json_depth: int = 100
    max_message_size: int = 1024 * 1024
    """One WebSocket message, after its frames are joined."""
    max_messages_per_second: float | None = field(default=None, metadata={"minimum": 1})
    """How fast the messages of one WebSocket are read, with as many at once; a client that is faster has to wait."""
    websocket_receive_timeout: float | None = None
    """The longest silence of a client while a message of its WebSocket is awaited; then it is closed."""
    max_websockets: int | None = None
    """How many WebSockets one process serves at once; one more is denied with 503. The app's value counts."""
    max_streams: int | None = None
    """How many event streams and JSON Lines one process sends at once; one more is answered with 503."""
    max_ranges: int = 10
    max_headers: int = 200
    max_header_size: int = 64 * 1024
    """All header names and values of one request together."""
    max_path_size: int = 8 * 1024
    body_read_timeout: float | None = 30.0
    """The longest silence of a client while its body is read."""
    send_timeout: float | None = 60.0
    """The longest a client may refuse to take more of a response."""

    def __post_init__(self) -> None:
        _report("Limits", _faults_of(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one application, frozen when it is made.

    Units:  seconds for `shutdown_grace` and `startup_timeout` (None waits as long as it takes).

    >>> Settings.from_environment({"NEXIOS_DEBUG": "yes"}, title="shop").debug
    True

    Raises:
        ConfigurationError: Names every field that is of the wrong type or out of range.
    """

    debug: bool = False
    title: str = "nexios"
    version: str = "0.1.0"
    slashes: Slashes = "redirect"
    limits: Limits = field(default_factory=Limits)
    thread_limit: int = field(default_factory=lambda: min(40, 4 * (os.cpu_count() or 1)), metadata={"minimum": 1})
    """How many worker threads run `def` handlers at once."""
    shutdown_grace: float = 10.0
    """How long background tasks may go on when the app stops. Requests in flight are the server's to wait for."""
    startup_timeout: float | None = None
    secret_key: str | None = field(default=None, repr=False, metadata={"secret": True})
    allowed_origins: tuple[str, ...] = ()
    """Pages of which other origins may open WebSockets here, as "https://app.example:8443"; "*" is all of them."""
    bad_messages: BadMessages = "answer"
    """Who is told of a WebSocket message that is not what the handler asked for: the client, or the handler."""
    restarting: bool = False
    """Whether another process takes the place of this one when it stops: WebSockets close with 1012 then, not 1001."""

    def __post_init__(self) -> None:
        if isinstance(self.allowed_origins, list):
            object.__setattr__(self, "allowed_origins", tuple(self.allowed_origins))
        _report("Settings", _faults_of(self))

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None, **arguments: object) -> Self:
        """Return the settings that `arguments`, then `environ` (by default `os.environ`), then the defaults give.

        `limits` may be a `Limits`, which replaces all of them, or a mapping of the few that change.
        A secret may be in the file that `NEXIOS_SECRET_KEY_FILE` names, without the white space around it.

        Raises:
            ConfigurationError: Names every unknown argument and every invalid value.
        """
        source = os.environ if environ is None else environ
        limits = arguments.pop("limits", {})
        faults: list[_Fault] = []
        values = _collect(cls, _PREFIX, source, arguments, faults)
        if isinstance(limits, Mapping):
            values["limits"] = _collect_limits(source, cast("Mapping[object, object]", limits), faults)
        elif isinstance(limits, Limits):
            values["limits"] = limits
        else:
            faults.append(_Fault("limits", f"expected a Limits or a mapping of its fields, got {_shown(limits)}"))
        _report("Settings", faults)
        _warn_of_near_misses(source)
        return _make(cls, values)


def _make(cls: Callable[..., _T], values: Mapping[str, object]) -> _T:
    return cls(**values)


@dataclass(frozen=True, slots=True)
class _Fault:
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.name}: {self.text}"


def _report(owner: str, faults: Iterable[_Fault]) -> None:
    lines = [f"  {fault}" for fault in faults]
    if lines:
        raise ConfigurationError("\n".join([f"{owner} cannot be made:", "", *lines]))


def _faults_of(instance: "Limits | Settings") -> Iterator[_Fault]:
    for spec in _specs(type(instance)).values():
        value: object = getattr(instance, spec.name)
        if not spec.accepts(value):
            yield spec.fault(spec.name, value)


def _collect(
    cls: "type[Limits | Settings]",
    prefix: str,
    environ: Mapping[str, str],
    arguments: Mapping[str, object],
    faults: list[_Fault],
) -> dict[str, object]:
    """Return the values that are given for the fields of `cls`; what is wrong goes to `faults`."""
    specs = _specs(cls)
    values: dict[str, object] = {}
    for name, value in arguments.items():
        if name not in specs:
            faults.append(_unknown(name, specs))
        elif not specs[name].accepts(value):
            faults.append(specs[name].fault(name, value))
        else:
            values[name] = value
    for spec in specs.values():
        if spec.name not in arguments and spec.hint is not Limits:
            _collect_variable(spec, prefix + spec.name.upper(), environ, values, faults)
    return values


def _collect_variable(
    spec: "_Spec", variable: str, environ: Mapping[str, str], values: dict[str, object], faults: list[_Fault]
) -> None:
    try:
        text = _read_variable(spec, variable, environ)
        if text is not None:
            values[spec.name] = spec.parse(variable, text)
    except _InvalidVariable as exc:
        faults.append(exc.fault)


def _read_variable(spec: "_Spec", variable: str, environ: Mapping[str, str]) -> str | None:
    """A secret may be in a file instead, as container platforms mount it."""
    path = environ.get(variable + _FILE_SUFFIX) if spec.secret else None
    if path is None:
        return environ.get(variable)
    if variable in environ:
        raise _InvalidVariable(_Fault(variable, f"expected either this or {variable}{_FILE_SUFFIX}, got both"))
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as exc:
        raise _InvalidVariable(
            _Fault(variable + _FILE_SUFFIX, f"expected a readable UTF-8 file, got {_shown(path)}")
        ) from exc


def _collect_limits(environ: Mapping[str, str], arguments: Mapping[object, object], faults: list[_Fault]) -> Limits:
    named = {str(name): value for name, value in arguments.items()}
    own: list[_Fault] = []
    values = _collect(Limits, _LIMITS_PREFIX, environ, named, own)
    faults.extend(replace(fault, name=_dotted(fault.name)) for fault in own)
    known = {_LIMITS_PREFIX + name.upper() for name in _specs(Limits)}
    for variable in sorted(environ):
        if variable.startswith(_LIMITS_PREFIX) and variable not in known:
            faults.append(_unknown(variable, known))
    return _make(Limits, values)


def _warn_of_near_misses(environ: Mapping[str, str]) -> None:
    """One line for all; names alone, since a value may be a secret under a misspelt name."""
    known = {_PREFIX + name.upper() for name in _specs(Settings) if name != "limits"}
    known |= {f"{_PREFIX}{spec.name.upper()}{_FILE_SUFFIX}" for spec in _specs(Settings).values() if spec.secret}
    known |= {_LIMITS_PREFIX + name.upper() for name in _specs(Limits)}
    unread = sorted(name for name in environ if name.startswith(_PREFIX) and name not in known)
    near = [(name, match) for name in unread if (match := _nearest(name, known)) is not None]
    if near:
        words = ", ".join(f"{name} (did you mean {match}?)" for name, match in near)
        logger.warning("nothing reads these environment variables: %s", words)


def _nearest(name: str, known: Iterable[str]) -> str | None:
    """Without what all names begin with, which would make them all alike."""
    found = get_close_matches(name.removeprefix(_PREFIX), [one.removeprefix(_PREFIX) for one in known], n=1, cutoff=0.7)
    return _PREFIX + found[0] if found else None


def _dotted(name: str) -> str:
    return name if name.startswith(_PREFIX) else f"limits.{name}"


def _unknown(name: str, known: Iterable[str]) -> _Fault:
    """The value is left out: it may be a secret under a misspelt name."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1)
    advice = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
    return _Fault(name, f"no such setting; {advice}")


class _InvalidVariable(Exception):
    def __init__(self, fault: _Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


@dataclass(frozen=True, slots=True)
class _Spec:
    """What one field takes: `hint` is its type without None."""

    name: str
    hint: object
    optional: bool
    minimum: int
    secret: bool

    def accepts(self, value: object) -> bool:
        if value is None:
            return self.optional
        if self.hint is Limits:
            return isinstance(value, Limits)
        if self.hint == _ORIGINS:
            return isinstance(value, tuple | list) and all(map(_is_origin, cast("Iterable[object]", value)))
        try:
            converted: object = msgspec.convert(value, self.hint, strict=True)
        except msgspec.ValidationError:
            return False
        if isinstance(converted, int | float):
            return math.isfinite(converted) and converted >= self.minimum
        return converted != "" or not self.secret

    def parse(self, variable: str, text: str) -> object:
        """Raises _InvalidVariable for a text that is no such value."""
        try:
            value = self._convert(text)
        except (msgspec.ValidationError, KeyError):
            raise _InvalidVariable(self.fault(variable, text)) from None
        if not self.accepts(value):
            raise _InvalidVariable(self.fault(variable, text))
        return value

    def _convert(self, text: str) -> object:
        if self.hint is bool:
            return _BOOLEANS[text.lower()]
        if self.hint is int or self.hint is float:
            if self.optional and text.lower() == "none":
                return None
            return msgspec.convert(text, self.hint, strict=False)
        if self.hint == _ORIGINS:
            return tuple(part.strip() for part in text.split(",")) if text.strip() else ()
        return text

    def fault(self, name: str, value: object) -> _Fault:
        return _Fault(name, f"expected {self.expected}, got {_HIDDEN if self.secret else _shown(value)}")

    @property
    def expected(self) -> str:
        if self.hint == _ORIGINS:
            return 'origins as "https://app.example" or "http://localhost:5173", without a path, or "*"'
        if self.hint is str:
            return "a str that is not empty" if self.secret else "a str"
        return f"{self._expected_word()}, or none" if self.optional else self._expected_word()

    def _expected_word(self) -> str:
        if self.hint is bool:
            return "a bool (true/false, 1/0, yes/no, on/off)"
        if self.hint is int or self.hint is float:
            return f"{'an int' if self.hint is int else 'a float'} of {self.minimum} or more"
        return "a Limits" if self.hint is Limits else f"one of {', '.join(get_args(self.hint))}"


def _is_origin(value: object) -> bool:
    """scheme://host[:port], or "*"; whether the host really is one is seen when the app compiles."""
    if not isinstance(value, str):
        return False
    scheme, _, host = value.partition("://")
    plain = value.isascii() and value.isprintable() and not any(letter in "/?#@*, \\" for letter in host)
    return value == "*" or (plain and host != "" and scheme[:1].isalpha() and _SCHEME_LETTERS.issuperset(scheme))


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _specs(cls: "type[Limits | Settings]") -> dict[str, _Spec]:
    return _specs_of("Limits" if issubclass(cls, Limits) else "Settings")


@cache
def _specs_of(name: Literal["Limits", "Settings"]) -> dict[str, _Spec]:
    """The cache holds two: reading type hints costs more than all the rest of making a Limits."""
    cls = Limits if name == "Limits" else Settings
    hints = get_type_hints(cls)
    return {one.name: _spec(one.name, hints[one.name], one.metadata) for one in fields(cls)}


def _spec(name: str, hint: object, metadata: Mapping[str, object]) -> _Spec:
    arguments = get_args(hint)
    optional = type(None) in arguments
    plain = next(one for one in arguments if one is not type(None)) if optional else hint
    minimum = metadata.get("minimum", 0)
    return _Spec(name, plain, optional, minimum if isinstance(minimum, int) else 0, metadata.get("secret") is True)
