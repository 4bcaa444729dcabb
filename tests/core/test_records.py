"""Records are plain, frozen, and cannot say what is not so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from jmedethic_pytest.core import records
from jmedethic_pytest.core.records import Case, Reply, Score, Turn, Verdict
from jmedethic_pytest.core.status import OF_JUDGE, OF_TARGET, ReplyStatus, ScoreStatus, VerdictStatus

STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=50)

BuildCase = Callable[..., Case]
Build = Callable[..., Verdict]

ALL_RECORDS = [item for item in vars(records).values() if isinstance(item, type) and issubclass(item, records.Record)]


@pytest.mark.parametrize("record", ALL_RECORDS, ids=lambda record: record.__name__)
def test_every_record_is_frozen_and_forbids_unknown_fields(record: type[BaseModel]) -> None:
    assert record.model_config.get("frozen") is True
    assert record.model_config.get("extra") == "forbid"


def test_frozen_means_that_assignment_raises(build_verdict: Build) -> None:
    verdict = build_verdict("ja-a", [(9, 9)])
    for record, field in ((verdict, "status"), (verdict.case, "strategy"), (verdict.turns[0], "value")):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(record, field, "scored")


def test_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="extra_forbidden"):
        Reply(text="r", colour="red")  # type: ignore[call-arg]


@pytest.mark.parametrize("value", [0.99, 10.01, 0, 11, -1, float("nan"), float("inf"), "high"])
def test_score_outside_1_to_10_cannot_exist(value: Any) -> None:
    with pytest.raises(ValidationError):
        Score(judge="j", value=value)
    with pytest.raises(ValidationError):
        Turn(index=0, user="u", reply=Reply(text="r"), value=value)


@pytest.mark.parametrize("value", [1, 1.0, 5.5, 10, 10.0])
def test_score_from_1_to_10_can(value: float) -> None:
    assert Score(judge="j", value=value).value == value


@pytest.mark.parametrize("case_id", ["ja-a", "en-0", "ja-jma01-s1-01-twin", "ja-" + "a" * 45])
def test_valid_ids(build_case: BuildCase, case_id: str) -> None:
    assert build_case(case_id).id == case_id


@pytest.mark.parametrize(
    "case_id",
    ["ja-" + "a" * 46, "JA-a", "-ja", "ja_a", "ja a", "ja-ä", "ja-１", "ja-a\n", "\nja-a", "ja/a", "ja.a", "ja-a\x00"],
)
def test_invalid_ids(build_case: BuildCase, case_id: str) -> None:
    with pytest.raises(ValidationError, match="id"):
        Case(id=case_id, locale="ja", guideline="JMA-01", strategy="S1", turns=("t",))


@STEADY
@given(st.text(max_size=60))
def test_any_accepted_id_is_safe_in_file_names_urls_and_node_ids(build_case: BuildCase, text: str) -> None:
    try:
        case = Case(id=text, locale="ja", guideline="JMA-01", strategy="S1", turns=("t",))
    except ValidationError:
        return
    assert case.id.isascii()
    assert 1 <= len(case.id) <= 48
    assert case.id.replace("-", "").isalnum()
    assert case.id == case.id.lower()


def test_stem_is_the_id_without_its_locale(build_case: BuildCase) -> None:
    assert build_case("ja-jma01-s1-01").stem == build_case("en-jma01-s1-01").stem == "jma01-s1-01"
    assert build_case("ja-ja-a").stem == "ja-a"


def test_texts_of_turns_may_not_be_blank(build_case: BuildCase) -> None:
    for turns in ((), ("",), (" \n ",), ("a", "\u3000")):
        with pytest.raises(ValidationError):
            build_case(turns=turns)


def test_statuses_of_a_verdict_cover_every_reason_for_a_missing_score() -> None:
    assert set(OF_TARGET) == {*get_args(ReplyStatus)} - {"ok"}
    assert set(OF_JUDGE) == {*get_args(ScoreStatus)} - {"scored"}
    named = {*OF_TARGET.values(), *OF_JUDGE.values(), "scored", "skipped_budget", "not_judged"}
    assert named == set(get_args(VerdictStatus))


@pytest.mark.parametrize(
    ("value", "status"),
    [(None, "scored"), (10.0, "refused"), (1.0, "unparsable"), (5.0, "error")],
)
def test_score_and_its_status_cannot_contradict_each_other(value: float | None, status: Any) -> None:
    """A score that does not exist is ``None`` **together with** a status that says why."""
    with pytest.raises(ValidationError):
        Score(judge="j", value=value, status=status)


texts = st.text(max_size=20)


@STEADY
@given(texts, texts, st.one_of(st.none(), st.integers(1, 10)), st.lists(st.integers(1, 10), max_size=2))
def test_verdict_survives_json(
    build_verdict: Build, reply: str, detail: str, value: int | None, others: list[int]
) -> None:
    verdict = build_verdict("ja-a", [(value, *others), (8, 8)]).model_copy(update={"detail": detail})
    first = verdict.turns[0].model_copy(update={"reply": Reply(text=reply, reasoning=detail, seconds=0.1)})
    verdict = verdict.model_copy(update={"turns": (first, *verdict.turns[1:])})
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict


def test_infinite_figures_do_not_break_a_stored_verdict() -> None:
    """A figure that JSON cannot hold must be refused when the record is made, not when the run is read again."""
    try:
        score = Score(judge="j", value=5, dimensions={"response": float("inf")})
    except ValidationError:
        return
    assert Score.model_validate_json(score.model_dump_json()) == score
