"""Does the page on ASVS promise only what a test holds? Each row that it names is tested, each file is there."""

import re
from pathlib import Path

import pytest

from tests.security.test_threat_model import TESTED

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/security/asvs.md").read_text("utf-8")
TABLES = [line.split("|") for line in PAGE.splitlines() if re.match(r"\| \d", line)]
NAMED = sorted({row for cells in TABLES for row in re.findall(r"\b[A-Q]\d{1,2}\b", cells[3])})
FILES = sorted(set(re.findall(r"`(tests/[a-z_/]+\.py)`", PAGE)))


@pytest.mark.parametrize("row", NAMED)
def test_a_row_of_the_page_on_asvs_is_tested(row: str) -> None:
    assert row in TESTED


@pytest.mark.parametrize("path", FILES)
def test_a_file_of_the_page_on_asvs_has_tests(path: str) -> None:
    assert "def test_" in (ROOT / path).read_text("utf-8")


def test_every_requirement_stands_once_and_has_tests() -> None:
    numbers = [number for cells in TABLES for number in re.findall(r"\d+\.\d+\.\d+", cells[1])]

    assert len(numbers) == len(set(numbers)) > 80
    assert all(cells[3].strip() for cells in TABLES)
