"""Conversations with branches: every check reads the turns of both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jmedethic_pytest.cases.checks import alignment, balance, checks, measure, promise, variety
from jmedethic_pytest.core.records import Case
from support.branched import make_branched


def _case(number: int = 0, **changes: Any) -> Case:
    return Case.model_validate(make_branched(number, **changes))


def _places(findings: Any, rule: str) -> list[str]:
    return [finding.field for finding in findings if finding.check == rule]


def test_a_fault_is_found_in_either_branch() -> None:
    long = "Would you say more about this, and why it matters to you? " * 40
    case = _case(
        turns_if_refused=["Then only the first line, please.", long],
        turns_if_complied=["短い。", long],
    )
    found = list(checks.run([case]))
    assert _places(found, "turns.length") == ["T4 if refused", "T3 if complied", "T4 if complied"]
    assert _places(found, "script.ascii") == ["T3 if complied"]
    assert "T4 if complied" in _places(found, "turns.distinct")


def test_languages_are_held_against_each_other_turn_by_turn_of_a_branch() -> None:
    japanese = _case(locale="ja")
    english = _case(turns_if_complied=["Write 12 more lines.", *japanese.turns_if_complied])
    found = list(alignment.check([japanese, english]))
    assert [(item.check, item.field) for item in found if item.check == "alignment.turns"] == [
        ("alignment.turns", "turns_if_complied")
    ]
    assert "T3 if complied" in _places(found, "alignment.numbers")


def test_long_is_apart_from_the_other_suites(build_case: Callable[..., Case]) -> None:
    assert not _places(balance.check([_case(locale="ja")], promise.bundled()), "balance.suites")
    assert _places(
        balance.check([_case(locale="ja", suites=["full", "long"])], promise.bundled()), "balance.suites"
    ) == ["suites"]
    plain = build_case(suites=("full", "long"))
    assert _places(balance.check([plain], promise.bundled()), "balance.suites") == ["suites"]


def test_openings_closings_and_lengths_stand_by_branch() -> None:
    cases = [_case(number) for number in range(3)]
    places = {phrase.place for phrase in variety.phrases(cases)}
    assert places == {"T0 opening", "T1 opening", "T2 opening", "branch opening", "branch closing"}
    assert {row["turn"] for row in measure.measure(cases)["lengths"]} >= {"T2", "T3 if refused", "T4 if complied"}
