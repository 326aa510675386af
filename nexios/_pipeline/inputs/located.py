"""What does the client hear of an input that does not fit? Where it stands, a stable code and a short text.

The value itself is never told: an answer that repeats it would carry a stranger's text
into logs and pages.
"""

from collections.abc import Iterable
from typing import Final

from nexios.errors import InvalidInput
from nexios.models.problems import MAX_PROBLEMS, Problem, pointer_of

__all__ = ["Error", "Located", "errors_of", "joined", "located", "one_error"]

Error = dict[str, str]
"""One problem as it goes to the client: `in`, `pointer`, `code` and `detail`."""

_PLACES: Final = {"file": "form"}
"""A file is a part of a form, and the client knows no other word for it."""


class Located(Exception):
    """Inputs do not fit; each error names its place. The pipeline answers 422 with all of them."""

    errors: tuple[Error, ...]

    def __init__(self, errors: Iterable[Error]) -> None:
        self.errors = tuple(errors)
        super().__init__(f"{len(self.errors)} errors in the inputs")


def located(source: str, prefix: str, problems: Iterable[Problem]) -> Located:
    """Return the exception for `problems` of what stands at the JSON Pointer `prefix` of a part of the request."""
    place = _PLACES.get(source, source)
    return Located(
        {"in": place, "pointer": prefix + problem.pointer, "code": problem.code, "detail": problem.detail}
        for problem in problems
    )


def one_error(source: str, name: str, code: str, detail: str) -> Located:
    """Return the exception for one error of a parameter; `name` "" is the whole part of the request."""
    return located(source, pointer_of([name]) if name else "", [Problem("", code, detail)])


def joined(found: Iterable[Located]) -> Located:
    """Return one exception with the errors of all, each once and in their order, at most `MAX_PROBLEMS`."""
    errors: list[Error] = []
    for exc in found:
        for error in exc.errors:
            if error not in errors:
                errors.append(error)
            if len(errors) == MAX_PROBLEMS:
                return Located(errors)
    return Located(errors)


def errors_of(found: Iterable[Located]) -> InvalidInput:
    """Return the answer for all that was found, at most `MAX_PROBLEMS` errors in total.

    >>> errors_of([one_error("query", "limit", "missing", "is required")]).status_code
    422
    """
    return InvalidInput(joined(found).errors)
