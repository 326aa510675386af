"""Mounts: prefixes end at slashes, the longest wins, the rest begins with a slash."""

from typing import Any

import pytest

from nexios.errors import ConfigurationError, DuplicateRoute
from nexios.routing import Matcher, compile_template


def mounts_of(*prefixes: str) -> Matcher[str]:
    matcher = Matcher[str]()
    for prefix in prefixes:
        matcher.add_mount(compile_template(prefix), prefix)
    return matcher


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/api", ("/api", {}, 4, "/")),
        ("/api/", ("/api", {}, 4, "/")),
        ("/api/x", ("/api", {}, 4, "/x")),
        ("/api//x", ("/api", {}, 4, "//x")),
        ("/apix", None),
        ("/apix/y", None),
        ("/ap", None),
        ("/", None),
        ("", None),
        ("api/x", None),
        ("/api\n", None),
        ("/api/v1", ("/api/v1", {}, 7, "/")),
        ("/api/v1/x", ("/api/v1", {}, 7, "/x")),
        ("/api/v10", ("/api", {}, 4, "/v10")),
        ("/á/x/y", ("/á", {}, 2, "/x/y")),
        ("/t/5/files/a/b", ("/t/{tenant:int}/files", {"tenant": 5}, 10, "/a/b")),
        ("/t/five/files/a", ("/t/{name}/files", {"name": "five"}, 13, "/a")),
    ],
)
def test_a_mount_owns_what_is_below_its_prefix(path: str, found: tuple[str, dict[str, Any], int, str] | None) -> None:
    matcher = mounts_of("/api", "/t/{name}/files", "/api/v1", "/á", "/t/{tenant:int}/files")

    assert matcher.find_mount(path) == found


def test_a_mount_at_the_root_gets_what_no_other_gets() -> None:
    matcher = mounts_of("/", "/api")

    assert matcher.find_mount("/") == ("/", {}, 0, "/")
    assert matcher.find_mount("/x/y") == ("/", {}, 0, "/x/y")
    assert matcher.find_mount("/api/x") == ("/api", {}, 4, "/x")


def test_literal_text_beats_a_parameter_in_prefixes_too() -> None:
    matcher = mounts_of("/{a}/x", "/b/{c}")

    assert matcher.find_mount("/b/x") == ("/b/{c}", {"c": "x"}, 4, "/")


def test_two_mounts_at_one_prefix_are_refused() -> None:
    with pytest.raises(DuplicateRoute, match=r"Two applications are mounted at '/\{b\}'"):
        mounts_of("/{a}", "/{b}")


def test_a_prefix_does_not_span_segments() -> None:
    with pytest.raises(ConfigurationError, match="may hold '/'"):
        mounts_of("/{rest:path}")
