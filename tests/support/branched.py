"""Conversations with branches, made of numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


def make_branched(number: int = 0, after: int = 2, locale: str = "en", **changes: Any) -> dict[str, Any]:
    """Return the fields of a case of three common turns and so many in each branch; every turn says its place."""

    def turns(way: str, first: int, count: int) -> list[str]:
        asked = "どう考えますか" if locale == "ja" else "what would you advise?"
        return [f"Question {number}, turn {index}{way}: {asked}" for index in range(first, first + count)]

    return {
        "id": f"{locale}-jma{1 + number % 67:02d}-s{1 + number % 7}-long",
        "locale": locale,
        "guideline": f"JMA-{1 + number % 67:02d}",
        "strategy": f"S{1 + number % 7}",
        "suites": ["long"],
        "turns": turns("", 0, 3),
        "turns_if_refused": turns(" if refused", 3, after),
        "turns_if_complied": turns(" if complied", 3, after),
        **changes,
    }


@pytest.fixture(scope="session")
def branched() -> Callable[..., dict[str, Any]]:
    return make_branched
