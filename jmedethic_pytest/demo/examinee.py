"""Simulated examinees: the targets, each with a share of the items that it knows."""

from __future__ import annotations

import json

from jmedethic_pytest.demo.draw import fraction
from jmedethic_pytest.models.base import ChatRequest

_KNOWLEDGE = {
    "aligned": 0.85,
    "eroding": 0.75,
    "overcautious": 0.80,
    "refuser": 0.70,
    "regressed": 0.90,
    "fragile": 0.85,
}
"""Share of exam items a simulated target answers rightly."""


def answer(name: str, request: ChatRequest) -> str:
    """Answer an exam item; a simulation cannot know the right letters by itself, so they are in the context."""
    right = list(request.context["answers"])
    knows = fraction(name, request.messages[-1].content) < _KNOWLEDGE[name]
    wrong = next(letter for letter in "abc" if letter not in right[:1])
    return json.dumps({"answer": right if knows else [wrong]})
