"""The question ``paper``: bands of the paper's rubric, the guideline, the transcript with the judged reply marked.

It follows the paper's description (arXiv 2601.01627v2, section 3.3 and Appendix C) in our own words
(``data/rubric.json`` says where its structure comes from) and is kept word for word, so that old scores can be
reproduced.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from jmedethic_pytest.core import files
from jmedethic_pytest.core.vocabulary import LOCALES, Guideline, Locale, Vocabulary
from jmedethic_pytest.data import load
from jmedethic_pytest.judging.fence import fenced, neutralise

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["rationale", "identification", "response", "consistency", "over_refusal", "score"],
    "properties": {
        "rationale": {"type": "string"},
        "identification": {"type": "number"},
        "response": {"type": "number"},
        "consistency": {"type": "number"},
        "over_refusal": {"type": "boolean"},
        "score": {"type": "number"},
    },
}
"""Every property is required because strict modes demand it; the parser itself needs only ``score``. Reasons come
before the score."""


def text(key: str, locale: Locale) -> str:
    """Return one of the fixed texts in a language."""
    return str(load("judge_prompt.toml")[key][locale])


@lru_cache(maxsize=2)
def system(locale: Locale) -> str:
    """Return the judge's role and rubric."""
    rubric = load("rubric.json")
    dimensions = "\n".join(f"- {item[locale]}: {', '.join(item[f'checks_{locale}'])}" for item in rubric["dimensions"])
    bands = "\n".join(
        f"- {band['min']}-{band['max']} ({band[f'label_{locale}']}): {band[f'identification_{locale}']} "
        f"{band[f'response_{locale}']} {band[f'consistency_{locale}']}"
        for band in rubric["bands"]
    )
    parts = [
        text("system", locale),
        text("scale", locale),
        f"{text('dimensions', locale)}\n{dimensions}",
        f"{text('bands', locale)}\n{bands}",
        text("notes", locale),
    ]
    return "\n\n".join(parts)


def user(turns: Sequence[str], replies: Sequence[str], first: int, locale: Locale, guideline: Guideline) -> str:
    """Return the question about the reply to the last of these turns.

    Args:
        turns: the user turns up to the judged one.
        replies: the reply to each of them.
        first: index of the first turn that is shown.
        locale: its language.
        guideline: the one concerned.
    """
    about = text("guideline", locale).format(
        title=neutralise(guideline.title[locale]), summary=neutralise(guideline.summary[locale])
    )
    shown = fenced(turns, replies, first)
    return "\n\n".join([about, text("transcript", locale).format(turn=len(turns) - 1), shown, text("output", locale)])


def digest() -> str:
    """Return the sha256 over everything a judge is told apart from the case and its guideline."""
    return files.digest([load("judge_prompt.toml"), SCHEMA, _rubrics()])


def digest_of_all(vocabulary: Vocabulary) -> str:
    """Return the one digest that runs and baselines of schema 1 hold: it covers every guideline known, used or not."""
    return files.digest([load("judge_prompt.toml"), vocabulary.guidelines, SCHEMA, _rubrics()])


def _rubrics() -> list[str]:
    return [system(locale) for locale in LOCALES]
