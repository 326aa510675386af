"""The pure parts of the benchmarks: verdicts, derived figures, report and chart."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.budgets import BUDGETS, Budget, Verdict, extra_cost, format_verdicts, is_missed, judge, routes_growth
from benchmarks.chart import Bar, BarGroup, draw_bars
from benchmarks.report import format_report, write_report
from benchmarks.results import (
    Build,
    InProcess,
    Memory,
    Results,
    Servers,
    Throughput,
    Timing,
    load_results,
    save_results,
)

_SVG = "{http://www.w3.org/2000/svg}"


def in_process(**us: float) -> InProcess:
    """Figures of nexios where raw takes 1 µs at everything."""
    return InProcess(
        date="2026-01-31",
        python="3.11.7",
        loop="uvloop",
        rounds=5,
        versions={"nexios": "4.0.0", "Peer <&>": "1.0"},
        timings=(*(_timing(work, best, best - us["plain"] if "plain" in us else None) for work, best in us.items()),),
        builds=(Build("nexios", 0.25),),
        import_ms={"nexios": 120.0},
        hops={"plain": 20, "path": 24},
    )


def _timing(workload: str, best: float, added: float | None) -> Timing:
    return Timing("nexios", workload, best, 1.0, best, best, 20_000, added)


def throughput(server: str, framework: str, *, cpu: float | None = None, **figures: float) -> Throughput:
    return Throughput(
        server=server,
        framework=framework,
        workload="plain",
        per_second=figures["per_second"],
        per_cpu_second=None,
        against="raw ASGI",
        ratio=figures["ratio"],
        cpu_ratio=cpu,
    )


def served(*throughputs: Throughput) -> Servers:
    return Servers(
        date="2026-01-31",
        python="3.11.7",
        loader="wrk",
        rounds=3,
        seconds=3.0,
        versions={"uvicorn": "0.54.0"},
        throughputs=throughputs,
    )


def word_of(results: Results, title: str) -> str:
    return next(verdict.word for verdict in judge(results) if verdict.budget.title == title)


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    verdicts = judge(Results())

    assert {verdict.word for verdict in verdicts} == {"not measured"}
    assert not is_missed(verdicts)


def test_a_figure_at_the_limit_is_within_the_budget() -> None:
    assert word_of(Results(inprocess=in_process(plain=2.6)), "plain text") == "ok"


def test_a_figure_above_the_limit_is_over() -> None:
    assert word_of(Results(inprocess=in_process(plain=2.61)), "plain text") == "over"


def test_a_share_below_its_limit_is_over() -> None:
    results = Results(servers=served(throughput("uvicorn", "nexios", per_second=870, ratio=0.87)))

    assert word_of(results, "plain text under Uvicorn") == "over"


def test_a_share_by_processor_time_wins_over_one_by_the_clock() -> None:
    results = Results(servers=served(throughput("uvicorn", "nexios", per_second=500, ratio=0.5, cpu=0.9)))

    assert word_of(results, "plain text under Uvicorn") == "ok"


def test_rsgi_is_compared_with_the_raw_asgi_application_under_granian() -> None:
    results = Results(
        servers=served(
            throughput("granian-rsgi", "nexios", per_second=1200, ratio=0.85),
            throughput("granian-asgi", "raw ASGI", per_second=1000, ratio=1.0),
        )
    )

    verdict = next(found for found in judge(results) if found.budget.title == "plain text, RSGI over raw ASGI")
    assert (verdict.figure, verdict.word) == (1.2, "watched")
    assert "no limit" in format_verdicts([verdict])


def test_a_middleware_costs_a_fifth_of_what_five_add_to_the_plain_request() -> None:
    assert extra_cost(in_process(plain=2.0, middleware=3.5), "nexios", "middleware", 5) == pytest.approx(0.3)


def test_the_cost_of_a_middleware_is_unknown_without_the_plain_request() -> None:
    assert extra_cost(in_process(middleware=3.5), "nexios", "middleware", 5) is None


def test_the_growth_with_routes_compares_many_with_few() -> None:
    assert routes_growth(in_process(routes_few=2.0, routes_many=2.5), "nexios") == pytest.approx(1.25)


def test_the_hops_budget_judges_the_longest_request() -> None:
    verdict = next(v for v in judge(Results(inprocess=in_process())) if v.budget.unit == "frames")

    assert verdict.figure == 24


def test_the_memory_budget_allows_five_mebibytes() -> None:
    grown = Memory("2026-01-31", "3.11.7", "nexios", 100_000, 10_000, 5.01, (40.0, 45.01))

    assert word_of(Results(memory=grown), "memory after 100,000 requests") == "over"


def test_one_missed_budget_is_a_miss() -> None:
    budget = Budget("anything", 1.0, "x", lambda results: None)

    assert is_missed([Verdict(budget, 0.5), Verdict(budget, 1.5)])


def test_the_verdict_table_has_a_line_for_each_budget() -> None:
    lines = format_verdicts(judge(Results(inprocess=in_process(plain=2.0)))).splitlines()

    assert len(lines) == len(BUDGETS) + 1
    assert lines[1].split() == ["plain", "text", "at", "most", "2.6", "x", "raw", "2.00", "x", "raw", "ok"]


def test_kept_results_are_read_back_as_they_were(tmp_path: Path) -> None:
    results = Results(inprocess=in_process(plain=2.0), servers=served())
    save_results(results, tmp_path / "kept" / "results.json")

    assert load_results(tmp_path / "kept" / "results.json") == results


def test_results_that_were_never_kept_are_empty(tmp_path: Path) -> None:
    assert load_results(tmp_path / "absent.json") == Results()


def test_results_of_another_shape_are_measured_anew(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text('{"inprocess": {"date": 1}}')

    assert load_results(tmp_path / "results.json") == Results()


def test_the_chart_is_well_formed_and_says_its_numbers() -> None:
    chart = draw_bars('a <b> & "c"', "note", [BarGroup("group", [Bar("x<y", 2.25), Bar("z", 250.4)])], longest=10)

    root = ElementTree.fromstring(chart)
    texts = [element.text for element in root.iter(f"{_SVG}text")]
    assert texts == ['a <b> & "c"', "note", "group", "x<y", "2.2", "z", "250"]


def test_a_bar_longer_than_the_chart_is_cut_to_it() -> None:
    chart = draw_bars("t", "n", [BarGroup("g", [Bar("a", 10.0), Bar("b", 500.0)])], longest=10)

    widths = {element.get("width") for element in ElementTree.fromstring(chart).iter(f"{_SVG}rect")}
    assert len(widths) == 1


def test_the_chart_holds_no_script_and_no_link() -> None:
    elements = {element.tag for element in ElementTree.fromstring(draw_bars("t", "n", [], longest=1)).iter()}

    assert elements == {f"{_SVG}svg", f"{_SVG}title", f"{_SVG}text"}


def test_the_report_says_that_only_ratios_mean_anything() -> None:
    assert "Only the ratios mean anything" in format_report(Results())


def test_the_report_shows_what_was_measured_and_leaves_the_rest_blank() -> None:
    page = format_report(Results(inprocess=in_process(plain=2.5)))

    assert "| plain text | 1.00 | **2.50** | – |" in page
    assert "## Memory" not in page


def test_the_report_is_written_with_its_chart(tmp_path: Path) -> None:
    write_report(Results(inprocess=in_process(plain=2.5, json=2.0)), tmp_path)

    ElementTree.fromstring((tmp_path / "inprocess.svg").read_text(encoding="utf-8"))
    assert "(inprocess.svg)" in (tmp_path / "results.md").read_text(encoding="utf-8")
