"""Who hears an event, in which order, and what happens when a listener fails?

A failing listener is logged and the others still run, so that an event can't
break the request it tells of; `strict=True` lets the exception out instead, as
startup wants it. Cancellation is never held back, and nothing that an event
carried is kept.
"""

import logging
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import partial
from inspect import isawaitable
from typing import Final, TypeVar, overload
from weakref import WeakMethod

import msgspec

from nexios.errors import ConfigurationError
from nexios.events.names import PARENTS

__all__ = ["MAX_DEPTH", "MAX_LISTENERS", "EventEmitter", "Listener"]

Listener = Callable[..., object]
"""A function, sync or async, that takes what `emit` is given. A sync one runs in the event loop: it must be quick."""

CallListener = Callable[[Listener, tuple[object, ...], Mapping[str, object]], object]

_L = TypeVar("_L", bound=Listener)

MAX_DEPTH: Final = 32
"""How deep a listener may emit what leads to itself."""
MAX_LISTENERS: Final = 100
"""Over this many for one name a listener is probably added again and again; a warning says so."""

_logger = logging.getLogger("nexios")


class _Subscription(msgspec.Struct, eq=False):
    name: str
    listener: Listener
    priority: int
    number: int
    once: bool
    strict: bool
    over: bool = False
    """Removed, or `once` and called: an emit under way leaves it out."""


class _Emission(msgspec.Struct, eq=False):
    """One `emit` under way. A task that outlives it, as one spawned by a listener, starts to count anew."""

    depth: int
    over: bool = False


_current: ContextVar[_Emission | None] = ContextVar("nexios_emission", default=None)


class _TooDeepError(RecursionError):
    """Goes through every listener on the way, or two that emit each other would run 2**32 times."""


