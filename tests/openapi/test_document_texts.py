"""Summaries and descriptions: what a handler says about itself."""

from functools import partial
from typing import Any

import pytest

from nexios.openapi.problems import phrase_of
from nexios.openapi.texts import texts_of


def documented() -> None:
    """Do it.

    First this,
        then that.
    """


class View:
    """A view of items."""

    async def get(self, request: Any, response: Any) -> None: ...

    async def post(self, request: Any, response: Any) -> None:
        """Add one."""


class Handler:
    """Says nothing of a request."""

    def __call__(self) -> None: ...


@pytest.mark.parametrize(
    ("handler", "texts"),
    [
        (documented, ("Do it.", "First this,\n    then that.")),
        (partial(documented), ("Do it.", "First this,\n    then that.")),
        (View().get, ("Get View", None)),
        (View().post, ("Add one.", None)),
        (Handler(), ("Handler", None)),
        (lambda: None, ("", None)),
    ],
)
def test_the_docstring_of_the_function_that_runs_is_what_counts(handler: Any, texts: tuple[str, str | None]) -> None:
    assert texts_of(handler) == texts


@pytest.mark.parametrize(
    ("status", "phrase"), [("404", "Not Found"), ("299", "299"), ("5XX", "5XX"), ("default", "Any other answer")]
)
def test_a_status_without_a_description_has_its_phrase(status: str, phrase: str) -> None:
    assert phrase_of(status) == phrase
