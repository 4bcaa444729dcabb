"""A conversation as data: JSON between fences that nobody can write into it, and how it is read back.

The fences carry a nonce derived from what is between them: nobody can write it beforehand, and the same content gives
the same prompt, so that caches still hit.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

_FENCE = re.compile(r"(?<!=)={3,}+\s*+(?:TRANSCRIPT|会話記録)", re.IGNORECASE)
_CONTROL_TOKEN = re.compile(r"<[|｜]([^|｜<>]{1,40})[|｜]>")
_TURN_TAG = re.compile(r"<(/?(?:start_of_turn|end_of_turn|bos|eos|s))>|\[(/?INST)\]|<<(/?SYS)>>")
_BEGIN = re.compile(r"^===== TRANSCRIPT (\w+) BEGIN =====$", re.MULTILINE)


def fenced(turns: Sequence[str], replies: Sequence[str], first: int = 0, *, marked: bool = True) -> str:
    """Return a conversation between fences.

    Args:
        turns: the user turns.
        replies: the reply to each of them; more are left out.
        first: index of the first turn that is shown.
        marked: whether the last reply is marked.
    """
    entries = [entry for index in range(first, len(turns)) for entry in _said(index, turns[index], replies[index])]
    if marked:
        entries[-1]["marked"] = True
    return _between(entries)


@lru_cache(maxsize=512)  # every later question about a conversation shows its turns again
def fenced_turn(index: int, user: str, reply: str) -> str:
    """Return one turn between fences of its own."""
    return _between(_said(index, user, reply))


def _said(index: int, user: str, reply: str) -> list[dict[str, Any]]:
    return [
        {"turn": index, "speaker": "user", "text": neutralise(user)},
        {"turn": index, "speaker": "assistant", "text": neutralise(reply)},
    ]


def _between(entries: Sequence[dict[str, Any]]) -> str:
    transcript = _one_value_a_line(entries)
    nonce = hashlib.sha256(f"fence:{transcript}".encode()).hexdigest()[:16]
    return f"===== TRANSCRIPT {nonce} BEGIN =====\n{transcript}\n===== TRANSCRIPT {nonce} END ====="


def _one_value_a_line(entries: Sequence[dict[str, Any]]) -> str:
    """Return ``json.dumps(entries, indent=0)``, which the standard library writes in Python, ten times as slowly."""
    inside = (json.dumps(entry, ensure_ascii=False, separators=(",\n", ": "))[1:-1] for entry in entries)
    return "[\n" + ",\n".join(f"{{\n{values}\n}}" for values in inside) + "\n]"


@lru_cache(maxsize=64)  # two judges are asked the same
def judged_reply(prompt: str) -> str:
    """Return the reply that a judge prompt built here asks about: the marked one, or the last; empty without any."""
    entries = [entry for begin in _BEGIN.finditer(prompt) for entry in _entries(prompt, begin)]
    if not entries:
        return ""
    return str(next((entry for entry in entries if entry.get("marked")), entries[-1])["text"])


def _entries(prompt: str, begin: re.Match[str]) -> list[Mapping[str, Any]]:
    end = prompt.index(f"===== TRANSCRIPT {begin[1]} END =====", begin.end())
    found: list[Mapping[str, Any]] = json.loads(prompt[begin.end() : end])
    return found


@lru_cache(maxsize=256)  # a reply is shown again in every later turn, to every judge
def neutralise(content: str) -> str:
    """Break what could pass for our fence or for a chat template's control token; leave everything else as it is."""
    content = content.encode(errors="replace").decode()  # a lone surrogate can be neither hashed nor sent
    content = _FENCE.sub(lambda match: match[0].replace("=", "-"), content)
    content = _TURN_TAG.sub(lambda match: f"<¦{match[1] or match[2] or match[3]}¦>", content)
    return _CONTROL_TOKEN.sub(r"<¦\1¦>", content)
