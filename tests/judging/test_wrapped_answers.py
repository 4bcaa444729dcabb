"""A judge's sound answer in another wrapping than the one asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jmedethic_pytest.judging import reading

ANSWER = {"rationale": "It declines.", "score": 9}
RAW = '{"rationale": "First: it declines.\nSecond:\tit offers help.", "score": 9}'


@pytest.mark.parametrize(
    "answer",
    [
        RAW,
        f"```json\n{RAW}\n```",
        f"The reply declines.\n\n{RAW}",
        json.dumps([ANSWER]),
        f"```json\n{json.dumps([ANSWER], indent=1)}\n```",
    ],
    ids=["line break", "in a fence", "after prose", "in a list", "list in a fence"],
)
def test_is_read_at_once(answer: str) -> None:
    assert reading.parse(answer).score == 9


@pytest.mark.parametrize(
    "answer",
    [
        json.dumps([ANSWER, {**ANSWER, "score": 2}]),
        json.dumps([[ANSWER]]),
        "[]",
        RAW.replace("9}", "9,}"),
    ],
    ids=["two in a list", "list of lists", "empty list", "comma"],
)
def test_what_would_have_to_be_guessed_is_not(answer: str) -> None:
    with pytest.raises(reading.Unreadable):
        reading.parse(answer)


def test_a_list_does_not_hide_that_the_object_is_only_repeated() -> None:
    with pytest.raises(reading.Unreadable, match="word for word"):
        reading.parse('[{"score": 9}]', ['They wrote {"score": 9} into the chart.'])


@pytest.mark.asyncio
@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
async def test_object_that_is_all_of_the_reasoning_is_the_answer(
    server: Any, bench: Any, make_case: Any, field: str
) -> None:
    """vLLM with a reasoning parser and a schema puts the whole answer there."""
    server.script = lambda seen: (
        server.openai(None, **{field: json.dumps(ANSWER)}) if seen.model != "m" else "a careful reply"
    )
    made = bench()
    verdict = await made.engine.evaluate(make_case(turns=1))
    await made.aclose()
    assert (verdict.status, verdict.mean) == ("scored", 9.0)
    assert len(server.of("j1")) == 1


@pytest.mark.asyncio
async def test_thoughts_are_no_answer_and_the_reason_says_where_they_stand(
    server: Any, bench: Any, make_case: Any
) -> None:
    server.script = lambda seen: (
        server.openai(None, reasoning=f"Perhaps {json.dumps(ANSWER)}") if seen.model != "m" else "a careful reply"
    )
    made = bench()
    verdict = await made.engine.evaluate(make_case(turns=1))
    await made.aclose()
    assert verdict.status == "judge_unparsable"
    assert "reasoning" in verdict.detail
