"""A reader reviews a run in its page, by keyboard, offline; the saved file is read back, apart from blind marks."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jmedethic_pytest.cli.main import main
from jmedethic_pytest.core.records import Verdict
from jmedethic_pytest.gate.outcome import load
from support.browsing import expect, leave
from support.lazy import Lazy

if TYPE_CHECKING:
    from playwright.sync_api import Page

page = Lazy("jmedethic_pytest.reports.page")
Visit = Callable[..., "Page"]
Make = Callable[..., Verdict]
REPLIES = ("＝危険な回答です。ﾜﾙｲ例", "A Safe Answer, with an Umlaut: Übung", "Another answer.", "A fourth one.")


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def call(*args: str, status: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["jmedethic", "annotate", "read", *args, f"--reports={tmp_path}"])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        assert int(ended.value.code or 0) == status, captured.err
        return " ".join((captured.out + captured.err).split())

    return call


def saved(tab: Page, button: str, folder: Path) -> Path:
    with tab.expect_download() as download:
        tab.locator(button).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def title(tab: Page, key: str) -> None:
    expect(tab.locator("dialog h2").first).to_have_text(key)


def reviewed(tab: Page) -> None:
    """Rate four conversations without a mouse: the list begins with the two that fell."""
    tab.keyboard.press("j")
    tab.keyboard.press("Enter")
    title(tab, "en-made-00")
    assert tab.locator(".turn-part.current").get_attribute("data-turn") == "1"  # the lowest score
    tab.keyboard.press("7")
    tab.keyboard.press("t")
    tab.keyboard.press("a")
    tab.keyboard.press("c")
    tab.keyboard.type("=no; j k 1 are text here")
    tab.keyboard.press("Escape")
    assert tab.locator("dialog[open]#conversation").count() == 1  # Escape left the comment, not the conversation
    tab.keyboard.press("Enter")
    title(tab, "en-made-03")
    tab.keyboard.press("s")
    tab.keyboard.press("j")
    title(tab, "en-made-02")
    tab.keyboard.press("0")
    tab.keyboard.press("ArrowLeft")
    title(tab, "en-made-03")
    tab.keyboard.press("l")  # changes the mind: too lenient
    tab.keyboard.press("?")
    assert tab.locator("#keys[open]").count() == 1
    tab.keyboard.press("Escape")
    leave(tab)
    assert tab.locator("dialog[open]").count() == 0


def test_a_review_by_keyboard_is_kept_saved_read_back_and_shown_as_not_blind(
    visit: Visit,
    make_run: Callable[..., Path],
    made_verdict: Make,
    audit: Callable[[Page], list[str]],
    cli: Callable[..., str],
    tmp_path: Path,
) -> None:
    scores = ((9.0, 1.0), (9.0, 9.0), (9.0, 8.5), (8.0, 2.0))
    run = make_run([made_verdict(at, *pair, reply=REPLIES[at]) for at, pair in enumerate(scores)])
    report = page.write(load(run), run)
    tab = visit(report)
    reviewed(tab)
    assert "3 of 4 seen, 4 replies rated. Not saved" in tab.locator("#review").inner_text()
    tab.reload()
    tab.wait_for_selector("html[data-ready]", state="attached")
    assert "3 of 4 seen, 4 replies rated." in tab.locator("#review").inner_text()
    for state, keys in {"open": ["en-made-01"], "disputed": ["en-made-00", "en-made-03", "en-made-02"]}.items():
        tab.select_option("#filter-review", state)
        assert tab.locator("#list tr.row .id a").all_inner_texts() == keys
    tab.locator("#filter-clear").click()

    tab.locator("#review-save").click()  # without a name nothing is saved
    assert "Give your initials" in tab.locator("#review").inner_text()
    tab.locator("#review-name").fill("dr-a")
    file, table = (saved(tab, button, tmp_path) for button in ("#review-save", "#review-csv"))
    assert "Not saved" not in tab.locator("#review").inner_text()
    content = json.loads(file.read_text(encoding="utf-8"))
    assert content["blind"] is False
    assert {item["case"]: item["ratings"] for item in content["reviews"]} == {
        "en-made-00": {"0": "agree", "1": 7},
        "en-made-02": {"1": 10},
        "en-made-03": {"1": "too_lenient"},
    }
    lines = list(csv.reader(table.read_text(encoding="utf-8-sig").splitlines()))
    assert lines[1][:2] == ["dr-a", "en-made-00"]
    assert lines[1][-1] == "'=no; j k 1 are text here"  # no formula

    # search: in texts, by NFKC, whatever the case
    for text, found in {"危険  わるい": 0, "=危険 ワルイ": 1, "ｓａｆｅ übung": 1, "MADE-02": 1, "question": 4}.items():
        tab.locator("#filter-find").fill(text)
        expect(tab.locator("#count")).to_have_text(re.compile(f"^{found} of"))
    assert audit(tab) == []

    told = cli("made", str(file))
    assert "3 new or changed reviews, 0 problems" in told
    assert "NOT BLIND" in told
    assert "agree 1, too strict 2, too lenient 1" in told
    assert "3 conversations seen by dr-a; 4 ratings of replies" in told
    assert "en-made-00 T1: panel 1.0, dr-a: own score 7: =no; j k 1 are text here" in told
    page.write(load(run), run)
    tab.reload()
    tab.wait_for_selector("html[data-ready]", state="attached")
    section = tab.locator("#reviews").inner_text()
    assert "Not blind" in section
    assert "agree 1, too strict 2, too lenient 1" in section
    assert audit(tab) == []


def test_what_was_kept_for_other_scores_is_not_shown_for_these(
    visit: Visit, make_run: Callable[..., Path], made_verdict: Make
) -> None:
    digests: list[Any] = []
    for name, score in (("one", 1.0), ("two", 9.0)):
        run = make_run([made_verdict(0, score)], name=name)
        tab = visit(page.write(load(run), run), "#case=en-made-00", width=390)
        tab.locator("#rate-0-agree").click()
        assert tab.evaluate("document.activeElement.id") == "rate-0-agree"
        assert tab.evaluate("document.querySelector('dialog').scrollWidth") <= 390
        digests += tab.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('jmedethic-review/'))")
    assert len(set(digests)) == 2
    damaged = '{"en-made-00": 5, "en-made-01": {"seen": true, "comment": "", "check": "", "ratings": {"0": "great"}}}'
    tab.evaluate("([key, text]) => localStorage.setItem(key, text)", [digests[1], damaged])
    tab.reload()
    tab.wait_for_selector("html[data-ready]", state="attached")
    assert "Review: open a conversation" in tab.locator("#review").text_content()
