"""How is a WSGI application called, and its result read, one chunk at a time? In worker threads, by PEP 3333.

Each step is one call in a thread: `begin` until the first chunk, `next_chunk` for every
further one, `close`. Between steps no thread waits, so slow clients hold none.
"""

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import IO

import msgspec

from nexios._servers.mounted_body import DeclaredLength, Head
from nexios._servers.wsgi_environ import Environ, WSGIApp

__all__ = ["WSGIBeginning", "WSGICall"]

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]

_READ_SIZE = 64 * 1024


class WSGIBeginning(msgspec.Struct, frozen=True):
    """The head and the first chunk; `whole` says that there are no more chunks."""

    head: Head
    chunk: bytes
    whole: bool


class WSGICall:
    """One call of a WSGI application. Its steps are made one after the other, from any thread.

    All of them run in one context, a copy of the one that it was made in, because applications
    set variables in one step and reset them in another (Flask's `stream_with_context`).
    """

    def __init__(self, app: WSGIApp, environ: Environ, *, spool_size: int) -> None:
        self._app = app
        self._context = copy_context()
        self._environ = environ
        self._body: IO[bytes] = environ["wsgi.input"]
        self._written: IO[bytes] = SpooledTemporaryFile(spool_size)  # noqa: SIM115 - closed in _close
        self._wrote = False
        self._called = False
        self._sent = False
        self._head: Head | None = None
        self._length: DeclaredLength | None = None
        self._result: Iterable[bytes] = ()
        self._iterator: Iterator[bytes] = iter(())
        self._lock = threading.Lock()
        self._running = False
        self._abandoned = False
        self._closed = False

    # The steps

    def begin(self) -> WSGIBeginning:
        """Call the application and read up to the first chunk that is not empty.

        Raises:
            RuntimeError: The application did not keep to PEP 3333.
            Exception: What the application raised.
        """
        with self._step():
            return self._context.run(self._begin)

    def _begin(self) -> WSGIBeginning:
        self._result = self._app(self._environ, self._start_response)
        self._called = True
        self._written.seek(0)
        self._iterator = self._chunks(self._result)
        chunk = self._next()
        head = self._head
        if head is None:
            raise RuntimeError("A mounted WSGI application returned without calling start_response().")
        self._sent = True
        if head.ends_response(self._environ["REQUEST_METHOD"]):
            self._close()
            return WSGIBeginning(head, b"", whole=True)
        self._length = DeclaredLength(head)
        whole = self._count(chunk) or (self._is_last() and self._count(self._next()))
        return WSGIBeginning(head, chunk or b"", whole)

    def next_chunk(self) -> bytes | None:
        """Return the next chunk; None at the end, when everything is closed. Raises as `begin`."""
        with self._step():
            return self._context.run(self._next_chunk)

    def _next_chunk(self) -> bytes | None:
        chunk = self._next()
        self._count(chunk)
        return chunk

    def abandon(self) -> bool:
        """Nobody wants the rest. True when the caller must `close`; False when a step that runs will do it."""
        with self._lock:
            self._abandoned = True
            return not self._running and not self._closed

    def close(self) -> None:
        """Close the result, as PEP 3333 asks for however the request ends, and the files."""
        self._context.run(self._close)

    # What is inside a step

    @contextmanager
    def _step(self) -> Generator[None, None, None]:
        """Run one step; what fails in it, or is abandoned meanwhile, is closed at its end."""
        with self._lock:
            if self._abandoned:
                raise RuntimeError("The call of a mounted WSGI application was given up.")
            self._running = True
        failed = True
        try:
            yield
            failed = False
        finally:
            with self._lock:
                self._running = False
                over = failed or self._abandoned
            if over:
                self.close()

    def _close(self) -> None:
        with self._lock:
            closed, self._closed = self._closed, True
        if closed:
            return
        try:
            close: Callable[[], object] | None = getattr(self._result, "close", None)
            if close is not None:
                close()
        finally:
            self._written.close()
            self._body.close()

    def _chunks(self, result: Iterable[bytes]) -> Iterator[bytes]:
        """A list is in memory already, so it is one chunk."""
        while chunk := self._written.read(_READ_SIZE):
            yield chunk
        yield from [b"".join(result)] if isinstance(result, list | tuple) else result

    def _next(self) -> bytes | None:
        """The next chunk that is not empty; None at the end."""
        for chunk in self._iterator:
            if type(chunk) is not bytes:
                raise TypeError(f"a mounted WSGI application returned a chunk of {type(chunk).__name__}, not bytes")
            if chunk:
                return chunk
        return None

    def _is_last(self) -> bool:
        """Whether the end is known to follow at once, so that looking for it makes nobody wait."""
        whole_list = isinstance(self._result, list | tuple) and not self._wrote
        return whole_list or (self._length is not None and self._length.is_reached)

    def _count(self, chunk: bytes | None) -> bool:
        """Count a chunk, and close everything after the last. Returns whether it was."""
        if self._length is not None:
            self._length.take(len(chunk or b""), last=chunk is None)
        if chunk is None:
            self._close()
        return chunk is None

    def _start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None
    ) -> Callable[[bytes], None]:
        if exc_info is not None:
            try:
                if self._sent:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # a traceback that holds this frame is a circle
        elif self._head is not None:
            raise RuntimeError("A mounted WSGI application called start_response() twice without exc_info.")
        code = status[:3]
        if not (code.isascii() and code.isdigit()) or status[3:4] not in ("", " "):
            raise ValueError("A mounted WSGI application called start_response() with a status that is no status line.")
        self._head = Head.of(int(code), headers)
        return self._write

    def _write(self, data: bytes) -> None:
        """The `write()` of PEP 3333: the data is kept, on disk when it is much, until the application returns."""
        if self._called:
            raise RuntimeError("A mounted WSGI application called write() after it had returned its result.")
        if data:
            self._written.write(data)
            self._wrote = self._sent = True
