"""How is a handler called with all that it asks for? One function per route, no longer than the route needs.

    head       path, query, headers, cookies; what does not fit is kept for later
    providers  that need nothing of the body: a guard refuses before a body is read
    body       JSON, MessagePack or a form
    providers  that need something of the body
    handler

What did not fit, in head or body, is one 422.
"""

from collections.abc import Awaitable, Callable, Sequence
from inspect import Parameter as Kind
from typing import Any

import msgspec

from nexios._injection.exits import Exits
from nexios._injection.graph import Call
from nexios._injection.manner import is_async
from nexios._injection.program import Program, StepKind, Values
from nexios._injection.run import close_early, fill, fill_in_scopes
from nexios._injection.scopes import Scopes
from nexios._pipeline.inputs.body import Make, WholeReader
from nexios._pipeline.inputs.compile import Located, errors_of
from nexios._pipeline.middleware import Call as Handle
from nexios._pipeline.reading import Reading, scopes_of
from nexios._pipeline.replies import Reply
from nexios._pipeline.returns import to_response
from nexios._pipeline.sources import REQUEST, RESPONSE, path_leaf
from nexios.concurrency import Threads
from nexios.errors import InvalidInput
from nexios.models.backend import Malformed
from nexios.models.problems import Invalid
from nexios.settings import Limits

__all__ = ["compile_call"]


def compile_call(
    call: Call, program: Program, reading: Reading, *, reply: Reply | None, path_names: Sequence[str], threads: Threads
) -> Handle:
    """Return the handler as a function of request and response."""
    handler = call.fn
    if not is_async(handler):
        program = msgspec.structs.replace(program, call=_in_thread(program.call, threads))
    if program.is_managed:
        return _in_scopes(program, reading, reply)
    if isinstance(reading.body, WholeReader) and _asks_for_one_body(call, program, reading):
        return _with_body(program, reading.body, reply)
    if program.early and not reading.head and reading.body is None and _is_in_a_row(program):
        return _in_a_row(program, reply)
    if program.early or program.late or reading.body is not None or reply is not None:
        return _with_providers(program, reading, reply)
    asked = [argument.source for argument in call.arguments]
    if is_async(handler) and asked[:2] == [REQUEST, RESPONSE] and not any(a.by_name for a in call.arguments[:2]):
        if len(asked) == 2:
            return handler  # the plainest handler is its own plan
        if set(asked[2:]) == {path_leaf(name) for name in path_names} and _by_name(call):
            return lambda request, response: handler(request, response, **request._path_params)  # type: ignore[arg-type]
    return _with_head(program, reading)


def _asks_for_one_body(call: Call, program: Program, reading: Reading) -> bool:
    only_body = not (program.early or program.late or reading.head)
    return only_body and len(call.arguments) == 1 and reading.body_stop - reading.body_start == 1


def _by_name(call: Call) -> bool:
    return not any(argument.parameter.kind is Kind.POSITIONAL_ONLY for argument in call.arguments[2:])


def _in_thread(function: Callable[..., Any], threads: Threads) -> Callable[..., Awaitable[Any]]:
    run = threads.run_in_thread
    return lambda *given: run(function, *given)


def _with_head(program: Program, reading: Reading) -> Handle:
    blank, call, take, head = program.blank, program.call, program.take, reading.head

    def run(request, response):  # type: ignore[no-untyped-def]  # annotations cost time on each request
        values = blank.copy()
        values[0] = request
        values[1] = response
        try:
            for slot, read in head:
                values[slot] = read(request)
        except Located:
            raise _refusal(reading, values) from None
        return call(*take(values))

    return run


def _with_providers(program: Program, reading: Reading, reply: Reply | None) -> Handle:
    """The steps are those of `fill`, here without its call."""
    blank, early, late, call, take = program.blank, program.early, program.late, program.call, program.take
    head, body, start, stop = reading.head, reading.body, reading.body_start, reading.body_stop

    async def run(request, response):  # type: ignore[no-untyped-def]
        values = blank.copy()
        values[0] = request
        values[1] = response
        try:
            for slot, read in head:
                values[slot] = read(request)
        except Located:
            await _refuse(program, reading, values, Scopes(), Exits())
        for slot, awaits, provider, first, pick, _, _ in early:
            made = provider() if first == -1 else provider(values[first]) if first >= 0 else provider(*pick(values))
            values[slot] = await made if awaits else made
        if body is not None:
            try:
                values[start:stop] = await body(request)
            except Located as exc:
                raise errors_of([exc]) from None
            if late:
                await fill(late, values)
        result = await call(*take(values))
        return result if reply is None else reply(result, request, response)

    return run


def _is_in_a_row(program: Program) -> bool:
    """Whether the slots are, one after the other, the arguments of the function."""
    slots = range(len(program.blank))
    return len(program.leaves) == 2 and program.take(list(slots)) == tuple(slots)


