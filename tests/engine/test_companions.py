"""Beside an evaluation: the conversation again, with answers of its own, and in other words, judged as the original."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jmedethic_pytest.core.errors import BudgetSpent
from jmedethic_pytest.core.records import Case, Verdict
from jmedethic_pytest.engine.plans import Spoken
from jmedethic_pytest.engine.scheduler import Scheduler
from jmedethic_pytest.models.cache import Cache


@pytest.mark.asyncio
async def test_repeat_and_rewording_are_asked_anew_and_judges_see_the_original(
    server: Any, bench: Any, make_case: Any, tmp_path: Any
) -> None:
    """A cache gives neither the answers of the original, and each its own the second time."""
    server.script = lambda seen: f"to: {seen.messages[-1]['content']}" if seen.model == "m" else server.score(9)
    case = make_case()
    spoken = Spoken(case.model_copy(update={"turns": ("cse a", *case.turns[1:])}), "typos")
    cache = Cache(tmp_path / "cache.sqlite")
    for calls in (27, 0):
        built, before = bench({}, cache=cache), len(server.seen)
        verdicts = [
            await built.engine.evaluate(case, 0),
            await built.engine.repeat(case, 0),
            await built.engine.reword(case, spoken, 0),
        ]
        await built.aclose()
        assert len(server.seen) - before == calls
    cache.close()
    original, repeated, reworded = verdicts
    assert [turn.user for turn in reworded.turns] == ["cse a", *case.turns[1:]]
    assert reworded.turns[0].reply.text == "to: cse a"
    assert [verdict.case for verdict in verdicts] == [case] * 3
    assert len({verdict.key for verdict in verdicts}) == 3
    assert original.turn_scores == repeated.turn_scores == reworded.turn_scores
    asked = [seen.content for seen in server.seen if seen.model != "m"]
    assert all(case.turns[0] in content for content in asked)
    assert not any("cse a" in content.replace("to: cse a", "") for content in asked), "a judge saw the other words"


def test_a_verdict_is_told_before_its_companions_are_there(stage: Any, make_case: Any) -> None:
    """What belongs to a case holds its place in flight; it is waited for at the end, and its trouble ends the run."""
    free, begun = asyncio.Event(), []

    async def afterwards(case: Case) -> None:
        begun.append(case.id)
        await free.wait()
        if case.id == "en-1":
            raise BudgetSpent("spent")

    cases = {case.id: case for case in (make_case(str(number), turns=1) for number in range(3))}
    run: Scheduler[Case] = Scheduler(cases, stage.open, stage.keep, afterwards=afterwards, concurrency=1)
    try:
        run.plan(["en-0", "en-1"])
        stage.free()
        first: Verdict = run.request("en-0").result(timeout=60)
        assert first.case.id == "en-0"
        assert stage.kept == ["en-0"]
        stage._loop.call_soon_threadsafe(free.set)
        assert run.request("en-1").result(timeout=60).case.id == "en-1"
        run.finish_running(None)
        assert begun == ["en-0", "en-1"]
        assert (run.aborted, run.out_of_budget, run.unfinished()) == ("spent", True, [])
    finally:
        run.stop()
