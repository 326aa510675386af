"""Which servers must serve nexios alike, how is each started, and what can it not do?

What a server cannot do stands beside it, test by test, with the reason; the tests are skipped with it.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, TypeVar

__all__ = [
    "DEADLINE",
    "IN_MEMORY",
    "ROOT",
    "SERVERS",
    "InMemory",
    "NotStarted",
    "Running",
    "Server",
    "end_group",
    "eventually",
    "reserved_port",
    "running",
]

_T = TypeVar("_T")

ROOT = Path(__file__).parents[2]
DEADLINE = 20.0
"""Seconds until a test gives up on what must happen; nothing waits for it to pass."""


@dataclass(frozen=True, slots=True)
class InMemory:
    """A client of `nexios.testing`, which has no server at all."""

    name: str
    interface: Literal["memory", "asgi"]
    cannot: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Server:
    """How one server is started, and what it cannot do.

    Shape:  in `command`, `{app}` and `{port}` are filled in; port 0 is used where `bound` finds the port in the log.
            `cannot` has the names of tests, and why the server fails them.
    """

    name: str
    package: str
    command: Sequence[str]
    exit_code: int = 0
    """What a graceful stop after SIGTERM ends with."""
    bound: str | None = None
    cannot: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def installed(self) -> bool:
        """Whether the packages that it needs are there."""
        return find_spec(self.package) is not None


_GRANIAN = (
    "granian", "--host", "127.0.0.1", "--port", "{port}", "--workers", "1", "--workers-kill-timeout", "5",
)  # fmt: skip
_UVICORN = ("uvicorn", "--host", "127.0.0.1", "--port", "0", "--no-access-log", "--no-proxy-headers")
_UVICORN_PORT = r"Uvicorn running on http://127\.0\.0\.1:(\d+)"
_NO_BACKPRESSURE = "the queue of a stream has no end (RSGIHTTPStreamTransport in rsgi/io.rs), so it is made at once"
_TEXT_HEADERS = "Granian leaves out values that are not ASCII (RSGIHeaders in rsgi/types.rs)"

SERVERS: Sequence[Server] = (
    Server(
        name="uvicorn-h11",
        package="h11",
        command=(*_UVICORN, "--http", "h11", "--loop", "asyncio", "{app}"),
        bound=_UVICORN_PORT,
        exit_code=-signal.SIGTERM,
    ),
    Server(
        name="uvicorn-httptools",
        package="httptools",
        command=(*_UVICORN, "--http", "httptools", "--loop", "auto", "{app}"),
        bound=_UVICORN_PORT,
        exit_code=-signal.SIGTERM,
        cannot={
            "test_a_method_that_nobody_knows_is_a_501": "llhttp has a list of methods and refuses all others with 400",
            "test_white_space_around_a_request_header_is_not_part_of_it": "httptools keeps what follows the value",
            "test_a_stream_to_a_client_of_http_1_0_is_not_chunked": (
                "it sends chunks to every client when a response has no length (httptools_impl.py, send)"
            ),
        },
    ),
    Server(
        name="hypercorn",
        package="hypercorn",
        command=("hypercorn", "--bind", "127.0.0.1:0", "{app}"),
        bound=r"Running on http://127\.0\.0\.1:(\d+)",
        cannot={
            "test_a_client_that_waits_for_100_is_refused_at_once": (
                "it sends 100 as soon as it has read the head, before the application is called (protocol/h11.py)"
            ),
            "test_a_server_whose_application_does_not_start_ends_with_an_error": (
                "run() loses the worker's exit code when it joins the workers a second time, and ends with 0"
            ),
            "test_a_server_that_stops_ends_its_event_streams_at_once": (
                "its workers get no signal: they look at an event of its own (run.py), wait for graceful_timeout, and "
                "break off what is open then; with --workers 0 the process that gets the signal serves, and it works"
            ),
        },
    ),
    Server(
        name="granian-asgi",
        package="granian",
        command=(*_GRANIAN, "--interface", "asgi", "{app}"),
    ),
    Server(
        name="granian-rsgi",
        package="granian",
        command=(*_GRANIAN, "--interface", "rsgi", "{app}"),
        cannot={
            "test_latin_1_bytes_in_a_request_header_arrive": _TEXT_HEADERS,
            "test_utf_8_bytes_in_a_request_header_arrive_as_latin_1": _TEXT_HEADERS,
            "test_a_client_that_leaves_in_the_midst_of_a_body_that_nobody_reads_ends_the_stream": (
                "hyper does not look at a connection whose request body nobody reads: it is the next chunk that fails"
            ),
            "test_latin_1_bytes_in_a_response_header_are_sent": "RSGI takes headers as text, and Granian sends UTF-8",
            "test_a_stream_does_not_run_ahead_of_a_client_that_does_not_read": _NO_BACKPRESSURE,
            "test_a_client_that_takes_no_more_of_a_long_answer_is_given_up": (
                "response_bytes takes a whole body and returns at once, so nobody knows how much the client has taken"
            ),
            "test_a_file_of_which_ranges_are_sent_is_closed_when_the_client_leaves": _NO_BACKPRESSURE,
        },
    ),
)

IN_MEMORY: Sequence[InMemory] = (
    InMemory(name="memory", interface="memory"),
    InMemory(name="memory-asgi", interface="asgi"),
)


class NotStarted(Exception):
    """The process ended before it served; carries its exit code and its log."""

    def __init__(self, exit_code: int, log: str) -> None:
        super().__init__(f"exit code {exit_code}\n{log}")
        self.exit_code = exit_code
        self.log = log


class Running:
    """A server process that serves."""

    def __init__(self, server: Server, process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
        self.server = server
        self.process = process
        self.address = ("127.0.0.1", port)
        self.url = f"http://127.0.0.1:{port}"
        self._log = log

    @property
    def log(self) -> str:
        """What it has written so far."""
        return self._log.read_text("utf-8", "replace")

    def stop(self) -> int:
        """Ask it to stop, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE)


