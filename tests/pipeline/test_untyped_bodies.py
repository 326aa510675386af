"""A body whose media type is not told hears so, and what is read (RFC 9110 section 15.5.16)."""

from typing import Any

import pytest

from nexios import Body, NexiosApp
from nexios.testing import call

BOTH = "application/json or application/msgpack"


async def whole(item: dict[str, int]) -> None: ...
async def keyed(a: int = Body(embed=True), b: int = Body(embed=True)) -> None: ...
async def raw(data: bytes = Body(media_type="image/png")) -> None: ...


@pytest.mark.parametrize(("handler", "read"), [(whole, BOTH), (keyed, BOTH), (raw, "image/png")])
async def test_json_without_a_content_type_hears_that_none_came(handler: Any, read: str) -> None:
    app = NexiosApp()
    app.post("/")(handler)

    answer = await call(app, method="POST", chunks=[b'{"a": 1, "b": 2}'])

    assert (answer.status, answer.json()["detail"]) == (
        415,
        f"The body came with no Content-Type, or with several; it must be {read}.",
    )
