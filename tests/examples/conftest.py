"""A board of its own for every test, and a client that speaks to it in memory."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from examples.commons.app import create_app
from examples.commons.options import Options
from nexios.testing import TestClient
from tests.examples.commons_steps import FROM_HERE, MODERATOR, TOKEN


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[TestClient]:
    """One that may do everything: it shows the token of the board, and says as browsers do that it comes from here."""
    app, headers = create_app(Options(tmp_path, TOKEN)), {**MODERATOR, **FROM_HERE}
    async with TestClient(app, base_url="https://board.example", headers=headers) as client:
        yield client
