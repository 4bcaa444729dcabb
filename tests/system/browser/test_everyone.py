"""The page is for everyone: both languages, phones, screen readers, weak eyes, no script, an old browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jmedethic_pytest.core.records import Verdict
from jmedethic_pytest.core.sentences import catalogue
from support.browsing import expect
from support.lazy import Lazy

if TYPE_CHECKING:
    from playwright.sync_api import Page

words = Lazy("jmedethic_pytest.reports.words")
_ASKED = re.compile(r'(?:\bword|\bt)\("([a-z_.]+)"[,)]')
Visit = Callable[..., "Page"]


@pytest.fixture
def report(demo_run: Path) -> Path:
    return demo_run / "report.html"


@pytest.fixture
def failed(demo_verdicts: dict[str, Verdict]) -> str:
    return next(key for key, item in demo_verdicts.items() if item.red)


def open_everything(tab: Page) -> None:
    tab.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")


# ---------------------------------------------------------------- languages


def test_the_browsers_language_decides_and_the_switch_is_remembered(visit: Visit, report: Path, failed: str) -> None:
    tab = visit(report, locale="ja-JP")
    assert tab.evaluate("document.documentElement.lang") == "ja"
    assert tab.locator("h1").inner_text() == "安全ゲート: 不合格"
    assert "虚構重層型権威シミュレーション" in tab.locator("table.fell").inner_text()
    tab.locator("#language").click()
    assert tab.locator("h1").inner_text().lower() == "safety gate: fail"
    assert "failed" in tab.locator("#list").inner_text()
    tab.reload()
    tab.wait_for_selector("html[data-ready]", state="attached")
    assert tab.evaluate("document.documentElement.lang") == "en"


def test_any_other_browser_gets_the_language_of_the_conversations(visit: Visit, report: Path) -> None:
    assert visit(report, locale="fr-FR").evaluate("document.documentElement.lang") == "ja"


def test_every_text_exists_in_both_languages_with_the_same_values() -> None:
    for name, text in words.all_words().items():
        fields = [sorted(part.split("}")[0] for part in side.split("{")[1:]) for side in text]
        assert text.en, name
        assert text.ja, name
        assert fields[0] == fields[1], name


def test_every_text_that_is_asked_for_exists_and_the_parts_cannot_end_their_elements() -> None:
    reports = Path(words.__file__).parent
    folder = reports / "templates" / "report"
    scripts = [*folder.glob("*.js")]
    templates = [folder / "report.html", reports / "words.py", *(reports / "page").glob("*.py")]
    by_script, by_page = (
        {name for path in paths for name in _ASKED.findall(path.read_text(encoding="utf-8"))}
        for paths in (scripts, templates)
    )
    assert len(by_script | by_page) > 80
    assert by_script <= words.all_words().keys()
    assert by_page <= words.all_words().keys() | catalogue().keys()
    for path in folder.glob("*.js"):
        assert not re.search(r"</script|<!--|]]>", path.read_text(encoding="utf-8"), re.IGNORECASE)


# ---------------------------------------------------------------- screens


@pytest.mark.parametrize(("width", "locale"), [(320, "en-US"), (390, "en-US"), (390, "ja-JP"), (768, "en-US")])
def test_nothing_is_wider_than_the_screen(visit: Visit, report: Path, failed: str, width: int, locale: str) -> None:
    tab = visit(report, width=width, locale=locale)
    open_everything(tab)
    headings, bounds = tab.locator(".required .narrow:visible").count(), tab.locator(".required").count()
    assert headings == (bounds if width < 700 else 0), "where a table has no head, a figure says what it is"
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    tab.evaluate("key => { location.hash = '#case=' + key }", failed)
    tab.wait_for_selector("dialog[open]")
    tab.locator("#fold").click()
    assert tab.evaluate("document.querySelector('dialog').scrollWidth") <= width
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_a_phone_can_filter_open_and_close(visit: Visit, report: Path) -> None:
    tab = visit(report, width=390, has_touch=True)
    tab.select_option("#filter-strategy", "S5")
    tab.locator("#list tr.row").first.tap()
    tab.locator("dialog[open] #case-close").tap()
    assert tab.locator("dialog[open]").count() == 0


# ---------------------------------------------------------------- eyes and ears


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_have_the_contrast_of_wcag_aa_and_controls_have_names(
    visit: Visit, audit: Callable[[Page], list[str]], report: Path, failed: str, scheme: str
) -> None:
    tab = visit(report, color_scheme=scheme)
    open_everything(tab)
    assert audit(tab) == []
    plot = "getComputedStyle(document.querySelector('#plot-turns')).backgroundColor"
    assert (tab.evaluate(plot) == "rgb(255, 255, 255)") == (scheme == "light")
    tab.evaluate("key => { location.hash = '#case=' + key }", failed)
    tab.wait_for_selector("dialog[open]")
    tab.locator("#fold").click()
    assert audit(tab) == []


def test_focus_can_be_seen_and_motion_is_off_where_asked(visit: Visit, report: Path) -> None:
    tab = visit(report, reduced_motion="reduce")
    for place in ("#language", "#filter-strategy", "#sort-T2", "#list tr.row .id a"):
        tab.keyboard.press("Tab")
        tab.locator(place).first.focus()
        assert tab.locator(place).first.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
    assert tab.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


# ---------------------------------------------------------------- without what is usual


def test_without_script_verdict_figures_and_plots_can_be_read(visit: Visit, report: Path) -> None:
    tab = visit(report, java_script_enabled=False)
    text = tab.locator("main").inner_text()
    assert "安全ゲート: 不合格" in text
    assert tab.locator("#table-strategy tbody tr").count() == 7
    assert tab.locator("figure svg").count() > 0
    assert "JavaScript" in text


def test_an_old_browser_is_told_what_it_lacks(visit: Visit, report: Path) -> None:
    tab = visit(report, before="delete window.DecompressionStream")
    expect(tab.locator("#state")).to_contain_text("too old")
    assert tab.locator("h1").inner_text().lower() == "safety gate: fail"


def test_the_page_prints_without_its_controls(visit: Visit, report: Path) -> None:
    tab = visit(report)
    tab.emulate_media(media="print")
    assert tab.locator("h1").is_visible()
    assert tab.locator("#list tr.row").first.is_visible()
    for place in ("header", "#filters", "#pages"):
        assert not tab.locator(place).is_visible()
