"""Has every published flaw that we know of a test or a reason, and does the page on them show the tests of today?"""

from pathlib import Path

import pytest

from scripts.security_rows import (
    PAGE,
    REASONS,
    ROWS,
    TESTS,
    Reason,
    Row,
    faults_of,
    find_tests,
    page_of,
    reasons_of,
    rows_in_name,
    rows_of,
)

TWO = [
    Row("A1", "A. Bodies", "CVE-2023-30798 GHSA-74m5-2c7w-9w3x", "A form has limits."),
    Row("A2", "A. Bodies", "", "A part has limits."),
]


def test_the_page_shows_the_tests_of_today() -> None:
    current = page_of(rows_of(ROWS.read_text("utf-8")), reasons_of(REASONS.read_text("utf-8")), find_tests(TESTS))

    assert PAGE.read_text("utf-8") == current, "python scripts/security_rows.py --update"


def test_every_row_has_a_test_or_a_reason_and_none_has_both() -> None:
    rows = rows_of(ROWS.read_text("utf-8"))

    assert list(faults_of(rows, reasons_of(REASONS.read_text("utf-8")), find_tests(TESTS))) == []
    assert (len(rows), len({row.name for row in rows})) == (235, 235)


def test_every_row_has_identifiers_and_a_promise_of_one_sentence() -> None:
    for row in rows_of(ROWS.read_text("utf-8")):
        assert row.promise.endswith("."), row
        assert 10 < len(row.promise) < 120, row
        assert row.ids == row.ids.strip(" ,"), row


def test_a_row_without_a_test_or_a_reason_is_a_fault() -> None:
    faults = list(faults_of(TWO, {}, {"A1": ["tests/test_x.py"]}))

    assert faults == ["A2 has neither a test test_a2_... nor a line in not-applicable.md"]


@pytest.mark.parametrize(("in_part", "tested"), [(True, False), (False, True)])
def test_a_reason_says_whether_there_are_tests(in_part: bool, tested: bool) -> None:
    tests = {"A1": ["tests/test_x.py"], "A2": ["tests/test_x.py"]}
    reasons = {"A2": Reason("There is none.", in_part)}

    (fault,) = faults_of(TWO, reasons, tests if tested else {"A1": tests["A1"]})

    assert fault.startswith("A2 is tested: write" if tested else "A2 has neither")


def test_a_row_that_there_is_not_is_a_fault_and_a_requirement_is_none() -> None:
    tests = {"A1": ["a"], "A2": ["a"], "A3": ["a"], "R13": ["a"]}

    assert list(faults_of(TWO, {"B9": Reason("x", in_part=True), "R21": Reason("x", in_part=True)}, tests)) == [
        "A3 is no row of rows.toml",
        "B9 is no row of rows.toml",
    ]


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("test_f4_an_id", ["F4"]),
        ("test_g2_g9_the_content_type", ["G2", "G9"]),
        ("test_i11_l2_o4_p1_no_package", ["I11", "L2", "O4", "P1"]),
        ("test_r13_an_exception", ["R13"]),
        ("test_a_form_has_limits", []),
        ("test_http2_is_read", []),
        ("test_s3_is_a_store", []),
        ("helper_a1_of_tests", []),
    ],
)
def test_the_rows_of_a_test_are_in_its_name(name: str, rows: list[str]) -> None:
    assert rows_in_name(name) == rows


def test_tests_are_found_in_every_folder_and_in_classes(tmp_path: Path) -> None:
    folder = tmp_path / "tests" / "deep"
    folder.mkdir(parents=True)
    (folder / "test_x.py").write_text(
        "async def test_a1_one(): ...\ndef test_a1_b2_two(): ...\nclass TestIt:\n    def test_b2_three(self): ...\n"
    )
    (folder / "helper.py").write_text("def test_c3_no_test(): ...\n")

    file = "tests/deep/test_x.py"
    assert find_tests(tmp_path / "tests") == {"A1": [file, file], "B2": [file, file]}


def test_a_reason_is_the_last_cell_of_its_line() -> None:
    text = (
        "| row | reason |\n|---|---|\n| A1 | Never. |\n| B25, in part | CVE-2025-69225 | Nothing reads `Max-Age`. |\n"
    )

    assert reasons_of(text) == {"A1": Reason("Never.", False), "B25": Reason("Nothing reads `Max-Age`.", True)}


def test_a_page_has_a_table_for_each_section_and_counts() -> None:
    page = page_of(TWO, {"A2": Reason("There are no parts.", False)}, {"A1": ["tests/test_x.py", "tests/test_x.py"]})

    assert "Of 2 rows, 1 are tested in full, 0 in part, and 1 do not apply." in page
    assert page.endswith(
        "## A. Bodies\n\n"
        "| row | identifiers | what is promised | status |\n"
        "|---|---|---|---|\n"
        "| A1 | CVE-2023-30798 GHSA-74m5-2c7w-9w3x | A form has limits. | 2 tests in `tests/test_x.py` |\n"
        "| A2 | none | A part has limits. | does not apply: There are no parts. |\n"
    )


def test_a_row_that_is_tested_in_part_says_both() -> None:
    tests = {"A1": ["tests/test_x.py"], "A2": ["tests/test_y.py", "tests/test_x.py"]}
    page = page_of(TWO, {"A1": Reason("Not more.", True)}, tests)

    assert "| A form has limits. | in part: 1 test in `tests/test_x.py`. Not more. |" in page
    assert "| A part has limits. | 1 test in `tests/test_x.py`, 1 test in `tests/test_y.py` |" in page
