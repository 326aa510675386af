"""Rows I11, L2, O4, P1 and Q5: what do we build on, and can a version of it be installed that has a published flaw?"""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
NEEDED: list[str] = PROJECT["project"]["dependencies"]

FLOORS = {
    "authlib": "1.7.1",
    "daphne": "4.2.2",
    "granian": "2.7.4",
    "gunicorn": "22",
    "h11": "0.16",
    "h2": "4.4.1",
    "jinja2": "3.1.6",
    "joserfc": "1.6.8",
    "orjson": "3.9.15",
    "pydantic": "2.4",
    "pyjwt": "2.13",
    "python-multipart": "0.0.31",
    "websockets": "9.1",
}
"""The first versions without the published flaws that we know of, of all that we use, may use, or may meet."""

INSTALLED_WITH = {"h11": ["standard", "hypercorn"], "h2": ["hypercorn"]}
"""What a server needs, and would take in a version with a flaw."""

NEVER = {"python-jose", "ecdsa", "pyyaml", "pycrypto", "m2crypto", "python-multipart", "aiohttp-session"}
"""Packages with flaws that nobody mends, or whose way of working is one."""


def installed() -> dict[str, str]:
    """Return the versions of those packages that are there."""
    found = {}
    for name in FLOORS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def least(requirement: str) -> tuple[str, str]:
    """Return the name and the least version of a requirement; "0" where it says none.

    >>> least("redis>=7.1,<9; sys_platform != 'win32'")
    ('redis', '7.1')
    """
    match = re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?(?:>=([0-9.]+))?", requirement)
    assert match is not None, requirement
    return match[1].lower(), match[2] or "0"


def numbers(text: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", text.partition("+")[0])]


def asked_for() -> Iterator[tuple[str, str]]:
    """Yield what users of nexios install with it, and in which version at least."""
    for requirement in [*NEEDED, *(one for extra in EXTRAS.values() for one in extra)]:
        name, floor = least(requirement)
        if name != "nexios":
            yield name, floor


def test_i11_l2_o4_p1_no_package_that_we_test_with_has_a_known_flaw() -> None:
    """CVE-2026-59881, CVE-2024-56201, CVE-2025-43859."""
    found = installed()

    assert {"granian", "h11", "h2", "jinja2", "joserfc", "pydantic", "websockets"} <= found.keys()
    assert {name: one for name, one in found.items() if numbers(one) < numbers(FLOORS[name])} == {}


def test_i11_l2_o4_p1_no_extra_allows_a_version_with_a_known_flaw() -> None:
    """The floors of pyproject.toml are not under those of the published flaws."""
    asked = list(asked_for())

    assert [one for one in asked if numbers(one[1]) < numbers(FLOORS.get(one[0], "0"))] == []
    assert len(asked) > 30


@pytest.mark.parametrize("package", INSTALLED_WITH)
def test_p1_what_a_server_would_take_too_old_is_asked_for_beside_it(package: str) -> None:
    """CVE-2025-43859: Uvicorn takes any h11 since 0.8, Hypercorn any at all."""
    for extra in INSTALLED_WITH[package]:
        floors = dict(map(least, EXTRAS[extra]))
        assert numbers(floors[package]) >= numbers(FLOORS[package])


def test_q5_four_packages_are_needed_and_no_more() -> None:
    """Each package is somebody else who can be broken into."""
    assert {least(one)[0] for one in NEEDED} == {"click", "itsdangerous", "msgspec", "multipart"}


def test_q5_every_package_has_a_floor_and_none_is_given_up() -> None:
    asked = dict(asked_for())

    assert [name for name, floor in asked.items() if floor == "0"] == []
    assert NEVER & asked.keys() == set()


@pytest.mark.parametrize("path", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda path: path.stem)
def test_q5_what_is_installed_here_is_pinned_by_version_and_hash(path: Path) -> None:
    """So that a package which is published anew under an old version is not installed."""
    text = path.read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip()]

    assert lines != []
    assert [
        line for line in lines if not re.match(r"[A-Za-z0-9._-]+(\[[a-z0-9,-]+\])?==[^ ]+ .*--hash=sha256:", line)
    ] == []


def test_q5_no_pin_is_a_version_with_a_known_flaw() -> None:
    """`bench-published` is what a peer was published with, and is measured alone."""
    low = [
        (path.stem, name, pinned)
        for path in (ROOT / "requirements").glob("*.txt")
        if path.stem != "bench-published"
        for name, pinned in re.findall(r"^([a-z0-9._-]+)==([0-9.]+)", path.read_text("utf-8"), re.MULTILINE)
        if name in FLOORS and numbers(pinned) < numbers(FLOORS[name])
    ]

    assert low == []
