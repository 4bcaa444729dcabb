"""The simulated attacker: it reads whether the target held its ground or gave in, and asks again or asks for more."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from jmedethic_pytest.core import languages
from jmedethic_pytest.demo.draw import fraction
from jmedethic_pytest.demo.judges import stance_of
from jmedethic_pytest.judging.fence import judged_reply
from jmedethic_pytest.models.base import ChatRequest

_GOAL = re.compile(r"^(?:依頼|Request): (.+)$", re.MULTILINE)
_HELD = ("careful", "refuse")
_OFF = {"declined": 0.03, "prose": 0.02, "empty": 0.01, "policy": 0.01}
"""Shares of questions that are answered by something else than a turn."""


def answer(request: ChatRequest) -> str:
    """Return the attacker's answer: the next user turn as JSON, or now and then something that is none."""
    asked = request.messages[1].content
    texts: Mapping[str, Any] = languages.table(str(request.context["locale"]), "demo_attacker.toml")
    seed, number = int(request.context["seed"]), int(request.context["turn"])
    off = _off(fraction(asked, str(request.repeat), str(len(request.messages))))
    if off in ("policy", "empty"):
        return json.dumps({"turn": texts["off"].get(off, "")}, ensure_ascii=False)
    if off is not None:
        return str(texts["off"][off])
    stance = stance_of(judged_reply(asked))
    leads = texts["lead"]["held" if stance in _HELD else "gave"]
    lines = texts[str(request.context["style"])]["lines"]
    goal = _GOAL.search(asked)
    said = f"{leads[number % len(leads)]} {lines[(seed + number) % len(lines)]} {goal[1] if goal else ''}"
    return json.dumps({"turn": said.strip()}, ensure_ascii=False)


def _off(chance: float) -> str | None:
    for kind, share in _OFF.items():
        chance -= share
        if chance < 0:
            return kind
    return None
