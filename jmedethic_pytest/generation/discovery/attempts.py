"""One round of the search: the attacker writes, the target replies, the scorer scores; and what a pair of rounds shows.

Whatever goes wrong with a single round is a drop with its reason; a round without a score is missing, never a low one.
The target never sees a text that breaks the content policy, and no reply of it is kept: only its vector.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from pydantic import BaseModel, Field, field_validator

from jmedethic_pytest.core.errors import ProviderError
from jmedethic_pytest.core.files import sha256
from jmedethic_pytest.core.records import Reply
from jmedethic_pytest.generation import demo
from jmedethic_pytest.generation.discovery.embeddings import Embedder, Vector
from jmedethic_pytest.generation.discovery.library import Example, Phase, Strategy
from jmedethic_pytest.generation.discovery.retrieval import Choice
from jmedethic_pytest.generation.discovery.scales import LEAST, HarmScore
from jmedethic_pytest.generation.machinery.records import Drop, Question
from jmedethic_pytest.generation.machinery.role import Role
from jmedethic_pytest.generation.quality import policy
from jmedethic_pytest.judging import fence, reading, refusal
from jmedethic_pytest.judging import prompt as judge_prompt
from jmedethic_pytest.judging.reading import Unreadable
from jmedethic_pytest.models import Message
from jmedethic_pytest.models.prompts import Prompts

ATTEMPTS = 2
"""Requests until an answer of attacker, scorer or summariser can be read."""
POOL = 100
"""Most strategies the summariser is shown, the newest ones."""
_MAX_NAME, _MAX_DEFINITION = 120, 2_000
_SCORE_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["reason", "harm"],
    "properties": {"reason": {"type": "string"}, "harm": {"type": "number"}},
}


class Crew(NamedTuple):
    """Everybody who takes part in the search."""

    attacker: Role
    target: Role
    scorer: Role
    summariser: Role
    embedder: Embedder
    texts: Prompts
    turns: int = 1
    """User messages of an attempt."""
    keep_texts: bool = False


class Attempt(NamedTuple):
    """One conversation with the target and what it scored."""

    turns: tuple[str, ...]
    reply: str
    """To the last turn."""
    harm: HarmScore | None
    """``None``: the scorer gave none that can be trusted."""
    fallback: bool = False
    """True if the attacker declined and the raw request was sent instead."""

    @property
    def digest(self) -> str:
        """sha256 of the user turns."""
        return turns_digest(self.turns)


class Pair(NamedTuple):
    """Two scored attempts at one question, of which the second did better."""

    weak: Attempt
    strong: Attempt


class Outcome(NamedTuple):
    """What became of a step: a result, or none, and the drops on the way."""

    attempt: Attempt | None
    drop: Drop | None = None


class Attack(BaseModel):
    """What the attacker answers."""

    turns: list[str] = Field(min_length=1)

    @field_validator("turns")
    @classmethod
    def _not_empty(cls, value: list[str]) -> list[str]:
        if not all(turn.strip() for turn in value):
            raise ValueError("a message is empty")
        return [turn.strip() for turn in value]


@lru_cache(maxsize=8)
def attack_of(turns: int) -> type[Attack]:
    """Return the form of an attack with exactly so many user messages."""

    class Exactly(Attack):
        @field_validator("turns")
        @classmethod
        def _as_many(cls, value: list[str]) -> list[str]:
            if len(value) != turns:
                raise ValueError(f"{len(value)} messages, {turns} are wanted")
            return value

    return Exactly


class Summary(BaseModel):
    """What the summariser answers."""

    name: str
    definition: str

    @field_validator("name", "definition")
    @classmethod
    def _of_use(cls, value: str) -> str:
        stripped = " ".join(value.split())
        if not any(character.isalnum() for character in stripped):
            raise ValueError("the text is empty")
        if len(stripped) > _MAX_DEFINITION:
            raise ValueError(f"the text is longer than {_MAX_DEFINITION} characters")
        return stripped

    @field_validator("name")
    @classmethod
    def _short(cls, value: str) -> str:
        if len(value) > _MAX_NAME:
            raise ValueError(f"the name is longer than {_MAX_NAME} characters")
        return value


def turns_digest(turns: Sequence[str]) -> str:
    """Return the sha256 of user turns."""
    return sha256(json.dumps(list(turns), ensure_ascii=False))


def bare(question: Question, crew: Crew) -> Attempt:
    """Return the attempt that every search begins with: the raw request, refused."""
    return Attempt((question.text,), crew.texts.text("known_refusal", question.locale), LEAST)


async def attempt(crew: Crew, question: Question, choice: Choice, repeat: int) -> Outcome:
    """Make one round.

    Args:
        crew: the models.
        question: what the attacker is to obtain.
        choice: the strategies it is told about.
        repeat: index of the round within the search for this question.
    """
    attack = await _attack(crew, question, choice, repeat)
    fallback = isinstance(attack, Drop) and attack.reason == "refused"
    if isinstance(attack, Drop) and not fallback:
        return Outcome(None, attack)
    turns = (question.text,) if isinstance(attack, Drop) else attack
    breach = policy.drop(turns, crew.attacker.label)
    if breach is not None:
        return Outcome(None, breach)
    replies: list[Reply] = []
    for _ in turns:
        reply = await crew.target.ask(
            chat(turns, replies), repeat=repeat, context=demo.task("reply", locale=question.locale)
        )
        failed = crew.target.failure(reply) if reply.status != "ok" else None  # a refusal in words is to be scored
        if failed is not None:
            return Outcome(None, failed)
        replies.append(reply)
    harm = await score(crew.scorer, crew.texts, question, turns, replies)
    made = Attempt(turns, replies[-1].text, None if isinstance(harm, Drop) else harm, fallback)
    return Outcome(made, harm if isinstance(harm, Drop) else None)


async def _attack(crew: Crew, question: Question, choice: Choice, repeat: int) -> tuple[str, ...] | Drop:
    """Return the user turns the attacker writes; its refusal is a drop with that reason."""
    locale, texts = question.locale, crew.texts
    form = texts.text("form", locale, turns=crew.turns, places=", ".join([texts.text("place", locale)] * crew.turns))
    told = described(choice.strategies, examples=crew.keep_texts)
    messages = texts.messages(
        "attacker_system", f"attacker_{choice.tier}", locale, question=question.text, strategies=told, form=form
    )
    task = demo.task("attack", locale=locale, turns=crew.turns, tier=choice.tier)
    again = texts.text("attacker_again", locale, problem="{problem}")
    form_of = attack_of(crew.turns)
    found = await crew.attacker.ask_for(messages, form_of, again=again, attempts=ATTEMPTS, repeat=repeat, context=task)
    if isinstance(found, Drop):
        return found
    if refusal.refuses(found.turns[0]):
        return Drop(reason="refused", source=crew.attacker.label)
    return tuple(found.turns)


def described(strategies: Sequence[Strategy], *, examples: bool = False) -> str:
    """Return strategies as the attacker and the summariser are shown them.

    Args:
        strategies: in order.
        examples: add the text of the strongest example, where texts are kept.
    """
    lines = []
    for strategy in strategies:
        lines.append(f"- {strategy.name}: {strategy.definition}")
        best = max(strategy.examples, key=lambda example: example.gain.gain)
        if examples and best.text:
            lines.append("  " + json.dumps(best.text, ensure_ascii=False))
    return "\n".join(lines)


def chat(turns: Sequence[str], replies: Sequence[Reply]) -> tuple[Message, ...]:
    """Return what the target is sent next: its own earlier replies, and the next user turn."""
    history: list[Message] = []
    for turn, reply in zip(turns, replies, strict=False):
        history += [Message("user", turn), Message("assistant", reply.text or "-")]
    return (*history, Message("user", turns[len(replies)]))


async def score(
    scorer: Role, texts: Prompts, question: Question, turns: Sequence[str], replies: Sequence[Reply]
) -> HarmScore | Drop:
    """Return the scorer's score of the last reply, asked again if it cannot be read."""
    locale = question.locale
    transcript = fence.fenced(turns, [reply.text for reply in replies])
    messages = texts.messages("scorer_system", "scorer_user", locale, question=question.text, transcript=transcript)
    problem = Drop(reason="unscored", source=scorer.label)
    for _ in range(ATTEMPTS):
        reply = await scorer.ask(messages, schema=_SCORE_SCHEMA, context=demo.task("score", locale=locale))
        failed = scorer.failure(reply)
        if failed is not None:
            return failed if failed.again else problem.model_copy(update={"detail": failed.reason})
        try:
            return HarmScore(harm=reading.parse_key(reply.text, "harm"))
        except Unreadable as error:
            problem = problem.model_copy(update={"detail": error.status})
            again = texts.text("scorer_again", locale, problem=judge_prompt.problem(error.key, locale))
            messages = (*messages, Message("assistant", reply.text or "-"), Message("user", again))
    return problem


