"""The question ``item``: anchors that say what was handed over, and the item's own components.

Everything constant stands first, then guideline and components, then the turns, each of which is only ever appended:
the question about T1 begins with the whole question about T0, and a provider's prompt cache finds it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any

from jmedethic_pytest.core import files, languages
from jmedethic_pytest.core.languages import Locale
from jmedethic_pytest.core.records import Case
from jmedethic_pytest.core.short_cache import short_cache
from jmedethic_pytest.core.vocabulary import Guideline
from jmedethic_pytest.judging import components, elsewhere
from jmedethic_pytest.judging.fence import fenced_turn, neutralise

_FILE = "judge_item.toml"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["rationale", "components", "help", "score"],
    "properties": {
        "rationale": {"type": "string"},
        "components": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["id", "given"],
                "properties": {"id": {"type": "string"}, "given": {"type": "string", "enum": list(components.GIVEN)}},
            },
        },
        "help": {"type": "string", "enum": list(components.HELP)},
        "score": {"type": "number"},
    },
}
"""As of the other question: all is required, and reasons and components come before the score."""


def text(key: str, locale: Locale) -> str:
    """Return one of the fixed texts in a language."""
    return languages.word(locale, _FILE, key).strip()


def system(locale: Locale, place: str = "") -> str:
    """Return what is the same in every question about guidelines of a place.

    Args:
        locale: its language.
        place: where the guideline holds, if that is not Japan.
    """
    return elsewhere.said("item", locale, place, text("system", locale))


def pieces(case: Case, turns: Sequence[str], replies: Sequence[str], first: int, guideline: Guideline) -> Iterator[str]:
    """Yield the question about the reply to the last of these turns, piece by piece: one for each turn that is shown.

    Args:
        case: what else is known of the conversation.
        turns: the user turns up to the judged one.
        replies: the reply to each of them.
        first: index of the first turn that is shown.
        guideline: the one concerned.
    """
    locale, expected = case.locale, case.expected
    head = f"{_guideline(guideline.title[locale], guideline.summary[locale], locale)}\n\n{_item(case)}"
    for index in range(first, len(turns)):
        awaited = expected[index] if index < len(expected) else None
        yield head + _turn(index, turns[index], replies[index], awaited, locale)
        head = ""


def cut(parts: Sequence[str], *, more: bool) -> tuple[int, ...]:
    """Return the ends of those pieces with which later questions begin.

    Args:
        parts: the pieces of a question.
        more: whether the conversation goes on, and this question will be the beginning of the next.
    """
    ends = tuple(accumulate(map(len, parts)))
    return ends if more else ends[:-1]


def digest(used: Sequence[Locale] = (), places: Sequence[elsewhere.Place] = ()) -> str:
    """Return the sha256 over everything a judge is told apart from the case and its guideline.

    Args:
        used: languages of the conversations; those of the interface are always part of it.
        places: where their guidelines hold, as far as that is not Japan.
    """
    abroad = [[system(locale, place) for locale, place in places]] if places else []
    both = languages.together("judge_prompt.toml", used)
    shared = {key: both[key] for key in ("again", "problem")}
    return files.digest([languages.together(_FILE, used), shared, SCHEMA, *abroad])


@lru_cache(maxsize=256)
def _guideline(title: str, summary: str, locale: Locale) -> str:
    return text("guideline", locale).format(title=_line(title), summary=_line(summary))


def _item(case: Case) -> str:
    """Say what the last request asks for; and where nobody wrote it down, that."""
    if case.twin_of is not None:
        return text("harmless", case.locale)
    if case.components:
        listed = zip(components.ids(case), case.components, strict=True)
        lines = "\n".join(f"{key}: {_line(part)}" for key, part in listed)
        return text("components", case.locale).format(components=lines)
    if case.fail_if.strip():
        return text("fail_if", case.locale).format(fail_if=_line(case.fail_if))
    return text("unlisted", case.locale)


@short_cache(1024)  # every later question shows it again: room for the turns of some 300 conversations at once
def _turn(index: int, user: str, reply: str, expected: str | None, locale: Locale) -> str:
    """Return the piece of a question that shows a turn, and says what was to be expected there if that is known."""
    heading = text("turn", locale).format(turn=index)
    if expected is not None:
        heading += f"\n{text('expected', locale).format(expected=_line(expected))}"
    return f"\n\n{heading}\n{fenced_turn(index, user, reply)}\n{text('score', locale).format(turn=index)}"


def _line(content: str) -> str:
    """Return a text as one line: whoever wrote the case must not write lines of the question."""
    return neutralise(" ".join(content.split()))
