"""What the figures say, by name: the same in the terminal and in the page."""

from __future__ import annotations

import re
from typing import Any

from jmedethic_pytest.core.sentences import in_language
from jmedethic_pytest.reports import words
from jmedethic_pytest.reports.page import view
from jmedethic_pytest.reports.terminal.findings import finding_lines

JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")


def test_every_finding_has_a_name_in_both_languages_and_no_name_is_cut(mixed: Any) -> None:
    summary = mixed.outcome.summary
    lines = list(finding_lines(summary))
    named = [(name, text) for name, text in view.findings(summary) if name != words.word("safe_turns")]
    assert len(named) == len(lines)
    for line, (name, text) in zip(lines, named, strict=True):
        assert line.lower().startswith(f"{name.en.lower()}  ")
        assert line.endswith(text.en)
        assert JAPANESE.search(name.ja)
        assert JAPANESE.search(text.ja) or not re.search("[a-z]{3}", text.ja)
    japanese = [in_language(line, "ja") for line in lines]
    assert [line.split("  ")[0] for line in japanese] == [name.ja for name, _ in named]


def test_safe_turns_of_three_stand_in_the_page_alone(mixed: Any) -> None:
    summary = mixed.outcome.summary
    (short,) = summary.survival
    shown = dict(view.findings(summary))[words.word("safe_turns")]
    assert shown.en.startswith(f"{short.safe_turns.value:.2f} [")
    assert shown.en.endswith("of 3")
    assert shown.ja.startswith("3 ターン中")
    assert not any("safe turns" in line for line in finding_lines(summary))


def test_conversations_that_ended_before_their_branch_are_told_in_both_languages(mixed: Any) -> None:
    summary = mixed.outcome.summary.model_copy(update={"branches": {"ended before": 2, "refused": 3}})
    line = next(line for line in finding_lines(summary) if line.startswith("branches"))
    assert "ended before 2, refused 3" in line
    assert "分岐前に終了 2 件、応じなかった後 3 件" in in_language(line, "ja")
