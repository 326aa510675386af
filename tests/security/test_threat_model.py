"""Does the threat model promise only what a test holds? Each row that it names is the name of a test."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODEL = (ROOT / "docs/security/threat-model.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"\b[A-Q]\d{1,2}\b", MODEL)), key=lambda row: (row[0], int(row[1:])))


def rows_with_tests() -> set[str]:
    """Return the rows that names of tests begin with."""
    names = re.findall(
        r"def test_((?:[a-q]\d{1,2}_)+)", "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py"))
    )
    return {row.upper() for name in names for row in name.rstrip("_").split("_")}


TESTED = rows_with_tests()


@pytest.mark.parametrize("row", NAMED)
def test_a_row_of_the_threat_model_is_tested(row: str) -> None:
    assert row in TESTED


def test_the_threat_model_names_rows() -> None:
    assert len(NAMED) > 80
