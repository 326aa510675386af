"""Does the page on deployment name everything that the tests of servers leave out, with the reason?"""

import ast
from pathlib import Path
from typing import Any

from scripts.server_table import with_table
from tests.contract.servers import SERVERS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "howto" / "deployment.md").read_text("utf-8")
WEBSOCKETS = ROOT / "tests" / "websockets" / "test_websocket_servers.py"


def assigned(path: Path, name: str) -> Any:
    """Return a constant of a module that is not imported."""
    tree = ast.parse(path.read_text("utf-8"))
    [found] = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name
    ]
    return ast.literal_eval(found)


def test_the_table_of_http_has_a_row_for_every_test_left_out() -> None:
    assert with_table(PAGE) == PAGE, "python scripts/server_table.py --update"


def test_every_reason_why_a_websocket_feature_is_missing_is_on_the_page() -> None:
    reasons = [reason for features in assigned(WEBSOCKETS, "_CANNOT").values() for reason in features.values()]

    assert [reason for reason in reasons if reason not in PAGE] == []


def test_every_server_that_is_tested_is_on_the_page() -> None:
    packages = {server.name.partition("-")[0].capitalize() for server in SERVERS}

    assert [package for package in packages if f"## {package}\n" not in PAGE] == []