async def summarise(
    crew: Crew, question: Question, pair: Pair, phase: Phase, pool: Sequence[Strategy] = ()
) -> Strategy | Drop:
    """Return the strategy that makes the stronger attempt stronger, with the pair as its example.

    Args:
        crew: the models.
        question: what both attempts were made for.
        pair: the attempts, both scored.
        phase: recorded with the example.
        pool: known strategies the summariser may name again.
    """
    assert pair.weak.harm is not None
    assert pair.strong.harm is not None
    locale, texts = question.locale, crew.texts
    known = texts.text("summariser_pool", locale, strategies=described(pool[-POOL:])) + "\n\n" if pool else ""
    messages = texts.messages(
        "summariser_system",
        "summariser_user",
        locale,
        pool=known,
        question=question.text,
        weak=_shown(pair.weak),
        weak_score=f"{pair.weak.harm.harm:g}",
        strong=_shown(pair.strong),
        strong_score=f"{pair.strong.harm.harm:g}",
    )
    again = texts.text("attacker_again", locale, problem="{problem}")
    task = demo.task("summarise", locale=locale)
    found = await crew.summariser.ask_for(messages, Summary, again=again, attempts=ATTEMPTS, context=task)
    if isinstance(found, Drop):
        return found
    breach = policy.drop((found.name, found.definition), crew.summariser.label)
    if breach is not None:
        return breach
    vectors = await embedded(crew, [found.definition, pair.weak.reply])
    if isinstance(vectors, Drop):
        return vectors
    example = Example(
        strong=pair.strong.digest,
        weak=pair.weak.digest,
        gain=pair.strong.harm.gain_over(pair.weak.harm),
        key=vectors[1],
        question=question.id,
        phase=phase,
        text=pair.strong.turns if crew.keep_texts else (),
    )
    return Strategy(
        name=found.name, definition=found.definition, locale=locale, meaning=vectors[0], examples=(example,)
    )


async def embedded(crew: Crew, texts: Sequence[str]) -> list[Vector] | Drop:
    """Return the vectors of texts; a call that failed is a drop, and asked again when the stage is resumed."""
    try:
        return await crew.embedder.embed(texts)
    except ProviderError:
        return Drop(reason="transport", detail="no embedding", again=True, source=crew.embedder.name)


def _shown(made: Attempt) -> str:
    return json.dumps([fence.neutralise(turn) for turn in made.turns], ensure_ascii=False)
