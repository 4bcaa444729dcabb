"""A conversation as data: JSON between fences that nobody can write into it, and how it is read back.

The fences carry a nonce derived from what is between them: nobody can write it beforehand, and the same content gives
the same prompt, so that caches still hit.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from jmedethic_pytest.core.short_cache import short_cache

_FENCE = re.compile(r"(?<!=)={3,}+\s*+(?:TRANSCRIPT|会話記録)", re.IGNORECASE)
_CONTROL_TOKEN = re.compile(r"<[|｜]([^|｜<>]{1,40})[|｜]>")
_TURN_TAG = re.compile(r"<(/?(?:start_of_turn|end_of_turn|bos|eos|s))>|\[(/?INST)\]|<<(/?SYS)>>")
_quoted = json.JSONEncoder(ensure_ascii=False).encode
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
        entries[-1] += ',\n"marked": true'
    return _between(entries)


def fenced_turn(index: int, user: str, reply: str) -> str:
    """Return one turn between fences of its own."""
    return _between(_said(index, user, reply))


def _said(index: int, user: str, reply: str) -> list[str]:
    """Return what both said in a turn: the inside of a JSON object each, one value a line."""
    return [
        f'"turn": {index},\n"speaker": "user",\n"text": {_quoted(neutralise(user))}',
        f'"turn": {index},\n"speaker": "assistant",\n"text": {_quoted(neutralise(reply))}',
    ]


def _between(entries: Sequence[str]) -> str:
    """Put a conversation between fences, as ``json.dumps(entries, indent=0)`` writes it, ten times as slowly."""
    transcript = "[\n" + ",\n".join(f"{{\n{entry}\n}}" for entry in entries) + "\n]"
    nonce = hashlib.sha256(f"fence:{transcript}".encode()).hexdigest()[:16]
    return f"===== TRANSCRIPT {nonce} BEGIN =====\n{transcript}\n===== TRANSCRIPT {nonce} END ====="


@short_cache(64, longest=100_000)  # two judges are asked the same
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


def neutralise(content: str) -> str:
    """Break what could pass for our fence or for a chat template's control token; leave everything else as it is."""
    content = content.encode(errors="replace").decode()  # a lone surrogate can be neither hashed nor sent
    if "===" in content:
        content = _FENCE.sub(lambda match: match[0].replace("=", "-"), content)
    if "<" not in content and "[" not in content:  # with which every one of the others begins
        return content
    content = _TURN_TAG.sub(lambda match: f"<¦{match[1] or match[2] or match[3]}¦>", content)
    return _CONTROL_TOKEN.sub(r"<¦\1¦>", content)
