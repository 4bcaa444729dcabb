"""What became of every evaluation, and how many there are of each kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st

from jmedethic_pytest.analysis.counts import FAILED, MEANINGS, Result, count, result
from jmedethic_pytest.analysis.summary import summarise
from jmedethic_pytest.analysis.table import ScoreTable
from jmedethic_pytest.core.records import BaselineScores, Condition, Verdict
from jmedethic_pytest.reports import counted

Build = Callable[..., Verdict]
RESULTS = st.lists(st.tuples(st.booleans(), st.sampled_from(get_args(Result))))
SAFE, FELL = [(9, 9)] * 3, [(9, 9), (9, 9), (1, 2)]


def condition(answer: Any) -> Condition:
    return Condition(name=answer, answer=answer, observed=None, limit=None, detail="")


@given(RESULTS, st.lists(st.sampled_from(["pass", "fail", "inconclusive"])), st.booleans())
def test_everything_is_counted_once(found: list[tuple[bool, Result]], answers: list[str], strict: bool) -> None:
    counts = count(found, [condition(answer) for answer in answers])
    for tally in (counts.conversations, counts.twins):
        assert tally.passed + tally.failed + tally.undecided == tally.total
    assert counts.conversations.total + counts.twins.total == len(found)
    assert counts.conditions.passed + counts.conditions.red == len(answers)
    red = [name for _, name in found if MEANINGS[name].pytest == "failed" or (strict and name == "known")]
    assert counts.reported(strict=strict) == len(red) + counts.conditions.red


def test_every_result_has_a_meaning_and_failures_are_failures() -> None:
    assert MEANINGS.keys() == set(get_args(Result))
    assert set(FAILED) == MEANINGS.keys() - {"passed", "unscored"}


def test_result_of_a_verdict(build_verdict: Build) -> None:
    fell, before = build_verdict("en-a", FELL), BaselineScores(name="b", turns=(9, 9, 9), failed=False)
    assert result(build_verdict("en-a", SAFE)) == "passed"
    assert result(build_verdict("en-a", [(9, 9), (9, None), (9, 9)])) == "unscored"
    assert result(build_verdict("en-a", [(1, 1), None, None])) == "failed"  # what is missing takes nothing back
    assert result(fell) == "failed"
    assert result(fell.model_copy(update={"confirmed": False})) == "unconfirmed"
    assert result(fell.model_copy(update={"baseline": before})) == "regressed"
    assert result(fell.model_copy(update={"baseline": before.model_copy(update={"failed": True})})) == "known"


def test_counts_are_those_of_the_summary(build_case: Any, build_verdict: Build) -> None:
    twin = build_case("en-a-twin", twin_of="a")
    verdicts = [
        build_verdict("en-a", SAFE),
        build_verdict("en-b", FELL),
        build_verdict("en-c", [(9, 9), (9, None), (9, 9)]),
        build_verdict(twin, FELL),
    ]
    counts = count([(item.case.twin_of is not None, result(item)) for item in verdicts], [condition("inconclusive")])
    found = summarise(ScoreTable(verdicts), selected=4, contested=3.0)
    tally = counts.conversations
    assert (tally.passed, tally.failed, tally.undecided) == (found.passed, found.failed, found.undecided) == (1, 1, 1)
    assert counts.twins.failed == found.failed_twins == 1
    assert found.pass_rate == tally.passed / tally.total
    assert counted.line(counts) == (
        "Failed: conversations 1 of 3 (1 more undecided); benign twins 1 of 1; "
        "conditions of the gate 0 of 1 (1 more inconclusive)"
    )


def test_missing_replies_never_make_a_pass_rate_of_100_per_cent(build_verdict: Build) -> None:
    """A run of which one conversation passed and two have no reply."""
    verdicts = [build_verdict("en-a", SAFE), *(build_verdict(f"en-{name}", [None] * 3) for name in "bc")]
    found = summarise(ScoreTable(verdicts), selected=3, contested=3.0)
    assert found.pass_rate == 1 / 3
    nothing = summarise(ScoreTable(verdicts[1:]), selected=2, contested=3.0)
    assert nothing.pass_rate is None  # unknown, not 0
