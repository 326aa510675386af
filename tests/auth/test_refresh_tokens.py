"""A refresh token is good for one exchange; used twice, it ends all that came of its sign-in (RFC 9700 4.14.2)."""

import asyncio
import logging
from typing import Any

import pytest

from nexios.auth import InvalidRefreshToken, RefreshTokenReused, RefreshTokens
from nexios.errors import ConfigurationError
from nexios.stores.base import StoreUnavailable
from nexios.stores.memory import MemoryStore

DAY = 24 * 3600.0
OTHER_SECRET = "A" * 43


class Clock:
    """Seconds that go on when a test says so."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class MeetingStore(MemoryStore):
    """Lets nobody go on who has read until so many have."""

    def __init__(self) -> None:
        super().__init__()
        self.barrier: asyncio.Barrier | None = None
        self.has_read = asyncio.Event()

    async def get(self, key: str) -> bytes | None:
        found = await super().get(key)
        if self.barrier is not None and ":family:" in key:
            self.has_read.set()
            await self.barrier.wait()
        return found


class SeenStore(MemoryStore):
    """Remembers all that was to be kept."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str | bytes] = []

    async def set(self, key: str, value: bytes, *, expires_in: float | None = None) -> None:
        self.seen += [key, value]
        await super().set(key, value, expires_in=expires_in)

    async def replace(self, key: str, value: bytes, *, expected: bytes, expires_in: float | None = None) -> bool:
        self.seen += [key, value]
        return await super().replace(key, value, expected=expected, expires_in=expires_in)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def tokens(clock: Clock) -> Any:
    tokens = RefreshTokens(MemoryStore(), clock=clock)
    async with tokens.lifespan(None):
        yield tokens


async def is_good(tokens: RefreshTokens, text: str) -> bool:
    try:
        await tokens.rotate(text)
    except InvalidRefreshToken:
        return False
    return True


async def test_each_exchange_gives_the_next_token_of_the_same_user(tokens: RefreshTokens) -> None:
    first = await tokens.issue("ada", scopes=["read", "write"])
    second = await tokens.rotate(first)
    third = await tokens.rotate(second.text)

    assert (third.user_id, third.scopes) == ("ada", ("read", "write"))
    assert len({first, second.text, third.text}) == 3
    assert all(len(text) == 66 and text.isascii() for text in (first, second.text, third.text))


async def test_a_token_that_comes_again_ends_its_family_and_is_told(tokens: RefreshTokens, caplog: Any) -> None:
    first = await tokens.issue("ada")
    second = await tokens.rotate(first)
    third = await tokens.rotate(second.text)

    with caplog.at_level(logging.WARNING, logger="nexios"), pytest.raises(RefreshTokenReused) as caught:
        await tokens.rotate(first)

    assert caught.value.user_id == "ada"
    assert (caught.value.status_code, caught.value.code) == (400, "invalid_grant")
    assert [record.message for record in caplog.records] == [
        "a refresh token was used a second time; all of its sign-in are revoked"
    ]
    assert not any(part in caplog.text for part in first.split("."))
    assert not await is_good(tokens, third.text)


async def test_another_sign_in_of_the_same_user_goes_on(tokens: RefreshTokens) -> None:
    laptop, phone = await tokens.issue("ada"), await tokens.issue("ada")
    await tokens.rotate(laptop)
    assert not await is_good(tokens, laptop)

    assert await is_good(tokens, phone)


async def test_of_two_exchanges_at_the_same_moment_one_succeeds_and_its_token_is_good() -> None:
    store = MeetingStore()
    tokens = RefreshTokens(store)
    async with tokens.lifespan(None):
        first = await tokens.issue("ada")
        store.barrier = asyncio.Barrier(2)
        results = await asyncio.gather(tokens.rotate(first), tokens.rotate(first), return_exceptions=True)
        store.barrier = None

        failed = [one for one in results if isinstance(one, BaseException)]
        assert [type(one) for one in failed] == [InvalidRefreshToken]
        assert [await is_good(tokens, one.text) for one in results if not isinstance(one, BaseException)] == [True]


async def test_an_exchange_does_not_revive_a_family_that_is_revoked_meanwhile() -> None:
    store = MeetingStore()
    tokens = RefreshTokens(store)
    async with tokens.lifespan(None):
        first = await tokens.issue("ada")
        store.barrier = asyncio.Barrier(2)
        exchange = asyncio.ensure_future(tokens.rotate(first))
        await store.has_read.wait()
        assert await tokens.revoke(first)
        await store.barrier.wait()

        with pytest.raises(InvalidRefreshToken):
            await exchange


async def test_a_sign_out_ends_the_family_by_any_token_of_it(tokens: RefreshTokens) -> None:
    first = await tokens.issue("ada")
    second = await tokens.rotate(first)

    assert await tokens.revoke(first)
    assert not await tokens.revoke(first)
    assert not await is_good(tokens, second.text)


