"""StaticFiles: a folder whose files are served, mounted below a path or as a middleware.

    app.mount("/static", StaticFiles(directory="static"), name="static")

The text of a path is judged first (`nexios.http.paths`), the disk after it, in a worker thread
(`nexios.static.folder`). Whatever is refused is the same 404 as what is missing.
"""

import fnmatch
import os
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from nexios._pipeline.middleware import BaseMiddleware, CallNext
from nexios.errors import ConfigurationError, HTTPException, MethodNotAllowed, NoSuchRoute
from nexios.http.paths import file_parts
from nexios.http.url import quote_path, quote_query, quote_segment
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.messages.thread_io import finish_in_thread
from nexios.routing.template import check_prefix
from nexios.static.answer import Ask, FileFound, FolderFound, Shelf
from nexios.static.folder import Folder
from nexios.static.navigation import NAVIGATION_VARY, is_navigation
from nexios.static.package import folder_of_package
from nexios.static.versions import Versions

__all__ = ["StaticFiles"]

_METHODS: Final = ("GET", "HEAD")
_MAX_LEARNED: Final = 128 * 1024 * 1024
"""Bytes read at the start to make versions: about a second. Assets of pages are far less."""


class StaticFiles(BaseMiddleware):
    """The files of a folder, or of a folder inside a package.

    `directory` is relative to the working directory, with `package` to the package. `index` is the file
    that stands for a folder. `fallback` is the page of a single-page application: it answers whoever
    navigates to what is missing. A file `app.js.br`, `.zst` or `.gz` beside `app.js` is sent to clients
    that can decode it, unless `precompressed` is off.

    `immutable` are patterns of files whose content never changes, as `"assets/*"`: browsers keep them for a
    year. So they do where an address is that of `url_for`, which has a hash of the content. All other
    files have `cache_control`; by default a browser asks each time whether its copy is good.

    `untrusted` is for a folder that users fill: every file is a download that can run nothing.
    `follow_links` lets links lead out of the folder. `prefix` is for a middleware, below which path files are.

    Raises:
        ConfigurationError: There is no such folder, or options exclude each other.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str] | None = None,
        *,
        package: str | None = None,
        prefix: str = "",
        index: str | None = "index.html",
        fallback: str | None = None,
        precompressed: bool = True,
        immutable: Iterable[str] = (),
        cache_control: str | None = "no-cache",
        follow_links: bool = False,
        untrusted: bool = False,
    ) -> None:
        if untrusted and fallback is not None:
            raise ConfigurationError("A page of users is no fallback: StaticFiles(untrusted=True) has no fallback=.")
        self.prefix: str = check_prefix(prefix)
        self.directory: str = _folder(directory, package)
        self._fallback = None if fallback is None else _names(fallback, "fallback")
        self._versions = Versions()
        self._prepared = False
        self._shelf = Shelf(
            folder=Folder(self.directory, follow_links=follow_links),
            versions=self._versions,
            index=None if index is None or untrusted else _one_name(index),
            precompressed=precompressed and not untrusted,  # else one user's a.pdf.gz is sent as another's a.pdf
            cache_control=cache_control,
            is_immutable=_matcher(immutable),
            untrusted=untrusted,
        )

    def url_for(self, request: Request, path: str, *, mount: str = "static") -> str:
        """Return the address of a file, with a hash of its content: `/static/site.css?v=0f3a6c...`.

        `mount` is the name given to `app.mount`; a middleware has its `prefix` instead. Versions are made
        when the app starts; a file without one has its plain address.

        Raises:
            NoSuchRoute: Nothing is mounted by this name, or `path` can be no file.
        """
        names = file_parts(f"/{path}")
        if names is None or not names[-1]:
            raise NoSuchRoute(f"{path!r} is no path of a static file; write it as 'css/site.css'.")
        if self.prefix:
            url = quote_path(f"{request.root_path}{self.prefix}/{path}")
        else:
            url = request.url_for(mount, path=path)
        version = self._versions.last_known(names)
        return url if version is None else f"{url}?v={version}"

    async def prepare(self) -> None:
        """Make the versions for `url_for`, in a worker thread. A mount does it when the app starts."""
        await finish_in_thread(self._learn)

    def mounted(self) -> "MountedFiles":
        """Return what answers below the prefix of a mount.

        Raises:
            ConfigurationError: It has a prefix of its own.
        """
        if self.prefix:
            raise ConfigurationError(
                f"StaticFiles(prefix={self.prefix!r}) is for add_middleware; a mount has a prefix of its own:\n\n"
                f"    app.mount({self.prefix!r}, StaticFiles(directory=...))\n"
            )
        return MountedFiles(self)

    async def __call__(self, request: Request, response: Response, call_next: CallNext) -> Any:
        """As a middleware: answer with a file if there is one, else go on."""
        await self._prepare_once()
        path = _below(self.prefix, request._rest)
        if path is None or request.method not in _METHODS:
            return await call_next()
        answer = await self.answer(request, Response(), path)
        if answer is not None:
            return answer
        following = await call_next()
        if following.status_code == 404 and request.route is None and isinstance(request._target, HTTPException):
            return await self.answer_navigation(request, Response(), path) or following
        return following

    async def answer(self, request: Request, response: Response, path: str) -> Response | None:
        """Fill the response with the file that the path, below this folder, names; None when there is none.

        Raises:
            HTTPException: 412 or 416.
        """
        names = file_parts(path) if path else ()
        found = None if names is None else await self._find(request, names)
        if isinstance(found, FolderFound):
            return _add_slash(request, response)
        return None if found is None else self._fill(response, found)

    async def answer_navigation(self, request: Request, response: Response, path: str) -> Response | None:
        """Fill the response with the fallback, for a person who goes to the path; None for all others."""
        if self._fallback is None or file_parts(path or "/") is None or not is_navigation(request.headers):
            return None
        found = await self._find(request, self._fallback)
        return self._fill(response, found) if isinstance(found, FileFound) else None

    @property
    def has_fallback(self) -> bool:
        """Whether the answer to what is missing depends on who asks."""
        return self._fallback is not None

    async def _find(self, request: Request, names: tuple[str, ...]) -> FileFound | FolderFound | None:
        ask = Ask(names, request.method, request.headers, request.query_string, request.limits.max_ranges)
        return await finish_in_thread(self._shelf.find, ask)

    def _fill(self, response: Response, found: FileFound) -> Response:
        response.status_code, response.content = found.status, found.content
        for name, value in found.headers:
            response.headers[name] = value
        if self.has_fallback:
            response.headers.add_vary(*NAVIGATION_VARY.split(", "))
        return response

    async def _prepare_once(self) -> None:
        """A middleware has no start, so its first request waits for this."""
        if not self._prepared:
            self._prepared = True
            await self.prepare()

    def _learn(self) -> None:
        left = 0 if self._shelf.untrusted else _MAX_LEARNED
        for names in _files(self.directory):
            if left <= 0 or self._versions.is_full:
                return
            left -= self._shelf.learn(names)


class MountedFiles:
    """StaticFiles below a mount: the answer is its own, for every path and method."""

    __slots__ = ("_files",)

    def __init__(self, files: StaticFiles) -> None:
        self._files = files

    async def start(self) -> None:
        """Make the versions of the files."""
        await self._files.prepare()

    async def stop(self) -> None:
        """Nothing is held."""

    async def __call__(self, request: Request, response: Response) -> Response:
        """Return the file, the redirect to the folder, or the fallback.

        Raises:
            MethodNotAllowed: 405 for all but GET and HEAD, whatever the path is.
            HTTPException: 404, the same in every case; 412 or 416.
        """
        if request.method not in _METHODS:
            raise MethodNotAllowed(_METHODS)
        is_prefix = request._rest == "/" and not request.path.endswith("/")
        path = "" if is_prefix else request._rest
        files = self._files
        answer = await files.answer(request, response, path) or await files.answer_navigation(request, response, path)
        if answer is None:
            raise HTTPException(404, headers={"vary": NAVIGATION_VARY} if files.has_fallback else ())
        return answer


def _below(prefix: str, path: str) -> str | None:
    """What of the path is left below the prefix, "" for the prefix itself; None when it is elsewhere."""
    if not prefix:
        return path
    rest = path.removeprefix(prefix)
    return rest if rest != path and rest[:1] in ("", "/") else None


def _add_slash(request: Request, response: Response) -> Response:
    """Relative to what the browser has asked for, so that it can lead nowhere else; behind any proxy."""
    last = quote_segment(request.path.rpartition("/")[2])
    query = f"?{quote_query(request.query_string)}" if request.query_string else ""
    return response.empty(307).set_header("location", f"./{last}/{query}")


def _folder(directory: str | os.PathLike[str] | None, package: str | None) -> str:
    if directory is None or not os.fspath(directory):
        raise ConfigurationError('StaticFiles needs a folder:\n\n    StaticFiles(directory="static")\n')
    path = os.fspath(directory)
    found = os.path.abspath(path) if package is None else folder_of_package(package, path)
    if not os.path.isdir(found):
        raise ConfigurationError(f"StaticFiles cannot serve {path!r}: there is no folder {found!r}.")
    return found


def _names(path: str, option: str) -> tuple[str, ...]:
    names = file_parts(f"/{path}")
    if names is None or not names[-1]:
        raise ConfigurationError(f"{option}={path!r} can be no file; write it as 'index.html'.")
    return names


def _one_name(index: str) -> str:
    name, *others = _names(index, "index")
    if others:
        raise ConfigurationError(f"index={index!r} is a path; the index is one file in each folder, as 'index.html'.")
    return name


def _matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """`*` is any text, slashes too."""
    if isinstance(patterns, str):
        raise ConfigurationError(f"immutable takes several patterns: write [{patterns!r}].")
    matches = [re.compile(fnmatch.translate(pattern)).match for pattern in patterns]
    return lambda name: any(match(name) is not None for match in matches)


def _files(root: str) -> Iterator[tuple[str, ...]]:
    """The files below `root`, as far as a path may name them."""
    for folder, inner, names in os.walk(root):
        inner[:] = sorted(name for name in inner if file_parts(f"/{name}"))
        relative = os.path.relpath(folder, root)
        above = "" if relative == os.curdir else relative.replace(os.sep, "/") + "/"
        for name in sorted(names):
            if (parts := file_parts(f"/{above}{name}")) is not None:
                yield parts
