"""The document of everything: valid by the specification, and the same whatever the hash seed."""

import os
import subprocess
import sys
from typing import Any, Literal

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator, OpenAPIV32SpecValidator

from nexios.openapi.references import references
from nexios.routing.router import Router
from tests.openapi.documents import document_of
from tests.openapi.everything import everything

VERSIONS: tuple[Literal["3.1", "3.2"], ...] = ("3.1", "3.2")


@pytest.mark.parametrize("version", VERSIONS)
def test_the_document_of_everything_is_valid(version: Literal["3.1", "3.2"]) -> None:
    validator = OpenAPIV31SpecValidator if version == "3.1" else OpenAPIV32SpecValidator

    errors = validator(everything(version)).iter_errors()

    assert [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in errors] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_every_component_is_a_schema_and_every_reference_has_its_component(version: Literal["3.1", "3.2"]) -> None:
    components = everything(version)["components"]["schemas"]

    for schema in components.values():
        OAS31Validator.check_schema(schema)
    assert {name for schema in components.values() for name in references(schema)} <= components.keys()


def test_the_hash_seed_changes_nothing() -> None:
    def built(seed: str) -> bytes:
        command = [sys.executable, "-m", "tests.openapi.everything", "3.2"]
        return subprocess.run(
            command, env={**os.environ, "PYTHONHASHSEED": seed}, stdout=subprocess.PIPE, check=True
        ).stdout

    first = built("1")

    assert first
    assert first == built("2")


@pytest.mark.slow
def test_two_thousand_operations_are_all_in_the_document() -> None:
    router = Router()

    def handler(number: int) -> Any:
        async def show(request: Any, response: Any, id: int, page: int = 1) -> dict[str, int]:
            raise NotImplementedError

        show.__name__ = f"show_{number}"
        return show

    for number in range(2000):
        router.add_route(f"/things-{number}/{{id:int}}", handler(number), tags=[f"tag {number % 10}"])
    document = document_of(router)

    assert len(document["paths"]) == 2000
    assert len({item["get"]["operationId"] for item in document["paths"].values()}) == 2000
    assert len(document["tags"]) == 10
