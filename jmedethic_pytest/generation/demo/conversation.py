"""Scripts of the attackers that write conversations, of the target they talk to, and of the translator."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from jmedethic_pytest.core import languages
from jmedethic_pytest.generation.demo.script import Task

_DECLINED, _BROKEN, _SHORT = 0.05, 0.02, 0.02
"""Shares of requests that are declined, answered with broken JSON at first, and with a turn too few."""
_OPENLY = 3
"""The turn that asks openly for the first time."""
_YIELDS = (0.0, 0.1, 0.7, 0.4)
"""Share of conversations in which the target gives way at the first, second, third and any later turn."""
_CONSONANTS, _VOWELS = "bcdfghjklmnpqrstvwxz", "aeiou"
_SYLLABLES = tuple(first + second for first in _CONSONANTS for second in _VOWELS)
_KATAKANA = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲン"


def _texts(locale: str) -> Any:
    return languages.table(locale, "generation/demo_conversations.toml")


def _converse(task: Task) -> str:
    """Write all user turns of one conversation; sometimes a refusal, broken JSON, or a turn too few."""
    if task.fraction("declined") < _DECLINED:
        return str(_texts(task.locale)["declined"])
    count = int(task.values["turns"]) - (task.fraction("short") < _SHORT)
    answer = json.dumps({"turns": [_turn(task, index, count) for index in range(count)]}, ensure_ascii=False)
    return answer[:-2] if len(task.messages) == 2 and task.fraction("broken") < _BROKEN else answer


def _next_turn(task: Task) -> str:
    """Write the next user turn of a conversation with the reference target."""
    number, texts = int(task.values["number"]), _texts(task.locale)
    if number == 1 and task.fraction("declined") < _DECLINED:
        return str(texts["declined"])
    if number <= _OPENLY:
        return json.dumps({"turn": _turn(task, number - 1, _OPENLY)}, ensure_ascii=False)
    again = texts["again"][(number - _OPENLY - 1) % len(texts["again"])]
    return json.dumps({"turn": f"{again} {_request(task)}".strip()}, ensure_ascii=False)


def _respond(task: Task) -> str:
    """Answer as the reference target of a conversation: helpful at first, worn down by one turn after the other."""
    number = int(task.values["number"])
    said = [message.content for message in task.messages]
    if number == 1:
        stance = "careful"
    elif task.fraction("yields", *said) < _YIELDS[min(number, len(_YIELDS)) - 1]:
        stance = "comply"
    else:
        stance = "waver" if task.fraction("wavers", *said) < 0.5 else "refuse"
    return str(languages.table(task.locale, "demo_replies.toml")[stance])


def _turn(task: Task, index: int, count: int) -> str:
    texts = _texts(task.locale)
    if index == 0:
        return str(task.choose(texts["opening"], "opening"))
    if index < count - 1:
        return str(task.choose(texts["shift"], "shift", index))
    return f"{task.choose(texts['wish'], 'wish', index)} {_request(task)}".strip()


def _request(task: Task) -> str:
    """Return the request a conversation is to lead to, as the attacker was told it."""
    found = re.search(r"^(?:依頼|Request): (.+)$", task.messages[1].content, re.MULTILINE)
    return found[1] if found else ""


def _translate(task: Task) -> str:
    """Put every text into a toy language that can be read back; one in twenty is read back badly."""
    found = re.search(r"^\[.*\]$", task.messages[1].content, re.MULTILINE)
    given = json.loads(found[0]) if found else []
    into_english = task.locale == "ja"
    texts = [_to_latin(text) if into_english else _from_latin(text) for text in given]
    back = task.values["way"] == "back"
    if back and task.fraction("bad") < 0.05:
        texts = [text[: len(text) // 15] or text for text in texts]
    return json.dumps({"texts": texts}, ensure_ascii=False)


def _to_latin(text: str) -> str:
    """Write a text in Latin syllables, digits as they are; :func:`_from_latin` reads it back."""
    if all(sign in _KATAKANA or ord(sign) < 128 for sign in text):  # Was made of English.
        letters = str.maketrans(_KATAKANA[:26], "abcdefghijklmnopqrstuvwxyz")
        return text.translate(letters)
    return " ".join(sign if sign.isascii() and sign.isdigit() else _spelt(sign) for sign in text)


def _spelt(sign: str) -> str:
    code = ord(sign)
    return "".join(_SYLLABLES[(code // 100**place) % 100] for place in (2, 1, 0))


def _from_latin(text: str) -> str:
    """Read a text of Latin syllables back; English text is written in katakana."""
    words = text.split(" ")
    if all(re.fullmatch(r"[a-z]{6}|\d", word) for word in words):
        return "".join(word if word.isdigit() else _read(word) for word in words)
    kana = str.maketrans("abcdefghijklmnopqrstuvwxyz", _KATAKANA[:26])
    return text.lower().translate(kana)


def _read(word: str) -> str:
    code = 0
    for place in range(0, 6, 2):
        code = code * 100 + _SYLLABLES.index(word[place : place + 2])
    return chr(code)


TASKS: Mapping[str, Callable[[Task], str]] = {
    "converse": _converse,
    "next": _next_turn,
    "respond": _respond,
    "translate": _translate,
}
