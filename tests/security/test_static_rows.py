"""Static files: rows C4, D1 to D12, D16, D17 and D19, for a folder whose files are served by their paths."""

import ntpath
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from nexios.application import NexiosApp
from nexios.errors import ConfigurationError, HTTPException
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.routing.router import Router
from nexios.static.files import StaticFiles
from nexios.testing.raw import RawAnswer, call
from tests.security.kit import MIB, Peer, http_scope, open_files, peak

SECRET = b"not for you"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """`static` is served; everything beside it is not."""
    for name in ("static/a.txt", "static/deep/x", "static/folder/index.html"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    for name in ("secret", "static_private/a", "static1.txt", "static/.env", "static/.git/config"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(SECRET)
    return tmp_path


def app_for(tree: Path, **options: Any) -> NexiosApp:
    app = NexiosApp()
    app.mount("/static", StaticFiles(directory=tree / "static", **options))
    return app


@pytest.fixture
def app(tree: Path) -> NexiosApp:
    return app_for(tree)


async def get(app: NexiosApp, path: str, *, method: str = "GET", **headers: str) -> RawAnswer:
    fields = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return await call(app, method=method, path=path, raw_path=b"/", headers=fields)


def plain(answer: RawAnswer) -> tuple[int, bytes, tuple[tuple[bytes, bytes], ...]]:
    return answer.status, answer.body, tuple(answer.headers)


async def test_c4_a_file_is_found_by_the_decoded_path_alone(tree: Path) -> None:
    """CVE-2026-29045 GHSA-q5qw-h33p-qvwr: mounted at a decoded prefix; `%2e` in the decoded path is three letters."""
    app = NexiosApp()
    app.mount("/\u00e1", StaticFiles(directory=tree / "static"))

    assert (await call(app, path="/\u00e1/a.txt", raw_path=b"/%C3%A1/a.txt")).status == 200
    assert (await call(app, path="/\u00e1/%61.txt", raw_path=b"/%C3%A1/%2561.txt")).status == 404


@pytest.mark.parametrize("root_path", ["/app", "/application"])
async def test_c4_the_root_path_ends_where_a_segment_ends(app: NexiosApp, root_path: str) -> None:
    """CVE-2025-58362 GHSA-9hp6-4448-45g2."""
    answer = await call(app, path="/app/static/a.txt", scope_extra={"root_path": root_path})

    assert answer.status == (200 if root_path == "/app" else 404)


@pytest.mark.parametrize(
    "path",
    [
        "/static/../static_private/a", "/static/%2e%2e/static_private/a", "/static_private/a", "/static1.txt",
        "/static/..%2fstatic_private/a", "/static/../static1.txt", "/static/.././static1.txt",
    ],
)  # fmt: skip
async def test_d1_a_sibling_with_the_same_beginning_is_outside(app: NexiosApp, path: str) -> None:
    """CVE-2023-29159 GHSA-v5gw-mw7f-84px, CVE-2026-22860 GHSA-mxw3-3hh2-x2mh, CVE-2025-59682."""
    assert (await get(app, path)).status == 404


async def test_d1_a_link_to_a_sibling_with_the_same_beginning_is_outside(tree: Path, app: NexiosApp) -> None:
    """CVE-2023-29159: the disk is compared by component, too."""
    (tree / "static/private").symlink_to(tree / "static_private")
    (tree / "static/one").symlink_to("../static1.txt")

    assert (await get(app, "/static/private/a")).status == 404
    assert (await get(app, "/static/one")).status == 404


CLIMBS = [
    "../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%5c", "..\\", "%252e%252e%252f", "....//", "..;/", ".%00./", ".\0./",
    "./", "//", "..//", "..././", "..\u2215", "\uff0e\uff0e/", "..\uff0f", "folder/../../",
]  # fmt: skip


@pytest.mark.parametrize("climb", CLIMBS)
@pytest.mark.parametrize("depth", range(1, 9))
async def test_d2_no_way_of_writing_a_climb_leaves_the_folder(
    tree: Path, app: NexiosApp, climb: str, depth: int
) -> None:
    """CVE-2017-16762 GHSA-mpmf-hr8p-p49g, CVE-2022-35920 GHSA-8cw9-5hmv-77w6, CVE-2024-32982 GHSA-83pv-qr33-2vcf,
    CVE-2013-0262, CVE-2020-8161, CVE-2024-32869 GHSA-3mpf-rcc7-5347, CVE-2025-27610 GHSA-7wqh-767x-r66v.
    """
    for target in ("secret", "static1.txt", str(tree / "secret"), "etc/passwd"):
        answer = plain(await get(app, f"/static/{climb * depth}{target}"))

        assert answer == plain(await get(app, f"/nothing/{climb * depth}{target}"))
        assert answer[0] == (400 if "\0" in climb else 404)


async def test_d3_a_link_out_of_the_folder_is_followed_when_allowed_and_a_climb_never(tree: Path) -> None:
    """CVE-2024-23334."""
    (tree / "static/out").symlink_to(tree / "secret")
    (tree / "static/up").symlink_to(tree)
    strict, free = app_for(tree), app_for(tree, follow_links=True)

    assert (await get(strict, "/static/out")).status == 404
    assert (await get(strict, "/static/up/secret")).status == 404
    assert (await get(free, "/static/out")).body == SECRET
    assert (await get(free, "/static/up/secret")).body == SECRET
    for path in ("/static/../secret", "/static/up/../secret", "/static/folder/../../secret"):
        assert (await get(free, path)).status == 404


async def test_d3_a_link_that_stays_inside_is_followed(tree: Path, app: NexiosApp) -> None:
    """CVE-2024-23334; as Kubernetes mounts its files."""
    (tree / "static/..data").symlink_to("deep")
    (tree / "static/current").symlink_to("..data/x")

    assert (await get(app, "/static/current")).body == b"static/deep/x"


ABSOLUTE = [
    "//srv/share/x", "\\\\srv\\x", "/etc/passwd", "C:/x", "C:x", "/\\x", "//?/C:/x", "\\\\?\\C:\\x", "\\\\.\\nul",
    "a.txt::$DATA", "a.txt:s", "a.txt.", "a.txt ", "a.txt\0.png", ".env", ".git/config", "deep/../a.txt", "CON",
]  # fmt: skip


@pytest.mark.parametrize("system", ["this", "Windows"])
@pytest.mark.parametrize("path", ABSOLUTE)
async def test_d4_a_path_of_another_kind_is_refused_before_any_file_call(
    app: NexiosApp, monkeypatch: pytest.MonkeyPatch, path: str, system: str
) -> None:
    """CVE-2026-48818 GHSA-wqp7-x3pw-xc5r, CVE-2026-34515 GHSA-p998-jp59-783m, CVE-2024-49766, Starlette #981."""
    miss = plain(await get(app, f"/nothing/{path}"))
    calls: list[object] = []

    with monkeypatch.context() as patched:
        for name in ("open", "stat", "lstat", "readlink", "scandir", "access"):
            patched.setattr(os, name, lambda *args, **options: calls.append(args))
        if system == "Windows":
            patched.setattr(os, "path", ntpath)
        answer = await get(app, f"/static/{path}")

    assert (plain(answer), calls) == (miss, [])


DEVICES = [
    "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$",
    *(f"{port}{number}" for port in ("COM", "LPT") for number in "0123456789\u00b9\u00b2\u00b3"),
]  # fmt: skip


@pytest.mark.parametrize("ending", ["", ".txt", ".tar.gz", " ", ":s", " .x"])
@pytest.mark.parametrize("where", ["{}", "deep/{}", "{}/deep", "deep/{}/deep"])
async def test_d5_a_device_is_no_file_on_any_system(tree: Path, app: NexiosApp, where: str, ending: str) -> None:
    """CVE-2025-66221 GHSA-hgf8-39gv-g3f2, CVE-2026-21860 GHSA-87hc-h4r5-73f7, CVE-2026-27199, CVE-2022-41720."""
    for device in DEVICES:
        path = where.format(device.lower() + ending)
        (tree / "static" / path).parent.mkdir(parents=True, exist_ok=True)
        if not (tree / "static" / path).exists():
            (tree / "static" / path).write_bytes(SECRET)

        assert (await get(app, f"/static/{path}")).status == 404


@pytest.mark.parametrize(
    "path", ["a.html\0.png", "x" * 5000, "\ufffd", "a\udcff", "a.txt/x", "x/" * 500, "\u00e9" * 200, "a\r\nb"]
)
async def test_d6_a_name_that_no_file_can_have_is_a_plain_miss(app: NexiosApp, path: str) -> None:
    """CVE-2017-1000052 GHSA-2q6v-32mr-8p8x, Starlette #3139: never a 500. A control character is a 400 everywhere."""
    answer = plain(await get(app, f"/static/{path}"))

    assert answer == plain(await get(app, f"/nothing/{path}"))
    assert answer[0] in (400, 404)


@pytest.mark.parametrize(
    "path",
    [
        *("/s/foo/../deep/x", "/s//deep/x", "/s/./deep/x", "/s/deep//x", "/s/deep/./x", "/s/deep/x/", "/s/deep/x"),
        *("/s/%64eep/x", "/s/deep%2fx", "//s/deep/x", "/s/DEEP/x", "/s/deep\\x", "/s/deep;a/x", "/s/\uff44eep/x"),
    ],
)
async def test_d7_a_guard_of_a_folder_cannot_be_walked_around(tree: Path, path: str) -> None:
    """CVE-2026-15074 GHSA-83w8-p2f5-377r, CVE-2026-7120 GHSA-8pvw-jcv7-9cmj, CVE-2026-34786 GHSA-q4qf-9j86-f5mh.

    `/s/%64eep/x` and `/s/deep%2fx` are `/s/deep/x` once a server has decoded them; here they are encoded twice.
    """

    async def refuse(request: Request, response: Response, call_next: Any) -> Response:
        raise HTTPException(403)

    app, guarded = NexiosApp(), Router("/s/deep", middleware=[refuse])
    guarded.mount("", StaticFiles(directory=tree / "static/deep"))
    app.include_router(guarded)
    app.mount("/s", StaticFiles(directory=tree / "static"))

    assert (await get(app, path)).status in (403, 404)
    assert (await get(app, "/s/deep/x")).status == 403


@pytest.mark.parametrize("as_middleware", [False, True])
async def test_d8_the_prefix_ends_where_a_segment_ends(tree: Path, as_middleware: bool) -> None:
    """CVE-2026-34785 GHSA-h2jq-g4cq-5ppq."""
    (tree / "static/-backup.sql").write_bytes(SECRET)
    (tree / "static/x").mkdir()
    (tree / "static/x/a").write_bytes(SECRET)
    app = NexiosApp()
    if as_middleware:
        app.add_middleware(StaticFiles, directory=tree / "static", prefix="/css")
    else:
        app.mount("/css", StaticFiles(directory=tree / "static"))

    assert (await get(app, "/css/a.txt")).status == 200
    for path in ("/css-backup.sql", "/cssx/a", "/cssa.txt", "/CSS/a.txt", "/x/css/a.txt"):
        assert (await get(app, path)).status == 404


@pytest.mark.parametrize("path", ["/static/deep", "/static/deep/", "/static", "/static/"])
async def test_d9_a_folder_is_never_listed(app: NexiosApp, path: str) -> None:
    """CVE-2026-6410 GHSA-pr96-94w5-mx2h, CVE-2026-25500 GHSA-whrj-4476-wvmp, CVE-2026-34763, CVE-2022-41905."""
    assert plain(await get(app, path)) == plain(await get(app, "/nothing"))


async def test_d10_what_is_refused_and_what_is_missing_are_one_answer(tree: Path, app: NexiosApp) -> None:
    """CVE-2025-69226, CVE-2015-8859 GHSA-jgqf-hwc5-hh37."""
    static = tree / "static"
    (static / "outside").symlink_to(tree / "secret")
    (static / "nowhere").symlink_to(tree / "missing")
    (static / "loop").symlink_to("loop")
    os.mkfifo(static / "pipe")
    (static / "locked").write_bytes(SECRET)
    (static / "locked").chmod(0)
    paths = [
        "missing",
        "outside",
        "nowhere",
        "loop",
        "pipe",
        "deep",
        "../secret",
        "../missing",
        ".env",
        ".none",
        "a.txt/x",
    ]
    if os.geteuid() != 0:
        paths.append("locked")

    answers = {plain(await get(app, f"/static/{path}")) for path in paths}

    assert answers == {plain(await get(app, "/static/not/there"))}


OPEN_REDIRECTS = [
    "//evil.com/..%2f", "//evil.com", "/\\evil.com/", "/%2fevil.com/", "//evil.com/%2e%2e", "///x/",
    "//evil.com/folder", "/folder", "//folder", "/evil.com:80", "/javascript:alert(1)", "/folder\r\nx: y", "/folder/..",
    "/@evil.com", "/\tevil",
]  # fmt: skip


@pytest.mark.parametrize("slashes", ["redirect", "strict", "ignore"])
@pytest.mark.parametrize("prefix", ["/", "/static"])
@pytest.mark.parametrize("path", OPEN_REDIRECTS)
async def test_d11_the_slash_of_a_folder_leads_to_no_other_site(
    tree: Path, path: str, prefix: str, slashes: Any
) -> None:
    """CVE-2017-7234, CVE-2021-21330 GHSA-v6wp-4m6f-gcjg, CVE-2023-28370 GHSA-hj3f-6gcp-jg8j,
    CVE-2020-28724 GHSA-3p3h-qghp-hvh2, CVE-2018-14574.
    """
    (tree / "static/@evil.com").mkdir()
    (tree / "static/@evil.com/index.html").write_bytes(b"x")
    app = NexiosApp(slashes=slashes)
    app.mount(prefix, StaticFiles(directory=tree / "static"))

    answer = await call(app, path=prefix.rstrip("/") + path, raw_path=b"/", query=b"a=//x\r\nb")

    if answer.status not in (400, 404):
        assert (answer.status, answer.header("location")) == (307, f".{path}/?a=//x%0D%0Ab")
        assert answer.body == b""


@pytest.mark.parametrize("ranges", ["bytes=" + "0-0," * 1000, "bytes=0-,0-,0-", "bytes=" + "1" * 50_000 + "-"])
async def test_d12_ranges_of_a_static_file_do_not_multiply_it(app: NexiosApp, ranges: str) -> None:
    """CVE-2025-62727 GHSA-7f5h-v6xp-fcq8, CVE-2024-26141 GHSA-xj5v-6v4g-jfw6."""
    answer = await get(app, "/static/a.txt", range=ranges)

    assert answer.status in (200, 416)
    assert len(answer.body) < 300


@pytest.mark.parametrize("name", ["x%22.bat;a=", "\u00e9.txt", "a;b.html", "a'b.svg", 'x".bat;a=.html'])
async def test_d16_what_users_uploaded_is_a_download_that_can_run_nothing(tree: Path, name: str) -> None:
    """CVE-2022-36359, CVE-2022-45442 GHSA-2x8x-jmrp-phxw."""
    (tree / "static" / name).write_bytes(b"<script>alert(1)</script>")

    answer = await get(app_for(tree, untrusted=True), f"/static/{name}")

    disposition = answer.header("content-disposition") or ""
    assert disposition.startswith('attachment; filename="')
    assert disposition.count('"') == 2
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("content-security-policy") == "default-src 'none'; sandbox"


async def test_d16_one_users_file_never_stands_for_another(tree: Path) -> None:
    """CVE-2022-36359: no compressed sibling, no index, no page of theirs for the whole folder."""
    (tree / "static/a.txt.gz").write_bytes(b"of somebody else")
    app = app_for(tree, untrusted=True)

    assert (await get(app, "/static/a.txt", accept_encoding="gzip")).body == b"static/a.txt"
    assert (await get(app, "/static/folder/")).status == 404
    with pytest.raises(ConfigurationError, match="fallback"):
        app_for(tree, untrusted=True, fallback="index.html")


@pytest.mark.parametrize("mode", [0o755, 0o777])
async def test_d17_a_large_file_is_never_whole_in_memory(tree: Path, mode: int) -> None:
    """CVE-2015-0221: whether the server may open it once more or not."""
    with (tree / "static/large.bin").open("wb") as file:
        file.truncate(256 * MIB)
    (tree / "static").chmod(mode)
    app, peer, before = app_for(tree), Peer(leaves_at=200), open_files()

    with peak() as used:
        await app(http_scope(path="/static/large.bin"), peer.receive, peer.send)

    assert used.bytes < 2 * MIB
    assert open_files() == before


async def test_d19_only_the_declared_folder_of_a_package_is_served(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CVE-2026-24473 GHSA-w332-q679-j88p."""
    with zipfile.ZipFile(tmp_path / "zipped.zip", "w") as archive:
        for name in ("zipped_assets/__init__.py", "zipped_assets/static/b.css", "zipped_assets/static/.env"):
            archive.writestr(name, "")
    monkeypatch.syspath_prepend(tmp_path / "zipped.zip")
    app = NexiosApp()
    app.mount("/disk", StaticFiles(package="nexios.openapi", directory="assets"))
    unpacked = StaticFiles(package="zipped_assets", directory="static")
    app.mount("/zip", unpacked)

    assert (await get(app, "/zip/b.css")).status == 200
    for path in ("/zip/.env", "/zip/__init__.py", "/zip/../__init__.py", "/disk/build.py", "/disk/../build.py"):
        assert (await get(app, path)).status == 404
    for directory in ("", ".", "..", "../http", "/etc", "none", None):
        with pytest.raises(ConfigurationError):
            StaticFiles(package="nexios.openapi", directory=directory)
    shutil.rmtree(unpacked.directory)  # it would go when the process ends
