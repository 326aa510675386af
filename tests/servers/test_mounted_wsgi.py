"""Does a WSGI application work behind us as PEP 3333 says?"""

import asyncio
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from io import BytesIO
from typing import Any
from wsgiref.simple_server import demo_app
from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios._servers.mounted_wsgi import MountedWSGI
from nexios._servers.wsgi_environ import Environ, WSGIApp, environ_of
from nexios.concurrency import Threads
from nexios.errors import ClientDisconnect, ContentTooLarge, InvalidHeader
from nexios.messages.response import Response
from nexios.messages.transport import Address
from nexios.settings import Limits
from tests.servers.mounted_fakes import Client

Start = Callable[..., Callable[[bytes], object]]

TEXT = [("Content-Type", "text/plain")]


@pytest.fixture
def threads() -> Iterator[Threads]:
    threads = Threads(4)
    yield threads
    threads.close()


@pytest.fixture
def mount(threads: Threads) -> Callable[[WSGIApp], MountedWSGI]:
    return lambda app: MountedWSGI(app, threads)


Mount = Callable[[WSGIApp], MountedWSGI]


class Result:
    """An iterable that knows whether it was closed, and how often."""

    def __init__(self, *chunks: bytes | Exception) -> None:
        self.chunks = iter(chunks)
        self.closed = 0
        self.is_closed = threading.Event()

    def __iter__(self) -> "Result":
        return self

    def __next__(self) -> bytes:
        chunk = next(self.chunks)
        if isinstance(chunk, Exception):
            raise chunk
        return chunk

    def close(self) -> None:
        self.closed += 1
        self.is_closed.set()


def answering(result: Iterable[bytes], status: str = "200 OK", headers: list[tuple[str, str]] = TEXT) -> WSGIApp:
    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        start_response(status, headers)
        return result

    return app


# The environ


def environ(client: Client, size: int = 0) -> Environ:
    return environ_of(client.request(), BytesIO(), size)


