"""The workloads with dependencies and typed inputs: what is sent, what must be refused, and which figure is judged."""

import json
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from benchmarks.apps import raw
from benchmarks.budgets import judge
from benchmarks.client import ask, scope_of
from benchmarks.models import Order, model_of, receipt_of
from benchmarks.orders import ORDER, RECEIPT
from benchmarks.results import Build, InProcess, Results, Timing, load_results, save_results
from benchmarks.workloads import WORKLOADS

TYPED = ("query", "validated", "typed_many")


def in_process(*builds: Build, **units: float) -> InProcess:
    """Figures of nexios where raw takes 1 µs at everything."""
    return InProcess(
        date="2026-01-31",
        python="3.11.7",
        loop="uvloop",
        rounds=5,
        versions={"nexios": "4.0.0"},
        timings=(*(Timing("nexios", work, best, 1.0, best, best, 20_000, best - 2.0) for work, best in units.items()),),
        builds=builds,
        import_ms={},
        hops={},
    )


def word_of(figures: InProcess, title: str) -> str:
    return next(verdict.word for verdict in judge(Results(inprocess=figures)) if verdict.budget.title == title)


@pytest.mark.parametrize("name", [*TYPED, "dependencies"])
async def test_the_raw_application_answers_a_typed_workload(name: str) -> None:
    workload, app = WORKLOADS[name], raw.build(name)
    assert app is not None

    answer = await ask(app, scope_of(workload), workload.body)

    assert answer.status == 200
    assert workload.accepts(answer.body)


@pytest.mark.parametrize("name", TYPED)
async def test_the_raw_application_refuses_what_is_wrong(name: str) -> None:
    wrong, app = WORKLOADS[name].as_wrong(), raw.build(name)
    assert wrong is not None
    assert app is not None

    assert (await ask(app, scope_of(wrong), wrong.body)).status == 422


def test_a_workload_without_a_mistake_has_no_wrong_request() -> None:
    assert WORKLOADS["plain"].as_wrong() is None


def test_a_wrong_query_leaves_the_body_as_it_is() -> None:
    workload = replace(WORKLOADS["validated"], wrong_body=None, wrong_query="a=b")

    wrong = workload.as_wrong()

    assert wrong is not None
    assert (wrong.query, wrong.body) == ("a=b", workload.body)


def test_the_order_has_twenty_fields_and_makes_the_receipt() -> None:
    order = msgspec.convert(ORDER, Order)

    assert len(ORDER) == len(msgspec.structs.fields(Order)) == 20
    assert json.loads(msgspec.json.encode(receipt_of(order))) == RECEIPT


def test_ten_typed_routes_share_a_model() -> None:
    assert model_of(7) is model_of(207)
    assert model_of(7) is not model_of(8)


def test_a_chain_of_ten_is_judged_as_a_whole() -> None:
    title = "a chain of 10 async dependencies"

    assert word_of(in_process(plain=2.0, dependencies=6.0), title) == "ok"
    assert word_of(in_process(plain=2.0, dependencies=6.1), title) == "over"


def test_plain_and_typed_routes_are_judged_apart() -> None:
    figures = in_process(Build("nexios", 0.5), Build("nexios", 1.5, "typed_many", 1.9))

    assert word_of(figures, "compile 2000 routes") == "ok"
    assert word_of(figures, "compile 2000 typed routes") == "over"
    assert word_of(figures, "describe 2000 typed routes in OpenAPI") == "ok"


def test_a_document_that_was_not_made_is_not_judged() -> None:
    figures = in_process(Build("nexios", 0.5, "typed_many"))

    assert word_of(figures, "describe 2000 typed routes in OpenAPI") == "not measured"


def test_results_kept_before_there_were_typed_routes_are_still_read(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    save_results(Results(inprocess=in_process(Build("nexios", 0.25))), path)
    text = json.loads(path.read_text())
    text["inprocess"]["builds"] = [{"framework": "nexios", "seconds": 0.25}]
    path.write_text(json.dumps(text))

    kept = load_results(path).inprocess

    assert kept is not None
    assert kept.builds == (Build("nexios", 0.25, "routes_many", None),)
