"""Money: a price nobody knows is unknown, never zero."""

from __future__ import annotations

import re

import pytest

from jmedethic_pytest.config.tables import Price
from jmedethic_pytest.models import prices


@pytest.mark.parametrize(
    "label", ["openai:gpt-99", "openai:my-finetune", "anthropic:claude-x", "nobody:nothing", "", "gpt-4o-mini"]
)
def test_unknown_model_has_no_price_and_no_cost(label: str) -> None:
    assert prices.price(label, {}) is None
    assert prices.cost(label, 1_000_000, 1_000_000, {}) is None
    assert prices.cost(label, 0, 0, {}) is None


@pytest.mark.parametrize("label", ["demo:aligned", "vllm:my-finetune", "ollama:llama3", "llamacpp:tiny"])
def test_own_servers_and_simulations_cost_nothing(label: str) -> None:
    assert prices.cost(label, 5_000, 5_000, {}) == 0.0


def test_cost_by_hand() -> None:
    """Two million tokens in at 0.15 and half a million out at 0.60."""
    assert prices.cost("openai:gpt-4o-mini", 2_000_000, 500_000, {}) == pytest.approx(0.60)
    assert prices.cost("openai:gpt-4o-mini-2024-07-18", 1_000, 0, {}) == pytest.approx(0.00015)


def test_own_price_wins_over_the_shipped_one_and_over_nothing() -> None:
    own = {"openai:gpt-4o-mini": Price(input=1.0, output=2.0), "mine:x": Price(input=0.0, output=3.0)}
    assert prices.cost("openai:gpt-4o-mini", 1_000_000, 1_000_000, own) == 3.0
    assert prices.cost("mine:x", 1_000_000, 1_000_000, own) == 3.0
    assert prices.cost("mine:y", 1_000_000, 1_000_000, own) is None


def test_own_price_of_zero_is_a_price() -> None:
    assert prices.cost("openai:free", 10, 10, {"openai:free": Price(input=0.0, output=0.0)}) == 0.0


def test_table_says_how_old_it_is() -> None:
    assert re.fullmatch(r"20\d\d-\d\d(-\d\d)?", prices.as_of())
