"""From case to verdict over a real socket: history, overlap with the judges, early ends, statuses."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.core.errors import RunAborted
from jmedethic_pytest.judging.verdict import check
from jmedethic_pytest.models.cache import Cache

pytestmark = pytest.mark.asyncio

RULES: dict[str, Any] = {"target": {"timeout": 20.0}, "judges": {"timeout": 20.0}}


def _rules(**target: Any) -> dict[str, Any]:
    return {**RULES, "target": {**RULES["target"], **target}}


def _chat(server: Any, *replies: Any, scores: Any = 9) -> Any:
    """Script a target by turn; judges give ``scores``, a number or a function of the request."""

    def script(seen: Any) -> Any:
        if seen.model == "m":
            return replies[seen.turn]
        value = scores(seen) if callable(scores) else scores
        return server.score(value) if isinstance(value, int | float) else value

    return script


@pytest.fixture
def evaluate(bench: Any) -> Any:
    """Evaluate one case with a fresh engine."""

    async def run(case: Any, rules: dict[str, Any] | None = None, *, repeat: int = 0, **more: Any) -> Any:
        built = bench(rules or RULES, **more)
        try:
            return await built.engine.evaluate(case, repeat)
        finally:
            await built.aclose()

    return run


async def test_history_holds_the_targets_own_replies_exactly(server: Any, evaluate: Any, make_case: Any) -> None:
    replies = ["first\n\n  * 一つ目の回答 \u3000 \t{x}", "zwölf 🏥 <b>bold</b> \\n", "third"]
    server.script = _chat(server, *replies)
    verdict = await evaluate(make_case())
    users = [f"case a turn {index}" for index in range(3)]
    sent = [[(message["role"], message["content"]) for message in seen.messages] for seen in server.of("m")]
    replies[1] = replies[1].strip()
    assert sent == [
        [("user", users[0])],
        [("user", users[0]), ("assistant", replies[0]), ("user", users[1])],
        [
            *[("user", users[0]), ("assistant", replies[0]), ("user", users[1])],
            *[("assistant", replies[1]), ("user", users[2])],
        ],
    ]
    assert [turn.reply.text for turn in verdict.turns] == replies
    assert (verdict.status, verdict.planned_turns, verdict.turn_scores) == ("scored", 3, (9.0, 9.0, 9.0))
    check(verdict)


@pytest.mark.parametrize("way", ["reasoning_content", "reasoning", "inline"])
async def test_reasoning_goes_neither_into_the_history_nor_to_the_judges(
    server: Any, evaluate: Any, make_case: Any, way: str
) -> None:
    replies = [
        server.openai(f"<think>SECRET {turn}</think>answer {turn}")
        if way == "inline"
        else server.openai(f"answer {turn}", **{way: f"SECRET {turn}"})
        for turn in range(3)
    ]
    server.script = _chat(server, *replies)
    verdict = await evaluate(make_case())
    assert verdict.status == "scored"
    assert len(server.seen) == 9
    assert [seen.number for seen in server.seen if "SECRET" in seen.content] == []
    assert [turn.reply.reasoning.count("SECRET") for turn in verdict.turns] == [1, 1, 1]


async def test_anthropic_thinking_goes_neither_into_the_history_nor_to_the_judges(
    server: Any, evaluate: Any, make_case: Any, ref: Any
) -> None:
    def script(seen: Any) -> Any:
        if seen.model != "m":
            return server.score(8)
        return server.anthropic(
            [{"type": "thinking", "thinking": "SECRET"}, {"type": "text", "text": f"turn {seen.turn}"}]
        )

    server.script = script
    verdict = await evaluate(make_case(), target=ref("m", kind="anthropic"))
    assert verdict.status == "scored"
    assert [seen.number for seen in server.seen if "SECRET" in seen.content] == []
    assert [message["content"] for message in server.of("m")[2].messages if message["role"] == "assistant"] == [
        "turn 0",
        "turn 1",
    ]


async def test_next_turn_runs_while_the_judges_still_score_the_last(
    server: Any, evaluate: Any, make_case: Any, hold: Any
) -> None:
    """All judge answers are kept back until the last turn was asked: only an overlapping engine gets that far."""
    gate = hold()
    server.script = _chat(
        server, "r0", "r1", "r2", scores=lambda seen: server.openai(server.score(4 + seen.marked["turn"]), hold=gate)
    )
    running = asyncio.create_task(evaluate(make_case()))
    await server.until(lambda: len(server.of("m")) == 3)
    assert [seen.model for seen in server.answered if seen.model != "m"] == []
    await server.until(lambda: len(server.seen) == 9)
    gate.release()
    verdict = await running
    assert verdict.turn_scores == (4.0, 5.0, 6.0)


async def test_judges_see_each_turn_in_its_context_and_no_later_one(server: Any, evaluate: Any, make_case: Any) -> None:
    server.script = _chat(server, "r0", "r1", "r2")
    await evaluate(make_case())
    for judge in ("j1", "j2"):
        shown = sorted(([entry["text"] for entry in seen.transcript] for seen in server.of(judge)), key=len)
        parts = ["case a turn 0", "r0", "case a turn 1", "r1", "case a turn 2", "r2"]
        assert shown == [parts[:2], parts[:4], parts]
        assert {(seen.marked["turn"], seen.marked["text"]) for seen in server.of(judge)} == {
            (0, "r0"),
            (1, "r1"),
            (2, "r2"),
        }


async def test_context_turn_shows_judges_the_marked_turn_alone(server: Any, evaluate: Any, make_case: Any) -> None:
    server.script = _chat(server, "r0", "r1")
    await evaluate(make_case(turns=2), {**RULES, "judges": {**RULES["judges"], "context": "turn"}})
    shown = sorted([entry["text"] for entry in seen.transcript] for seen in server.of("j1"))
    assert shown == [["case a turn 0", "r0"], ["case a turn 1", "r1"]]


@pytest.mark.parametrize(
    ("bad", "status"),
    [
        ({"text": "cut", "finish": "length"}, "target_truncated"),
        ({"text": "<think>no end"}, "target_truncated"),
        ({"text": ""}, "target_empty"),
        ({"text": "", "finish": "content_filter"}, "target_blocked"),
    ],
)
async def test_conversation_ends_at_a_reply_that_cannot_be_judged(
    server: Any, evaluate: Any, make_case: Any, bad: dict[str, Any], status: str
) -> None:
    server.script = _chat(server, "r0", server.openai(**bad), "never")
    verdict = await evaluate(make_case())
    assert (verdict.status, verdict.planned_turns, len(verdict.turns)) == (status, 3, 2)
    assert verdict.detail.startswith("T1: ")
    assert verdict.turn_scores == (9.0, None, None)
    assert verdict.turns[1].scores == ()
    assert verdict.mean is None
    assert verdict.passed is None
    assert len(server.of("m")) == 2
    assert {seen.marked["turn"] for seen in server.of("j1")} == {0}


async def test_context_overflow_ends_that_case_alone(server: Any, bench: Any, make_case: Any) -> None:
    def script(seen: Any) -> Any:
        if "case long" in seen.last and seen.model == "m" and seen.turn == 1:
            return server.error(400, "maximum context length is 4096 tokens", code="context_length_exceeded")
        return "fine" if seen.model == "m" else server.score(8)

    server.script = script
    built = bench(RULES)
    long, short = await asyncio.gather(*(built.engine.evaluate(make_case(name)) for name in ("long", "short")))
    await built.aclose()
    assert (long.status, short.status) == ("target_too_long", "scored")
    assert "maximum context length" in long.detail
    assert long.turn_scores == (8.0, None, None)


@pytest.mark.parametrize("as_error", [True, False])
async def test_block_counts_as_refusal_only_where_the_settings_say_so(
    server: Any, evaluate: Any, make_case: Any, as_error: bool
) -> None:
    block = (
        server.error(400, "content_filter: blocked", code="content_filter")
        if as_error
        else server.openai("half a manual", finish="content_filter")
    )
    server.script = _chat(server, "r0", block, "r2")
    verdict = await evaluate(make_case(), _rules(blocked_is_refusal=True))
    assert verdict.status == "scored"
    note = "[The provider's safety system blocked this reply; the user was shown nothing.]"
    assert verdict.turns[1].reply.text == note
    assert [message["content"] for message in server.of("m")[2].messages][3] == note
    assert "half a manual" not in "".join(seen.content for seen in server.of("j1"))
    strict = await evaluate(make_case())
    assert strict.status == "target_blocked"


async def test_system_prompt_stands_first_in_every_turn_and_is_not_shown_to_judges(
    server: Any, evaluate: Any, make_case: Any
) -> None:
    server.script = _chat(server, "r0", "r1", "r2")
    await evaluate(make_case(), _rules(system="You are HOSPITAL-BOT."))
    for seen in server.of("m"):
        assert seen.messages[0] == {"role": "system", "content": "You are HOSPITAL-BOT."}
        assert [message["role"] for message in seen.messages].count("system") == 1
    assert "HOSPITAL-BOT" not in "".join(seen.content for seen in server.of("j1"))


@pytest.mark.parametrize(("max_turns", "asked"), [(1, 1), (2, 2), (3, 3), (9, 3), (None, 3)])
async def test_max_turns_shortens_the_conversation(
    server: Any, evaluate: Any, make_case: Any, max_turns: int | None, asked: int
) -> None:
    server.script = _chat(server, "r0", "r1", "r2")
    verdict = await evaluate(make_case(), max_turns=max_turns)
    assert (verdict.status, verdict.planned_turns, len(verdict.turns)) == ("scored", asked, asked)
    assert len(server.of("m")) == asked


@pytest.mark.parametrize(
    ("replies", "scores", "status", "place"),
    [
        (["r0", "", "r2"], lambda seen: "prose", "judge_unparsable", "T0: compatible:j1"),
        (["r0", "r1", ""], lambda seen: 9 if seen.marked["turn"] == 0 else "prose", "judge_unparsable", "T1: "),
        (["r0", "r1", ""], lambda seen: 9, "target_empty", "T2: "),
        (
            ["r0", "r1", "r2"],
            lambda seen: 9 if seen.model == "j1" else "prose",
            "judge_unparsable",
            "T0: compatible:j2",
        ),
    ],
    ids=["judge before target", "second turn", "target last", "second judge"],
)
async def test_status_is_the_first_reason_in_the_order_of_the_conversation(
    server: Any, evaluate: Any, make_case: Any, replies: list[str], scores: Any, status: str, place: str
) -> None:
    server.script = _chat(server, *replies, scores=scores)
    verdict = await evaluate(make_case())
    assert verdict.status == status
    assert verdict.detail.startswith(place)


async def test_floor_broken_before_the_trouble_still_counts(server: Any, evaluate: Any, make_case: Any) -> None:
    server.script = _chat(server, "r0", "", scores=2)
    verdict = await evaluate(make_case())
    assert verdict.status == "target_empty"
    assert [violation.turn for violation in verdict.violations] == [0]
    assert verdict.passed is False
    with pytest.raises(AssertionError, match="T0 fell to 2"):
        check(verdict)


async def test_scores_land_at_their_own_turn_though_judges_answer_backwards(
    server: Any, evaluate: Any, make_case: Any, hold: Any
) -> None:
    gates = [hold() for _ in range(3)]
    server.script = _chat(
        server,
        *("r0", "r1", "r2"),
        scores=lambda seen: server.openai(server.score(3 + seen.marked["turn"]), hold=gates[seen.marked["turn"]]),
    )
    running = asyncio.create_task(evaluate(make_case()))
    await server.until(lambda: len(server.seen) == 9)

    def judged(turn: int) -> bool:
        return sum(seen.model != "m" and seen.marked["turn"] == turn for seen in server.answered) == 2

    for turn in (2, 1, 0):
        gates[turn].release()
        await server.until(functools.partial(judged, turn))
    assert (await running).turn_scores == (3.0, 4.0, 5.0)


async def test_dead_judge_ends_the_run_though_the_target_is_well(server: Any, evaluate: Any, make_case: Any) -> None:
    server.script = _chat(server, "r0", "r1", "r2", scores=lambda seen: server.error(401, "bad key"))
    with pytest.raises(RunAborted, match=r"a judge cannot be used: compatible:j[12].*HTTP 401"):
        await evaluate(make_case())


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    opened = Cache(tmp_path / "cache.sqlite")
    yield opened
    opened.close()


async def test_second_evaluation_makes_no_call_and_gives_the_same_verdict(
    server: Any, evaluate: Any, make_case: Any, cache: Cache
) -> None:
    server.script = _chat(server, "r0", "r1", "r2", scores=lambda seen: 5 + seen.marked["turn"])
    first = await evaluate(make_case(), cache=cache)
    second = await evaluate(make_case(), cache=cache)
    assert len(server.seen) == 9
    assert second.turn_scores == first.turn_scores
    assert all(turn.reply.cached and all(score.cached for score in turn.scores) for turn in second.turns)


async def test_repetitions_are_independent_conversations(
    server: Any, evaluate: Any, make_case: Any, cache: Cache
) -> None:
    server.script = _chat(server, "r0", "r1", "r2")
    for repeat in (0, 1, 1):
        verdict = await evaluate(make_case(), repeat=repeat, cache=cache)
        assert verdict.repeat == repeat
    assert len(server.seen) == 18


async def test_many_cases_at_once_keep_their_histories_apart(server: Any, bench: Any, make_case: Any) -> None:
    def script(seen: Any) -> Any:
        name = seen.messages[0]["content"].split()[1]
        if seen.model == "m":
            assert all(f"case {name} " in message["content"] for message in seen.messages)
            return f"case {name} reply {seen.turn}"
        name = seen.transcript[0]["text"].split()[1]
        assert all(f"case {name} " in entry["text"] for entry in seen.transcript)
        return server.score(1 + int(name) % 10)

    server.script = script
    built = bench(RULES)
    verdicts = await asyncio.gather(*(built.engine.evaluate(make_case(str(number))) for number in range(20)))
    await built.aclose()
    assert [verdict.turn_scores for verdict in verdicts] == [(float(1 + number % 10),) * 3 for number in range(20)]
    assert len(server.seen) == 20 * 9
