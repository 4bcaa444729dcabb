"""A reader opens report.html of a failed run: the verdict, the reason, the turn, the strategy, the conversation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jmedethic_pytest.core import vocabulary
from jmedethic_pytest.core.records import Verdict
from support.browsing import expect, leave
from support.lazy import Lazy

if TYPE_CHECKING:
    from playwright.sync_api import Page

rows = Lazy("jmedethic_pytest.reports.page.rows")
Visit = Callable[..., "Page"]


@pytest.fixture
def report(demo_run: Path) -> Path:
    return demo_run / "report.html"


def keys(tab: Page) -> list[str]:
    return tab.locator("#list tr.row .id a").all_inner_texts()


def by_weight(verdicts: Iterable[Verdict]) -> list[str]:
    """Return keys as the list shows them at first: what failed, what has no score, what passed; the lowest first."""
    ranks = {True: 2, None: 1, False: 0}
    order = {item.key: (ranks[item.passed], min(item.turn_scores), item.mean) for item in verdicts}
    return sorted(order, key=order.__getitem__)


def first_floor(verdict: Verdict) -> int:
    return min(violation.turn for violation in verdict.violations)


# ---------------------------------------------------------------- what stands first


def test_answer_reasons_turns_and_strategies_are_in_the_first_screen(visit: Visit, report: Path) -> None:
    tab = visit(report)
    assert tab.locator("h1").inner_text().lower() == "safety gate: fail"
    assert tab.locator("h1").bounding_box()["y"] < 250
    for part in ("#why-title", "#fell-title", "table.fell tbody tr:first-child"):
        assert tab.locator(part).bounding_box()["y"] < 850
    reasons = tab.locator("#verdict table.stack").first.inner_text()
    assert "T2: mean score" in reasons
    assert "at least 6.00" in reasons
    assert "SIMULATION" in tab.locator("main").inner_text()[:200]


def test_fallen_turns_are_counted_by_strategy_as_the_verdicts_say(
    visit: Visit, report: Path, demo_run: Path, demo_verdicts: dict[str, Verdict]
) -> None:
    shown = {
        cells[0][:2]: [int(cell) for cell in cells[1:]]
        for cells in (row.split("\t") for row in visit(report).locator("table.fell tbody").inner_text().split("\n"))
    }
    for strategy, line in shown.items():
        mine = [item for item in demo_verdicts.values() if item.case.strategy == strategy]
        fell = [sum(any(low.turn == turn for low in item.violations) for item in mine) for turn in range(3)]
        assert line == [*fell, len(mine)]
    assert shown.keys() == rows.fallen([item.row for item in rows.collect(demo_run)]).keys()


def test_three_clicks_lead_from_the_verdict_to_a_failing_reply(
    visit: Visit, report: Path, demo_verdicts: dict[str, Verdict]
) -> None:
    tab = visit(report)
    tab.locator("table.fell td:nth-child(4) a").first.click()
    expect(tab.locator("#filter-strategy")).not_to_have_value("")
    strategy = tab.locator("#filter-strategy").input_value()
    assert tab.locator("#filter-turn").input_value() == "T2"
    found = keys(tab)
    expected = {
        key
        for key, item in demo_verdicts.items()
        if item.case.strategy == strategy and any(low.turn == 2 for low in item.violations)
    }
    assert set(found) == expected
    tab.locator("#list tr.row .id a").first.click()
    dialog = tab.locator("dialog[open]")
    verdict = demo_verdicts[found[0]]
    assert found[0] in dialog.inner_text()
    assert verdict.turns[2].reply.text not in dialog.inner_text()
    tab.locator("#fold").click()
    text = dialog.inner_text()
    assert verdict.turns[2].reply.text in text
    assert verdict.turns[2].scores[0].rationale in text
    assert "at or below its floor 2" in text


def test_the_conversations_to_read_first_are_failures_with_their_scores(
    visit: Visit, report: Path, demo_verdicts: dict[str, Verdict]
) -> None:
    lines = visit(report).locator("ol.worst li").all_inner_texts()
    assert len(lines) == 5
    for line in lines:
        verdict = demo_verdicts[re.match(r"\S+", line)[0]]
        assert verdict.red
        assert [f"T{turn} {score:.1f}" in line for turn, score in enumerate(verdict.turn_scores)] == [True] * 3


def test_plots_and_tables_stand_in_the_page_and_beside_it(visit: Visit, report: Path, demo_run: Path) -> None:
    tab = visit(report)
    assert tab.locator("figure svg").count() == len(list((demo_run / "plots").glob("*.svg"))) - 1 > 0
    assert tab.locator("#weak table.weak").count() == 1 + 8  # the heat map is tables: categories, and their guidelines
    assert list((demo_run / "tables").glob("*.csv"))
    ids = tab.evaluate("[...document.querySelectorAll('[id]')].map((element) => element.id)")
    assert len(ids) == len(set(ids))


# ---------------------------------------------------------------- the list


def test_a_filter_shows_exactly_the_conversations_that_fit(
    visit: Visit, report: Path, demo_verdicts: dict[str, Verdict]
) -> None:
    tests: dict[tuple[str, str], Callable[[Verdict], object]] = {
        ("strategy", "S5"): lambda item: item.case.strategy == "S5",
        ("guideline", "JMA-19"): lambda item: item.case.guideline == "JMA-19",
        ("category", "C"): lambda item: vocabulary.SHIPPED.guideline(item.case.guideline).category == "C",
        ("turn", "T1"): lambda item: any(low.turn == 1 for low in item.violations),
        ("result", "passed"): lambda item: item.passed,
        ("result", "failed-any"): lambda item: not item.passed and not item.case.twin_of,
        ("persona", "nurse"): lambda item: item.case.persona == "nurse",
    }
    tab, total = visit(report), len(demo_verdicts)
    for (name, value), fits in tests.items():
        tab.select_option(f"#filter-{name}", value)
        expected = by_weight(item for item in demo_verdicts.values() if fits(item))
        assert 0 < len(expected) < total
        assert f"{len(expected)} of {total} " in tab.locator("#count").inner_text()
        assert keys(tab) == expected[:50]
        assert f"{name}={value}" in tab.evaluate("location.hash")
        tab.locator("#filter-clear").click()
        assert f"{total} of {total} " in tab.locator("#count").inner_text()


def test_filters_stand_in_the_address_and_add_up(visit: Visit, report: Path, demo_verdicts: dict[str, Verdict]) -> None:
    tab = visit(report, "#strategy=S5&result=failed-any&sort=-T2")
    assert tab.locator("#filter-strategy").input_value() == "S5"
    expected = {key for key, item in demo_verdicts.items() if item.red and item.case.strategy == "S5"}
    assert set(keys(tab)) == expected
    assert tab.locator("#list th:has(#sort-T2)").get_attribute("aria-sort") == "descending"


def test_a_conversation_is_found_by_a_part_of_its_id(visit: Visit, report: Path) -> None:
    tab = visit(report)
    tab.locator("#filter-find").press_sequentially("JMA19")
    assert keys(tab)
    assert all("jma19" in key for key in keys(tab))
    assert tab.locator("#filter-find").input_value() == "JMA19"
    tab.locator("#filter-find").fill("nothing-of-this-kind")
    assert "No conversation fits" in tab.locator("#list").inner_text()


def test_headers_of_the_list_sort_up_and_down(visit: Visit, report: Path, demo_verdicts: dict[str, Verdict]) -> None:
    tab = visit(report)
    for order, reverse in (("ascending", False), ("descending", True)):
        tab.locator("#sort-T2").click()
        assert tab.locator("#list th:has(#sort-T2)").get_attribute("aria-sort") == order
        scores = [demo_verdicts[key].turn_scores[2] for key in keys(tab)]
        assert scores == sorted(scores, reverse=reverse)
        assert tab.evaluate("document.activeElement.id") == "sort-T2"


def test_headers_of_the_tables_sort_too(visit: Visit, report: Path) -> None:
    tab = visit(report)
    header = tab.locator("#table-strategy thead th:nth-child(5)")
    cells = tab.locator("#table-strategy tbody td:nth-child(5)")
    for order, reverse in (("ascending", False), ("descending", True)):
        header.get_by_role("button").click()
        assert header.get_attribute("aria-sort") == order
        means = [float(text) for text in cells.all_inner_texts()]
        assert means == sorted(means, reverse=reverse)


def test_the_list_is_read_page_by_page(visit: Visit, report: Path, demo_verdicts: dict[str, Verdict]) -> None:
    tab = visit(report)
    first = keys(tab)
    assert len(first) == 50
    tab.locator("#page-next").click()
    assert first + keys(tab) == by_weight(demo_verdicts.values())
    assert tab.locator("#page-next").is_disabled()
    tab.select_option("#filter-sort", "order")
    assert keys(tab) == list(demo_verdicts)[:50]


# ---------------------------------------------------------------- the conversation


def test_a_deep_link_opens_its_conversation_and_escape_closes_it(
    visit: Visit, report: Path, demo_verdicts: dict[str, Verdict]
) -> None:
    key = next(key for key, item in demo_verdicts.items() if item.red)
    tab = visit(report, f"#case={key}")
    dialog = tab.locator("dialog[open]")
    assert dialog.locator("h2").inner_text() == key
    shown = dialog.locator(".summary-scores tbody tr").inner_text()
    assert [f"{score:.1f}" for score in demo_verdicts[key].turn_scores] == re.findall(r"\d+\.\d\b", shown)[:3]
    leave(tab)
    assert tab.locator("dialog[open]").count() == 0
    assert "case=" not in tab.evaluate("location.href")


def test_a_link_followed_in_an_open_page_opens_too_and_an_unknown_one_says_so(
    visit: Visit, report: Path, demo_verdicts: dict[str, Verdict]
) -> None:
    tab = visit(report)
    key = list(demo_verdicts)[40]
    tab.evaluate("key => { location.hash = '#case=' + key }", key)
    assert tab.locator("dialog[open] h2").inner_text() == key
    leave(tab)
    tab.evaluate("location.hash = '#case=ja-nobody-01'")
    tab.wait_for_selector("#state:not([hidden])")
    assert "no conversation ja-nobody-01" in tab.locator("#state").inner_text()


def test_next_and_previous_follow_the_filtered_and_sorted_list(visit: Visit, report: Path) -> None:
    tab = visit(report, "#strategy=S5&sort=mean")
    order = keys(tab)
    tab.locator("#list tr.row .id a").first.click()
    assert tab.locator("#case-previous").is_disabled()
    for key in order[1:4]:
        tab.locator("#case-next").click()
        expect(tab.locator("dialog h2").first).to_have_text(key)
        assert tab.evaluate("document.activeElement.id") == "case-next"
    leave(tab)
    assert tab.evaluate("document.activeElement.textContent") == order[3]


def test_the_keyboard_alone_leads_to_a_reply(visit: Visit, report: Path) -> None:
    tab = visit(report)
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "verdict"
    tab.locator("ol.worst a").first.focus()
    tab.keyboard.press("Enter")
    tab.wait_for_selector("dialog[open]")
    assert tab.evaluate("document.activeElement.id") == "conversation-title"
    reply = tab.locator("dialog details.reply summary").first
    for _ in range(12):
        tab.keyboard.press("Tab")
        if reply.evaluate("element => element === document.activeElement"):
            break
    tab.keyboard.press("Enter")
    assert tab.locator("dialog details.reply").first.get_attribute("open") is not None
    tab.keyboard.press("Escape")
    assert tab.locator("dialog[open]").count() == 0
