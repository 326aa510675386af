"""A client in TypeScript: the types that are made of the document compile, and mean what they say."""

import json
from pathlib import Path
from typing import Literal

import pytest

from tests.openapi_e2e.everything_app import create_app
from tests.openapi_e2e.typescript import generate, install, problems_of

CLIENT = """
import type { components, paths } from "./everything";

type Schemas = components["schemas"];
type Body<Path extends keyof paths> =
  paths[Path] extends { post: { requestBody: { content: { "application/json": infer B } } } } ? B : never;
type Ok<Path extends keyof paths, Status extends number> =
  paths[Path] extends { post: { responses: { [S in Status]: { content: { "application/json": infer B } } } } }
    ? B : never;
type InQuery<Path extends keyof paths> =
  paths[Path] extends { get: { parameters: { query?: infer Q } } } ? NonNullable<Q> : never;

export const item: Body<"/bodies/struct"> = { name: "gear", price: 2.5, colour: "red", level: 1, tags: ["new"] };
export const least: Body<"/bodies/struct"> = { name: "gear", price: 2.5 };
export const renamed: Body<"/bodies/renamed"> = { inCents: 5, currencyCode: "GBP" };
export const cat: Body<"/bodies/union"> = { kind: "cat", name: "Tom" };
export const folder: Body<"/bodies/recursive"> = { name: "a", folders: [{ name: "b", folders: [] }] };
type Patched = paths["/bodies/patch/{item_id}"]["patch"]["requestBody"]["content"]["application/merge-patch+json"];
export const patch: Patched = { price: 3, colour: null };
export const found: Ok<"/bodies/list", 200>["items"][number]["colour"] = null;
export const query: InQuery<"/parameters/query"> = { text: "a", number: 5, sort: "price" };
export const problem: Schemas["ValidationProblem"]["errors"][number]["in"] = "body";

// @ts-expect-error: a price is a number
export const wrong: Body<"/bodies/struct"> = { name: "gear", price: "2.5" };
// @ts-expect-error: a name is needed
export const nameless: Body<"/bodies/struct"> = { price: 2.5 };
// @ts-expect-error: there is no such colour
export const green: Body<"/bodies/struct"> = { name: "gear", price: 2.5, colour: "green" };
// @ts-expect-error: the names are those of the wire
export const snake: Body<"/bodies/renamed"> = { in_cents: 5 };
// @ts-expect-error: a patch says what the model says
export const cheap: Patched = { price: "3" };
// @ts-expect-error: there is no such pet
export const fish: Body<"/bodies/union"> = { kind: "fish", name: "Wanda" };
// @ts-expect-error: the number is needed
export const short: InQuery<"/parameters/query"> = { text: "a" };
"""


@pytest.fixture(scope="module")
def programs() -> Path:
    return install()


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("version", ["3.1", "3.2"])
def test_the_types_of_the_document_compile(version: Literal["3.1", "3.2"], programs: Path, tmp_path: Path) -> None:
    document = tmp_path / "everything.json"
    document.write_text(json.dumps(create_app(version).openapi()), encoding="utf-8")

    assert problems_of(programs, generate(programs, document)) == []


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_client_that_uses_the_types_is_helped_and_held_back(programs: Path, tmp_path: Path) -> None:
    document, client = tmp_path / "everything.json", tmp_path / "client.ts"
    document.write_text(json.dumps(create_app("3.1").openapi()), encoding="utf-8")
    client.write_text(CLIENT, encoding="utf-8")

    assert problems_of(programs, generate(programs, document), client) == []
