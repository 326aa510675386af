"""The workloads of tokens and static files: what counts as having done them, and which figures are judged."""

from dataclasses import replace

import pytest

from benchmarks.apps import nexios_app, raw
from benchmarks.asgi import AsgiApplication
from benchmarks.budgets import judge
from benchmarks.client import ask, scope_of
from benchmarks.results import Results, Servers, Throughput
from benchmarks.servers import DEFAULT_FIELD
from benchmarks.workloads import TOKEN, WORKLOADS


def app_of(found: AsgiApplication | None) -> AsgiApplication:
    if found is None:
        pytest.fail("the workload is missing")
    return found


@pytest.mark.parametrize("module", [nexios_app, raw], ids=["nexios", "raw"])
async def test_a_token_is_checked_and_its_subject_told(module: object) -> None:
    app = app_of(nexios_app.build("jwt") if module is nexios_app else raw.build("jwt"))

    answer = await ask(app, scope_of(WORKLOADS["jwt"]), b"")

    assert (answer.status, answer.body) == (200, b"ada")


async def test_a_changed_token_is_not_taken() -> None:
    wrong = replace(WORKLOADS["jwt"], headers=((b"authorization", f"Bearer {TOKEN[:-1]}x".encode()),))

    answer = await ask(app_of(nexios_app.build("jwt")), scope_of(wrong), b"")

    assert answer.status == 401


def test_files_are_compared_with_who_sends_them_too() -> None:
    results = Results(
        servers=Servers(
            date="2026-01-31",
            python="3.11.7",
            loader="wrk",
            rounds=1,
            seconds=1.0,
            versions={},
            throughputs=(
                Throughput("uvicorn", "nexios", "static", 300.0, None, "raw ASGI", 0.5, None),
                Throughput("uvicorn", "Starlette", "static", 100.0, None, "raw ASGI", 0.2, None),
                Throughput("granian-rsgi", "nexios", "static", 200.0, None, "raw RSGI", 0.5, None),
                Throughput("granian-rsgi", "Granian itself", "static", 400.0, None, "raw RSGI", 1.0, None),
            ),
        )
    )

    figures = {verdict.budget.title: verdict.figure for verdict in judge(results)}

    assert figures["a static file under Uvicorn, over Starlette"] == 3.0
    assert figures["a static file under Granian, over its own"] == 0.5
    assert figures["a static file under Granian, over Starlette"] is None


def test_a_server_is_asked_only_for_what_there_is() -> None:
    assert (
        {name for contender in DEFAULT_FIELD for name in contender.workloads}
        == {"plain", "json", "static"}
        <= set(WORKLOADS)
    )
