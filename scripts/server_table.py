"""Which promises of HTTP can a server not keep? The table of the page on deployment, from the contract tests.

Their list of tests that a server is excused from is the source; the name of a test is the
sentence that does not hold there:

    .venv/bin/python scripts/server_table.py             # compare
    .venv/bin/python scripts/server_table.py --update    # rewrite
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from tests.contract.servers import SERVERS  # noqa: E402 - found by the line above when run as a script

PAGE = ROOT / "docs" / "howto" / "deployment.md"
HEAD = "| What holds on the others | not on | because |\n|---|---|---|\n"


def main(arguments: list[str]) -> int:
    """Compare the page with the tests, or rewrite it."""
    page = PAGE.read_text(encoding="utf-8")
    current = with_table(page)
    if "--update" in arguments:
        PAGE.write_text(current, encoding="utf-8")
        return 0
    if page != current:
        print(f"{PAGE.relative_to(ROOT)} shows another table: python scripts/server_table.py --update")
    return int(page != current)


def with_table(page: str) -> str:
    """Return the page with the table of today."""
    before, head, rest = page.partition(HEAD)
    return before + head + "".join(f"{row}\n" for row in rows()) + "\n" + rest.partition("\n\n")[2]


def rows() -> list[str]:
    """Return the rows; servers that fail the same test for the same reason share one."""
    found: dict[tuple[str, str], list[str]] = {}
    for server in SERVERS:
        for test, reason in server.cannot.items():
            found.setdefault((test, reason), []).append(f"`{server.name}`")
    return [f"| {sentence(test)} | {', '.join(names)} | {reason} |" for (test, reason), names in found.items()]


def sentence(test: str) -> str:
    """Return the name of a test as words.

    >>> sentence("test_a_body_arrives_whole")
    'a body arrives whole'
    """
    return test.removeprefix("test_").replace("_", " ")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
