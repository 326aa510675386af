"""What a handler may know of a request, and what it may not be made to believe."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexios import NexiosApp, Request, Response
from nexios.testing.raw import call

Pairs = list[tuple[bytes, bytes]]


async def asked(expression: str, *, headers: Pairs | None = None, **options: Any) -> Any:
    """What an expression of `request` is while that request is handled."""
    told: list[Any] = []
    app = NexiosApp()

    async def handler(request: Request, response: Response) -> None:
        told.append(eval(expression, {"request": request}))

    app.add_route("/{rest:path}", handler, ["GET", "POST"])
    answer = await call(app, headers=headers or [], **options)
    return told[0] if told else (answer.status, answer.json()["code"])


async def test_the_head_of_a_request_is_read_as_it_is() -> None:
    extra = {"http_version": "2", "scheme": "https"}

    assert await asked(
        "(request.method, request.path, request.query_string, request.scheme, request.http_version, request.client)",
        method="POST",
        path="/a/é",
        query=b"a=1&b=%20",
        scope_extra=extra,
    ) == ("POST", "/a/é", "a=1&b=%20", "https", "2", ("203.0.113.9", 4711))


async def test_a_server_may_leave_much_of_the_head_out() -> None:
    """ASGI: scheme, query string, root path, client and server are optional."""
    told: list[object] = []
    app = NexiosApp()

    @app.get("/")
    async def handler(request: Request, response: Response) -> None:
        told.append((request.scheme, request.query_string, request.root_path, request.client, str(request.url)))

    async def receive() -> Any: ...

    async def send(message: Any) -> None: ...

    await app({"type": "http", "method": "GET", "path": "/", "headers": []}, receive, send)

    assert told == [("http", "", "", None, "http://localhost/")]


async def test_headers_are_found_in_any_case_and_missing_ones_are_a_key_error() -> None:
    headers = [(b"x-one", b"1"), (b"x-two", b"a"), (b"x-two", b"b")]

    assert await asked("(request.headers['X-One'], request.headers.get_all('X-TWO'))", headers=headers) == (
        "1",
        ["a", "b"],
    )
    assert await asked("(request.headers.get('accept', 'none'), 'accept' in request.headers)") == ("none", False)
    assert await asked("request.headers['accept']") == (500, "internal_server_error")


async def test_underscores_are_not_hyphens() -> None:
    """A proxy that strips X-Forwarded-For does not strip X_Forwarded_For."""
    headers = [(b"x_forwarded_for", b"evil"), (b"remote_user", b"root")]

    assert await asked(
        "(request.headers.get('x-forwarded-for'), request.headers.get('remote-user'))", headers=headers
    ) == (None, None)


async def test_query_parameters_are_decoded_once_and_kept_in_order() -> None:
    query = b"a=1&b=%2541&a=2&c=%C3%A9+x&d&e=1;f=2"

    assert await asked(
        "(request.query_params['a'], request.query_params.get_all('a'), request.query_params['b'],"
        " request.query_params['c'], request.query_params['d'], request.query_params['e'])",
        query=query,
    ) == ("1", ["1", "2"], "%41", "é x", "", "1;f=2")


async def test_query_parameters_are_parsed_once() -> None:
    assert await asked("request.query_params is request.query_params", query=b"a=1") is True


@settings(max_examples=40)
@given(st.binary(max_size=200))
async def test_no_query_string_is_an_error_of_ours(query: bytes) -> None:
    result = await asked("len(request.query_params.get_all('a'))", query=query)

    assert isinstance(result, int)


async def test_too_many_query_parameters_are_refused_when_they_are_read_and_only_then() -> None:
    assert (await asked("len(request.query_params)", query=b"&".join([b"a=1"] * 1000))) == 1
    assert (await asked("len(request.query_params)", query=b"&".join([b"a=1"] * 1001)))[0] in (400, 414)
    assert (await asked("len(request.query_string)", query=b"&".join([b"a=1"] * 1001))) == 4003
    assert (await asked("request.query_params", query=b"a=" + b"x" * 70_000))[0] == 414


async def test_cookies_are_a_mapping_and_of_two_the_first_counts() -> None:
    headers = [(b"cookie", b"a=1; b=2; a=3"), (b"cookie", b"c=4")]

    assert await asked("dict(request.cookies)", headers=headers) == {"a": "1", "b": "2", "c": "4"}


@pytest.mark.parametrize(
    "cookie", [b"=__Host-s=bad", b"__%48ost-s=bad", b"__host-s=bad", b'"__Host-s"=bad', b"%5f_Host-s=bad"]
)
async def test_no_other_text_is_read_as_a_host_cookie(cookie: bytes) -> None:
    assert await asked("request.cookies.get('__Host-s')", headers=[(b"cookie", cookie)]) is None


@pytest.mark.parametrize(
    "host",
    [b"x/public?", b"x#", b"x?a", b"x@y", b"x y", b"[::1", b"x:99999", b"x:0x50", b"x\t", b"", b"h" * 300, b"a\\b",
     b"//x", b"x:80:80", b"\xe9.example", b"..", b"x:", b":80"],
)  # fmt: skip
async def test_no_host_header_changes_the_path_of_the_url(host: bytes) -> None:
    """A URL glued together from Host and path, and taken apart again, has another path."""
    result = await asked("(request.url.path, request.url.host)", path="/admin", headers=[(b"host", host)])

    if result[0] != 400:
        path, name = result
        assert path == "/admin"
        assert re.fullmatch(r"[a-z0-9.\-:\[\]]+", name)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        (b"shop.example", "http://shop.example/a%20b?x=1"),
        (b"shop.example:8000", "http://shop.example:8000/a%20b?x=1"),
        (b"SHOP.example", "http://shop.example/a%20b?x=1"),
        (b"[::1]:8000", "http://[::1]:8000/a%20b?x=1"),
        (b"no host", "http://testserver/a%20b?x=1"),
    ],
)
async def test_the_url_is_that_of_the_host_header_or_of_the_server(host: bytes, url: str) -> None:
    assert await asked("str(request.url)", path="/a b", query=b"x=1", headers=[(b"host", host)]) == url


async def test_two_host_headers_are_a_bad_request() -> None:
    """RFC 9110 section 7.2."""
    assert await asked("request.url", headers=[(b"host", b"a"), (b"host", b"b")]) == (400, "duplicate_host")


@pytest.mark.parametrize(
    "name",
    [b"x-forwarded-for", b"x-real-ip", b"forwarded", b"x-forwarded-host", b"x-forwarded-proto", b"x-original-url",
     b"x-rewrite-url", b"x-http-method-override", b"x-script-name"],
)  # fmt: skip
async def test_no_header_changes_who_asks_what_from_whom(name: bytes) -> None:
    headers = [(b"host", b"a.example"), (name, b"https://evil.example/admin, for=1.2.3.4;proto=https")]

    told = await asked("(request.client.host, str(request.url), request.method, request.root_path)", headers=headers)

    assert told == ("203.0.113.9", "http://a.example/", "GET", "")


@pytest.mark.parametrize("given", [b"abc-123", b"a" * 128, b"A.b_c-9"])
async def test_a_plain_request_id_is_taken_over(given: bytes) -> None:
    assert await asked("request.id", headers=[(b"x-request-id", given)]) == given.decode()


@pytest.mark.parametrize("given", [b"", b"a" * 129, b"a b", b"a\nb", b"<script>", b"\xe9", b"a;b", b"a/b"])
async def test_any_other_request_id_is_replaced(given: bytes) -> None:
    assert re.fullmatch("[0-9a-f]{32}", await asked("request.id", headers=[(b"x-request-id", given)]))


async def test_the_id_stays_the_same_and_differs_between_requests() -> None:
    assert await asked("request.id == request.id") is True
    assert await asked("request.id") != await asked("request.id")


async def test_more_headers_than_allowed_are_431() -> None:
    many: Pairs = [(b"x-%d" % number, b"1") for number in range(201)]

    assert await asked("len(request.headers)", headers=many[:200]) == 200
    assert (await asked("len(request.headers)", headers=many))[0] == 431
    assert (await asked("len(request.headers)", headers=[(b"x", b"y" * 65_536)]))[0] == 431


@pytest.mark.parametrize(
    ("value", "expected"),
    [(b"Application/JSON; charset=UTF-8", ("application/json", "utf-8")), (b"text/plain", ("text/plain", None))],
)
async def test_the_media_type_is_parsed(value: bytes, expected: tuple[str, str | None]) -> None:
    essence, charset = expected
    told = await asked("(request.media_type.essence, request.media_type.charset)", headers=[(b"content-type", value)])

    assert (told[0], told[1] and told[1].lower()) == (essence, charset)


async def test_without_a_content_type_there_is_no_media_type() -> None:
    assert await asked("request.media_type") is None


@pytest.mark.parametrize("values", [[b"nonsense"], [b"a/b;x=1;x=2"], [b"a/b", b"a/b"], [b"a/b; !=\\\\"]])
async def test_a_malformed_content_type_is_415(values: list[bytes]) -> None:
    headers = [(b"content-type", value) for value in values]

    assert await asked("request.media_type", headers=headers) == (415, "unsupported_media_type")


async def test_path_parameters_are_attributes_and_items_converted() -> None:
    told: list[Any] = []
    app = NexiosApp()

    @app.get("/{shop}/{item_id:int}/{day:date}")
    async def handler(request: Request, response: Response) -> None:
        params = request.path_params
        told.extend(
            [params.shop, params["item_id"], params.day.isoformat(), dict(params), params is request.path_params]
        )

    await call(app, path="/books/7/2024-01-31")

    assert told[:3] == ["books", 7, "2024-01-31"]
    assert (sorted(told[3]), told[4]) == (["day", "item_id", "shop"], True)


async def test_a_path_without_parameters_has_none() -> None:
    told: list[Any] = []
    app = NexiosApp()

    @app.get("/")
    async def handler(request: Request, response: Response) -> None:
        told.append(dict(request.path_params))

    await call(app)

    assert told == [{}]


async def test_app_route_and_limits_are_those_that_serve_the_request() -> None:
    told: list[Any] = []
    app = NexiosApp()

    @app.get("/x", name="ex", max_body_size=7, metadata={"a": 1})
    async def handler(request: Request, response: Response) -> None:
        assert request.route is not None
        told.extend([request.app, request.route.name, request.route.metadata, request.limits.max_body_size])

    await call(app, path="/x")

    assert told == [app, "ex", {"a": 1}, 7]


async def test_url_for_makes_the_path_of_a_named_route() -> None:
    told: list[str] = []
    app = NexiosApp()

    @app.get("/users/{name}", name="user")
    async def handler(request: Request, response: Response) -> None:
        params = {"name": "ada lovelace?"}
        told.append(request.url_for("user", **params))

    await call(app, path="/users/x")

    assert told == ["/users/ada%20lovelace%3F"]


async def test_the_repr_has_no_secrets() -> None:
    headers = [(b"authorization", b"Bearer s3cret"), (b"cookie", b"session=s3cret")]

    assert await asked("repr(request)", path="/a", headers=headers, query=b"token=s3cret") == "<Request GET '/a'>"


async def test_requests_are_compared_by_identity_and_may_be_keys() -> None:
    assert await asked("{request: 1}[request] == 1 and request == request") is True
