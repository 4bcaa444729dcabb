"""A run beside its companions: by kind and over all, with what is missing, and what nothing is said of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from jmedethic_pytest.analysis.robustness import Robustness, measure, sides
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.store.companions import Companion
from jmedethic_pytest.store.scores import Origin, Row
from support.score_rows import ORIGIN, make_row

RULES = Thresholds(schema_version=1)
GOOD, BAD, LOST = (9.0, 8.0, 9.0), (9.0, 6.0, 1.5), (9.0, 8.0, None)
Given = tuple[Any, Any, Any, str]
"""Scores as it was, repeated and reworded, and the kind; a reason in place of the reworded ones if it cannot be."""


def beside(number: int, given: Given, **changes: Any) -> tuple[Row, Companion | None]:
    original, repeated, reworded, kind = given
    row = make_row(number, original, **changes)
    if isinstance(reworded, str):
        return row, Companion(kind, reason=reworded)
    if reworded is None:
        return row, None
    return row, Companion(kind, *(make_row(number, scores, **changes) for scores in (repeated, reworded)), wording="w")


def found(given: Iterable[Given], kinds: tuple[str, ...] = ("typos", "width")) -> Robustness:
    made = [beside(number, item) for number, item in enumerate(given)]
    return _measured({row.key: row for row, _ in made}, {row.key: one for row, one in made if one is not None}, kinds)


def _measured(rows: Mapping[str, Row], companions: Mapping[str, Companion], kinds: tuple[str, ...]) -> Robustness:
    return measure(sides(Origin(**ORIGIN), rows, companions, RULES), companions, kinds, "1", 0.025)


def test_kinds_and_all_together() -> None:
    """134 conversations of one kind are enough to speak of it, fewer are not, and p-values are Holm's."""
    fell = [(GOOD, GOOD, BAD if number % 10 == 0 else GOOD, "typos") for number in range(140)]
    held = [(GOOD, BAD if number == 5 else GOOD, GOOD, "width") for number in range(140)]
    few = [(BAD, BAD, GOOD, "script")] * 20
    result = found([*fell, *held, *few], ("typos", "width", "script"))
    whole, (typos, width, script) = result.whole, result.by_kind
    assert (whole.conversations, whole.new_failures, whole.fixed, whole.missing) == (300, 14, 20, 0)
    assert whole.net.value == pytest.approx(6 / 300)
    assert (whole.repeat_new_failures, whole.repeat_fixed) == (1, 0)
    assert whole.excess.value == pytest.approx(33 / 300)
    assert (typos.new_failures, typos.flips.value, typos.net.value) == (14, pytest.approx(0.1), pytest.approx(-0.1))
    assert typos.score.value == pytest.approx(-0.1 * (26 - 16.5) / 3)
    assert typos.test is not None
    assert width.test is not None
    assert typos.test.p_adjusted == pytest.approx(2 * (typos.test.p or 0))
    assert width.test.p == pytest.approx(1.0, abs=0.6)
    assert (script.conversations, script.fixed, script.test, script.flips.value) == (20, 20, None, None)
    assert "only 20 conversations" in script.reason
    assert [item.key for item in result.flipped][:1] == ["ja-case-0000"]
    assert result.flipped[0].fails
    assert (result.flipped[0].original, result.flipped[0].reworded) == (GOOD, BAD)
    assert [item.fails for item in result.flipped] == [True] * 14 + [False] * 20


def test_what_is_missing_counts_at_its_worst_and_what_cannot_be_counts_for_nothing() -> None:
    """A lost score, companions that were never reached, and a conversation that a kind could not change."""
    result = found(
        [
            *[(GOOD, GOOD, GOOD, "typos")] * 140,
            *[(GOOD, GOOD, LOST, "typos")] * 3,
            (GOOD, GOOD, None, "typos"),
            (GOOD, GOOD, "nothing to change", "width"),
        ]
    )
    whole = result.whole
    assert (whole.conversations, whole.missing, result.unchanged) == (144, 4, {"width": 1})
    assert whole.net.value == 0
    assert whole.net_low is not None
    assert whole.net_low <= -4 / 144
    assert result.by_kind[0].conversations == 143, "of the one that was not reached nobody knows the kind"


def test_failing_under_any_kind_stands_only_beside_as_many_repeats() -> None:
    def case(number: int, sides: list[Given]) -> dict[str, tuple[Row, Companion | None]]:
        key = f"ja-case-{number:04d}"
        rows = (beside(number, item, key=f"{key}~{at}" if at else key) for at, item in enumerate(sides))
        return {row.key: (row, one) for row, one in rows}

    both = [(GOOD, GOOD, BAD, "typos"), (GOOD, BAD, GOOD, "width")]
    none = [(GOOD, GOOD, GOOD, "width"), (GOOD, GOOD, BAD, "typos")]
    made = {**case(0, both), **case(1, none)}
    companions = {key: one for key, (_, one) in made.items() if one is not None}
    result = _measured({key: row for key, (row, _) in made.items()}, companions, ("typos", "width"))
    assert result.any_of is not None
    assert (result.any_of.runs, result.any_of.conversations) == (2, 2)
    assert (result.any_of.reworded, result.any_of.repeated) == (2, 1)
    assert found([both[0], none[0]]).any_of is None


def test_twins_do_not_count_and_nothing_reworded_is_no_figure() -> None:
    row = make_row(0, GOOD, twin=True)
    result = _measured({row.key: row}, {}, ("typos",))
    assert result.whole.conversations == 0
    assert result.whole.net.value is None
    assert result.whole.flips.value is None


@pytest.mark.parametrize("changes", [{"turns": (9.0, 9.0)}, {"strategy": "S7"}, {"locale": "en"}])
def test_what_is_no_run_of_the_conversation_is_missing(changes: dict[str, Any]) -> None:
    """A file that was put together by hand must not stand in for a measurement, nor end in a traceback."""
    row, companion = beside(0, (GOOD, GOOD, GOOD, "typos"))
    assert companion is not None
    assert companion.reworded is not None
    other = companion.reworded._replace(**changes, judges=(changes.get("turns", GOOD),) * 2)
    result = _measured({row.key: row}, {row.key: companion._replace(reworded=other)}, ("typos",))
    assert result.whole.missing == 1
