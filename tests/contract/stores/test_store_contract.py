"""What every store does with its entries."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from nexios.stores.base import Store
from tests.contract.stores.store_engines import StoreEngine

Call = Callable[[Store], Awaitable[object]]

EVERY_BYTE = bytes(range(256))
ODD_KEYS = (
    "a",
    "ａ",
    "A",
    "K",
    "\u212a",  # the sign of Kelvin
    "\u00e4",
    "a\u0308",
    "1-2",
    "12",
    "1:2",
    " a",
    "a ",
    "a\n",
    "a%",
    "a_",
    "a*",
    "a?",
    "[a]",
    "a'b\"c`",
    "\\a",
    "../a",
    "😀",
    "\x01",
    "x" * 543,
    "x" * 544,
    "x" * 20_000,
    "x" * 19_999 + "y",
    "ä" * 10_000,
)

METHODS: dict[str, Call] = {
    "get": lambda store: store.get("key"),
    "set": lambda store: store.set("key", b"new"),
    "add": lambda store: store.add("key", b"new"),
    "replace": lambda store: store.replace("key", b"new", expected=b"old"),
    "update": lambda store: store.update("key", b"new"),
    "touch": lambda store: store.touch("key", expires_in=60),
    "delete": lambda store: store.delete("key"),
    "clear": lambda store: store.clear("key"),
}


async def test_what_was_never_kept_is_not_there(store: Store) -> None:
    assert await store.get("key") is None


async def test_what_is_kept_is_there_until_something_else_is(store: Store) -> None:
    await store.set("key", b"one")
    assert await store.get("key") == b"one"

    await store.set("key", b"two")
    assert await store.get("key") == b"two"


@pytest.mark.parametrize("value", [b"", b"\0", EVERY_BYTE, b"x" * 1_048_576], ids=["empty", "nul", "every", "1 MiB"])
async def test_a_value_is_any_bytes(store: Store, value: bytes) -> None:
    await store.set("key", value)
    assert await store.get("key") == value
    assert await store.replace("key", value + b"!", expected=value)
    assert await store.get("key") == value + b"!"


async def test_keys_are_any_text_and_compare_exactly(store: Store) -> None:
    """F17 is about two keys that were folded into one."""
    for number, key in enumerate(ODD_KEYS):
        assert await store.add(key, b"%d" % number), key

    assert [await store.get(key) for key in ODD_KEYS] == [b"%d" % number for number in range(len(ODD_KEYS))]


@pytest.mark.parametrize("key", ["", "\0", "a\0b", "\ud800", "a\udcff"], ids=ascii)
async def test_a_key_without_text_or_with_nul_or_lone_surrogates_is_refused(store: Store, key: str) -> None:
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: store.get(key),
        lambda: store.set(key, b""),
        lambda: store.add(key, b""),
        lambda: store.replace(key, b"", expected=b""),
        lambda: store.update(key, b""),
        lambda: store.touch(key, expires_in=1),
        lambda: store.delete(key),
    ]
    for call in calls:
        with pytest.raises(ValueError):
            await call()
    if key:
        with pytest.raises(ValueError):
            await store.clear(key)


async def test_keys_and_values_of_other_types_are_refused(store: Store) -> None:
    wrong: Any = b"key"
    with pytest.raises(TypeError):
        await store.get(wrong)
    for value in ("text", 5, None, bytearray(b"x")):
        content: Any = value
        with pytest.raises(TypeError):
            await store.set("key", content)
    assert await store.get("key") is None


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
async def test_something_is_kept_for_a_time_or_for_ever(store: Store, seconds: float) -> None:
    with pytest.raises(ValueError, match="expires_in"):
        await store.set("key", b"", expires_in=seconds)
    with pytest.raises(ValueError, match="expires_in"):
        await store.touch("key", expires_in=seconds)


async def test_add_keeps_what_is_there(store: Store) -> None:
    assert await store.add("key", b"one") is True
    assert await store.add("key", b"two") is False
    assert await store.get("key") == b"one"

    await store.delete("key")
    assert await store.add("key", b"two") is True


async def test_replace_wants_the_value_that_is_there(store: Store) -> None:
    assert await store.replace("key", b"new", expected=b"") is False
    await store.set("key", b"one")
    assert await store.replace("key", b"new", expected=b"on") is False
    assert await store.get("key") == b"one"

    assert await store.replace("key", b"two", expected=b"one") is True
    assert await store.get("key") == b"two"


async def test_what_was_deleted_stays_deleted_when_it_is_updated(store: Store) -> None:
    """F6: a slow request must not bring a session back that a logout has ended."""
    assert await store.update("key", b"new") is False
    assert await store.get("key") is None

    await store.set("key", b"one")
    assert await store.update("key", b"two") is True
    assert await store.get("key") == b"two"
    assert await store.delete("key") is True
    assert await store.update("key", b"three") is False
    assert await store.get("key") is None


async def test_delete_says_whether_there_was_something(store: Store) -> None:
    assert await store.delete("key") is False
    await store.set("key", b"one", expires_in=60)
    assert await store.delete("key") is True
    assert await store.delete("key") is False


async def test_clear_removes_what_begins_so_and_nothing_else(store: Store) -> None:
    for key in ("a:1", "a:2", "a:" + "x" * 1000, "a", "b:1", "aa:1", "a_1", "A:1", "a:ÿ", "a:😀"):
        await store.set(key, b"", expires_in=3600)

    assert await store.clear("a:") == 5
    assert await store.get("a:1") is None
    assert await store.get("a:" + "x" * 1000) is None
    assert await store.get("a") == b""
    assert await store.clear("a:") == 0
    assert await store.clear("") == 5
    assert await store.get("b:1") is None


@pytest.mark.parametrize("prefix", ["%", "_", "*", "?", "[ab]", "\\", "a\\*", "'", "^", "x" * 600, "ä" * 300])
async def test_the_beginning_to_clear_is_no_pattern(store: Store, prefix: str) -> None:
    await store.set(prefix + "1", b"")
    await store.set(prefix + "x" * 700, b"")
    await store.set("ab", b"")
    await store.set("a", b"")

    assert await store.clear(prefix) == 2
    assert await store.get("a") == b""
    assert await store.get("ab") == b""


async def test_what_has_a_time_is_gone_at_its_time(engine: StoreEngine, store: Store) -> None:
    await store.set("short", b"", expires_in=engine.moment)
    await store.set("long", b"", expires_in=3600)
    await store.set("for ever", b"")

    await engine.let_time_pass(engine.moment)

    assert await store.get("short") is None
    assert await store.get("long") == b""
    assert await store.get("for ever") == b""


@pytest.mark.parametrize("method", METHODS)
async def test_what_has_expired_is_not_there_for_any_method(engine: StoreEngine, store: Store, method: str) -> None:
    await store.set("key", b"old", expires_in=engine.moment)
    await engine.let_time_pass(engine.moment)

    answer = await METHODS[method](store)

    is_kept = method in ("set", "add")
    assert answer == {"get": None, "set": None, "add": True, "clear": 0}.get(method, False)
    assert await store.get("key") == (b"new" if is_kept else None)


@pytest.mark.parametrize("method", ["set", "replace", "update"])
async def test_a_value_without_a_time_stays_for_ever_whatever_was_before(
    engine: StoreEngine, store: Store, method: str
) -> None:
    await store.set("key", b"old", expires_in=engine.moment + 3600)
    await METHODS[method](store)
    assert await store.get("key") == b"new"

    await store.set("key", b"old", expires_in=engine.moment + 3600)
    await store.touch("key", expires_in=engine.moment)
    await store.set("key", b"new")
    await engine.let_time_pass(engine.moment)
    assert await store.get("key") == b"new"


@pytest.mark.parametrize("method", ["set", "add", "replace", "update"])
async def test_each_way_to_keep_a_value_has_a_time(engine: StoreEngine, store: Store, method: str) -> None:
    if method != "add":
        await store.set("key", b"old")
    calls: dict[str, Call] = {
        "set": lambda store: store.set("key", b"new", expires_in=engine.moment),
        "add": lambda store: store.add("key", b"new", expires_in=engine.moment),
        "replace": lambda store: store.replace("key", b"new", expected=b"old", expires_in=engine.moment),
        "update": lambda store: store.update("key", b"new", expires_in=engine.moment),
    }
    await calls[method](store)

    await engine.let_time_pass(engine.moment)

    assert await store.get("key") is None


async def test_touch_changes_the_time_and_nothing_else(engine: StoreEngine, store: Store) -> None:
    assert await store.touch("key", expires_in=3600) is False

    await store.set("longer", b"one", expires_in=engine.moment * 4)
    await store.set("shorter", b"two", expires_in=3600)
    await store.set("ending", b"three")
    assert await store.touch("longer", expires_in=3600) is True
    assert await store.touch("shorter", expires_in=engine.moment) is True
    assert await store.touch("ending", expires_in=engine.moment) is True

    await engine.let_time_pass(engine.moment * 4)
    assert await store.get("longer") == b"one"
    assert await store.get("shorter") is None
    assert await store.get("ending") is None


async def test_a_time_of_centuries_is_no_mistake(store: Store) -> None:
    await store.set("key", b"", expires_in=1e300)
    assert await store.touch("key", expires_in=float("inf")) is True
    assert await store.get("key") == b""


async def test_stores_of_two_apps_know_nothing_of_each_other(engine: StoreEngine, store: Store) -> None:
    other = engine.other()
    await other.start()
    await other.set("key", b"other")

    assert await store.get("key") is None
    assert await store.clear("") == 0
    assert await other.get("key") == b"other"
    await other.stop()
