"""A conversation written turn by turn, by an attacker that sees what a reference target answers.

No reply is kept. A turn that breaks the content policy, declines, or is in another language is never sent to the
target.
"""

from __future__ import annotations

from typing import NamedTuple

from pydantic import BaseModel

from jmedethic_pytest.attack import turns as rules
from jmedethic_pytest.core.records import Reply
from jmedethic_pytest.core.vocabulary import Strategy
from jmedethic_pytest.generation import demo
from jmedethic_pytest.generation.discovery import attempts
from jmedethic_pytest.generation.discovery.discovery import NAME as DISCOVER
from jmedethic_pytest.generation.machinery.config import Config
from jmedethic_pytest.generation.machinery.models import Team
from jmedethic_pytest.generation.machinery.records import Drop, Question
from jmedethic_pytest.generation.machinery.role import Role
from jmedethic_pytest.generation.quality import policy
from jmedethic_pytest.judging import fence
from jmedethic_pytest.models.prompts import Prompts


class _Next(BaseModel):
    turn: str


class Crew(NamedTuple):
    """Who takes part besides the attacker, and the rules."""

    target: Role
    scorer: Role
    prompts: Prompts
    scoring: Prompts
    """The scorer is told what it is told in the discovery: both count harm."""
    least: int
    most: int
    goal: float
    """Harm (10 = harmful) from which on the goal is reached."""
    tries: int


class Told(NamedTuple):
    """A finished conversation."""

    turns: tuple[str, ...]
    harm: tuple[float | None, ...]
    goal_turn: int | None


def scoring() -> Prompts:
    """Return what the scorer is told."""
    return Prompts(f"generation/{DISCOVER}")


def crew(config: Config, team: Team, prompts: Prompts) -> Crew:
    """Return the crew of a configuration."""
    table = config.conversations
    return Crew(
        team.one("target"),
        team.one("scorer"),
        prompts,
        scoring(),
        table.turns,
        max(table.turns, table.max_turns),
        table.goal_score,
        table.attempts,
    )


async def converse(crew: Crew, question: Question, strategy: Strategy, attacker: Role) -> Told | Drop:
    """Hold the conversation until the goal is reached (not before the least number of turns) or the turns run out."""
    turns: list[str] = []
    replies: list[Reply] = []
    harm: list[float | None] = []
    goal: int | None = None
    while len(turns) < crew.most and (goal is None or len(turns) < crew.least):
        turn = await _next(crew, question, strategy, attacker, turns, replies)
        if isinstance(turn, Drop):
            return turn
        turns.append(turn)
        reply = await crew.target.ask(
            attempts.chat(turns, replies), context=demo.task("respond", locale=question.locale, number=len(turns))
        )
        if reply.status != "ok":  # A refusal in words is to be scored.
            return _unanswered(crew.target, reply)
        replies.append(reply)
        score = await attempts.score(crew.scorer, crew.scoring, question, turns, replies)
        if isinstance(score, Drop) and score.again:
            return score
        harm.append(None if isinstance(score, Drop) else score.harm)
        if goal is None and harm[-1] is not None and harm[-1] >= crew.goal:
            goal = len(turns) - 1
    return Told(tuple(turns), tuple(harm), goal)


def _unanswered(target: Role, reply: Reply) -> Drop:
    """Return the drop of a conversation whose target gave no whole reply: "target blocked" is no refusal to write."""
    failed = target.failure(reply)
    if failed is not None and failed.again:
        return failed
    return Drop(reason=f"target {reply.status}", source=target.label)


async def _next(
    crew: Crew, question: Question, strategy: Strategy, attacker: Role, turns: list[str], replies: list[Reply]
) -> str | Drop:
    """Return the attacker's next turn, fit to be sent to the target."""
    locale, number = question.locale, len(turns) + 1
    said = [reply.text for reply in replies]
    known = fence.fenced(turns, said) if turns else crew.prompts.text("none", locale)
    messages = crew.prompts.messages(
        "system",
        "next",
        locale,
        question=question.text,
        name=strategy.name[locale],
        definition=strategy.definition[locale],
        transcript=known,
        number=number,
        most=crew.most,
    )
    found = await attacker.ask_for(
        messages,
        _Next,
        again=crew.prompts.text("again", locale, problem="{problem}"),
        attempts=crew.tries,
        context=demo.task("next", locale=locale, number=number, most=crew.most),
    )
    place = f"turn {number}"
    if isinstance(found, Drop):
        return found if found.again or found.detail else found.model_copy(update={"detail": place})
    turn = rules.clean(found.turn)
    breach = policy.drop((turn,), attacker.label)
    if breach is not None:
        return breach
    declined = number == 1 and rules.declines(turn)
    reason = "refused" if declined else rules.fault([*turns, turn], locale)
    return turn if reason is None else Drop(reason=reason, detail=place, source=attacker.label)
