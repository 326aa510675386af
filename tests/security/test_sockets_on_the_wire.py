"""Section I of the security notes and R19, byte by byte, over every server that nexios runs on."""

import asyncio
import base64
import json
import os
import signal
import socket
import struct
import time
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.servers import SERVERS, Running, Server, eventually, running
from tests.security.kit import KIB, MIB

pytestmark = pytest.mark.slow

APP = "tests.security.sockets_app:app"
TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9


@pytest.fixture(scope="module", params=SERVERS, ids=lambda server: server.name)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    server: Server = request.param
    if not server.installed:
        pytest.skip(f"{server.package} is not installed")
    with running(server, APP, tmp_path_factory.mktemp("sockets"), {}) as here:
        yield here
        assert here.process.poll() is None, here.log


class Wire:
    """A connection that sends what it likes."""

    def __init__(self, site: Running) -> None:
        self.socket = socket.create_connection(site.address, timeout=20)
        self.rest = b""

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *exc: object) -> None:
        self.socket.close()

    def head(self) -> bytes:
        """Read the head of an answer; b"" when there is none."""
        while b"\r\n\r\n" not in self.rest:
            if not (data := self._more()):
                return b""
            self.rest += data
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        return head

    def shakes_hands(self, path: str = "/echo", *fields: str, **replaced: str) -> int:
        """Send a handshake, and return the status of the answer; 0 when there is none."""
        usual = {
            "Host": "good.example",
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        }
        usual |= {name.replace("_", "-"): value for name, value in replaced.items()}
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in usual.items() if value), *fields]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        head = self.head()
        return int(head.split(b" ", 2)[1]) if head else 0

    def sends(self, opcode: int, payload: bytes, *, final: bool = True, masked: bool = True, bits: int = 0) -> None:
        """Send one frame."""
        first = (128 if final else 0) | bits | opcode
        size, mask = len(payload), os.urandom(4) if masked else b""
        flag = 128 if masked else 0
        if size < 126:
            head = struct.pack("!BB", first, flag | size)
        elif size < 65536:
            head = struct.pack("!BBH", first, flag | 126, size)
        else:
            head = struct.pack("!BBQ", first, flag | 127, size)
        if masked:
            key = (mask * (size // 4 + 1))[:size]
            payload = (int.from_bytes(payload) ^ int.from_bytes(key)).to_bytes(size)
        try:
            self.socket.sendall(head + mask + payload)
        except OSError:
            pass  # the server was quicker

    def frame(self) -> tuple[int, bytes]:
        """Read one frame; (0, b"") when the connection has ended."""
        while True:
            found = self._whole_frame()
            if found is not None and found[0] != PING:
                return found
            if found is None:
                if not (data := self._more()):
                    return 0, b""
                self.rest += data

    def ends(self) -> int:
        """Read on until the close frame, and return its code; 1006 where the connection ends without one."""
        while (frame := self.frame())[0] not in (CLOSE, 0):
            pass
        if frame[0] == 0:
            return 1006
        return struct.unpack("!H", frame[1][:2])[0] if len(frame[1]) >= 2 else 1005

    def _whole_frame(self) -> tuple[int, bytes] | None:
        if len(self.rest) < 2:
            return None
        opcode, size, start = self.rest[0] & 15, self.rest[1] & 127, 2
        if size >= 126:
            start = 4 if size == 126 else 10
            if len(self.rest) < start:
                return None
            size = int.from_bytes(self.rest[2:start])
        if len(self.rest) < start + size:
            return None
        payload, self.rest = self.rest[start : start + size], self.rest[start + size :]
        return opcode, payload

    def _more(self) -> bytes:
        try:
            return self.socket.recv(65536)
        except ConnectionError:
            return b""


def is_alive(site: Running) -> bool:
    with Wire(site) as wire:
        assert wire.shakes_hands() == 101, site.log
        wire.sends(TEXT, b"12345")
        return wire.frame() == (TEXT, b"5")


def left_of(site: Running) -> dict[str, int]:
    with Wire(site) as wire:
        wire.socket.sendall(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        wire.head()
        while data := wire._more():
            wire.rest += data
        left: dict[str, int] = json.loads(wire.rest[wire.rest.index(b"{") : wire.rest.index(b"}") + 1])
        return left


# I1: sizes


def test_i1_a_message_over_1_mib_ends_its_connection_and_nothing_else(site: Running) -> None:
    """CVE-2018-1000518: in one frame, and in many fragments."""
    for fragments in (1, 17):
        with Wire(site) as wire:
            assert wire.shakes_hands() == 101
            piece = b"x" * (MIB // fragments + KIB)
            for number in range(fragments):
                wire.sends(TEXT if not number else 0, piece, final=number == fragments - 1)
            assert wire.ends() in (1009, 1005, 1006)
    assert is_alive(site)


def test_i1_a_message_that_inflates_beyond_the_limit_ends_its_connection(site: Running) -> None:
    """CVE-2026-44545, CVE-2026-54274: 64 MiB in 64 KiB."""
    with Wire(site) as wire:
        assert wire.shakes_hands(Sec_WebSocket_Extensions="permessage-deflate") == 101
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        bomb = packer.compress(b"\0" * 64 * MIB) + packer.flush(zlib.Z_SYNC_FLUSH)
        wire.sends(BINARY, bomb[:-4], bits=64)
        assert wire.ends() in (1009, 1002, 1005, 1006)
    assert is_alive(site)


def test_r7_many_tiny_messages_are_all_answered_and_starve_nobody(site: Running) -> None:
    with Wire(site) as flood:
        assert flood.shakes_hands() == 101
        flood.socket.sendall(b"\x81\x81\0\0\0\0x" * 10_000)
        assert is_alive(site)
        assert {flood.frame() for _ in range(10_000)} == {(TEXT, b"1")}


# I3: whose page it is


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://good.example.evil.example",
        "http://evilgood.example",
        "http://sub.good.example",
        "http://good.example:8080",
        "http://good.example@evil.example",
        "http://good.example/",
        "http://good.example\t.evil.example",
        "http://[::1]",
        "file://",
        "http://GOOD.EXAMPLE.evil.example",
        "http://good.example, http://evil.example",
    ],
)
def test_i3_a_foreign_page_gets_403_and_no_handshake(site: Running, origin: str) -> None:
    """CVE-2019-13611, CVE-2022-42975, CVE-2026-59950."""
    with Wire(site) as wire:
        assert wire.shakes_hands("/room", Origin=origin, Cookie="session=1") in (403, 400)
    assert left_of(site) == {"sockets": 0, "channels": 0}


def test_i3_two_origins_or_hosts_open_nothing(site: Running) -> None:
    for field in ("Origin: http://evil.example", "Origin: http://good.example", "Host: evil.example"):
        with Wire(site) as wire:
            assert wire.shakes_hands("/room", field, Origin="http://good.example") in (403, 400)


def test_i3_our_own_page_comes_in_whatever_the_case_of_its_letters(site: Running) -> None:
    with Wire(site) as wire:
        assert wire.shakes_hands("/room", Origin="HTTP://Good.Example") == 101


# I4: malformed handshakes and frames


HANDSHAKES: dict[str, dict[str, str]] = {
    "no key": {"Sec_WebSocket_Key": ""},
    "a short key": {"Sec_WebSocket_Key": "short"},
    "a key that is no base64": {"Sec_WebSocket_Key": "\xff" * 24},
    "an old version": {"Sec_WebSocket_Version": "12"},
    "no version": {"Sec_WebSocket_Version": ""},
    "odd subprotocols": {"Sec_WebSocket_Protocol": "\xff\xfe, , ,"},
    "a thousand subprotocols": {"Sec_WebSocket_Protocol": ",".join(f"p{number}" for number in range(1000))},
    "an odd window": {"Sec_WebSocket_Extensions": "permessage-deflate; client_max_window_bits=99999999999"},
    "a long extension": {"Sec_WebSocket_Extensions": "x" * 4000},
    "no upgrade": {"Connection": "keep-alive"},
    "another upgrade": {"Upgrade": "h2c"},
    "no host": {"Host": ""},
    "a host that is none": {"Host": "\xff"},
    "a body that never comes": {"Content_Length": "10"},
    "chunks that never come": {"Transfer_Encoding": "chunked"},
}


@pytest.mark.parametrize("kind", HANDSHAKES)
def test_i4_a_malformed_handshake_leaves_the_server_alive(site: Running, kind: str) -> None:
    """CVE-2026-42544, CVE-2022-21676, CVE-2022-41940, CVE-2023-31125."""
    with Wire(site) as wire:
        wire.socket.settimeout(0.5)
        try:
            assert wire.shakes_hands(**HANDSHAKES[kind]) in (0, 101, 200, 400, 403, 404, 405, 411, 426, 431, 500, 501)
        except TimeoutError:
            pass  # it waits for the body that was announced
    assert is_alive(site)


FRAMES: dict[str, tuple[int, bytes, dict[str, Any]]] = {
    "a reserved opcode": (3, b"x", {}),
    "a reserved bit": (TEXT, b"x", {"bits": 32}),
    "compressed and not agreed": (TEXT, b"x", {"bits": 64}),
    "no mask": (TEXT, b"x", {"masked": False}),
    "text that is no UTF-8": (TEXT, b"\xff\xfe", {}),
    "a surrogate": (TEXT, b"\xed\xa0\x80", {}),
    "a long ping": (PING, b"x" * 126, {}),
    "a ping in pieces": (PING, b"x", {"final": False}),
    "a continuation of nothing": (0, b"x", {}),
    "a close with one byte": (CLOSE, b"x", {}),
    "a close with a reserved code": (CLOSE, struct.pack("!H", 1005), {}),
    "a close with a code of zero": (CLOSE, b"\0\0", {}),
    "a reason that is no UTF-8": (CLOSE, struct.pack("!H", 1000) + b"\xff", {}),
    "a reason with line breaks": (CLOSE, struct.pack("!H", 4000) + b"\r\nFORGED\x1b[2J", {}),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_i4_a_malformed_frame_ends_one_connection_and_no_server(site: Running, kind: str) -> None:
    opcode, payload, options = FRAMES[kind]
    with Wire(site) as wire:
        assert wire.shakes_hands("/room") == 101
        wire.sends(opcode, payload, **options)
        wire.sends(CLOSE, struct.pack("!H", 1000))
        wire.ends()
    assert is_alive(site)
    eventually(lambda: left_of(site) == {"sockets": 0, "channels": 0}, "the end of the conversation")
    assert "\nFORGED" not in site.log


def test_i4_handshakes_that_never_end_keep_nobody_out(site: Running) -> None:
    """A slow loris: what waits for the end of a head is the server's, and no conversation of ours."""
    with_heads = [Wire(site) for _ in range(100)]
    try:
        for wire in with_heads:
            wire.socket.sendall(b"GET /room HTTP/1.1\r\nHost: good.example\r\nUpgrade: websocket\r\nX: ")
        assert is_alive(site)
        eventually(lambda: left_of(site)["sockets"] == 0, "the end of what was alive")
    finally:
        for wire in with_heads:
            wire.socket.close()


def test_i4_a_client_that_breaks_off_is_forgotten(site: Running) -> None:
    for _ in range(20):
        wire = Wire(site)
        assert wire.shakes_hands("/room") == 101
        wire.sends(TEXT, b"x" * 1000)
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wire.socket.close()
    eventually(lambda: left_of(site) == {"sockets": 0, "channels": 0}, "the end of the conversations")


# L6: errors


def test_l6_the_words_of_an_error_stay_on_the_server(site: Running) -> None:
    with Wire(site) as wire:
        assert wire.shakes_hands("/fails") == 101
        wire.sends(TEXT, b"x")
        payload = wire.frame()[1]
        assert b"canary" not in payload + wire.rest
    with Wire(site) as wire:
        assert wire.shakes_hands("/fails-early") in (500, 403)
        wire.socket.settimeout(0.2)
        try:
            wire.rest += wire._more()
        except TimeoutError:
            pass
        assert b"canary" not in wire.rest
    eventually(lambda: "canary" in site.log, "the lines in the log")
    assert is_alive(site)


# I10: what follows a denial


def test_i10_nothing_that_follows_a_denied_handshake_is_taken_for_a_request(site: Running) -> None:
    """CVE-2026-69243: the frames of a client that did not wait are no request of the next one."""
    with Wire(site) as wire:
        smuggled = b"GET /slow HTTP/1.1\r\nHost: good.example\r\n\r\n"
        assert wire.shakes_hands("/room", Origin="https://evil.example") == 403
        wire.sends(BINARY, smuggled)
        wire.socket.settimeout(3)
        try:
            while data := wire._more():
                wire.rest += data
        except TimeoutError:
            pass
        assert b"done" not in wire.rest
    assert is_alive(site)


# R19


@pytest.mark.parametrize(
    "server", [one for one in SERVERS if one.package in ("h11", "httptools")], ids=lambda one: one.name
)
async def test_r19_a_server_that_stops_answers_what_it_has_begun_and_closes_its_sockets(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """20 slow requests and 50 sockets in a room: all are answered, all are closed with 1001, within 35 seconds."""
    with running(server, APP, tmp_path_factory.mktemp("stops"), {}) as here:
        sockets = [Wire(here) for _ in range(50)]
        requests = [Wire(here) for _ in range(20)]
        try:
            assert {wire.shakes_hands("/room") for wire in sockets} == {101}
            for wire in requests:
                wire.socket.sendall(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
            await asyncio.sleep(0.3)
            begun = time.monotonic()
            here.process.send_signal(signal.SIGTERM)
            assert {await asyncio.to_thread(wire.ends) for wire in sockets} == {1001}
            answers = [await asyncio.to_thread(wire.head) for wire in requests]
            code = await asyncio.to_thread(here.process.wait, 35)
        finally:
            for wire in (*sockets, *requests):
                wire.socket.close()
        assert [head.split(b" ")[1] for head in answers] == [b"200"] * 20
        assert (code, time.monotonic() - begun < 35) == (server.exit_code, True)
        assert "Traceback" not in here.log, here.log
