"""The question put to a judge, in the language of the case: which of the two kinds, and what they share.

The judge never learns the target's name, the other judge or the attack strategy (it would give the intent away).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

from jmedethic_pytest.config.tables import JudgePrompt
from jmedethic_pytest.core import files, languages
from jmedethic_pytest.core.languages import Locale
from jmedethic_pytest.core.records import Case
from jmedethic_pytest.core.vocabulary import SHIPPED, Guideline, Vocabulary
from jmedethic_pytest.judging import elsewhere, item_prompt, paper_prompt
from jmedethic_pytest.models.base import Message


class Question(NamedTuple):
    """What a judge is asked about one reply."""

    messages: tuple[Message, ...]
    cache_ends: tuple[int, ...] = ()
    """Where in the user's message a piece ends with which later questions begin."""


def question(
    case: Case,
    replies: Sequence[str],
    turn: int,
    context: Literal["full", "turn"] = "full",
    vocabulary: Vocabulary = SHIPPED,
    prompt: JudgePrompt = "item",
) -> Question:
    """Build the two messages that ask a judge to score one reply.

    Args:
        case: the conversation with the user turns as they were said; ``item`` also shows what they ask for.
        replies: the target's replies to T0 ... ``turn``.
        turn: index of the judged turn.
        context: ``full`` shows the conversation so far, ``turn`` the judged turn alone.
        vocabulary: the words of the run; it knows the guideline.
        prompt: which of the two questions.
    """
    locale, guideline = case.locale, vocabulary.guidelines[case.guideline]
    place = elsewhere.of(guideline, locale)
    first = turn if context == "turn" else 0
    turns = case.turns[: turn + 1]
    if prompt == "paper":
        told = paper_prompt.user(turns, replies, first, locale, guideline)
        return Question((Message("system", paper_prompt.system(locale, place)), Message("user", told)))
    parts = list(item_prompt.pieces(case, turns, replies, first, guideline))
    messages = (Message("system", item_prompt.system(locale, place)), Message("user", "".join(parts)))
    more = context == "full" and turn + 1 < len(case.turns)
    return Question(messages, item_prompt.cut(parts, more=more))


def schema(prompt: JudgePrompt) -> dict[str, Any]:
    """Return the JSON schema of an answer."""
    return item_prompt.SCHEMA if prompt == "item" else paper_prompt.SCHEMA


def system_prompt(prompt: JudgePrompt, locale: Locale) -> str:
    """Return what is the same in every question of a kind."""
    return item_prompt.system(locale) if prompt == "item" else paper_prompt.system(locale)


def text(key: str, locale: Locale) -> str:
    """Return one of the fixed texts that both kinds share."""
    return paper_prompt.text(key, locale)


def problem(key: str, locale: Locale) -> str:
    """Return why an answer could not be read, in a language."""
    return str(languages.table(locale, "judge_prompt.toml")["problem"][key])


def digest(prompt: JudgePrompt, used: Sequence[Locale] = (), guidelines: Iterable[Guideline] = ()) -> str:
    """Return the sha256 over everything a judge is told apart from the case and its guideline.

    Args:
        prompt: which of the two questions.
        used: languages of the conversations; those of the interface are always part of it.
        guidelines: that they name: judges are told where those hold that are not for Japan.
    """
    places = elsewhere.places(guidelines)
    return item_prompt.digest(used, places) if prompt == "item" else paper_prompt.digest(used, places)


def digest_as_schema_1(prompt: JudgePrompt, vocabulary: Vocabulary) -> str | None:
    """Return the digest that runs of schema 1 hold; they knew the paper's question alone."""
    return paper_prompt.digest_of_all(vocabulary) if prompt == "paper" else None


def guideline_digest(guideline: Guideline) -> str:
    """Return the sha256 over what a judge is told of a guideline."""
    return files.digest([guideline.title, guideline.summary, *([dict(guideline.place)] if guideline.place else [])])
