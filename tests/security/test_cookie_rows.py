"""Rows F1 to F3 of the published faults: which cookies did the browser send?"""

import pytest

from nexios import NexiosApp, Request, Response
from nexios.http.cookies import parse_cookies
from nexios.testing.raw import call
from tests.security.kit import MIB, cpu_time


def reading() -> NexiosApp:
    """An app that answers with the cookies it has read."""
    app = NexiosApp(openapi=None)

    @app.get("/")
    async def cookies(request: Request, response: Response) -> dict[str, str]:
        return dict(request.cookies)

    return app


async def read(*fields: bytes) -> dict[str, str]:
    answer = await call(reading(), headers=[(b"cookie", field) for field in fields])
    assert answer.status == 200
    found = answer.json()
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    "name",
    [
        b"=__Host-s",
        b"__%48ost-s",
        b"%5f_Host-s",
        b"  __Host-s",
        b"\t__Host-s",
        b"__host-s",
        b'"__Host-s"',
        b"\xa0__Host-s",
    ],
)
async def test_f1_no_name_is_read_as_that_of_a_host_cookie(name: bytes) -> None:
    """CVE-2023-23934, CVE-2020-8184: a page of a sub-domain sets such names, and never `__Host-s` itself."""
    assert "__Host-s" not in await read(name + b"=bad")
    assert (await read(name + b"=bad; __Host-s=good"))["__Host-s"] == "good"


@pytest.mark.parametrize(
    "fields",
    [
        ['a="' + '\\"' * 2 * MIB + '"'], ['a="' + "\\073" * MIB], ["a=b;" * MIB], [";" * 4 * MIB], ["a=b"] * MIB,
        ["=" * 4 * MIB], ['"' * 4 * MIB],
    ],
    ids=["escaped quotes", "octal escapes", "pairs", "semicolons", "fields", "equals signs", "quotes"],
)  # fmt: skip
def test_f2_megabytes_of_cookies_are_read_in_no_time(fields: list[str]) -> None:
    """CVE-2024-7592, CVE-2025-58186: escapes and pairs without end.

    Read once they take milliseconds, which are too few to see how they grow; with a step for each pair of bytes, days.
    """
    with cpu_time() as spent:
        parse_cookies(fields)

    assert spent.seconds < 2


async def test_f2_the_first_180_pairs_are_read_and_no_more() -> None:
    """CVE-2025-58186: a header of many short pairs took far more memory than it had bytes."""
    found = await read(b"; ".join(b"c%d=1" % number for number in range(5000)))

    assert list(found) == [f"c{number}" for number in range(180)]


async def test_f2_several_fields_are_one_list_and_the_first_value_counts() -> None:
    """HTTP/2 sends a field for each cookie (RFC 9113 section 8.2.3)."""
    assert await read(b"a=1", b"b=2; a=3", b"c=4") == {"a": "1", "b": "2", "c": "4"}


@pytest.mark.parametrize(
    "field",
    [
        b"ga=x]csrftoken=evil", b"a=b,csrftoken=e", b'a="x;csrftoken=e"', b"a=b\x0bcsrftoken=e", b"a=b&csrftoken=e",
        b"a=b csrftoken=e", b"a=b\x85csrftoken=e", b"a=[csrftoken=e]", b"a=b,;c=d,csrftoken=e", b"csrftoken",
        b'a="\\";csrftoken=e"',
    ],
)  # fmt: skip
async def test_f3_a_semicolon_alone_separates_cookies(field: bytes) -> None:
    """CVE-2016-7401: what an analytics script wrote into its own cookie was read as the token of CSRF."""
    assert "csrftoken" not in await read(field)
