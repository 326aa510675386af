"""In which order do providers run, and what is each given? A list of slots, and steps that fill them.

    slot 0, 1, ...   leaves: filled by whoever runs the program
    the slots after  one for each provider, filled by its step from the slots before

A program is compiled once and shared; the slots are one list per run.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from enum import IntEnum
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec

from nexios._injection.app_values import AppValues
from nexios._injection.graph import Call, Leaf, Node
from nexios._injection.limiter import Limiter
from nexios._injection.opening import Workers, by_position, opener_of, value_of

__all__ = ["Program", "Programs", "Step", "StepKind", "Take", "Values"]

Values = list[Any]
Take = Callable[[Values], Sequence[Any]]
"""Picks the arguments of a call out of the slots."""


class StepKind(IntEnum):
    """What has to be done with the call of a step."""

    PLAIN = 0
    AWAITED = 1
    OPENED = 2
    """Awaited, and given the exits of the request first."""
    OPENED_FOR_HANDLER = 3
    """Awaited, and given the exits of the handler first."""
    SHARED = 4
    """As OPENED, unless the request has the value already."""


class Step(NamedTuple):
    """One provider. A tuple, because unpacking one is the cheapest way to read its fields."""

    slot: int
    kind: int
    call: Callable[..., Any]
    first: int
    """The slot of its only argument; -1 for none, -2 when `take` picks several."""
    take: Take
    node: Node
    sources: tuple[int, ...]
    """The slots that it reads."""


class Program(msgspec.Struct, frozen=True, eq=False):
    """How to call one function with all that it needs, directly and at second hand."""

    leaves: tuple[Leaf, ...]
    """What fills the first slots."""
    blank: Values
    """The slots before a run; copy it."""
    early: tuple[Step, ...]
    """The providers that need no late leaf."""
    late: tuple[Step, ...]
    call: Callable[..., Any]
    """The function, taking by position what `take` picks."""
    take: Take
    is_managed: bool
    """Whether a step needs scopes."""
    closes_early: bool
    """Whether something is to be closed when the function has returned."""


class Programs:
    """Compiles programs that share worker threads, limits and the values of the app."""

    def __init__(self, workers: Workers, app_values: AppValues) -> None:
        self._workers = workers
        self._app_values = app_values
        self._limiters: dict[Hashable, Limiter] = {}
        self._shared: set[Hashable] = set()
        self._of_app: dict[Hashable, Node] = {}

    @property
    def of_app(self) -> tuple[Node, ...]:
        """What the programs so far need of the app: made when it starts."""
        return tuple(self._of_app.values())

    def share(self, nodes: Iterable[Node]) -> None:
        """Let the values of these providers, and of those they need, be one for all programs of a request.

        To be told before any program is compiled that shares them.
        """
        self._shared.update(node.key for node in in_order(nodes) if node.scope == "request" and node.options.cache)

    def compile(
        self,
        call: Call,
        *,
        guards: Sequence[Node] = (),
        first: Sequence[Leaf] = (),
        is_late: Callable[[Leaf], bool] = lambda leaf: False,
    ) -> Program:
        """Return the program that runs `guards`, then what `call` needs, then `call`.

        `first` are leaves that get the first slots, in this order; late ones (the body) get the last. Providers
        that need a late leaf run after all others, so that a guard can refuse before there is one.
        """
        order = in_order(needed) if (needed := (*guards, *call.nodes)) else []
        calls = [*(node.call for node in order if node.scope != "app"), call]
        leaves = tuple(sorted(dict.fromkeys([*first, *_leaves_of(calls)]), key=is_late))
        late = _late(order, is_late)
        if late:
            order = [*(node for node in order if node not in late), *(node for node in order if node in late)]
        sources: list[Leaf | Node] = [*leaves, *order]
        slots = {source: slot for slot, source in enumerate(sources)}
        steps = [self._step(node, slots) for node in order]
        early = len(order) - len(late)
        return Program(
            leaves=leaves,
            blank=[None] * len(slots),
            early=tuple(steps[:early]),
            late=tuple(steps[early:]),
            call=by_position(call),
            take=_take([slots[argument.source] for argument in call.arguments]),
            is_managed=any(step.kind >= StepKind.OPENED for step in steps),
            closes_early=any(step.kind == StepKind.OPENED_FOR_HANDLER for step in steps),
        )

    def _step(self, node: Node, slots: dict[Leaf | Node, int]) -> Step:
        sources = [] if node.scope == "app" else [slots[argument.source] for argument in node.call.arguments]
        first = sources[0] if len(sources) == 1 else -1 if not sources else -2
        kind, call = self._kind_and_call(node)
        return Step(slots[node], int(kind), call, first, _take(sources), node, tuple(sources))

    def _kind_and_call(self, node: Node) -> tuple[StepKind, Callable[..., Any]]:
        if node.scope == "app":
            self._of_app[node.key] = node
            return StepKind.AWAITED, self._app_values.reader(node)
        if node.key in self._shared:
            return StepKind.SHARED, opener_of(node, self._workers, self._limiter(node))
        if node.is_context:
            kind = StepKind.OPENED_FOR_HANDLER if node.scope == "handler" else StepKind.OPENED
            return kind, opener_of(node, self._workers, self._limiter(node))
        call, awaits = value_of(node, self._workers)
        return StepKind.AWAITED if awaits else StepKind.PLAIN, call

    def _limiter(self, node: Node) -> Limiter | None:
        """One for all who ask for the provider with these words, whether they share a value or not."""
        limit, wait = node.options.limit, node.options.wait
        if limit is None:
            return None
        return self._limiters.setdefault((node.likeness.provider, limit, wait), Limiter(limit, wait))


def in_order(nodes: Iterable[Node]) -> list[Node]:
    """Return the nodes and all that they need, each once and after what it needs; what the app keeps is one."""
    done: dict[Node, None] = {}

    def visit(node: Node) -> None:
        if node in done:
            return
        if node.scope != "app":
            for needed in node.call.nodes:
                visit(needed)
        done[node] = None

    for node in nodes:
        visit(node)
    return list(done)


def _leaves_of(calls: Iterable[Call]) -> Iterator[Leaf]:
    for call in calls:
        yield from (argument.source for argument in call.arguments if isinstance(argument.source, Leaf))


def _late(order: Sequence[Node], is_late: Callable[[Leaf], bool]) -> set[Node]:
    """The nodes that need a late leaf, themselves or at second hand."""
    late: set[Node] = set()
    for node in order:
        sources = (argument.source for argument in node.call.arguments)
        if any(source in late if isinstance(source, Node) else is_late(source) for source in sources):
            late.add(node)
    return late


def _take(slots: Sequence[int]) -> Take:
    if len(slots) > 1:
        return itemgetter(*slots)
    if not slots:
        return lambda values: ()
    only = slots[0]
    return lambda values: (values[only],)
