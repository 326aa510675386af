"""Names and statements for PostgreSQL, without a server."""

import subprocess
import sys

import pytest

from nexios.errors import ConfigurationError
from nexios.websockets.backends.postgres import PostgresBackend
from nexios.websockets.backends.postgres_tables import limits_of
from nexios.websockets.history import HistoryLimits


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 64, "ä" * 32])
def test_a_name_that_postgresql_would_cut_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"PostgreSQL allows 1 to 63 bytes"):
        PostgresBackend(schema=name)


def test_a_prefix_leaves_room_for_the_names_of_tables() -> None:
    with pytest.raises(ConfigurationError, match=r"messages_until"):
        PostgresBackend(prefix="x" * 50)


def test_names_are_quoted_wherever_they_stand() -> None:
    sql = PostgresBackend(schema='a"b', prefix="c'd_").create_sql

    assert '"a""b"."c\'d_messages"' in sql
    assert '"a""b"."c\'\'d_messages" m WHERE' in sql


@pytest.mark.parametrize(("logged", "kind"), [(False, "UNLOGGED TABLE"), (True, "CREATE  TABLE")])
def test_tables_are_unlogged_unless_told_otherwise(logged: bool, kind: str) -> None:
    assert PostgresBackend(logged=logged).create_sql.count(kind) == 4


def test_limits_fit_into_the_numbers_of_the_server() -> None:
    assert limits_of(None) == (0, 0.0, 0)
    assert limits_of(HistoryLimits(count=10**30, age=1e300, size=10**30)) == (2**53 - 1, 3e9, 2**53 - 1)


def test_a_missing_client_says_what_to_install() -> None:
    program = "import sys; sys.modules['asyncpg'] = None; import nexios.websockets.backends.postgres"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert "PostgresBackend needs the package asyncpg" in done.stderr
    assert 'pip install "nexios[postgres]"' in done.stderr
