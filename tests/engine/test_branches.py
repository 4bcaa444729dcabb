"""A conversation with branches over a real socket: who waits for whom, what is said, and what ends it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.records import Case
from jmedethic_pytest.judging import verdict as verdicts
from jmedethic_pytest.models.cache import Cache
from support.branched import make_branched

pytestmark = pytest.mark.asyncio

RULES: dict[str, Any] = {"target": {"timeout": 20.0}, "judges": {"timeout": 20.0, "attempts": 1}}
CASE = Case.model_validate(make_branched())


@pytest.fixture
def evaluate(bench: Any) -> Any:
    async def run(rules: dict[str, Any] | None = None, **more: Any) -> Any:
        built = bench({**RULES, **(rules or {})}, **more)
        try:
            return await built.engine.evaluate(CASE)
        finally:
            await built.aclose()

    return run


def _script(server: Any, scores: Any) -> Any:
    """Let the target say which turn it answers; judges give ``scores`` by turn."""
    return lambda seen: f"reply {seen.turn}" if seen.model == "m" else scores[seen.marked["turn"]]


@pytest.mark.parametrize(("score", "branch"), [(4, "complied"), (5, "refused")])
async def test_the_panel_chooses_and_all_are_shown_what_was_said(
    server: Any, evaluate: Any, score: int, branch: str
) -> None:
    server.script = _script(server, [server.score(value) for value in (9, 8, score, 7, 6)])
    verdict = await evaluate()
    said = [*CASE.turns, *(CASE.turns_if_complied if branch == "complied" else CASE.turns_if_refused)]
    assert (verdict.branch, verdict.status, verdict.planned_turns) == (branch, "scored", 5)
    assert verdict.turn_scores == (9.0, 8.0, float(score), 7.0, 6.0)
    assert [turn.user for turn in verdict.turns] == said
    assert verdict.case == CASE
    assert [message["content"] for message in server.of("m")[-1].messages if message["role"] == "user"] == said
    for judge in ("j1", "j2"):
        shown = max((seen.transcript for seen in server.of(judge)), key=len)
        assert [entry["text"] for entry in shown if entry["speaker"] == "user"] == said
    other = "if refused" if branch == "complied" else "if complied"
    assert [seen.number for seen in server.seen if other in seen.content] == []


async def test_the_target_waits_for_the_judges_at_the_branching_alone(server: Any, evaluate: Any, hold: Any) -> None:
    first, second = hold(), hold()

    def script(seen: Any) -> Any:
        if seen.model == "m":
            return f"reply {seen.turn}"
        return server.openai(server.score(3), hold=second if seen.marked["turn"] > 2 else first)

    server.script = script
    running = asyncio.create_task(evaluate())
    await server.until(lambda: len(server.of("j1")) == len(server.of("j2")) == 3)
    assert len(server.of("m")) == 3
    first.release()
    await server.until(lambda: len(server.of("m")) == 5)  # on to the end, while the branch's first reply is scored
    second.release()
    assert (await running).branch == "complied"


async def test_a_missing_score_takes_no_branch_and_ends_the_conversation(server: Any, evaluate: Any) -> None:
    server.script = _script(server, [server.score(9), server.score(9), "no score at all"])
    verdict = await evaluate()
    assert (verdict.branch, verdict.status, len(verdict.turns), verdict.planned_turns) == (
        None,
        "judge_unparsable",
        3,
        5,
    )
    assert verdict.turn_scores == (9.0, 9.0, None, None, None)
    assert (verdict.mean, verdict.passed, len(server.of("m"))) == (None, None, 3)


async def test_one_judge_may_choose_where_one_is_enough(server: Any, evaluate: Any) -> None:
    def script(seen: Any) -> Any:
        if seen.model == "m":
            return f"reply {seen.turn}"
        return "no score" if seen.model == "j1" and seen.marked["turn"] == 2 else server.score(2)

    server.script = script
    allowed = {"judges": {**RULES["judges"], "allow_single": True}}
    verdict = await evaluate(allowed)
    assert (verdict.branch, verdict.status) == ("complied", "scored")
    ended = await evaluate()
    assert (ended.branch, ended.status) == (None, "judge_unparsable")
    lenient = Thresholds.model_validate({"schema_version": 1, **allowed})
    assert verdicts.under(ended, lenient).status == "judge_unparsable"  # what was never said cannot be scored later


async def test_a_cut_conversation_takes_no_branch_or_the_first_turns_of_it(server: Any, evaluate: Any) -> None:
    server.script = _script(server, [server.score(3)] * 4)
    short = await evaluate(max_turns=3)
    assert (short.branch, short.status, short.planned_turns) == (None, "scored", 3)
    longer = await evaluate(max_turns=4)
    assert (longer.branch, longer.status, longer.planned_turns) == ("complied", "scored", 4)


async def test_a_conversation_begun_again_goes_the_same_way_from_the_cache(
    server: Any, evaluate: Any, tmp_path: Any
) -> None:
    cache = Cache(tmp_path / "cache.sqlite")
    server.script = _script(server, [server.score(value) for value in (9, 8, 3, 2, 1)])
    first = await evaluate(cache=cache)
    asked = len(server.seen)
    second = await evaluate(cache=cache)
    assert len(server.seen) == asked
    assert (second.branch, second.turn_scores) == (first.branch, first.turn_scores)


async def test_a_confirmation_takes_its_own_branch(server: Any, evaluate: Any) -> None:
    fourth = server.score(9)
    first = iter([server.score(1)] * 2)  # of both judges, once

    def script(seen: Any) -> Any:
        if seen.model == "m":
            return f"reply {seen.turn}"
        return next(first, fourth) if seen.marked["turn"] == 2 else fourth

    server.script = script
    rules = {"conversation": {"confirm": 1, "confirm_within": 9.0}}
    verdict = await evaluate(rules)
    assert (verdict.branch, verdict.attempts[0].branch, verdict.confirmed) == ("complied", "refused", False)
