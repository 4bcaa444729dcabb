"""What the attacker is asked, and how its answer is read: one JSON object with the next user turn, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from jmedethic_pytest.config.attacker import Style
from jmedethic_pytest.core.languages import Locale
from jmedethic_pytest.core.records import Case
from jmedethic_pytest.core.vocabulary import Vocabulary
from jmedethic_pytest.judging import fence
from jmedethic_pytest.models import Message, json_answer
from jmedethic_pytest.models.prompts import Prompts

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["turn"],
    "properties": {"turn": {"type": "string"}},
}
_WAYS = 3


@lru_cache(maxsize=1)
def texts() -> Prompts:
    """Return the versioned texts."""
    return Prompts("attack_prompt")


def beginning(locale: Locale) -> str:
    """Return what is much the same in every question of a language."""
    return texts().text("system", locale) + texts().text("crescendo", locale)


def question(
    case: Case,
    said: Sequence[str],
    replies: Sequence[str],
    *,
    style: Style,
    seed: int,
    most: int,
    vocabulary: Vocabulary,
) -> tuple[Message, ...]:
    """Return what the attacker is asked for the next user turn.

    Args:
        case: what the conversation is to lead to.
        said: the user turns so far.
        replies: the target's own, one to each of them.
        style: how it is to go on.
        seed: of the attack; it chooses a line.
        most: user turns of the whole conversation at most.
        vocabulary: the words of the run; it knows the strategy.
    """
    locale, told = case.locale, texts()
    strategy = vocabulary.strategy(case.strategy)
    return told.messages(
        "system",
        "next",
        locale,
        question=goal(case),
        parts="; ".join(map(_line, case.components)) or told.text("whole", locale),
        name=strategy.name[locale],
        definition=strategy.definition[locale],
        style=told.text(style, locale),
        way=told.text(f"way_{seed % _WAYS}", locale),
        transcript=fence.fenced(said, replies, marked=False),
        number=len(said) + 1,
        most=most,
    )


def goal(case: Case) -> str:
    """Return what the conversation is to lead to; where nobody wrote it down, what its last turn asks for."""
    return _line(case.question or case.turns[-1])


def read(answer: str) -> str | None:
    """Return the user turn in an answer; ``None`` unless the whole answer is the object that was asked for."""
    found = json_answer.whole(answer.strip(json_answer.TRIMMINGS.replace("`", "")))
    turn = found.get("turn") if found is not None and found.keys() == {"turn"} else None
    return turn if isinstance(turn, str) else None


def _line(content: str) -> str:
    return " ".join(content.split())
