"""The document of an application that has everything is valid by the schema of the specification."""

import json
from typing import Literal

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, OpenAPIV32SpecValidator

from tests.openapi_e2e.everything_app import create_app

VALIDATORS = {"3.1": OpenAPIV31SpecValidator, "3.2": OpenAPIV32SpecValidator}
every_version = pytest.mark.parametrize("version", ["3.1", "3.2"])


@every_version
def test_the_document_is_valid(version: Literal["3.1", "3.2"]) -> None:
    validator = VALIDATORS[version](create_app(version).openapi())

    assert [f"{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in validator.iter_errors()] == []


@every_version
def test_the_document_is_json_and_the_same_every_time(version: Literal["3.1", "3.2"]) -> None:
    first, second = create_app(version).openapi(), create_app(version).openapi()

    assert json.dumps(first) == json.dumps(second)
    assert first["openapi"].startswith(version)


@every_version
def test_every_reference_leads_somewhere_and_every_component_is_used(version: Literal["3.1", "3.2"]) -> None:
    document = create_app(version).openapi()
    text = json.dumps(document)
    referred = {part.partition('"')[0] for part in text.split('"#/')[1:]}
    there = {f"components/{kind}/{name}" for kind, named in document["components"].items() for name in named}

    assert {reference for reference in referred if reference.startswith("components/")} == there


def test_a_hidden_operation_is_not_in_the_document() -> None:
    assert "/answers/hidden" not in create_app().openapi()["paths"]