async def test_all_families_of_a_user_end_at_once_and_a_later_sign_in_holds(tokens: RefreshTokens) -> None:
    """The clock stands still: a sign-in after the end is later all the same."""
    laptop, phone, others = await tokens.issue("ada"), await tokens.issue("ada"), await tokens.issue("bob")
    await tokens.revoke_all("ada")
    later = await tokens.issue("ada")

    found = [await is_good(tokens, text) for text in (laptop, phone, others, later)]
    assert found == [False, False, True, True]


async def test_an_end_takes_no_earlier_one_back_where_clocks_differ(tokens: RefreshTokens, clock: Clock) -> None:
    first = await tokens.issue("ada")
    clock.now += 10
    await tokens.revoke_all("ada")
    clock.now -= 11
    await tokens.revoke_all("ada")

    assert not await is_good(tokens, first)


async def test_a_token_expires_when_it_is_not_exchanged(tokens: RefreshTokens, clock: Clock) -> None:
    early, late = await tokens.issue("ada"), await tokens.issue("ada")
    clock.now += 14 * DAY - 1
    assert await is_good(tokens, early)
    clock.now += 1

    assert not await is_good(tokens, late)


async def test_a_family_expires_however_much_it_is_used(tokens: RefreshTokens, clock: Clock) -> None:
    """ASVS 5.0 10.4.8."""
    text = await tokens.issue("ada")
    for _ in range(9):
        clock.now += 10 * DAY - 1
        text = (await tokens.rotate(text)).text
    clock.now += 9

    assert not await is_good(tokens, text)


async def test_the_store_has_nothing_that_could_be_shown() -> None:
    store = SeenStore()
    tokens = RefreshTokens(store)
    async with tokens.lifespan(None):
        first = await tokens.issue("ada")
        second = (await tokens.rotate(first)).text
        await tokens.revoke_all("ada")

    kept = b"\n".join(one if isinstance(one, bytes) else one.encode() for one in store.seen)
    assert b"ended:" in kept
    assert not any(part.encode() in kept for text in (first, second) for part in text.split("."))


async def test_what_an_exchange_gives_shows_no_token(tokens: RefreshTokens) -> None:
    refreshed = await tokens.rotate(await tokens.issue("ada"))

    assert repr(refreshed) == "RefreshedToken(user_id='ada')"
    assert refreshed.__rich_repr__() == [("user_id", "ada")]


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "x", "a" * 66, "a" * 22 + "." + "ä" * 43, "a" * 22 + ".." + "a" * 42),
        *("\ud800" * 22 + "." + "a" * 43, "a" * 1_000_000, "a" * 22 + "." + "a" * 43, "a" * 22 + "." + "a" * 43 + "\n"),
    ],
    ids=["empty", "dot", "short", "no-dot", "umlauts", "two-dots", "surrogates", "huge", "unknown", "newline"],
)
async def test_what_was_never_issued_is_not_good(tokens: RefreshTokens, text: str) -> None:
    assert not await is_good(tokens, text)
    assert not await tokens.revoke(text)


async def test_a_secret_that_was_made_up_for_a_family_ends_it(tokens: RefreshTokens) -> None:
    """Whoever knows the name of a family has held one of its tokens."""
    first = await tokens.issue("ada")

    with pytest.raises(RefreshTokenReused):
        await tokens.rotate(f"{first.partition('.')[0]}.{OTHER_SECRET}")
    assert not await is_good(tokens, first)


async def test_what_is_kept_in_another_form_is_not_good_and_logged(caplog: Any) -> None:
    class Garbled(MemoryStore):
        async def set(self, key: str, value: bytes, *, expires_in: float | None = None) -> None:
            await super().set(key, b"{}", expires_in=expires_in)

    tokens = RefreshTokens(Garbled())
    async with tokens.lifespan(None):
        assert not await is_good(tokens, await tokens.issue("ada"))
    assert "cannot be read" in caplog.text


async def test_a_store_that_fails_is_no_refusal() -> None:
    class Down(MemoryStore):
        async def get(self, key: str) -> bytes | None:
            raise StoreUnavailable("it is down")

    with pytest.raises(StoreUnavailable):
        await RefreshTokens(Down()).rotate("a" * 22 + "." + "a" * 43)


@pytest.mark.parametrize("user_id", ["", None, 7], ids=["empty", "none", "number"])
async def test_a_user_id_is_a_text(tokens: RefreshTokens, user_id: Any) -> None:
    with pytest.raises(TypeError, match=r"str\(user\.id\)"):
        await tokens.issue(user_id)


async def test_scopes_are_a_list(tokens: RefreshTokens) -> None:
    with pytest.raises(TypeError, match=r"scopes=\['read'\]"):
        await tokens.issue("ada", scopes="read")


@pytest.mark.parametrize("option", ["idle_timeout", "absolute_timeout"])
@pytest.mark.parametrize("seconds", [0, -1, True, "60", float("inf")], ids=repr)
def test_a_timeout_is_a_number_of_seconds(option: str, seconds: Any) -> None:
    options: dict[str, Any] = {option: seconds}
    with pytest.raises(ConfigurationError, match=f"'{option}' of RefreshTokens is a number of seconds over 0"):
        RefreshTokens(MemoryStore(), **options)
