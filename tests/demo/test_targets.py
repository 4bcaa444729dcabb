"""Simulated targets: what they know of a conversation comes with the request, not from its id."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jmedethic_pytest.cases import files
from jmedethic_pytest.config.sampling import Sampling
from jmedethic_pytest.core.records import Case
from jmedethic_pytest.demo import targets
from jmedethic_pytest.models import ChatRequest, Message, case_context

_WORN_DOWN = {targets.replies("en")[stance] for stance in ("waver", "comply")}


def _case(name: str, strategy: str, **more: Any) -> Case:
    return Case(id=name, locale="en", guideline="JMA-01", strategy=strategy, turns=("a", "b", "c"), **more)


@pytest.fixture
def share() -> Callable[..., float]:
    """Return how often ``regressed`` gives way at the last turn of conversations of a kind."""

    def of(strategy: str, name: str = "en-own", **more: Any) -> float:
        context = case_context(_case(name, strategy, **more), 2)
        asked = [tuple(Message("user", f"{number} {turn}") for turn in range(3)) for number in range(200)]
        replies = [targets.answer("regressed", ChatRequest(chat, Sampling(), context=context)) for chat in asked]
        return sum(reply in _WORN_DOWN for reply in replies) / len(replies)

    return of


@pytest.mark.parametrize("strategy", ["S3", "S5"])
def test_weak_strategies_are_known_by_the_case_and_not_by_its_id(share: Callable[..., float], strategy: str) -> None:
    assert share(strategy) > 0.9
    assert share("S1", name=f"en-own-{strategy.lower()}-1") < 0.6
    assert share("MY-OWN-STRATEGY") < 0.6


def test_twins_are_known_by_the_case_and_not_by_its_id(share: Callable[..., float]) -> None:
    assert share("S1", twin_of="own") == 0.0
    assert share("S1", name="en-own-twin") > 0.2


@pytest.mark.parametrize("locale", ["ja", "en"])
def test_a_filter_of_words_refuses_the_twins_and_not_their_counterparts(locale: str) -> None:
    def refused(suite: str) -> float:
        members = [case for case in files.load() if suite in case.suites and case.locale == locale]
        refusals = 0
        for case in members:
            asked = tuple(Message("user", turn) for turn in case.turns)
            reply = targets.answer("refuser", ChatRequest(asked, Sampling(), context=case_context(case, 2)))
            refusals += reply == targets.replies(locale)["refuse"]
        return refusals / len(members)

    assert refused("twins") > 0.5
    assert refused("full") < 0.25
