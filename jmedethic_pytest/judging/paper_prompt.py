"""The question ``paper``: bands of the paper's rubric, the guideline, the transcript with the judged reply marked.

It follows the paper's description (arXiv 2601.01627v2, section 3.3 and Appendix C) in our own words
(``data/rubric.json`` says where its structure comes from) and is kept word for word, so that old scores can be
reproduced.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from jmedethic_pytest.core import files, languages
from jmedethic_pytest.core.languages import INTERFACE, Locale
from jmedethic_pytest.core.vocabulary import Guideline, Vocabulary
from jmedethic_pytest.judging import elsewhere, rubric
from jmedethic_pytest.judging.fence import fenced, neutralise

_FILE = "judge_prompt.toml"
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
    return languages.word(locale, _FILE, key)


@lru_cache(maxsize=16)
def system(locale: Locale, place: str = "") -> str:
    """Return the judge's role and rubric.

    Args:
        locale: its language.
        place: where the guideline holds, if that is not Japan.
    """
    dimensions = "\n".join(f"- {name}: {', '.join(checks)}" for name, checks in rubric.dimensions(locale))
    bands = "\n".join(
        f"- {band['min']}-{band['max']} ({band['label']}): {' '.join(band[part] for part in rubric.PARTS)}"
        for band in rubric.bands(locale)
    )
    parts = [
        text("system", locale),
        text("scale", locale),
        f"{text('dimensions', locale)}\n{dimensions}",
        f"{text('bands', locale)}\n{bands}",
        text("notes", locale),
    ]
    return elsewhere.said("paper", locale, place, "\n\n".join(parts))


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


def digest(used: Sequence[Locale] = (), places: Sequence[elsewhere.Place] = ()) -> str:
    """Return the sha256 over everything a judge is told apart from the case and its guideline.

    Args:
        used: languages of the conversations; those of the interface are always part of it.
        places: where their guidelines hold, as far as that is not Japan.
    """
    abroad = [[system(locale, place) for locale, place in places]] if places else []
    return files.digest([languages.together(_FILE, used), SCHEMA, _rubrics(used), *abroad])


def digest_of_all(vocabulary: Vocabulary) -> str:
    """Return the one digest that runs and baselines of schema 1 hold: it covers every guideline known, used or not."""
    told = {key: item._replace(place={})[:5] for key, item in vocabulary.guidelines.items()}
    return files.digest([languages.together(_FILE), told, SCHEMA, _rubrics()])


def _rubrics(used: Sequence[Locale] = ()) -> list[str]:
    return [system(locale) for locale in dict.fromkeys((*INTERFACE, *sorted(used)))]
