"""Conversations in other words on the page: both sides, in both languages, and no text of a model as markup."""

from __future__ import annotations

import pytest

from jmedethic_pytest.core.companions import Companions
from jmedethic_pytest.gate.outcome import Outcome, load
from jmedethic_pytest.reports import page
from jmedethic_pytest.reports.terminal.robustness import robustness_lines
from jmedethic_pytest.reports.words import all_words
from jmedethic_pytest.store import companions
from support.stored_runs import store, verdict

HOSTILE = "<script>alert(1)</script>\u202etxt.exe {{ 7 * 7 }}"


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """40 conversations, of which six fail with typos, one lacks a score, and one cannot be changed."""
    selection = {"locales": ["en"], "turns": None, "perturb": {"kinds": ["typos", "case"], "version": "1"}}
    made = [verdict(number, 9.0, 9.0) for number in range(40)]
    run = store(tmp_path_factory.mktemp("reports"), made, selection=selection)
    for number, original in enumerate(made[:39]):
        key, kind = original.key, "typos" if number % 2 else "case"
        if number == 38:
            companions.append(run, Companions(key=key, kind=kind, reason="nothing to change"))
            continue
        worst = 1.0 if number < 6 else 9.0 if number else None
        reworded = verdict(number, 9.0, worst, reply=HOSTILE, repeat=20_000)
        repeated = verdict(number, 9.0, 9.0, repeat=10_000)
        companions.append(run, Companions(key=key, kind=kind, repeated=repeated, reworded=reworded, wording="w"))
    return load(run)


def test_examples_stand_side_by_side_and_are_only_text(outcome: Outcome) -> None:
    html = page.render(outcome, {}).html
    section = html[html.index('id="robustness"') : html.index('id="figures"')]
    assert section.count("<summary><code>") == 5, "of six flips"
    assert "&lt;script&gt;alert(1)" in section
    assert "<script" not in section
    assert "\u202e" not in section
    assert "An answer." in section
    assert "言い換え" in section
    assert 'data-en="fails with typos"' in section
    assert 'data-en="fails with lower case"' in section


def test_terminal_says_what_is_missing_and_of_what_nothing_is_said(outcome: Outcome) -> None:
    assert outcome.summary.robustness is not None
    lines = list(robustness_lines(outcome.summary.robustness))
    assert max(map(len, lines)) <= 120
    text = "\n".join(lines)
    assert "1 lack a score; whatever those were, the net lies in" in text
    assert "too few of one kind to speak of it (at least 134 conversations): typos 19, case 19" in text
    assert "not to be changed, and not counted: case 1" in text


def test_every_kind_has_a_name_on_the_page() -> None:
    from jmedethic_pytest.cases.perturb.kinds import KINDS

    assert {f"robustness.kind.{name}" for name in KINDS} <= set(all_words())
