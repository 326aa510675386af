"""Requirements on the head of a request and of its response: R4, R5, R6, R21, R25, R26.

R13 to R15, R18 and R20 are tested in tests/pipeline and tests/events.
"""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nexios import NexiosApp, Request, Response, Router
from nexios.testing.raw import RawAnswer, call
from tests.security.kit import KIB, http_scope


async def reached(request: Request, response: Response, **params: object) -> str:
    return "reached"


def reading_app(**options: Any) -> NexiosApp:
    """An app that reads its query at /query and its headers at /headers, and neither at /nothing."""
    app = NexiosApp(**options)

    @app.get("/query")
    async def query(request: Request, response: Response) -> int:
        return len(request.query_params.multi_items())

    @app.get("/headers")
    async def headers(request: Request, response: Response) -> int:
        return len(list(request.headers.items()))

    app.add_route("/nothing", reached)
    return app


# R4: the query


@pytest.mark.parametrize(("count", "status"), [(999, 200), (1000, 200), (1001, 400), (10_000, 400)])
async def test_r4_a_query_has_a_thousand_parameters_at_most(count: int, status: int) -> None:
    answer = await call(reading_app(), path="/query", query=b"&".join([b"a=1"] * count))

    assert answer.status == status
    assert answer.json() == count if status == 200 else answer.json()["code"] == "too_many_query_params"


@pytest.mark.parametrize(("size", "status"), [(64 * KIB - 1, 200), (64 * KIB, 200), (64 * KIB + 1, 414)])
async def test_r4_and_64_kib(size: int, status: int) -> None:
    assert (await call(reading_app(), path="/query", query=b"a=".ljust(size, b"x"))).status == status


async def test_r4_a_query_that_nobody_reads_is_not_parsed() -> None:
    assert (await call(reading_app(), path="/nothing", query=b"a=1&" * 100_000)).status == 200


@pytest.mark.parametrize("limits", [{"max_query_params": 2}, {"max_query_size": 8}])
async def test_r4_both_limits_can_be_changed(limits: dict[str, int]) -> None:
    app = reading_app(limits=limits)

    assert (await call(app, path="/query", query=b"a=1&b=2")).status == 200
    assert (await call(app, path="/query", query=b"a=1&b=2&c=3")).status in (400, 414)


async def test_r4_blanks_are_kept_and_the_first_value_is_the_one() -> None:
    app = NexiosApp()

    @app.get("/")
    async def tell(request: Request, response: Response) -> list[Any]:
        params = request.query_params
        return [params["a"], params.get_all("a"), params["b"], params.get("c", "none")]

    assert (await call(app, query=b"a=&a=2&b&&")).json() == ["", ["", "2"], "", "none"]


# R5: the path


@pytest.mark.parametrize("template", ["/{x}", "/{x:path}", "/{x:slug}", "/a{x}", "/{x:path}/z", "/none/{x}"])
@pytest.mark.parametrize(("size", "accepted"), [(8 * KIB - 1, True), (8 * KIB, True), (8 * KIB + 1, False)])
async def test_r5_a_path_has_8_kib_at_most_whatever_route_it_takes(template: str, size: int, accepted: bool) -> None:
    app = NexiosApp()
    app.add_route(template, reached)
    path = ("/a".ljust(size - 2, "x") + "/z") if template.endswith("/z") else "/a".ljust(size, "x")

    answer = await call(app, path=path)

    assert len(path) == size
    assert answer.status == (414 if not accepted else 404 if "none" in template else 200)


async def test_r5_below_a_mount_the_whole_path_counts_too() -> None:
    inner, app = NexiosApp(), NexiosApp()
    inner.add_route("/{x:path}", reached)
    app.mount("/mount", inner)

    assert (await call(app, path="/mount/".ljust(8 * KIB, "x"))).status == 200
    assert (await call(app, path="/mount/".ljust(9 * KIB, "x"))).status == 414


@given(path=st.text(alphabet=st.sampled_from("/.%a\\é\x00\n\x7f;:@"), max_size=12))
async def test_r5_a_path_is_taken_as_it_is_or_refused(path: str) -> None:
    """Not normalised, not decoded, and without control characters; a segment of dots leads to no parameter."""
    app = NexiosApp(slashes="strict")

    @app.get("/{rest:path}")
    async def tell(request: Request, response: Response, rest: str) -> list[str]:
        return [request.path, rest]

    answer = await call(app, path=f"/{path}")

    if any(character < " " or character == "\x7f" for character in path):
        assert answer.status == 400
    elif {".", ".."} & set(path.split("/")):
        assert answer.status == 404
    else:
        assert answer.json() == [f"/{path}", path]


# R6: the headers


@pytest.mark.parametrize(("count", "status"), [(199, 200), (200, 200), (201, 431), (2000, 431)])
async def test_r6_a_request_has_200_headers_at_most(count: int, status: int) -> None:
    answer = await call(reading_app(), path="/headers", headers=[(b"a", b"1")] * count)

    assert answer.status == status


