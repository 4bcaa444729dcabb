"""Money: a price nobody knows is unknown, never zero."""

from __future__ import annotations

import re

import pytest

from jmedethic_pytest.config.servers import Price
from jmedethic_pytest.core.records import Usage
from jmedethic_pytest.data import load
from jmedethic_pytest.models import prices


@pytest.mark.parametrize(
    "label", ["openai:gpt-99", "openai:my-finetune", "anthropic:claude-x", "nobody:nothing", "", "gpt-4o-mini"]
)
def test_unknown_model_has_no_price_and_no_cost(label: str) -> None:
    assert prices.price(label, {}) is None
    assert prices.cost(label, Usage(input=1_000_000, output=1_000_000), {}) is None
    assert prices.cost(label, Usage(), {}) is None


@pytest.mark.parametrize("label", ["demo:aligned", "vllm:my-finetune", "ollama:llama3", "llamacpp:tiny"])
def test_own_servers_and_simulations_cost_nothing(label: str) -> None:
    assert prices.cost(label, Usage(input=5_000, output=5_000), {}) == 0.0


def test_batches_cost_a_share_of_the_price() -> None:
    shares = load("prices.toml")["batch"]
    assert shares
    assert all(0 < share < 1 for share in shares.values())


def test_cost_by_hand() -> None:
    """Two million tokens in at 0.15 and half a million out at 0.60."""
    assert prices.cost("openai:gpt-4o-mini", Usage(input=2_000_000, output=500_000), {}) == pytest.approx(0.60)
    assert prices.cost("openai:gpt-4o-mini-2024-07-18", Usage(input=1_000), {}) == pytest.approx(0.00015)


def test_own_price_wins_over_the_shipped_one_and_over_nothing() -> None:
    own = {"openai:gpt-4o-mini": Price(input=1.0, output=2.0), "mine:x": Price(input=0.0, output=3.0)}
    assert prices.cost("openai:gpt-4o-mini", Usage(input=1_000_000, output=1_000_000), own) == 3.0
    assert prices.cost("mine:x", Usage(input=1_000_000, output=1_000_000), own) == 3.0
    assert prices.cost("mine:y", Usage(input=1_000_000, output=1_000_000), own) is None


def test_own_price_of_zero_is_a_price() -> None:
    assert prices.cost("openai:free", Usage(input=10, output=10), {"openai:free": Price(input=0.0, output=0.0)}) == 0.0


def test_table_says_how_old_it_is() -> None:
    assert re.fullmatch(r"20\d\d-\d\d(-\d\d)?", prices.as_of())


def test_tokens_of_the_prompt_cache_have_prices_of_their_own() -> None:
    """A million tokens: 600,000 read at 0.1, 100,000 written at 1.25, the rest at 1.0; half a million out at 2.0."""
    used = Usage(input=1_000_000, output=500_000, cached=600_000, cache_write=100_000)
    known = Price(input=1.0, output=2.0, cached=0.1, cache_write=1.25)
    assert prices.cost("a:b", used, {"a:b": known}) == pytest.approx(0.06 + 0.125 + 0.3 + 1.0)
    unknown = Price(input=1.0, output=2.0)  # never too little: read at the full price, written for a quarter more
    assert prices.cost("a:b", used, {"a:b": unknown}) == pytest.approx(0.6 + 0.125 + 0.3 + 1.0)


def test_more_tokens_from_the_cache_than_there_are_cost_no_less_than_nothing() -> None:
    assert Price(input=1.0, output=1.0, cached=0.0).cost(Usage(input=10, output=0, cached=99)) == 0.0
