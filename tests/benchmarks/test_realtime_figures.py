"""The pure parts of the real-time benchmarks: what a client reads, verdicts, and how the figures read."""

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.budgets import judge
from benchmarks.realtime.crowd import percentile
from benchmarks.realtime.figures import Broadcast, Engine, Fanout, Idle, RealTime, Soak
from benchmarks.realtime.report import real_time
from benchmarks.realtime.socket_client import Client, frame
from benchmarks.results import Results, load_results, save_results

HANDSHAKE = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


class Wire(asyncio.Transport):
    """The transport of a client; `written` is what it sent."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return False


def server_frame(opcode: int, payload: bytes) -> bytes:
    """A frame of a server has no mask."""
    masked = frame(opcode, payload)
    head = masked[: len(masked) - len(payload) - 4]
    return bytes((head[0], head[1] & 0x7F)) + head[2:] + payload


async def read(pieces: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    """What a client gets of what arrives in pieces, and what it answers."""
    got: list[bytes] = []
    client, wire = Client(got.append), Wire()
    client.connection_made(wire)
    for piece in pieces:
        client.data_received(piece)
    assert client.opened.done()
    return got, wire.written[1:]


@given(
    payloads=st.lists(st.sampled_from([1, 125, 126, 4000, 70_000]).map(lambda size: b"x" * size), max_size=4),
    cuts=st.lists(st.integers(0, 300_000), max_size=6),
)
async def test_frames_are_read_however_they_arrive(payloads: list[bytes], cuts: list[int]) -> None:
    data = HANDSHAKE + b"".join(server_frame(1, payload) for payload in payloads)
    ends = sorted(min(cut, len(data)) for cut in cuts)
    pieces = [data[start:end] for start, end in zip([0, *ends], [*ends, len(data)], strict=True) if start < end]

    assert await read(pieces) == (payloads, [])


async def test_a_ping_is_answered() -> None:
    assert await read([HANDSHAKE + server_frame(9, b"still there?")]) == ([], [frame(10, b"still there?")])


async def test_a_refused_handshake_is_an_error() -> None:
    client = Client(lambda payload: None)
    client.connection_made(Wire())
    client.data_received(b"HTTP/1.1 403 Forbidden\r\n\r\n")

    assert str(client.opened.exception()) == "HTTP/1.1 403 Forbidden"


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(number) for number in range(1, 101)]

    assert [percentile(values, share) for share in (0.5, 0.99, 0.999)] == [51.0, 100.0, 100.0]


def fanout(framework: str, *, rate: float, p99: float) -> Fanout:
    return Fanout(framework, 100, 30_000.0, rate, rate, 10.0, p99, 80.0, p99, 0)


def measured(**parts: Any) -> RealTime:
    return RealTime("2026-01-31", "3.11.7", 500, {"uvicorn": "0.54.0"}, **parts)


def words(figures: RealTime) -> dict[str, str]:
    verdicts = judge(Results(realtime=figures))
    return {verdict.budget.title: verdict.word for verdict in verdicts if verdict.figure is not None}


def test_a_broadcast_costs_at_most_two_and_a_half_loops_by_hand() -> None:
    title = "one message to 1,000 members in process"

    assert words(measured(broadcast=Broadcast(1000, 300, 66.0, 165.0, 2.5))) == {title: "ok"}
    assert words(measured(broadcast=Broadcast(1000, 300, 66.0, 166.0, 2.51))) == {title: "over"}


def test_sockets_are_compared_with_each_peer() -> None:
    ours = fanout("nexios", rate=1.2, p99=0.8)
    by_hand = fanout("Starlette, by hand", rate=1.0, p99=1.0)
    litestar = fanout("Litestar channels", rate=1.3, p99=0.7)

    found = words(measured(fanout=(by_hand, ours, litestar)))

    assert found == {
        "messages to 500 sockets, over by hand": "ok",
        "their p99 under load, over by hand": "ok",
        "their p99 at one pace, over by hand": "ok",
        "messages to 500 sockets, over Litestar": "over",
        "their p99 under load, over Litestar": "over",
        "their p99 at one pace, over Litestar": "over",
    }


def soak(**figures: float) -> Soak:
    usual = {"calm_p999_ms": 15.0, "calm_max_ms": 20.0, "p999_ms": 20.0, "max_ms": 30.0, "growth_mib": 0.1}
    return Soak(
        framework="nexios",
        members=5,
        rate=1000.0,
        seconds=60.0,
        deliveries=300_000,
        lost=0,
        resident_mib=(40.0, 40.1),
        **{**usual, **figures},
    )


def test_a_client_that_stands_still_delays_the_others_by_fifty_milliseconds_at_most() -> None:
    title = "delay by clients that stand still"

    assert words(measured(soak=(soak(p999_ms=65.0),)))[title] == "ok"
    assert words(measured(soak=(soak(p999_ms=65.1),)))[title] == "over"


def test_an_idle_socket_costs_no_more_than_by_hand() -> None:
    title, by_hand = "bytes of an idle socket, over by hand", Idle("Starlette, by hand", 5000, 24_000.0)

    assert words(measured(idle=(Idle("nexios", 5000, 24_000.0), by_hand))) == {title: "ok"}
    assert words(measured(idle=(Idle("nexios", 5000, 24_001.0), by_hand))) == {title: "over"}


def test_the_page_has_a_section_for_each_part_that_was_measured() -> None:
    page = "\n".join(real_time(measured(engines=(Engine("memory", "", 500, 0, 1.0, 2.0),), soak=(soak(),))))

    assert "| one process, no engine | 1.00 | 2.00 | 0 |" in page
    assert "| nexios | 15.0 | 20.0 | 30.0 | +0.10 | 0 |" in page
    assert "### Sockets that say nothing" not in page


def test_the_figures_are_kept_with_the_others(tmp_path: Any) -> None:
    results = Results(realtime=measured(soak=(soak(),), fanout=(fanout("nexios", rate=1.2, p99=0.8),)))
    save_results(results, tmp_path / "results.json")

    assert load_results(tmp_path / "results.json") == results