@pytest.mark.parametrize(("size", "status"), [(64 * KIB - 1, 200), (64 * KIB, 200), (64 * KIB + 1, 431)])
async def test_r6_and_64_kib_of_names_and_values(size: int, status: int) -> None:
    headers = [(b"a" * 100, b"b" * 1000), (b"c", b"".ljust(size - 1101, b"d"))]

    assert (await call(reading_app(), path="/headers", headers=headers)).status == status


async def test_r6_the_limits_are_those_of_the_route() -> None:
    app = reading_app(limits={"max_headers": 2, "max_header_size": 20})

    assert (await call(app, path="/headers", headers=[(b"a", b"1")] * 2)).status == 200
    assert (await call(app, path="/headers", headers=[(b"a", b"1")] * 3)).status == 431
    assert (await call(app, path="/headers", headers=[(b"a", b"1" * 20)])).status == 431


@pytest.mark.parametrize("debug", [False, True])
async def test_r6_an_error_in_such_a_request_is_answered_and_logged_as_any_other(
    debug: bool, caplog: pytest.LogCaptureFixture
) -> None:
    app = NexiosApp(debug=debug)

    @app.get("/")
    async def fail(request: Request, response: Response) -> None:
        raise ZeroDivisionError

    answer = await call(app, headers=[(b"a", b"1")] * 300)

    assert (answer.status, len(caplog.records)) == (500, 1)


# R21: two requests inside one task. That their context variables are apart is the server's part,
# tested on every server in tests/contract; what nexios itself keeps must not pass from one to the next.


async def test_r21_nothing_of_a_request_is_seen_by_the_next_in_the_same_task() -> None:
    app = NexiosApp()
    heard: list[str] = []

    async def mark(request: Request, response: Response, call_next: Any) -> Response:
        found = [*request.state, *response.headers, *request.cookies, str(response.status_code)]
        request.state.user = "ada"
        response.set_header("x-first", "1").set_cookie("a", "b").status(201)
        answer: Response = await call_next()
        return answer.set_header("x-found", " ".join(found))

    app.add_middleware(mark)

    @app.get("/{name}")
    async def handler(request: Request, response: Response, name: str) -> dict[str, Any]:
        await app.events.emit("seen", name)
        return dict(request.path_params)

    @app.events.on("seen")
    async def listener(name: str) -> None:
        heard.append(name)

    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    for number in range(40):
        await app(http_scope(path=f"/{number}"), receive, send)

    assert heard == [str(number) for number in range(40)]
    assert [message["body"] for message in sent[1::2]] == [b'{"name":"%d"}' % number for number in range(40)]
    assert {dict(message["headers"])[b"x-found"] for message in sent[::2]} == {b"200"}
    assert {len(message["headers"]) for message in sent[::2]} == {5}


@given(order=st.permutations([0, 0, 0, 1, 1, 1, 2, 2, 2]))
async def test_r21_however_requests_take_turns_each_sees_its_own(order: list[int]) -> None:
    """Every request stops at three places, and `order` says whose turn it is."""
    gates = [[asyncio.Event() for _ in range(3)] for _ in range(3)]
    app = NexiosApp()

    async def mark(request: Request, response: Response, call_next: Any) -> Response:
        name = request.path[1:]
        request.state.name = name
        response.set_header("x-name", name)
        await gates[int(name)][0].wait()
        answer: Response = await call_next()
        await gates[int(name)][2].wait()
        return answer.set_header("x-after", f"{request.state.name} {request.path_params.name}")

    app.add_middleware(mark)

    @app.get("/{name}")
    async def handler(request: Request, response: Response, name: str) -> Response:
        await gates[int(name)][1].wait()
        return response.text(f"{name} {request.state.name}")

    running = [asyncio.ensure_future(call(app, path=f"/{number}")) for number in range(3)]
    for number in order:
        next(gate for gate in gates[number] if not gate.is_set()).set()
        await asyncio.sleep(0)
    answers: list[RawAnswer] = await asyncio.gather(*running)

    for number, answer in enumerate(answers):
        own = f"{number} {number}"
        assert (answer.body.decode(), answer.header("x-name"), answer.header("x-after")) == (own, str(number), own)


# R25: HEAD, OPTIONS, 405, 501 and TRACE

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "TRACE", "CONNECT"]
TEMPLATES = ["/", "/a", "/a/", "/{x}", "/a/{x:int}", "/a/{x}", "/a/b", "/f/{x:path}", "/{x}-{y:int}"]
SEGMENTS = ["", "a", "b", "7", "f", "a-7", ".."]


