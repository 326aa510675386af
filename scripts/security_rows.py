"""Which published flaws of peers is nexios tested with? The page on security rows, from the tests.

A row is one flaw, or several of one kind: `docs/security/rows.toml` has its identifiers and what nexios promises
instead. A test is of a row by its name: `test_f4_...`, or `test_g2_g9_...` for two. What has no test, or is tested in
part, has its reason in `docs/security/not-applicable.md`:

    .venv/bin/python scripts/security_rows.py --check     # compare
    .venv/bin/python scripts/security_rows.py --update    # rewrite docs/security/rows.md
"""

import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROWS = ROOT / "docs" / "security" / "rows.toml"
REASONS = ROOT / "docs" / "security" / "not-applicable.md"
PAGE = ROOT / "docs" / "security" / "rows.md"
TESTS = ROOT / "tests"

REQUIREMENT = "R"
"""The letter of requirements, which are tested in the same way and are no flaws of anybody."""

HEAD = """# Published flaws, and what is done here

<!-- Made by scripts/security_rows.py from rows.toml, not-applicable.md and the names of the tests. -->

Every flaw of a comparable project that was published and that we know of is a row, and is tested here with our own
code: the test of row F4 is named `test_f4_...`.
What is not tested, or not in full, says why; the reasons alone are in [rows that do not apply](not-applicable.md).

"""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its name, the section it is in, its identifiers as text, and what nexios promises instead."""

    name: str
    section: str
    ids: str
    promise: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a row has no test, or why it is tested in part only."""

    text: str
    in_part: bool


DEFINITION = re.compile(r"^ *(?:async )?def (test_\w+)", re.MULTILINE)

Found = Mapping[str, Sequence[str]]
"""Of each row, the file of each of its tests."""


def main(arguments: list[str]) -> int:
    """Compare the page with the tests, or rewrite it; return 1 when something is missing."""
    rows, reasons, tests = rows_of(ROWS.read_text("utf-8")), reasons_of(REASONS.read_text("utf-8")), find_tests(TESTS)
    faults = list(faults_of(rows, reasons, tests))
    page = page_of(rows, reasons, tests)
    if "--update" in arguments:
        PAGE.write_text(page, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text("utf-8") != page:
        faults.append(f"{PAGE.relative_to(ROOT)} shows other tests: python scripts/security_rows.py --update")
    print(*faults, f"{len(faults)} faults of security rows", sep="\n")
    return int(bool(faults))


def rows_of(text: str) -> list[Row]:
    """Return the rows of rows.toml, in their order."""
    return [
        Row(name, section, facts["ids"], facts["promise"])
        for section, members in tomllib.loads(text).items()
        for name, facts in members.items()
    ]


def reasons_of(text: str) -> dict[str, Reason]:
    """Return the reasons of not-applicable.md: the first cell names the row, the last one says why.

    >>> reasons_of("| E7 | There is no such helper. |")
    {'E7': Reason(text='There is no such helper.', in_part=False)}
    """
    lines = re.findall(r"^\| ([A-R]\d+)(, in part)? \|(?:.*\|)? ([^|]+) \|$", text, re.MULTILINE)
    return {name: Reason(reason, bool(in_part)) for name, in_part, reason in lines}


def find_tests(folder: Path) -> dict[str, list[str]]:
    """Return the tests below a folder that are named after rows; a test in a class counts like any other."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("test_*.py")):
        for name in DEFINITION.findall(path.read_text("utf-8")):
            for row in rows_in_name(name):
                found.setdefault(row, []).append(path.relative_to(folder.parent).as_posix())
    return found


def rows_in_name(name: str) -> list[str]:
    """Return the rows that a test is named after.

    >>> rows_in_name("test_g2_g9_the_content_type_decides_nothing")
    ['G2', 'G9']
    """
    match = re.match(r"test_((?:[a-r][1-9]\d?_)+)", name)
    return match[1].upper().strip("_").split("_") if match else []


def faults_of(rows: Sequence[Row], reasons: Mapping[str, Reason], tests: Found) -> Iterator[str]:
    """Yield a line for each row that has neither a test nor a reason, or both, and for each that there is not."""
    for row in rows:
        reason = reasons.get(row.name)
        if row.name not in tests and (reason is None or reason.in_part):
            yield f"{row.name} has neither a test test_{row.name.lower()}_... nor a line in {REASONS.name}"
        elif row.name in tests and reason is not None and not reason.in_part:
            yield f'{row.name} is tested: write "{row.name}, in part" in {REASONS.name}, or take the line away'
    known = {row.name for row in rows}
    for name in sorted({*reasons, *tests} - known):
        if not name.startswith(REQUIREMENT):
            yield f"{name} is no row of {ROWS.name}"


def page_of(rows: Sequence[Row], reasons: Mapping[str, Reason], tests: Found) -> str:
    """Return the page."""
    lines, section = [HEAD + _summary(rows, reasons, tests)], ""
    for row in rows:
        if row.section != section:
            section = row.section
            lines += ["", f"## {section}", "", "| row | identifiers | what is promised | status |", "|---|---|---|---|"]
        status = _status(reasons.get(row.name), tests.get(row.name, ()))
        lines.append(f"| {row.name} | {row.ids or 'none'} | {row.promise} | {status} |")
    return "\n".join([*lines, ""])


def _summary(rows: Sequence[Row], reasons: Mapping[str, Reason], tests: Found) -> str:
    tested = [row.name for row in rows if row.name in tests]
    in_part = sum(name in reasons for name in tested)
    return (
        f"Of {len(rows)} rows, {len(tested) - in_part} are tested in full, {in_part} in part, "
        f"and {len(rows) - len(tested)} do not apply."
    )


def _status(reason: Reason | None, files: Sequence[str]) -> str:
    if not files:
        return f"does not apply: {reason.text}" if reason is not None else "missing"
    counted = sorted(Counter(files).items())
    tested = ", ".join(f"{count} {'test' if count == 1 else 'tests'} in `{file}`" for file, count in counted)
    return f"in part: {tested}. {reason.text}" if reason is not None else tested


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
