"""A board of its own for every test, and a client that speaks to it in memory."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from examples.commons.app import create_app
from examples.commons.options import Options
from nexios.testing import TestClient


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[TestClient]:
    async with TestClient(create_app(Options(tmp_path)), base_url="http://board.example") as client:
        yield client