@given(
    routes=st.dictionaries(st.sampled_from(TEMPLATES), st.sets(st.sampled_from(METHODS), min_size=1), max_size=5),
    nested=st.booleans(),
    segments=st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=3),
    method=st.sampled_from([*METHODS, "BREW", "get", ""]),
)
async def test_r25_the_answer_to_a_method_follows_from_the_others(
    routes: dict[str, set[str]], nested: bool, segments: list[str], method: str
) -> None:
    app = NexiosApp(slashes="strict")
    router = Router() if nested else app
    for template, methods in routes.items():
        router.add_route(template, reached, sorted(methods - {"TRACE", "CONNECT"} or {"GET"}))
    if nested:
        app.include_router(router)
    path = "/" + "/".join(segments)

    secret = [(b"cookie", b"a=secret")]
    by_method = {name: await call(app, method=name, path=path, headers=secret) for name in {*METHODS, method}}
    answer, get, head = by_method[method], by_method["GET"], by_method["HEAD"]

    served = {name for name in METHODS if by_method[name].status in (200, 204)}
    if not served:
        assert {by_method[name].status for name in METHODS} == {404}
    else:
        assert "OPTIONS" in served
        assert ("HEAD" in served) or ("GET" not in served)
        refused = [one for name, one in by_method.items() if name in METHODS and name not in served]
        assert {one.status for one in refused} <= {405}
        assert {one.header("allow") for one in refused} <= {", ".join(sorted(served))}
        if by_method["OPTIONS"].status == 204:
            assert by_method["OPTIONS"].header("allow") == ", ".join(sorted(served))
    if get.status == 200:
        assert (head.status, head.headers, head.body) == (200, get.headers, b"")
    if method not in METHODS:
        assert answer.status == 501
    assert by_method["TRACE"].status in (404, 405)
    assert b"secret" not in b"".join(one.body for one in by_method.values())


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_r25_head_has_the_headers_of_get_whatever_the_content_is(method: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"0123456789")
    app = NexiosApp()
    contents: dict[str, Any] = {
        "json": lambda response: response.json({"a": 1}),
        "text": lambda response: response.text("a"),
        "empty": lambda response: response.empty(),
        "file": lambda response: response.file(tmp_path / "a.txt", filename="b.txt"),
        "stream": lambda response: response.stream([b"a", b"b"], "text/plain"),
        "redirect": lambda response: response.redirect("/"),
        "error": lambda response: 1 / 0,
    }

    @app.get("/{name}")
    async def handler(request: Request, response: Response, name: str) -> Any:
        return contents[name](response)

    app.logger.disabled = True
    try:
        for name in contents:
            get = await call(app, path=f"/{name}", headers=[(b"x-request-id", b"1")])
            head = await call(app, method="HEAD", path=f"/{name}", headers=[(b"x-request-id", b"1")])
            assert (head.status, head.headers, head.body) == (get.status, get.headers, b""), name
    finally:
        app.logger.disabled = False


# R26: one start, one end, no content where none may be, and a length that is true

CONTENTS = ["text", "json", "bytes", "nothing", "file", "stream", "empty stream", "sync stream", "html"]


@given(
    content=st.sampled_from(CONTENTS),
    status=st.sampled_from([200, 201, 202, 204, 205, 206, 226, 300, 304, 400, 404, 416, 500, 599]),
    method=st.sampled_from(["GET", "HEAD", "POST", "OPTIONS"]),
    headers=st.lists(
        st.tuples(
            st.sampled_from(["Content-Length", "Transfer-Encoding", "X-A", "Content-Type", "Connection", "ETag"]),
            st.sampled_from(["0", "5", "chunked", "a", "text/plain", "close"]),
        ),
        max_size=3,
    ),
    late=st.booleans(),
)
@example(content="file", status=204, method="GET", headers=[], late=False)
@example(content="file", status=205, method="GET", headers=[], late=False)
async def test_r26_every_response_is_a_legal_sequence(
    content: str, status: int, method: str, headers: list[tuple[str, str]], late: bool
) -> None:
    """`call` looks at every message: names, values, framing, order, and the number of bytes against Content-Length."""
    app = NexiosApp()

    async def made() -> Any:
        yield b"01234"
        yield b""
        yield "56789"

    def fill(response: Response) -> Response:
        fillers: dict[str, Any] = {
            "text": lambda: response.text("0123456789"),
            "json": lambda: response.json("01234567"),
            "bytes": lambda: response.binary(b"0123456789"),
            "nothing": lambda: response,
            "file": lambda: response.file(__file__),
            "stream": lambda: response.stream(made()),
            "empty stream": lambda: response.stream(()),
            "sync stream": lambda: response.stream(iter([b"01234", b"56789"])),
            "html": lambda: response.html("0123456789"),
        }
        filled: Response = fillers[content]()
        return filled

    @app.route("/", ["GET", "POST", "OPTIONS"])
    async def handler(request: Request, response: Response) -> Response:
        response.status(status)
        if late:
            fill(response)
        response.set_headers(headers)
        return response if late else fill(response)

    answer = await call(app, method=method, headers=[(b"range", b"bytes=0-9")])

    assert answer.complete
    assert answer.status == (206 if content == "file" and method == "GET" and status == 200 else status)
    assert answer.header_all("transfer-encoding") == []
    if method == "HEAD" or status in (204, 205, 304):
        assert answer.body == b""
    elif content not in ("nothing", "empty stream", "file"):
        assert answer.body == (b'"01234567"' if content == "json" else b"0123456789")
    if status in (204, 205):
        assert answer.header("content-length") in ((None,) if status == 204 else (None, "0"))
