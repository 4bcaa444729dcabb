"""What the figures say, by name: the same in the terminal and in the page."""

from __future__ import annotations

from typing import Any

from jmedethic_pytest.reports.page import view, words
from jmedethic_pytest.reports.terminal.findings import finding_lines


def test_every_finding_has_a_name_in_both_languages_and_no_name_is_cut(mixed: Any) -> None:
    summary = mixed.outcome.summary
    lines = [line for line in finding_lines(summary) if not line.startswith(" ")]
    named = [(name, text) for name, text in view.findings(summary) if name != words.word("safe_turns")]
    assert len(named) == len(lines)
    for line, (name, text) in zip(lines, named, strict=True):
        assert line.split("  ")[-1].strip() in text
        assert name.en != name.ja or " minus " in name.en


def test_safe_turns_of_three_stand_in_the_page_alone(mixed: Any) -> None:
    summary = mixed.outcome.summary
    (short,) = summary.survival
    shown = dict(view.findings(summary))[words.word("safe_turns")]
    assert shown.startswith(f"{short.safe_turns.value:.2f} [")
    assert shown.endswith("of 3")
    assert not any("safe turns" in line for line in finding_lines(summary))
