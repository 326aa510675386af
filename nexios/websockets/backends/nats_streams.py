"""What does one ask of a stream of JetStream? To be there, to store, to tell the last, to read on, and to forget.

Requests and answers are those of the JetStream API: https://docs.nats.io/reference/reference-protocols/nats_api_reference.
Reading is the batched direct get of NATS 2.11: no consumer is made, and any replica answers.
"""

import asyncio
import base64
import json
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, unquote

import msgspec

from nexios.errors import ConfigurationError
from nexios.websockets.backends.base import BackendUnavailable
from nexios.websockets.backends.nats_wire import Msg, Wire

__all__ = ["MAX_AGE", "TTL", "Found", "Stream", "name_of", "token_of"]

TTL: Final = "Nats-TTL"
"""The header that says for how long a message is stored. Units: whole seconds, at least 1."""

MAX_AGE: Final = 86_400
"""Seconds for which the number of a message outlives its body, so that a pause is no gap."""

_GONE: Final = "Nexios-Gone"
_NOT_FOUND: Final = 10059
_OTHERWISE: Final = 10058
_NO_MESSAGE: Final = 10037
_PAGE: Final = {"batch": 1000, "max_bytes": 4 * 1024 * 1024}


class Found(msgspec.Struct, frozen=True):
    """One stored message: its number, subject and time (seconds since 1970), and whether it says that there is none."""

    number: int
    subject: str
    at: float
    data: bytes
    is_gone: bool = False


class Stream:
    """One stream, by way of one connection. All raise `BackendUnavailable`."""

    def __init__(self, wire: Wire, name: str) -> None:
        self._wire = wire
        self._name = name
        self._ahead = 0.0
        self._changing = asyncio.Lock()
        self.last_number: int = 0
        """That of the stream when it was last asked about."""
        self.depth: int = 0
        """How many messages of one subject it keeps."""

    @property
    def now(self) -> float:
        """The seconds since 1970 on the clock of the server, as of the last `sync`."""
        return time.monotonic() + self._ahead

    async def ensure(self, config: Mapping[str, Any]) -> None:
        """Make the stream unless it is there.

        Raises:
            ConfigurationError: There is a stream of this name, and it is not ours.
        """
        info = await self._info(_NOT_FOUND)
        if "error" in info:
            await self._api("CREATE", {**config, "name": self._name}, _OTHERWISE)
            info = await self._info()
        found = self._note(info)
        if set(found["subjects"]) != set(config["subjects"]):
            raise ConfigurationError(
                f"The NATS stream {self._name!r} is not one of nexios: it has the subjects {found['subjects']}. "
                'Choose another prefix: NatsBackend(prefix="my-app")'
            )

    async def sync(self) -> None:
        """Ask for the time of the server, and the last number."""
        self._note(await self._info())

    async def deepen(self, depth: int) -> None:
        """Have it keep so many messages of one subject, or more."""
        if depth <= self.depth:
            return
        async with self._changing:
            found = self._note(await self._info()) if depth > self.depth else {}
            if depth > self.depth:
                await self._api("UPDATE", {**found, "max_msgs_per_subject": depth})
                self.depth = depth

    async def put(self, subject: str, data: bytes, *, ttl: int | None = None, is_gone: bool = False) -> int:
        """Store a message, for `ttl` seconds, and return its number."""
        headers = {TTL: f"{ttl}s"} if ttl is not None else {}
        if is_gone:
            headers[_GONE] = "1"
        answer = await self._wire.ask(subject, data, headers=headers or None)
        return int(_checked(json.loads(answer.data))["seq"])

    async def last(self, subject: str) -> Found | None:
        """Return the last message of a subject, as the leader has it."""
        answer = await self._api("MSG.GET", {"last_by_subj": subject}, _NO_MESSAGE)
        if "error" in answer:
            return None
        message = answer["message"]
        data = base64.b64decode(message.get("data", ""))
        return Found(message["seq"], message["subject"], _seconds(message["time"]), data)

    async def page(self, subject: str, start: int = 1) -> tuple[list[Found], int]:
        """Return messages of a subject, or of all that fit a wildcard, from a number on.

        The second value is where the next page starts; 0 when there is none.
        """
        request = {"seq": start, "next_by_subj": subject, **_PAGE}
        messages, end = await self._wire.ask_many(f"$JS.API.DIRECT.GET.{self._name}", request)
        found = [_found(message) for message in messages]
        is_more = found and int(end.get("Nats-Num-Pending", "0"))
        return found, found[-1].number + 1 if is_more else 0

    async def read(self, subject: str, start: int = 1) -> list[Found]:
        """Return all pages."""
        found, following = await self.page(subject, start)
        while following:
            more, following = await self.page(subject, following)
            found += more
        return found

    async def purge(self, subject: str, *, before: int | None = None) -> None:
        """Forget what fits a subject, up to a number or all of it."""
        request = {"filter": subject} if before is None else {"filter": subject, "seq": before}
        await self._api("PURGE", request)

    async def _info(self, *expected: int) -> dict[str, Any]:
        """Ask about the stream; half of the time that it takes is the way of the answer."""
        sent = time.monotonic()
        info = await self._api("INFO", {}, *expected)
        if "ts" in info:
            self._ahead = _seconds(info["ts"]) - (sent + time.monotonic()) / 2
        return info

    def _note(self, info: Mapping[str, Any]) -> dict[str, Any]:
        """Take over what the server told, and return how the stream is set up."""
        self.last_number = info["state"]["last_seq"]
        config: dict[str, Any] = info["config"]
        self.depth = config["max_msgs_per_subject"]
        return config

    async def _api(self, verb: str, request: Mapping[str, Any], *expected: int) -> dict[str, Any]:
        """Ask the server; the answer holds an error only if its number is an expected one."""
        return _checked(await self._wire.ask_json(f"$JS.API.STREAM.{verb}.{self._name}", request), *expected)


def token_of(name: str) -> str:
    """Return a name as one token of a subject: dots, wildcards, spaces and what is not ASCII are escaped.

    >>> token_of("room:1"), token_of("a.b *>")
    ('room:1', 'a%2Eb%20%2A%3E')
    """
    return quote(name, safe=":/@+=").replace(".", "%2E")


def name_of(token: str) -> str:
    """Return the name that `token_of` was given."""
    return unquote(token)


def _found(message: Msg) -> Found:
    """Read an answer to a direct get."""
    headers = message.headers or {}
    at = _seconds(headers["Nats-Time-Stamp"])
    return Found(int(headers["Nats-Sequence"]), headers["Nats-Subject"], at, message.data, _GONE in headers)


def _seconds(time: str) -> float:
    """Read a time such as 2026-11-22T13:47:23.476244187Z."""
    return datetime.fromisoformat(time).timestamp()


def _checked(answer: dict[str, Any], *expected: int) -> dict[str, Any]:
    """Return an answer, or raise when JetStream says no."""
    error = answer.get("error")
    if error is None or error.get("err_code") in expected:
        return answer
    raise BackendUnavailable from RuntimeError(f"JetStream: {error.get('description', error)}")