class EventEmitter:
    """The listeners of one app, by the name of the event.

    One per app; for the tasks of one event loop.

    >>> events = EventEmitter()
    >>> @events.on("order.paid")
    ... async def send_receipt(order): ...
    >>> events.has_listeners("order.paid")
    True
    """

    __slots__ = ("_call_listener", "_changed", "_count", "_subscriptions", "_warned")

    def __init__(self, call: CallListener | None = None) -> None:
        """`call` makes the call of a listener, where it needs more than its arguments."""
        self._call_listener = _called if call is None else call
        self._subscriptions: dict[str, tuple[_Subscription, ...]] = {}
        self._count = 0
        self._warned: set[str] = set()
        self._changed: list[WeakMethod[Callable[[], object]]] = []

    @overload
    def on(
        self, name: str, listener: None = None, *, priority: int = 0, once: bool = False, strict: bool = False
    ) -> Callable[[_L], _L]: ...

    @overload
    def on(self, name: str, listener: _L, *, priority: int = 0, once: bool = False, strict: bool = False) -> _L: ...

    def on(
        self, name: str, listener: _L | None = None, *, priority: int = 0, once: bool = False, strict: bool = False
    ) -> _L | Callable[[_L], _L]:
        """Call `listener` at every event of that name, or decorate it; the listener is returned as it was.

        `request` and `websocket` mean every `request.*` and `websocket.*` of nexios. The higher `priority`
        comes first, then who was added first. `once` hears one event; `strict` lets its exceptions out of `emit`.

        Raises:
            ConfigurationError: The name is not a text, or the listener cannot be called.
        """
        _check_name(name)
        if listener is None:
            return partial(self._add, name, priority, once, strict)
        return self._add(name, priority, once, strict, listener)

    @overload
    def once(
        self, name: str, listener: None = None, *, priority: int = 0, strict: bool = False
    ) -> Callable[[_L], _L]: ...

    @overload
    def once(self, name: str, listener: _L, *, priority: int = 0, strict: bool = False) -> _L: ...

    def once(
        self, name: str, listener: _L | None = None, *, priority: int = 0, strict: bool = False
    ) -> _L | Callable[[_L], _L]:
        """`on` with `once=True`: the listener is removed before its first call."""
        if listener is None:
            return self.on(name, priority=priority, once=True, strict=strict)
        return self.on(name, listener, priority=priority, once=True, strict=strict)

    def off(self, name: str, listener: Listener) -> bool:
        """Remove `listener` from the name it was added under; tell whether it was there.

        An emit that is under way no longer calls it.
        """
        found = [one for one in self._subscriptions.get(name, ()) if one.listener == listener]
        for subscription in found:
            self._remove(subscription)
        return bool(found)

    def has_listeners(self, name: str) -> bool:
        """Tell whether `emit(name)` would call anyone; takes the same time however many there are."""
        return name in self._subscriptions or PARENTS.get(name) in self._subscriptions

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """Everyone who listens to something now, each name's in the order of their calls."""
        return tuple(one.listener for subscriptions in self._subscriptions.values() for one in subscriptions)

    def on_change(self, callback: Callable[[], object]) -> None:
        """Call a method, while its object lives, when an event gets its first listener or loses its last."""
        self._changed.append(WeakMethod(callback, self._changed.remove))

    async def emit(self, name: str, *args: object, **kwargs: object) -> None:
        """Call every listener of `name`, one after the other, each awaited.

        Those who listen when it begins are called; who is added meanwhile hears the next one.

        Raises:
            Exception: Whatever a strict listener raised; the listeners after it are not called.
        """
        subscriptions = self._listening(name)
        if not subscriptions:
            return
        outer = _current.get()
        emission = _Emission(1 if outer is None or outer.over else outer.depth + 1)
        if emission.depth > MAX_DEPTH:
            raise _TooDeepError(f"event {name!r} leads to itself: it was emitted by its own listeners {MAX_DEPTH} deep")
        _current.set(emission)
        try:
            for subscription in subscriptions:
                await self._call(subscription, emission, args, kwargs)
        finally:
            emission.over = True
            _current.set(outer)

    def _listening(self, name: str) -> tuple[_Subscription, ...]:
        own = self._subscriptions.get(name, ())
        parent = PARENTS.get(name)
        shared = () if parent is None else self._subscriptions.get(parent, ())
        return tuple(sorted(own + shared, key=_rank)) if own and shared else own or shared

    async def _call(
        self, subscription: _Subscription, emission: _Emission, args: tuple[object, ...], kwargs: dict[str, object]
    ) -> None:
        if subscription.over:
            return
        if subscription.once:
            self._remove(subscription)
        try:
            result = self._call_listener(subscription.listener, args, kwargs)
            if isawaitable(result):
                await result
        except Exception as exc:
            is_inner = isinstance(exc, _TooDeepError) and emission.depth > 1
            if subscription.strict or is_inner:
                raise
            _log_failure(subscription, exc)

    def _add(self, name: str, priority: int, once: bool, strict: bool, listener: _L) -> _L:
        if not callable(listener):
            raise ConfigurationError(f"A listener of {name!r} must be a function, not {type(listener).__name__}.")
        self._count += 1
        subscription = _Subscription(name, listener, priority, self._count, once, strict)
        subscriptions = (*self._subscriptions.get(name, ()), subscription)
        self._subscriptions[name] = tuple(sorted(subscriptions, key=_rank))
        if len(subscriptions) == 1:
            self._tell_changed()
        if len(subscriptions) > MAX_LISTENERS and name not in self._warned:
            self._warned.add(name)
            _logger.warning("event %r has over %d listeners; is one added at every request?", name, MAX_LISTENERS)
        return listener

    def _remove(self, subscription: _Subscription) -> None:
        subscription.over = True
        left = tuple(one for one in self._subscriptions.get(subscription.name, ()) if one is not subscription)
        if left:
            self._subscriptions[subscription.name] = left
        else:
            self._subscriptions.pop(subscription.name, None)
            self._tell_changed()

    def _tell_changed(self) -> None:
        for reference in tuple(self._changed):
            if (callback := reference()) is not None:
                callback()


def _called(listener: Listener, args: tuple[object, ...], kwargs: Mapping[str, object]) -> object:
    return listener(*args, **kwargs)


def _check_name(name: object) -> None:
    if callable(name):
        raise ConfigurationError(
            f"{_name_of(name)}() is decorated with 'on' and no event. Name it:\n\n    @app.event_emitter.on('startup')"
        )
    if not isinstance(name, str) or not name:
        raise ConfigurationError(f"An event needs a name, as 'order.paid', not {name!r}.")


def _rank(subscription: _Subscription) -> tuple[int, int]:
    return -subscription.priority, subscription.number


def _log_failure(subscription: _Subscription, exc: Exception) -> None:
    name = _name_of(subscription.listener)
    _logger.error("listener %s of event %r failed", name, subscription.name, exc_info=exc)


def _name_of(listener: object) -> str:
    """Never the repr: it may show what the listener was made with."""
    plain = listener.func if isinstance(listener, partial) else listener
    named = plain if hasattr(plain, "__qualname__") else type(plain)
    return f"{named.__module__}.{getattr(named, '__qualname__', '?')}"
