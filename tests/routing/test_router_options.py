"""What is said of options that are of the wrong kind, at the line that gives them."""

from typing import Any

import pytest

from nexios import Router
from nexios.errors import ConfigurationError


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"limits": {"max_body_size": 5}}, "'limits' of a router or route is a Limits, not dict"),
        ({"middleware": print}, "'middleware' is a list: write middleware=[...]"),
    ],
)
def test_an_option_of_the_wrong_kind_is_refused_where_it_is_given(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=r"test_router_options\.py") as of_router:
        Router("/a", **options)
    with pytest.raises(ConfigurationError, match=r"test_router_options\.py") as of_route:
        Router().get("/a", **options)(print)

    assert words in str(of_router.value)
    assert words in str(of_route.value)
