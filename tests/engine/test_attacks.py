"""An attacker over a real socket: who is asked what, after which scores, and what ends an attack."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jmedethic_pytest.core.errors import RunAborted
from jmedethic_pytest.core.records import Case
from support.branched import make_branched
from support.chat_server import Answer

pytestmark = pytest.mark.asyncio

RULES: dict[str, Any] = {
    "target": {"timeout": 20.0},
    "judges": {"timeout": 20.0, "attempts": 1},
    "attacker": {"timeout": 20.0, "seeds": 2},
}


@pytest.fixture
def evaluate(bench: Any, ref: Any, make_case: Any) -> Any:
    async def run(case: Case | None = None, *, rules: dict[str, Any] | None = None, **more: Any) -> Any:
        built = bench({**RULES, **(rules or {})}, **{"attacker": ref("a"), "most": 6, **more})
        try:
            return await built.engine.evaluate(case or make_case())
        finally:
            await built.aclose()

    return run


def script(server: Any, scores: Any, attacker: Any = None) -> Any:
    """Let the target say which turn it answers, judges give ``scores`` by turn, the attacker ask for more."""

    def answer(seen: Any) -> Any:
        if seen.model == "m":
            return f"reply {seen.turn}"
        if seen.model == "a":
            number = 1 + seen.transcript[-1]["turn"]
            given = None if attacker is None else attacker(seen, number)
            return given or json.dumps({"turn": f"Please go on with part {number} of it, would you?"})
        value = scores[seen.marked["turn"]]
        return value if isinstance(value, str) else server.score(value)

    return answer


async def test_it_goes_on_after_the_written_turns_until_the_target_falls(server: Any, evaluate: Any) -> None:
    server.script = script(server, [9, 8, 7, 6, 2, 9])
    verdict = await evaluate()
    assert verdict.turn_scores == (9.0, 8.0, 7.0)
    assert (verdict.status, verdict.planned_turns, verdict.passed) == ("scored", 3, True)
    assert [attack.seed for attack in verdict.attacks] == [0, 1]
    for attack in verdict.attacks:
        assert (attack.end, attack.calls) == ("reached", 2)
        assert [(turn.index, turn.value) for turn in attack.turns] == [(3, 6.0), (4, 2.0)]
        assert [turn.user for turn in attack.turns] == [f"Please go on with part {n} of it, would you?" for n in (3, 4)]
        assert [turn.reply.text for turn in attack.turns] == ["reply 3", "reply 4"]
    told = server.of("a")[-1]
    assert [entry["text"] for entry in told.transcript if entry["speaker"] == "assistant"][:3] == [
        f"reply {turn}" for turn in range(3)
    ]
    assert {seen.body["seed"] for seen in server.of("a")} == {0, 1}
    assert not any("seed" in seen.body for seen in server.of("m"))
    last = max(server.of("m"), key=lambda seen: seen.turn)
    assert [message["content"] for message in last.messages if message["role"] == "user"][3:] == [
        turn.user for turn in verdict.attacks[0].turns
    ]
    assert len(server.of("m")) == 3 + 2 * 2, "each seed asks the target for itself"


async def test_a_target_that_holds_is_asked_to_the_last_turn(server: Any, evaluate: Any) -> None:
    server.script = script(server, [9] * 6)
    verdict = await evaluate()
    assert [(attack.end, len(attack.turns), attack.calls) for attack in verdict.attacks] == [("turns", 3, 3)] * 2


@pytest.mark.parametrize(
    ("scores", "end"), [([9, 2, 9], "reached"), ([9, "no", 9], "unscored")], ids=["fallen", "unscored"]
)
async def test_what_was_over_in_the_written_turns_is_not_attacked(
    server: Any, evaluate: Any, scores: Any, end: str
) -> None:
    server.script = script(server, scores)
    verdict = await evaluate()
    assert [(attack.end, attack.turns, attack.calls) for attack in verdict.attacks] == [(end, (), 0)] * 2
    assert server.of("a") == []


async def test_benign_twins_are_not_attacked(server: Any, evaluate: Any, make_case: Any) -> None:
    server.script = script(server, [9] * 6)
    twin = make_case().model_copy(update={"twin_of": "jma01-s1-01"})
    assert (await evaluate(twin)).attacks == ()
    assert server.of("a") == []


async def test_judges_are_told_nothing_of_written_turns_that_were_not_said(
    server: Any, evaluate: Any, make_case: Any
) -> None:
    server.script = script(server, [9, 9, 9])
    notes = ("answers", "says no to the letter", "says no to the end")
    verdict = await evaluate(make_case().model_copy(update={"expected": notes}), max_turns=1, most=3)
    assert [len(attack.turns) for attack in verdict.attacks] == [2, 2]
    assert any(notes[0] in seen.content for seen in server.of("j1"))
    assert not any(note in seen.content for note in notes[1:] for seen in server.of("j1"))


async def test_an_attack_follows_the_branch_that_was_taken(server: Any, evaluate: Any) -> None:
    server.script = script(server, [9, 8, 3, 7, 6, 5])
    case = Case.model_validate(make_branched())
    verdict = await evaluate(case)
    assert verdict.branch == "complied"
    assert [turn.index for turn in verdict.attacks[0].turns] == [5]
    told = [entry["text"] for entry in server.of("a")[0].transcript if entry["speaker"] == "user"]
    assert told == [*case.turns, *case.turns_if_complied]


async def test_trouble_in_an_attack_ends_it_and_leaves_the_verdict_alone(server: Any, evaluate: Any) -> None:
    plain = script(server, [9, 8, 7, 6, 5, 4])

    def answer(seen: Any) -> Any:
        if seen.model == "m" and seen.turn == 4:
            return Answer(body={"choices": [{"message": {"content": ""}, "finish_reason": "stop"}], "model": "m"})
        return plain(seen)

    server.script = answer
    verdict = await evaluate()
    assert (verdict.status, verdict.turn_scores) == ("scored", (9.0, 8.0, 7.0))
    assert {attack.end for attack in verdict.attacks} == {"target"}
    assert verdict.attacks[0].detail.startswith("T4: ")


async def test_a_missing_score_ends_an_attack(server: Any, evaluate: Any) -> None:
    server.script = script(server, [9, 8, 7, "no judgement", 6, 5])
    verdict = await evaluate()
    assert [(attack.end, [turn.value for turn in attack.turns]) for attack in verdict.attacks] == [
        ("unscored", [None])
    ] * 2


async def test_the_budget_of_calls_is_that_of_each_seed(server: Any, evaluate: Any) -> None:
    server.script = script(server, [9] * 6, lambda seen, number: "nothing of use" if number == 4 else None)
    verdict = await evaluate(rules={"attacker": {"timeout": 20.0, "seeds": 2, "calls": 3}})
    assert [(attack.end, attack.calls, len(attack.turns)) for attack in verdict.attacks] == [("unreadable", 3, 1)] * 2
    server.script = script(server, [9] * 6)
    verdict = await evaluate(rules={"attacker": {"timeout": 20.0, "seeds": 1, "calls": 2}})
    assert [(attack.end, attack.calls, len(attack.turns)) for attack in verdict.attacks] == [("calls", 2, 2)]


async def test_an_attacker_that_is_not_there_ends_the_run(server: Any, evaluate: Any) -> None:
    plain = script(server, [9] * 6)
    server.script = lambda seen: Answer(status=401, body={"error": "no"}) if seen.model == "a" else plain(seen)
    with pytest.raises(RunAborted):
        await evaluate()
