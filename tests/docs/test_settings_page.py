"""Does the page on settings say of every setting and limit what the code says?"""

import re
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

import pytest

from nexios.settings import Limits, Settings

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"

MADE_ON_THE_MACHINE = {"limits": "`Limits()`", "thread_limit": "four for each processor core, at most 40"}
"""Defaults that are no constant."""


def rows(title: str) -> dict[str, list[str]]:
    """Return the cells of a table by the name in its first one."""
    section = PAGE.read_text("utf-8").partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    lines = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return {cells[0].strip(" `"): [cell.strip() for cell in cells] for cells in lines}


def facts(owner: type, prefix: str) -> Iterator[tuple[str, str, str]]:
    """Yield name, default and variable of each field, as the page writes them."""
    specs: tuple[Field[Any], ...] = fields(owner)
    for spec in specs:
        default = MADE_ON_THE_MACHINE.get(spec.name) if spec.default is MISSING else f"`{spec.default!r}`"
        assert default is not None, f"{spec.name} has a default that the page cannot know"
        yield spec.name, default, f"`{prefix}{spec.name.upper()}`"


@pytest.mark.parametrize(
    ("title", "owner", "prefix"), [("Settings", Settings, "NEXIOS_"), ("Limits", Limits, "NEXIOS_LIMITS__")]
)
def test_a_row_of_the_page_is_a_field_of_the_code(title: str, owner: type, prefix: str) -> None:
    expected = {name: (default, variable) for name, default, variable in facts(owner, prefix)}
    expected |= {"limits": ("`Limits()`", "the names below")} if "limits" in expected else {}

    found = {name: (re.sub(r" \(\d+ [KM]iB\)", "", cells[2]), cells[3]) for name, cells in rows(title).items()}

    assert found == expected


@pytest.mark.parametrize(("title", "owner"), [("Settings", Settings), ("Limits", Limits)])
def test_none_is_a_type_of_the_page_where_it_is_one_of_the_code(title: str, owner: type) -> None:
    optional = {name for name, hint in owner.__annotations__.items() if "None" in str(hint)}

    assert {name for name, cells in rows(title).items() if "`None`" in cells[1]} == optional


def test_a_size_in_brackets_is_the_number_before_it() -> None:
    units = {"KiB": 1024, "MiB": 1024 * 1024}
    found = re.findall(r"`(\d+)` \((\d+) ([KM]iB)\)", PAGE.read_text("utf-8"))

    assert len(found) >= 8
    assert [row for row in found if int(row[0]) != int(row[1]) * units[row[2]]] == []
