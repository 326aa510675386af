"""The AsyncAPI document of everything: valid by the schema of its authors, with examples that fit; always the same."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator  # type: ignore[import-untyped]

from nexios import NexiosApp
from nexios.openapi.asyncapi.drafts import to_draft_7
from nexios.openapi.asyncapi.examples import example_of
from tests.openapi.asyncapi_everything import make_app

VENDORED = Path(__file__).with_name("vendored") / "asyncapi-3.0.0.json.gz"
OFFICIAL = Draft7Validator(json.loads(gzip.decompress(VENDORED.read_bytes())))
DOCUMENT = make_app().asyncapi()
MESSAGES = DOCUMENT["components"]["messages"]


def faults(document: dict[str, Any]) -> list[str]:
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in OFFICIAL.iter_errors(document)]


def references(part: Any) -> Iterator[str]:
    """Every reference of a document, wherever it stands."""
    if isinstance(part, dict):
        yield from (value for key, value in part.items() if key == "$ref")
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def found(reference: str) -> Any:
    """What a reference leads to."""
    part: Any = DOCUMENT
    for key in reference.removeprefix("#/").split("/"):
        part = part[key]
    return part


@pytest.mark.parametrize(
    "settings", [{}, {"servers": [], "security_schemes": {}, "security": []}], ids=["all", "plain"]
)
def test_the_document_of_everything_is_valid(settings: dict[str, Any]) -> None:
    assert faults(make_app(**settings).asyncapi()) == []


def test_the_document_of_an_app_without_real_time_is_valid() -> None:
    document = NexiosApp().asyncapi()

    assert faults(document) == []
    assert (document["channels"], document["operations"]) == ({}, {})


def test_what_is_no_document_is_told() -> None:
    assert faults({"asyncapi": "3.0.0", "info": {"title": "x"}}) == ["info: 'version' is a required property"]


def test_every_reference_leads_somewhere() -> None:
    every = set(references(DOCUMENT))

    assert len(every) > 30
    assert all(found(reference) is not None for reference in every)


@pytest.mark.parametrize("name", [name for name, message in MESSAGES.items() if "examples" in message])
def test_every_example_fits_the_schema_of_its_message(name: str) -> None:
    [example] = MESSAGES[name]["examples"]
    schema = {"allOf": [MESSAGES[name]["payload"]], "components": DOCUMENT["components"]}

    assert list(Draft7Validator(schema).iter_errors(example["payload"])) == []


def test_every_schema_is_one_of_draft_7() -> None:
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft7Validator.check_schema(schema)
    assert list(references(DOCUMENT["components"]["schemas"])) != []


def test_the_hash_seed_changes_nothing() -> None:
    def built(seed: str) -> bytes:
        command = [sys.executable, "-m", "tests.openapi.asyncapi_everything"]
        return subprocess.run(
            command, env={**os.environ, "PYTHONHASHSEED": seed}, stdout=subprocess.PIPE, check=True
        ).stdout

    first = built("1")

    assert json.loads(first) == DOCUMENT
    assert first == built("2")


ITEMS = st.recursive(
    st.sampled_from([{"type": "integer"}, {"type": "string", "minLength": 1}, {"const": 7}, {"type": "boolean"}]),
    lambda inner: st.one_of(
        st.builds(
            lambda items: {"type": "array", "prefixItems": items, "minItems": len(items)}, st.lists(inner, min_size=1)
        ),
        st.builds(lambda item: {"type": "array", "items": item}, inner),
        st.builds(
            lambda fields: {"type": "object", "properties": fields, "required": sorted(fields)},
            st.dictionaries(st.sampled_from(["a", "const", "default", "$ref", "items"]), inner, max_size=3),
        ),
        st.builds(lambda choices: {"anyOf": choices}, st.lists(inner, min_size=1, max_size=2)),
        st.builds(lambda inner: {"title": "T", "allOf": [inner]}, inner),
    ),
    max_leaves=8,
)


@given(ITEMS)
def test_an_example_fits_the_schema_in_both_drafts(schema: dict[str, Any]) -> None:
    older = to_draft_7(schema)
    example = example_of(older, {})

    Draft7Validator.check_schema(older)
    Draft7Validator(older).validate(example)
    Draft202012Validator(schema).validate(example)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "minimum": 5},
        {"type": "integer", "exclusiveMinimum": 5, "multipleOf": 4},
        {"type": "integer", "maximum": -3},
        {"type": "number", "minimum": 0.5, "exclusiveMaximum": 1.5},
        {"type": "string", "minLength": 30},
        {"type": "string", "maxLength": 2},
        {"type": "array", "items": {"type": "string"}, "minItems": 3},
        {"type": ["null", "string"]},
        {"anyOf": [{"type": "null"}, {"type": "integer"}]},
        {"enum": ["red", "blue"]},
        {"type": "null"},
        {"allOf": [{"type": "integer"}]},
        {"allOf": [{"type": "object"}], "properties": {"a": {"type": "integer"}}, "required": ["a"]},
        True,
    ],
)
def test_an_example_keeps_to_the_limits(schema: Any) -> None:
    Draft7Validator(schema).validate(example_of(schema, {}))

    assert Draft7Validator(schema).is_valid(example_of(schema, {}))


def test_a_model_within_itself_has_an_example_that_ends() -> None:
    tree = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Tree"}}}

    example = json.dumps(example_of(tree, {"Tree": tree}))

    assert 2 < example.count("next") < 20


def test_what_is_data_stays_as_it_is() -> None:
    data = {"$ref": "x", "prefixItems": [1], "discriminator": 2}

    assert to_draft_7({"default": data, "enum": [data], "title": "T"}) == {
        "default": data,
        "enum": [data],
        "title": "T",
    }
    assert to_draft_7({"properties": {"$ref": {"type": "string"}}}) == {"properties": {"$ref": {"type": "string"}}}


def test_words_that_draft_7_does_not_know_have_others_or_none() -> None:
    newer = {
        "discriminator": {"propertyName": "kind"},
        "unevaluatedProperties": False,
        "dependentRequired": {"a": ["b"]},
        "prefixItems": [{"$ref": "#/components/schemas/A", "title": "First"}],
        "items": False,
    }

    assert to_draft_7(newer) == {
        "dependencies": {"a": ["b"]},
        "items": [{"allOf": [{"$ref": "#/components/schemas/A"}], "title": "First"}],
        "additionalItems": False,
    }
