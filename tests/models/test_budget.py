"""The hard limit on spending: what is admitted, what is booked, how amounts are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmedethic_pytest.config.servers import Price
from jmedethic_pytest.core.errors import BudgetSpent, ConfigError
from jmedethic_pytest.core.records import Usage
from jmedethic_pytest.models.budget import FIRST_OUTPUT_TOKENS, Budget, Limit, parse

PRICE = Price(input=1.0, output=10.0)


def _budget(text: str) -> Budget:
    return Budget(parse(text, "--jmed-budget"), lambda label: PRICE)


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [
        ("5", 5.0, "usd"),
        ("$5", 5.0, "usd"),
        ("0.25 usd", 0.25, "usd"),
        ("5$", 5.0, "usd"),
        ("2e6tokens", 2e6, "tokens"),
        ("1 token", 1.0, "tokens"),
        ("500calls", 500.0, "calls"),
        ("500 CALLS", 500.0, "calls"),
    ],
)
def test_amounts_are_read(text: str, amount: float, unit: str) -> None:
    assert parse(text, "--jmed-budget") == Limit(amount, unit)


@pytest.mark.parametrize("text", ["0", "0calls", "-5", "five", "5 euros", "", "1e999calls", "inf", "nan", "5 5"])
def test_anything_else_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(ConfigError, match=r"--jmed-budget: .* is not a budget. Give money"):
        parse(text, "--jmed-budget")


def test_calls_are_counted_before_they_are_made() -> None:
    budget = _budget("2calls")
    first, second = budget.admit("m", 1), budget.admit("m", 1)
    with pytest.raises(BudgetSpent, match="budget of 2 calls would be exceeded"):
        budget.admit("m", 1)
    budget.settle(first, "m", None)  # it has left the machine, whatever became of it
    budget.settle(second, "m", Usage(input=1, output=1))
    assert budget.spent == 2
    with pytest.raises(BudgetSpent):
        budget.admit("m", 1)


def test_money_is_spent_on_answers_read_or_not() -> None:
    budget = _budget("10000tokens")
    for lost, spent in ((False, 0), (True, 1 + FIRST_OUTPUT_TOKENS)):
        budget.settle(budget.admit("m", 1), "m", None, lost=lost)
        assert budget.spent == spent


def test_money_follows_the_counted_tokens_and_the_first_output_is_guessed() -> None:
    budget = _budget("1usd")
    reserved = budget.admit("m", 1000)
    assert reserved == pytest.approx((1000 * 1.0 + FIRST_OUTPUT_TOKENS * 10.0) / 1e6)
    budget.settle(reserved, "m", Usage(input=2000, output=100))
    assert budget.spent == pytest.approx((2000 + 1000) / 1e6)
    assert budget.admit("m", 0) == pytest.approx(100 * 10.0 / 1e6), "later calls expect the mean output so far"


def test_uncounted_tokens_are_booked_as_the_guess_that_never_undercounts() -> None:
    budget = _budget("1000tokens")
    budget.settle(budget.admit("m", 10), "m", Usage(), guess=(300, 40))
    assert budget.spent == 340
    budget.settle(budget.admit("m", 10), "m", Usage(input=5), guess=(300, 40))
    assert budget.spent == 385


def test_warning_comes_once_at_four_fifths() -> None:
    budget = _budget("10calls")
    for number in range(1, 11):
        budget.settle(budget.admit("m", 1), "m", Usage(input=1, output=1))
        assert (budget.warning is not None) == (number >= 8)
    assert budget.warning == "80% of the budget of 10 calls is spent"


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 1000)), max_size=80))
def test_spending_never_exceeds_the_budget_by_more_than_the_calls_in_flight_surprise(
    calls: list[tuple[int, int]],
) -> None:
    """One at a time, only the last call can exceed what was expected of it."""
    budget, last = _budget("20000tokens"), 0
    for given_tokens, made in calls:
        try:
            reserved = budget.admit("m", given_tokens)
        except BudgetSpent:
            break
        before = budget.spent
        budget.settle(reserved, "m", Usage(input=given_tokens, output=made))
        last = budget.spent - before
        assert before <= 20000
    assert budget.spent <= 20000 + max(0, last)
