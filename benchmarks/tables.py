"""How does a table read in the report? As Markdown, with as many digits as mean something."""

from collections.abc import Iterable, Sequence

__all__ = ["cell", "stamp", "table"]


def stamp(day: str, python: str, versions: dict[str, str]) -> str:
    """Return the line below a section: when and with what it was measured."""
    return f"{day}, {python}. " + ", ".join(f"{name} {version}" for name, version in versions.items()) + ".\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


def cell(value: float | None, *, bold: bool = False) -> str:
    """Return a number with three digits or so, and a dash for none.

    >>> cell(2.345), cell(23.45), cell(None)
    ('2.35', '23.4', '–')
    """
    if value is None:
        return "–"
    text = f"{value:.2f}" if abs(value) < 10 else f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}"
    return f"**{text}**" if bold else text