def test_the_environ_says_what_a_server_would_say() -> None:
    fields = [
        ("host", "a.example"),
        ("content-type", "text/csv"),
        ("content-length", "5"),
        ("transfer-encoding", "chunked"),
        ("accept", "text/html"),
        ("accept", "text/plain"),
        ("cookie", "a=1"),
        ("cookie", "b=2"),
        ("x-name", "J\xfcrgen"),
    ]
    client = Client(
        method="POST", path="/legacy/a b/é", query_string="q=%C3%A9", fields=fields, scheme="https", http_version="2"
    )
    body = BytesIO()

    assert environ_of(client.request(), body, 5) == {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "/legacy",
        "PATH_INFO": "/a b/\xc3\xa9",
        "QUERY_STRING": "q=%C3%A9",
        "CONTENT_TYPE": "text/csv",
        "CONTENT_LENGTH": "5",
        "SERVER_NAME": "192.0.2.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/2",
        "REMOTE_ADDR": "192.0.2.7",
        "REMOTE_PORT": "5000",
        "HTTP_HOST": "a.example",
        "HTTP_ACCEPT": "text/html, text/plain",
        "HTTP_COOKIE": "a=1; b=2",
        "HTTP_X_NAME": "J\xfcrgen",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": body,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


@pytest.mark.parametrize(
    "name", ["proxy", "x_forwarded_for", "remote_user", "x_auth", "content_length", "transfer-encoding", "connection"]
)
def test_a_header_that_could_pass_for_another_is_left_out(name: str) -> None:
    """CVE-2016-1000111 (httpoxy), CVE-2024-45614, CVE-2015-0219."""
    seen = environ(Client(fields=[(name, "evil")]))

    assert "evil" not in seen.values()
    assert "HTTP_PROXY" not in seen


@pytest.mark.parametrize(
    ("path", "root_path", "script_name", "path_info"),
    [
        ("/legacy", "/legacy", "/legacy", ""),
        ("/legacy/", "/legacy", "/legacy", "/"),
        ("/legacy//x", "/legacy", "/legacy", "//x"),
        ("/legacyx", "/legacy", "/legacy", "/legacyx"),
        ("/x", "", "", "/x"),
        ("/é/名", "/é", "/\xc3\xa9", "/\xe5\x90\x8d"),
    ],
)
def test_the_path_is_split_at_the_mount(path: str, root_path: str, script_name: str, path_info: str) -> None:
    seen = environ(Client(path=path, root_path=root_path))

    assert (seen["SCRIPT_NAME"], seen["PATH_INFO"]) == (script_name, path_info)


def test_a_unix_socket_has_the_port_of_its_scheme() -> None:
    seen = environ(Client(scheme="https", server=Address("/run/app.sock", None), client=None))

    assert seen["SERVER_PORT"] == "443"
    assert "REMOTE_ADDR" not in seen


@given(st.text(), st.text(), st.lists(st.tuples(st.text("abcz-_0", min_size=1), st.text())), st.text())
def test_every_request_has_an_environ_of_latin_1_text(
    path: str, root_path: str, fields: list[tuple[str, str]], query: str
) -> None:
    client = Client(path=path, root_path=root_path, fields=fields, query_string=query, server=Address("h", 1))

    seen = environ(client)

    texts = [value for name, value in seen.items() if isinstance(value, str)]
    assert all(max(text, default="") <= "\xff" for text in texts)


# The body of the request


async def test_the_body_can_be_read(mount: Mount) -> None:
    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", TEXT)
        stream = environ["wsgi.input"]
        return [environ["CONTENT_LENGTH"].encode(), stream.readline(), stream.read(2), *stream]

    answer = await Client(method="POST", body=[b"one\ntw", b"o\nthree\nfour"]).ask(mount(app))

    assert answer.content == b"18one\ntwo\nthree\nfour"


async def test_a_large_body_goes_to_disk(mount: Mount) -> None:
    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", TEXT)
        return [str((environ["wsgi.input"]._rolled, len(environ["wsgi.input"].read()))).encode()]

    answer = await Client(method="POST", body=[b"x" * 600] * 3).ask(mount(app), Limits(spool_size=1000))

    assert answer.content == b"(True, 1800)"


async def test_a_body_over_the_limit_never_reaches_the_application(mount: Mount) -> None:
    with pytest.raises(ContentTooLarge):
        await Client(method="POST", body=[b"x" * 11]).ask(mount(unreachable), Limits(max_body_size=10))


async def test_a_body_that_is_cut_off_never_reaches_the_application(mount: Mount) -> None:
    with pytest.raises(ClientDisconnect):
        await Client(method="POST", body=[b"half"], leaves_early=True).ask(mount(unreachable))


def unreachable(environ: Environ, start_response: Start) -> Iterable[bytes]:
    raise AssertionError("the application was called")


# The response


async def test_a_list_is_a_response_of_bytes(mount: Mount) -> None:
    response = await mount(answering([b"a", b"", b"b"], "201 Created"))(Client().request(), Response())

    assert response.status_code == 201
    assert response.content == b"ab"
    assert response.headers.pairs == [("content-type", "text/plain")]


async def test_a_body_as_long_as_declared_is_a_response_of_bytes(mount: Mount) -> None:
    result = Result(b"abcd")

    response = await mount(answering(result, headers=[("Content-Length", "4")]))(Client().request(), Response())

    assert response.content == b"abcd"
    assert result.closed == 1


async def test_an_iterable_is_a_stream_and_closed_once(mount: Mount) -> None:
    result = Result(b"a", b"", b"b", b"c")

    answer = await Client().ask(mount(answering(result)))

    assert answer.chunks_received == [b"a", b"b", b"c"]
    assert answer.streamed
    assert result.closed == 1


async def test_chunks_are_made_when_the_client_takes_them(mount: Mount) -> None:
    made: list[int] = []
    ahead: list[int] = []

    def app(environ: Environ, start_response: Start) -> Iterator[bytes]:
        start_response("200 OK", TEXT)
        for number in range(20):
            made.append(number)
            yield b"x"

    client = Client()
    client.on_chunk = lambda _: ahead.append(len(made) - len(client.chunks_received))
    await client.ask(mount(app))

    assert len(client.chunks_received) == 20
    assert max(ahead) == 0


async def test_every_set_cookie_is_kept(mount: Mount) -> None:
    answer = await Client().ask(mount(answering([b"x"], headers=[("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])))

    assert answer.header("set-cookie") == ["a=1", "b=2"]


async def test_nothing_returned_is_an_empty_body(mount: Mount) -> None:
    answer = await Client().ask(mount(answering([])))

    assert (answer.status, answer.content, answer.header("content-length")) == (200, b"", ["0"])


@pytest.mark.parametrize(
    ("method", "status", "length"),
    [("HEAD", "200 OK", ["8"]), ("GET", "304 Not Modified", []), ("GET", "204 Empty", [])],
)
async def test_a_response_without_content_is_sent_without(
    mount: Mount, method: str, status: str, length: list[str]
) -> None:
    result = Result(b"abcd", b"more")

    answer = await Client(method=method).ask(mount(answering(result, status, [("Content-Length", "8")])))

    assert answer.content == b""
    assert answer.header("content-length") == length
    assert result.closed == 1


async def test_what_is_written_comes_before_what_is_returned(mount: Mount) -> None:
    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        write = start_response("200 OK", TEXT)
        write(b"one,")
        write(b"")
        write(b"two,")
        return [b"three"]

    assert (await Client().ask(mount(app))).content == b"one,two,three"


async def test_much_that_is_written_goes_to_disk_and_comes_in_chunks(mount: Mount) -> None:
    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        write = start_response("200 OK", TEXT)
        for _ in range(10):
            write(b"x" * 50_000)
        return []

    answer = await Client().ask(mount(app), Limits(spool_size=1000))

    assert answer.content == b"x" * 500_000
    assert max(map(len, answer.chunks_received)) == 64 * 1024


async def test_context_variables_of_the_middleware_are_visible(mount: Mount) -> None:
    user: ContextVar[str] = ContextVar("user")

    def app(environ: Environ, start_response: Start) -> Iterator[bytes]:
        start_response("200 OK", TEXT)
        yield user.get().encode()
        yield user.get().encode()

    user.set("ada")

    assert (await Client().ask(mount(app))).content == b"adaada"


async def test_a_variable_set_in_one_step_can_be_reset_in_another(mount: Mount) -> None:
    """Flask's stream_with_context() does so; its variables stay inside."""
    user: ContextVar[str] = ContextVar("user", default="nobody")

    def app(environ: Environ, start_response: Start) -> Iterator[bytes]:
        start_response("200 OK", TEXT)
        token = user.set("ada")
        yield user.get().encode()
        yield user.get().encode()
        user.reset(token)
        yield user.get().encode()

    assert (await Client().ask(mount(app))).chunks_received == [b"ada", b"ada", b"nobody"]
    assert user.get() == "nobody"


@pytest.mark.parametrize(
    "field", [("X", "a\r\nSet-Cookie: b"), ("X Y", "a"), ("", "a"), ("X", "a\0"), ("X", "名"), ("Content-Length", "x")]
)
async def test_an_illegal_header_is_an_error(mount: Mount, field: tuple[str, str]) -> None:
    result = Result(b"abc")

    with pytest.raises(InvalidHeader):
        await Client().ask(mount(answering(result, headers=[field])))


@pytest.mark.parametrize("status", ["", "OK", "20", "2000 OK", "٢٠٠ OK", "100 Continue", "600 Beyond", "-1 No"])
async def test_a_status_that_is_no_final_one_is_an_error(mount: Mount, status: str) -> None:
    with pytest.raises(ValueError, match="status"):
        await Client().ask(mount(answering([b"x"], status)))


@pytest.mark.parametrize("length", ["3", "5"])
async def test_bytes_that_contradict_the_declared_length_are_an_error(mount: Mount, length: str) -> None:
    with pytest.raises(RuntimeError, match="Content-Length"):
        await Client().ask(mount(answering([b"abcd"], headers=[("Content-Length", length)])))


async def test_a_stream_that_ends_before_its_declared_length_breaks_off(mount: Mount) -> None:
    client = Client()
    result = Result(b"ab", b"cd")

    with pytest.raises(RuntimeError, match="2 bytes short"):
        await client.ask(mount(answering(result, headers=[("Content-Length", "6")])))

    assert client.content == b"abcd"
    assert result.closed == 1


# What goes wrong


async def test_an_exception_before_the_first_chunk_is_raised_to_us(mount: Mount) -> None:
    result = Result(LookupError("broken"))
    client = Client()

    with pytest.raises(LookupError):
        await client.ask(mount(answering(result)))

    assert client.status == 0
    assert result.closed == 1


async def test_an_exception_in_the_stream_breaks_it_off(mount: Mount) -> None:
    result = Result(b"part", LookupError("broken"))
    client = Client()

    with pytest.raises(LookupError):
        await client.ask(mount(answering(result)))

    assert client.chunks_received == [b"part"]
    assert result.closed == 1


@pytest.mark.parametrize("chunks", [["text"], [7], [None]])
async def test_a_chunk_that_is_not_bytes_is_an_error(mount: Mount, chunks: list[Any]) -> None:
    with pytest.raises(TypeError):
        await Client().ask(mount(answering(Result(*chunks))))
    with pytest.raises(TypeError):
        await Client().ask(mount(answering(chunks)))


async def test_an_error_may_replace_the_head_before_the_first_chunk(mount: Mount) -> None:
    def app(environ: Environ, start_response: Start) -> Iterator[bytes]:
        start_response("200 OK", TEXT)
        yield b""
        try:
            raise LookupError("broken")
        except LookupError:
            start_response("500 Failed", [("X-Error", "1")], sys.exc_info())
        yield b"sorry"

    answer = await Client().ask(mount(app))

    assert (answer.status, answer.content) == (500, b"sorry")
    assert answer.received == [("x-error", "1")]


@pytest.mark.parametrize("written", [True, False])
async def test_an_error_after_the_first_chunk_is_raised_again(mount: Mount, written: bool) -> None:
    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        write = start_response("200 OK", TEXT)
        if written:
            write(b"x")
            return late(start_response)
        return late(start_response, b"x")

    def late(start_response: Start, *chunks: bytes) -> Iterator[bytes]:
        yield from chunks
        try:
            raise LookupError("broken")
        except LookupError:
            start_response("500 Failed", [], sys.exc_info())

    with pytest.raises(LookupError):
        await Client().ask(mount(app))


@pytest.mark.parametrize(("calls", "words"), [(0, "without calling"), (2, "twice")], ids=["never", "twice"])
async def test_start_response_is_called_once(mount: Mount, calls: int, words: str) -> None:
    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        for _ in range(calls):
            start_response("200 OK", [])
        return [b"x"]

    with pytest.raises(RuntimeError, match=words):
        await Client().ask(mount(app))


async def test_writing_after_the_application_returned_is_an_error(mount: Mount) -> None:
    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        write = start_response("200 OK", [])

        def late() -> Iterator[bytes]:
            write(b"x")
            yield b"y"

        return late()

    with pytest.raises(RuntimeError, match="after it had returned"):
        await Client().ask(mount(app))


async def test_a_stream_that_the_client_leaves_is_closed(mount: Mount) -> None:
    result = Result(*[b"x"] * 1000)
    client = Client()
    client.on_chunk = lambda _: client.gone.set()

    with pytest.raises(ClientDisconnect):
        await client.ask(mount(answering(result)))

    assert await asyncio.to_thread(result.is_closed.wait, 30)
    assert result.closed == 1


async def test_a_stream_that_nobody_reads_is_closed(mount: Mount) -> None:
    """As when a middleware answers with something else."""
    result = Result(b"a", b"b")

    response = await mount(answering(result))(Client().request(), Response())
    del response

    assert result.closed == 1


async def test_a_caller_that_is_cancelled_closes_what_the_application_still_returns(mount: Mount) -> None:
    entered, leave = threading.Event(), threading.Event()
    result = Result(b"a", b"b")

    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        entered.set()
        leave.wait(30)
        start_response("200 OK", TEXT)
        return result

    call = asyncio.ensure_future(Client().ask(mount(app)))
    await asyncio.to_thread(entered.wait, 30)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    leave.set()

    assert await asyncio.to_thread(result.is_closed.wait, 30)
    assert result.closed == 1


async def test_a_caller_that_is_cancelled_in_line_never_calls_the_application() -> None:
    threads = Threads(1)
    entered, leave = threading.Event(), threading.Event()

    def block() -> None:
        entered.set()
        leave.wait(30)

    busy = asyncio.ensure_future(threads.run_in_thread(block))
    await asyncio.to_thread(entered.wait, 30)
    call = asyncio.ensure_future(Client().ask(MountedWSGI(unreachable, threads)))
    for _ in range(10):
        await asyncio.sleep(0)
    call.cancel()
    leave.set()
    with pytest.raises(asyncio.CancelledError):
        await call
    await busy
    threads.close()


async def test_it_answers_between_start_and_stop_and_is_not_told_of_them(mount: Mount) -> None:
    mounted = mount(answering([b"x"]))

    await mounted.start()
    answer = await Client().ask(mounted)
    await mounted.stop()

    assert answer.content == b"x"


# Judges that we did not write


async def test_the_demo_of_the_standard_library_works(mount: Mount) -> None:
    answer = await Client(query_string="a=1").ask(mount(validator(demo_app)))

    assert answer.status == 200
    assert answer.content.startswith(b"Hello world!")
    assert b"QUERY_STRING = 'a=1'" in answer.content


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
@pytest.mark.parametrize("path", ["/legacy", "/legacy/", "/legacy/é"])
async def test_the_validator_of_the_standard_library_is_content(mount: Mount, method: str, path: str) -> None:
    def app(environ: Environ, start_response: Start) -> Iterator[bytes]:
        stream = environ["wsgi.input"]
        read = stream.read(3) + stream.readline(5) + b"".join(stream.readlines()) + b"".join(stream)
        start_response("200 OK", TEXT, None)
        return iter([b"one", read, b"three"])

    answer = await Client(method=method, path=path, body=[b"body\n", b"of\n", b"lines"]).ask(mount(validator(app)))

    assert answer.content == (b"" if method == "HEAD" else b"onebody\nof\nlinesthree")
