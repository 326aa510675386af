"""How is the value of one provider made, and what is left to close? One function per provider, made at compile."""

from collections.abc import Awaitable, Callable
from functools import partial
from types import CoroutineType
from typing import Any

from nexios._injection.exits import Exits
from nexios._injection.graph import Call, Node
from nexios._injection.limiter import Limiter
from nexios._injection.manner import Manner, as_context, says_its_result
from nexios.concurrency import Threads
from nexios.places import name_of, place_of

__all__ = ["Open", "Workers", "by_position", "opener_of", "value_of"]

Open = Callable[..., Awaitable[Any]]
"""Takes the exits to add to, then the arguments of the provider; gives its value."""


class Workers:
    """The threads that providers run in, and others for closing them: who closes must never wait for who opens."""

    __slots__ = ("closing", "opening")

    def __init__(self, opening: Threads) -> None:
        self.opening: Threads = opening
        self.closing: Threads = Threads(4)

    def close(self) -> None:
        """Let go of the threads for closing; the others are the app's."""
        self.closing.close()


def by_position(call: Call) -> Callable[..., Any]:
    """Return the function of a call as one that takes all filled parameters by position."""
    names = tuple(argument.parameter.name for argument in call.arguments if argument.by_name)
    if not names:
        return call.fn
    fn, count = call.fn, len(call.arguments) - len(names)

    def named(*given):  # type: ignore[no-untyped-def]  # annotations cost time on each request
        return fn(*given[:count], **dict(zip(names, given[count:], strict=True)))

    return named


def value_of(node: Node, workers: Workers) -> tuple[Callable[..., Any], bool]:
    """Return what makes the value of a provider that opens nothing, and whether that has to be awaited."""
    call = by_position(node.call)
    if node.manner is Manner.COROUTINE:
        return call, True
    if not says_its_result(node.call.fn):
        call = _looked_at(node.call.fn, call)
    if node.options.thread:
        run = workers.opening.run_in_thread
        return lambda *given: run(call, *given), True
    return call, False


def _looked_at(provider: Callable[..., Any], call: Callable[..., Any]) -> Callable[..., Any]:
    """A `lambda: fetch()` is no async function, though it gives a coroutine, which would be nobody's to await."""

    def value(*given):  # type: ignore[no-untyped-def]  # annotations cost time on each request
        made = call(*given)
        if type(made) is CoroutineType:
            made.close()
            raise _not_awaited(provider, name_of(made))
        return made

    return value


def _not_awaited(provider: Callable[..., Any], coroutine: str) -> TypeError:
    name = name_of(provider)
    return TypeError(
        f"The provider {name} returned {coroutine}() without awaiting it, so its value would be a coroutine.\n\n"
        f"  {place_of(provider)}   {name}\n\n"
        f"Pass the async function itself:\n\n    Depend({coroutine})\n\n"
        "or make the provider an `async def` that awaits it."
    )


def opener_of(node: Node, workers: Workers, limiter: Limiter | None) -> Open:
    """Return what makes the value of a provider and leaves its exit behind."""
    opens = _opener(node, workers)
    if limiter is None:
        return opens

    async def limited(exits, *given):  # type: ignore[no-untyped-def]
        await limiter.acquire()
        exits.push(limiter.release)
        return await opens(exits, *given)

    return limited


def _opener(node: Node, workers: Workers) -> Open:
    if node.manner is Manner.ASYNC_CONTEXT:
        return _noting(node, _opens_async(_contexts_of(node)))
    if node.manner is Manner.CONTEXT:
        make = _contexts_of(node)
        return _noting(node, _opens_in_thread(make, workers) if node.options.thread else _opens(make))
    call, awaits = value_of(node, workers)

    async def value(_exits, *given):  # type: ignore[no-untyped-def]
        return await call(*given) if awaits else call(*given)

    return value


def _contexts_of(node: Node) -> Callable[..., Any]:
    return by_position(Call(as_context(node.call.fn), node.call.arguments))


def _opens_async(make: Callable[..., Any]) -> Open:
    async def opens(exits, *given):  # type: ignore[no-untyped-def]
        return await exits.enter_async(make(*given))

    return opens


def _opens(make: Callable[..., Any]) -> Open:
    async def opens(exits, *given):  # type: ignore[no-untyped-def]
        return exits.enter(make(*given))

    return opens


def _opens_in_thread(make: Callable[..., Any], workers: Workers) -> Open:
    async def opens(exits, *given):  # type: ignore[no-untyped-def]
        return await exits.enter_in_thread(partial(make, *given), workers.opening, workers.closing)

    return opens


def _noting(node: Node, opens: Open) -> Open:
    """Add the provider's place to what `contextlib` says of a generator that does not yield."""

    async def noting(exits: Exits, *given: Any) -> Any:
        try:
            return await opens(exits, *given)
        except RuntimeError as exc:
            if str(exc) == "generator didn't yield":
                exc.add_note(_says(node))
            raise

    return noting


def _says(node: Node) -> str:
    fn = node.call.fn
    return f"\n  {place_of(fn)}   {name_of(fn)}()\n\nA provider yields its value once, on every way through it."