def _in_a_row(program: Program, reply: Reply | None) -> Handle:
    """`handler(request, response, db=Depend(get_db))`: request, response, and what each provider makes."""
    call = program.call
    first = program.early[0]
    if len(program.early) == 1 and first.kind == StepKind.AWAITED and first.first == -1:
        return _with_one(call, first.call, reply)
    steps = tuple((step.kind, step.call, step.first, step.take) for step in program.early)

    async def run(request, response):  # type: ignore[no-untyped-def]
        values = [request, response]
        for awaits, provider, first, pick in steps:
            made = provider() if first == -1 else provider(values[first]) if first >= 0 else provider(*pick(values))
            values.append(await made if awaits else made)
        result = await call(*values)
        return result if reply is None else reply(result, request, response)

    return run


def _with_one(call: Callable[..., Any], provider: Callable[..., Any], reply: Reply | None) -> Handle:
    """One async provider that needs nothing, as most have."""

    async def run(request, response):  # type: ignore[no-untyped-def]
        result = await call(request, response, await provider())
        return result if reply is None else reply(result, request, response)

    return run


def _with_body(program: Program, reader: WholeReader, reply: Reply | None) -> Handle:
    """Nothing but the one body is asked for, as by `create(order: Order) -> Receipt`: the steps of its reader."""
    call, open_, plain, quick = program.call, reader.open, reader.plain, reader.quick

    async def run(request, response):  # type: ignore[no-untyped-def]
        limits, body = request._target.limits, None
        make: Any = plain
        if request._body is None and plain is not None:
            body = request._transport.json_at_hand(limits.max_body_size)
        if body is None:
            whole, make = open_(request)
            body = whole.take()
            if body is None:
                body = await whole.wait()
        try:
            value = quick(body) if quick is not None and make is plain else _made(make, body, limits)
        except (Invalid, Malformed):  # of the quick way alone
            value = _made(make, body, limits)
        result = await call(value)
        return result if reply is None else reply(result, request, response)

    return run


def _made(make: Make, body: bytes, limits: Limits) -> Any:
    try:
        return make(body, limits)
    except Located as exc:
        raise errors_of([exc]) from None


def _in_scopes(program: Program, reading: Reading, reply: Reply | None) -> Handle:
    """Something is opened: it is closed when the handler fails, and otherwise when its scope ends."""
    blank, call, take, closes_early = program.blank, program.call, program.take, program.closes_early

    async def run(request, response):  # type: ignore[no-untyped-def]
        scopes = scopes_of(request)
        inner, keep = Exits(), len(scopes.exits)
        values = blank.copy()
        values[0] = request
        values[1] = response
        try:
            await _fill_all(program, reading, values, scopes, inner)
            result = await call(*take(values))
            if reply is not None:
                result = reply(result, request, response)
            if closes_early:
                result = to_response(result, response)  # while all is open that it may lean on
                await close_early(inner)
            return result
        except BaseException as exc:
            raise await scopes.unwind(inner, keep, exc)  # noqa: B904  (each exit has set what it was raised in)

    return run


async def _fill_all(program: Program, reading: Reading, values: Values, scopes: Scopes, inner: Exits) -> None:
    try:
        for slot, read in reading.head:
            values[slot] = read(values[0])
    except Located:
        await _refuse(program, reading, values, scopes, inner)
    await fill_in_scopes(program.early, values, scopes, inner)
    if reading.body is not None:
        try:
            values[reading.body_start : reading.body_stop] = await reading.body(values[0])
        except Located as exc:
            raise errors_of([exc]) from None
        await fill_in_scopes(program.late, values, scopes, inner)


async def _refuse(program: Program, reading: Reading, values: Values, scopes: Scopes, inner: Exits) -> None:
    """The head does not fit. Guards still speak first; then all that does not fit is said at once.

    When a provider cannot be asked, because its own input is wrong, it may be a guard: the body stays unread.
    """
    found: list[Located] = []
    failed = _read_head(reading, values, found)
    all_asked = True
    for step in program.early:
        if failed.isdisjoint(step.sources):
            await fill_in_scopes((step,), values, scopes, inner)
        else:
            failed.add(step.slot)
            all_asked = False
    if reading.body is not None and all_asked:
        try:
            await reading.body(values[0])
        except Located as exc:
            found.append(exc)
    raise errors_of(found)


def _refusal(reading: Reading, values: Values) -> InvalidInput:
    found: list[Located] = []
    _read_head(reading, values, found)
    return errors_of(found)


def _read_head(reading: Reading, values: Values, found: list[Located]) -> set[int]:
    """Read on whatever fails; return the slots that stay empty."""
    failed: set[int] = set()
    for slot, read in reading.head:
        try:
            values[slot] = read(values[0])
        except Located as exc:
            found.append(exc)
            failed.add(slot)
    return failed
