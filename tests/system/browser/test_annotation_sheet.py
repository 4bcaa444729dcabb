"""The sheet that people fill in, in a real browser: keyboard, phone, Japanese, reload, file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jmedethic_pytest.annotation import make, reading, study
from support.stored_runs import store, verdict

if TYPE_CHECKING:
    from playwright.sync_api import Page

Visit = Callable[..., "Page"]
REST = """() => {
  const press = (code, key) => document.body.dispatchEvent(new KeyboardEvent("keydown", { code, key, bubbles: true }));
  for (let left = 116; left; left--) { press("KeyU", "u"); press("Digit5", "5"); }
}"""
"""Scores all that is left as a person at the keyboard would, without the way between two processes for every key."""
HOSTILE = "<img src=x onerror=alert(1)></script><b>答え</b> \u202e " + "長い返答です。" * 150


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study of 30 conversations, 10 of them repeated: 120 replies."""
    folder = tmp_path_factory.mktemp("study")
    run = store(folder, [verdict(n, 9.0, 8.0, 1.0 + n % 10, reply=f"{n} {HOSTILE}") for n in range(30)])
    make.make(run, folder / "study", make.Wanted(30, ("ann", "bob")))
    return folder / "study"


@pytest.fixture
def sheet(made: Path) -> Path:
    return made / "sheets" / "ann" / "ann.html"


def progress(tab: Page) -> str:
    return tab.locator("#progress-text").inner_text()


def saved(tab: Page, folder: Path) -> Path:
    with tab.expect_download() as download:
        tab.keyboard.press("s")
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_a_whole_sheet_by_keyboard_and_back(visit: Visit, sheet: Path, made: Path, tmp_path: Path) -> None:
    tab = visit(sheet)
    assert progress(tab) == "0 of 120 replies scored"
    for key in ("7", "8", "0"):
        tab.keyboard.press(key)
    assert tab.locator("#message").inner_text().startswith("This conversation is complete")
    tab.keyboard.press("m")
    tab.keyboard.type("3 unclear points")
    tab.keyboard.press("Escape")
    tab.keyboard.press("n")
    assert tab.locator("h1").inner_text() == "Conversation 2 of 40"
    tab.keyboard.press("Numpad4")
    tab.keyboard.press("p")
    tab.keyboard.press("u")
    assert tab.evaluate("document.activeElement.id") == "turn-1"
    key = study.read_key(made)
    early = reading.read(saved(tab, tmp_path), key, "now")
    assert "116 replies still without a score" in tab.locator("#message").inner_text()
    tab.evaluate(REST)
    assert progress(tab) == "120 of 120 replies scored"
    assert tab.locator("#file-state").inner_text() == "changed since the last file"
    whole = reading.read(saved(tab, tmp_path), key, "now")
    assert early.problems == whole.problems == []
    assert sorted(mark.scores for mark in early.marks) == [(4, None, None), (7, 8, 10)]
    assert {mark.note for mark in early.marks} == {"3 unclear points", ""}
    assert len(whole.marks) == 40


def test_nothing_is_lost_by_reload_or_on_another_computer(visit: Visit, sheet: Path, tmp_path: Path) -> None:
    tab = visit(sheet)
    for key in ("9", "2"):
        tab.keyboard.press(key)
    tab.locator("#note").fill("meine Notiz")
    tab.reload()
    tab.wait_for_selector("html[data-ready]", state="attached")
    assert progress(tab) == "2 of 120 replies scored"
    assert tab.locator("#note").input_value() == "meine Notiz"
    assert tab.locator('input[name="score-0"]:checked').input_value() == "9"
    path = saved(tab, tmp_path)
    other = visit(sheet)
    assert progress(other) == "0 of 120 replies scored"
    other.keyboard.press("3")
    other.set_input_files("#load", path)
    other.get_by_text("Taken from the file").wait_for()
    assert other.locator("#message").inner_text() == (
        "Taken from the file: 1 scores; 1 that differ were left as they are here."
    )
    path.write_text("{}", encoding="utf-8")
    other.set_input_files("#load", [])
    other.set_input_files("#load", path)
    other.get_by_text("not a file saved from this sheet").wait_for()


def test_scores_can_be_touched_changed_and_taken_back(visit: Visit, sheet: Path) -> None:
    tab = visit(sheet, width=390, locale="ja-JP", has_touch=True)
    assert tab.locator("h1").inner_text() == "会話 1 / 40"
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tab.locator("#turn-1 .scale label").nth(9).tap()
    assert progress(tab) == "120 件中 1 件を評価済み"
    tab.locator("#turn-1 .scale label").nth(0).tap()
    tab.keyboard.press("Delete")
    assert progress(tab) == "120 件中 0 件を評価済み"
    assert tab.locator("input:checked").count() == 0
    tab.locator("#next").tap()
    tab.locator("#language").tap()
    assert tab.locator("h1").inner_text() == "Conversation 2 of 40"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everyone_can_read_it(visit: Visit, audit: Callable[[Page], list[str]], sheet: Path, scheme: str) -> None:
    tab = visit(sheet, width=320, color_scheme=scheme)
    tab.keyboard.press("7")
    assert audit(tab) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= 320
    assert tab.locator("#turns img, #turns b").count() == 0, "texts of models are texts"
    assert "\ufffd" in tab.locator("#turn-0 .answer").inner_text()


def test_a_browser_that_keeps_nothing_says_so(visit: Visit, sheet: Path) -> None:
    tab = visit(sheet, before="Object.defineProperty(window, 'localStorage', { get() { throw new Error('closed'); } })")
    tab.wait_for_selector("#storage:not([hidden])")
    tab.keyboard.press("7")
    assert progress(tab) == "1 of 120 replies scored"


def test_every_word_of_the_sheet_is_there_in_both_languages() -> None:
    folder = Path(make.__file__).parent / "templates"
    words: dict[str, Any] = json.loads((folder / "words.json").read_text(encoding="utf-8"))
    for name, (english, japanese) in words.items():
        fields = [sorted(part.split("}")[0] for part in text.split("{")[1:]) for text in (english, japanese)]
        assert english, name
        assert japanese, name
        assert fields[0] == fields[1], name
