"""Does the page on events have every event, and say of each whether it is emitted?"""

import ast
from pathlib import Path

from nexios.events import names

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "events.md"


def rows() -> list[list[str]]:
    """Return the cells of the table of names."""
    section = PAGE.read_text("utf-8").partition("\n## What nexios emits\n")[2].partition("\n## ")[0]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in section.splitlines() if "| `" in line]


def emitted() -> set[str]:
    """Return the names that nexios passes to `emit`, or to what passes them on: constants, or their values."""
    known = {name: getattr(names, name) for name in names.__all__ if isinstance(getattr(names, name), str)}
    found = set()
    for path in (ROOT / "nexios").rglob("*.py"):
        if path.parts[-2:] == ("events", "names.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1].startswith(("emit", "_emit")):
                words = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
                texts = {part.value for part in ast.walk(node) if isinstance(part, ast.Constant)}
                found |= {value for name, value in known.items() if name in words or value in texts}
    return found


def test_every_name_is_on_the_page_with_its_constant() -> None:
    expected = {name: getattr(names, name) for name in names.__all__ if isinstance(getattr(names, name), str)}

    assert {cells[1]: cells[0] for cells in rows()} == expected


def test_the_page_says_which_events_are_not_emitted_yet() -> None:
    parents = set(names.PARENTS.values())
    missing = {cells[0] for cells in rows() if "not emitted yet" in cells[3]}

    assert missing == {cells[0] for cells in rows()} - parents - emitted()
