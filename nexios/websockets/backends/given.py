"""Is that a way to an engine? What backends and hubs are given is looked at when it is given, not at the first message.

A text that tells of it names the class, what it was given without its secrets, and a line that is right.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

from nexios.errors import ConfigurationError
from nexios.websockets.backends.base import ChannelBackend, shown

__all__ = ["check_backend", "check_options", "check_url", "names_of", "refuse"]

_METHODS: Final = (
    "start",
    "stop",
    "subscribe",
    "unsubscribe",
    "publish",
    "history",
    "renew",
    "join",
    "leave",
    "present",
)
"""What a hub calls."""

_ENGINES: Final = {"nats": "nats", "tls": "nats", "postgres": "postgres", "postgresql": "postgres"}
"""The module for a scheme; any other is read as that of Redis or Valkey."""
_CLASSES: Final = {"redis": "RedisBackend", "nats": "NatsBackend", "postgres": "PostgresBackend"}
_URLS: Final = {
    "redis": "redis://localhost:6379/0",
    "nats": "nats://localhost:4222",
    "postgres": "postgresql://localhost/app",
}


def check_backend(backend: ChannelBackend) -> ChannelBackend:
    """Return what a hub is given as its backend, as it is.

    Raises:
        ConfigurationError: It is the URL of an engine, a class that nobody called, or lacks a method.
    """
    if isinstance(backend, str):
        module = _ENGINES.get(backend.partition("://")[0], "redis")
        raise ConfigurationError(
            f"The channels take a backend, and no URL as {shown(backend)!r}. Make one of it:\n\n"
            f"    from nexios.websockets.backends.{module} import {_CLASSES[module]}\n\n"
            f'    NexiosApp(channels={_CLASSES[module]}("{_URLS[module]}"))\n'
        )
    if inspect.isclass(backend):
        raise ConfigurationError(
            f"The channels take a backend, and not the class {backend.__name__}. Call it:\n\n"
            f"    NexiosApp(channels={backend.__name__}(...))\n"
        )
    missing = [name for name in _METHODS if not callable(getattr(backend, name, None))]
    if missing:
        raise ConfigurationError(
            f"The channels take a backend, and {type(backend).__name__} is none: it has no {missing[0]}(). "
            "Write one of:\n\n    NexiosApp(channels=MemoryBackend())\n"
            f'    NexiosApp(channels=RedisBackend("{_URLS["redis"]}"))\n'
        )
    return backend


def check_url(url: str, schemes: Iterable[str], engine: str, *, bare: bool = False) -> str:
    """Return the URL of an engine as it is; `bare` takes a host and a port without a scheme too.

    Raises:
        ConfigurationError: It is no text, has another scheme, or a port that is no number.

    >>> check_url("redis://localhost:6379/0", ("redis",), "redis")
    'redis://localhost:6379/0'
    """
    if not isinstance(url, str):
        refuse(engine, f"takes a URL, not {'None' if url is None else type(url).__name__}")
    scheme, divider, _ = url.partition("://")
    if not url or (scheme.lower() not in schemes if divider else not bare):
        known = ", ".join(f"{one}://" for one in schemes)
        refuse(engine, f"takes a URL that begins with {known}; not {shown(url)!r}")
    try:
        places = urlsplit(url if divider else f"//{url}").netloc.rpartition("@")[2].split(",")
        for place in places:
            urlsplit(f"//{place}").port  # noqa: B018 - it is read to be checked
    except ValueError:
        refuse(engine, f"takes a URL whose port is a number up to 65535; not {shown(url)!r}")
    return url


def check_options(engine: str, options: Mapping[str, Any], known: Iterable[str], decided: Iterable[str] = ()) -> None:
    """Look at the options for the client of an engine. `decided` are those that its URL says, whatever they are.

    Raises:
        ConfigurationError: The client takes no such option, or the URL decides it.
    """
    for name in options:
        if name in decided:
            refuse(engine, f"takes no option {name!r}: its URL says it")
        if name not in known:
            near = get_close_matches(name, [*known], n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            refuse(engine, f"takes no option {name!r}, and neither does its client{hint}")


def names_of(*functions: Callable[..., Any]) -> frozenset[str]:
    """Return the names of the parameters that functions take by name."""
    return frozenset(
        one.name
        for function in functions
        for one in inspect.signature(function).parameters.values()
        if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY) and one.name != "self"
    )


def refuse(engine: str, why: str) -> NoReturn:
    """Raise the error that says what a backend takes, and how to write it."""
    name = _CLASSES[engine]
    raise ConfigurationError(f'{name} {why}. Write it as:\n\n    {name}("{_URLS[engine]}")\n') from None