def eventually(look: Callable[[], _T], what: str) -> _T:
    """Return the first true value of `look`, called again and again until the deadline."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        if value := look():
            return value
        time.sleep(0.005)
    raise AssertionError(f"{what} did not happen within {DEADLINE:g} s")


@contextmanager
def running(server: Server, app: str, directory: Path, environment: Mapping[str, str]) -> Iterator[Running]:
    """Start `server` with `app`; end it unless it has stopped.

    Raises:
        NotStarted: It ended by itself before it accepted connections.
    """
    log = directory / f"{server.name}.log"
    with reserved_port() as port, log.open("wb") as output:
        command = [part.format(app=app, port=port) for part in server.command]
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("launch.py")), str(os.getpid()), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **environment},
        )
        try:
            yield Running(server, process, _wait_for(server, process, port, log), log)
        finally:
            end_group(process)


def end_group(process: "subprocess.Popen[bytes]") -> None:
    """End it and whatever it has started."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(DEADLINE)


@contextmanager
def reserved_port() -> Iterator[int]:
    """A port that nobody else gets; who sets SO_REUSEPORT may have it: Granian does, and nginx with `reuseport`."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def _wait_for(server: Server, process: "subprocess.Popen[bytes]", port: int, log: Path) -> int:
    def serving() -> int:
        if (code := process.poll()) is not None:
            raise NotStarted(code, log.read_text("utf-8", "replace"))
        bound = re.search(server.bound, log.read_text("utf-8", "replace")) if server.bound is not None else None
        found = int(bound[1]) if bound is not None else port
        return found if (bound is not None or server.bound is None) and _answers(found) else 0

    return eventually(serving, f"the start of {server.name}")


def _answers(port: int) -> bool:
    """Whether the application answers: a server may listen before it knows that it cannot start."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nhost: contract.test\r\nconnection: close\r\n\r\n")
            return connection.recv(9) == b"HTTP/1.1 "
    except OSError:
        return False
