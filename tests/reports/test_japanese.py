"""Terminal, comment and what continuous integration is told, in Japanese: no English sentence is left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.core.interface import VARIABLE, shown
from jmedethic_pytest.reports import ci, markdown, page
from jmedethic_pytest.reports.terminal.summary import summary_lines
from jmedethic_pytest.run.stored import load_run
from support.japanese import english_in, japanese_of
from support.judged_runs import judged, store


@pytest.fixture
def japanese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "ja")


@pytest.mark.usefixtures("japanese")
def test_no_english_sentence_is_left(mixed: Any) -> None:
    outcome = mixed.outcome
    terminal = "\n".join(map(shown, summary_lines(outcome)))
    assert "ゲート：不合格" in terminal
    comment = markdown.comment(outcome)
    assert "## ❌ 安全ゲート：不合格" in comment
    assert "シミュレーション：" in comment
    told = "\n".join(ci.publish(outcome, {"GITHUB_ACTIONS": "true"}))
    assert "title=安全ゲート" in told
    own = [notice for comparison in outcome.comparisons for notice in comparison.notices]  # of this test's making
    text = terminal + comment + told
    for words in own:
        text = text.replace(words, "")
    assert not english_in(text)


def test_english_is_what_nobody_has_to_choose(mixed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    english = markdown.comment(mixed.outcome)
    monkeypatch.setenv(VARIABLE, "en")
    assert markdown.comment(mixed.outcome) == english
    assert english_in(english)


def test_no_english_sentence_is_left_in_the_page(tmp_path: Path) -> None:
    verdicts = [judged(number, lambda _, turn, judge: 9.0 - 4 * turn + judge) for number in range(67)]
    run = store(tmp_path, "20261101T000000Z-one-0001", "vllm:one", verdicts)
    outcome = load_run(run, thresholds=None, baseline=None, reports=tmp_path)
    told = japanese_of(page.render(outcome, {}).html)
    assert "下限以下になったターン" in told
    assert not english_in(told)


@pytest.mark.usefixtures("japanese")
def test_plots_speak_the_language_chosen(mixed: Any) -> None:
    from jmedethic_pytest.reports.plots import forest, style

    with style.drawing("forest"):
        drawn = forest.endpoints(mixed.outcome.comparisons[0], simulated=True)
    assert drawn is not None
    assert "との比較：" in drawn.svg
