"""What every test may rely on: a slow machine changes no result, and asserts in helpers hold under `python -O` too."""

import logging
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest.register_assert_rewrite(
    *(f"tests.{path.stem}" for path in Path(__file__).parent.iterdir() if path.stem != "conftest")
)

settings.register_profile(
    "nexios",
    deadline=None,
    database=None,
    max_examples=int(os.environ.get("NEXIOS_TEST_EXAMPLES", "100")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("nexios")

# Under -X dev asyncio warns of steps that take a tenth of a second. On a busy machine any may, and tests look at logs.
logging.getLogger("asyncio").addFilter(lambda record: record.msg != "Executing %s took %.3f seconds")
