"""Is the document true? A fuzzer reads it, sends what it allows and what it forbids, and compares the answers with it.

The same requests are sent on every run.
"""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.contract.servers import ROOT, SERVERS, running
from tests.openapi_e2e.everything_app import create_app

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "positive_data_acceptance",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
)
HERE = Path(__file__).parent
RUN = "import sys; from schemathesis.cli import schemathesis; schemathesis(sys.argv[1:])"


def fuzz(url: str, folder: Path) -> tuple[str, dict[str, Any]]:
    """Return what was printed, and the report."""
    report = folder / "report.json"
    command = [sys.executable, "-c", RUN, "--config-file", HERE / "fuzzing.toml", "run", f"{url}/openapi.json"]
    options = [f"--checks={','.join(CHECKS)}", "--no-color", "--report=json", f"--report-json-path={report}"]
    answer = subprocess.run(
        [*map(str, command), *options],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    printed = answer.stdout + answer.stderr
    return printed, json.loads(report.read_text(encoding="utf-8")) if report.exists() else {"printed": printed}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    if find_spec("schemathesis") is None:
        pytest.skip("schemathesis is not installed")
    folder = tmp_path_factory.mktemp("fuzzing")
    with running(SERVERS[0], "tests.openapi_e2e.everything_app:app", folder, {}) as server:
        return fuzz(server.url, folder)


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_every_answer_is_as_the_document_says(outcome: tuple[str, dict[str, Any]]) -> None:
    printed, report = outcome

    assert (report.get("failures"), report.get("errors")) == ([], []), printed


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_every_operation_is_tried(outcome: tuple[str, dict[str, Any]]) -> None:
    _, report = outcome
    operations = sum(len(item) for item in create_app().openapi()["paths"].values())

    assert operations > 40
    assert {name: report["operations"][name] for name in ("total", "tested", "errored", "skipped")} == {
        "total": operations,
        "tested": operations,
        "errored": 0,
        "skipped": 0,
    }


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_every_operation_accepts_what_the_document_allows(outcome: tuple[str, dict[str, Any]]) -> None:
    """An operation that refuses all it is sent would pass for a true one."""
    _, report = outcome
    accepted = {
        operation: sum(phase["accepted"] for phase in phases.values())
        for operation, phases in report["valid_rates"].items()
    }

    assert [operation for operation, count in accepted.items() if not count] == []
