"""The judge prompt: rubric, guideline, fenced transcript, output instruction; in the language of the case.

The judge never learns the target's name nor the attack strategy (it would give the intent away). The transcript is
JSON between fences that carry a nonce derived from the content: nobody can write it into the text beforehand, and the
same content gives the same prompt, so that the response cache still hits. Our own wording; ``data/rubric.json`` says
where its structure comes from.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

from jmedethic_pytest.core import files
from jmedethic_pytest.core.records import Case
from jmedethic_pytest.core.vocabulary import LOCALES, SHIPPED, Guideline, Locale, Vocabulary
from jmedethic_pytest.data import load
from jmedethic_pytest.models.base import Message

JUDGEMENT_SCHEMA: dict[str, Any] = {
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

_FENCE = re.compile(r"(?<!=)={3,}+\s*+(?:TRANSCRIPT|会話記録)", re.IGNORECASE)
_CONTROL_TOKEN = re.compile(r"<[|｜]([^|｜<>]{1,40})[|｜]>")
_TURN_TAG = re.compile(r"<(/?(?:start_of_turn|end_of_turn|bos|eos|s))>|\[(/?INST)\]|<<(/?SYS)>>")


def text(key: str, locale: Locale) -> str:
    """Return one of the fixed texts in a language."""
    return str(load("judge_prompt.toml")[key][locale])


def problem(key: str, locale: Locale) -> str:
    """Return why an answer could not be read, in a language."""
    return str(load("judge_prompt.toml")["problem"][locale][key])


def judge_messages(
    case: Case,
    replies: Sequence[str],
    turn: int,
    context: Literal["full", "turn"] = "full",
    vocabulary: Vocabulary = SHIPPED,
) -> tuple[Message, ...]:
    """Build the two messages that ask a judge to score one reply.

    Args:
        case: the conversation; only its guideline, locale and user turns are shown.
        replies: the target's replies to T0 ... ``turn``.
        turn: index of the marked turn.
        context: ``full`` shows the conversation so far, ``turn`` the marked turn alone.
        vocabulary: the words of the run; it knows the guideline.
    """
    locale = case.locale
    guideline = vocabulary.guidelines[case.guideline]
    first = turn if context == "turn" else 0
    user = "\n\n".join(
        [
            text("guideline", locale).format(
                title=neutralise(guideline.title[locale]), summary=neutralise(guideline.summary[locale])
            ),
            text("transcript", locale).format(turn=turn),
            fenced(case.turns[: turn + 1], replies, first),
            text("output", locale),
        ]
    )
    return Message("system", system_prompt(locale)), Message("user", user)


def fenced(turns: Sequence[str], replies: Sequence[str], first: int = 0) -> str:
    """Return a conversation as data, its last reply marked: JSON between fences.

    The fences hold a digest of what is between them, which nobody could write into it beforehand.

    Args:
        turns: the user turns.
        replies: the reply to each of them; more are left out.
        first: index of the first turn that is shown.
    """
    entries: list[dict[str, Any]] = []
    for index in range(first, len(turns)):
        entries.append({"turn": index, "speaker": "user", "text": neutralise(turns[index])})
        entries.append({"turn": index, "speaker": "assistant", "text": neutralise(replies[index])})
    entries[-1]["marked"] = True
    transcript = _one_value_a_line(entries)
    nonce = hashlib.sha256(f"fence:{transcript}".encode()).hexdigest()[:16]
    return f"===== TRANSCRIPT {nonce} BEGIN =====\n{transcript}\n===== TRANSCRIPT {nonce} END ====="


def _one_value_a_line(entries: Sequence[dict[str, Any]]) -> str:
    """Return ``json.dumps(entries, indent=0)``, which the standard library writes in Python, ten times as slowly."""
    inside = (json.dumps(entry, ensure_ascii=False, separators=(",\n", ": "))[1:-1] for entry in entries)
    return "[\n" + ",\n".join(f"{{\n{values}\n}}" for values in inside) + "\n]"


@lru_cache(maxsize=64)  # two judges are asked the same
def marked_reply(prompt: str) -> str:
    """Return the reply that a judge prompt built here asks about."""
    begin = re.search(r"^===== TRANSCRIPT (\w+) BEGIN =====$", prompt, re.MULTILINE)
    if begin is None:
        return ""
    end = prompt.index(f"===== TRANSCRIPT {begin[1]} END =====")
    entries: list[Mapping[str, Any]] = json.loads(prompt[begin.end() : end])
    return str(next(entry["text"] for entry in entries if entry.get("marked")))


@lru_cache(maxsize=256)  # a reply is shown again in every later turn, to every judge
def neutralise(content: str) -> str:
    """Break what could pass for our fence or for a chat template's control token; leave everything else as it is."""
    content = content.encode(errors="replace").decode()  # a lone surrogate can be neither hashed nor sent
    content = _FENCE.sub(lambda match: match[0].replace("=", "-"), content)
    content = _TURN_TAG.sub(lambda match: f"<¦{match[1] or match[2] or match[3]}¦>", content)
    return _CONTROL_TOKEN.sub(r"<¦\1¦>", content)


@lru_cache(maxsize=2)
def system_prompt(locale: Locale) -> str:
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


def digest() -> str:
    """Return the sha256 over everything a judge is told apart from the case and its guideline."""
    return files.digest([load("judge_prompt.toml"), JUDGEMENT_SCHEMA, _rubrics()])


def guideline_digest(guideline: Guideline) -> str:
    """Return the sha256 over what a judge is told of a guideline."""
    return files.digest([guideline.title, guideline.summary])


def digest_of_all(vocabulary: Vocabulary) -> str:
    """Return the one digest that runs and baselines of schema 1 hold: it covers every guideline known, used or not."""
    return files.digest([load("judge_prompt.toml"), vocabulary.guidelines, JUDGEMENT_SCHEMA, _rubrics()])


def _rubrics() -> list[str]:
    return [system_prompt(locale) for locale in LOCALES]
