"""A hard limit on what a run may spend, checked before each call."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from jmedethic_pytest.config.servers import Price
from jmedethic_pytest.core.errors import BudgetSpent, ConfigError
from jmedethic_pytest.core.records import Usage
from jmedethic_pytest.models import prices

Unit = Literal["usd", "tokens", "calls"]
WARN_AT = 0.8
"""Share of the budget at which the user is warned, once."""
FIRST_OUTPUT_TOKENS = 500
"""Output expected of a model's first call; afterwards its own mean is used."""
_FORM = re.compile(r"^\s*\$?\s*(\d+(?:\.\d+)?(?:e\d+)?)\s*(usd|\$|tokens?|calls?|)\s*$", re.IGNORECASE)
_UNITS: dict[str, Unit] = {
    "": "usd",
    "$": "usd",
    "usd": "usd",
    "token": "tokens",
    "tokens": "tokens",
    "call": "calls",
    "calls": "calls",
}


class Limit(NamedTuple):
    """An amount and its unit: US dollars, tokens (input and output together) or calls."""

    amount: float
    unit: Unit

    def __str__(self) -> str:
        """Write the amount as a person would."""
        return f"${self.amount:g}" if self.unit == "usd" else f"{self.amount:g} {self.unit}"


def parse(text: str, place: str) -> Limit:
    """Read ``5``, ``$5``, ``5usd``, ``2e6tokens`` or ``500calls``.

    Raises:
        ConfigError: for any other form, or nothing to spend.
    """
    match = _FORM.match(text)
    if match is None or not 0 < float(match[1]) < math.inf:
        raise ConfigError(
            f"{place}: {text!r} is not a budget. Give money (5, $5, 5usd), tokens (2e6tokens) or calls (500calls)."
        )
    return Limit(float(match[1]), _UNITS[match[2].lower()])


def within(limit: Limit | None, own_prices: Mapping[str, Price]) -> Budget | None:
    """Return a budget that knows the prices, ``None`` without a limit."""
    return Budget(limit, lambda label: prices.price(label, own_prices)) if limit else None


class Budget:
    """What is spent and what calls in flight may still cost.

    Args:
        limit: the most the run may spend.
        price: the price of a model, which must be known if the limit is money.
    """

    def __init__(self, limit: Limit, price: Callable[[str], Price | None]) -> None:
        self.limit = limit
        self.spent = 0.0
        self.warning: str | None = None
        """Set once when 80 % are spent."""
        self._price = price
        self._reserved = 0.0
        self._outputs: dict[str, tuple[int, int]] = {}

    def admit(self, label: str, input_tokens: int, *, calls: int = 1, share: float = 1.0) -> float:
        """Reserve what calls will probably cost and return that amount; give it back to :meth:`settle`.

        Args:
            label: the model.
            input_tokens: of all of them together, at most.
            calls: how many.
            share: of the price, where it is a lower one.

        Raises:
            BudgetSpent: if the call might exceed the limit.
        """
        known, tokens = self._outputs.get(label, (0, 0))
        output = tokens // known if known else FIRST_OUTPUT_TOKENS
        expected = self._amount(label, Usage(input=input_tokens, output=output * calls), calls, share)
        if self.spent + self._reserved + expected > self.limit.amount:
            raise BudgetSpent(
                f"the budget of {self.limit} would be exceeded ({self._shown(self.spent)} spent). What was finished is "
                "stored; the same command with a larger budget pays only for the rest."
            )
        self._reserved += expected
        return expected

    def release(self, reserved: float) -> None:
        """Give back what was reserved for calls that never took place."""
        self._reserved -= reserved

    def settle(
        self,
        reserved: float,
        label: str,
        usage: Usage | None,
        *,
        guess: tuple[int, int] = (0, 0),
        lost: bool = False,
        share: float = 1.0,
    ) -> None:
        """Book a finished call.

        Args:
            reserved: what :meth:`admit` returned.
            label: the model.
            usage: what the server counted; ``None`` if the call failed.
            guess: input and output tokens to book where the server counted nothing: never less than the truth.
            lost: whether there was an answer that nobody could read: it is paid for all the same.
            share: of the price, where it is a lower one.
        """
        self._reserved -= reserved
        if usage is None:
            self.spent += reserved if lost or self.limit.unit == "calls" else 0.0
            return
        given = usage.input if usage.input is not None else guess[0]
        made = usage.output if usage.output is not None else guess[1]
        calls, tokens = self._outputs.get(label, (0, 0))
        self._outputs[label] = (calls + 1, tokens + made)
        self.spent += self._amount(label, usage.model_copy(update={"input": given, "output": made}), 1, share)
        if self.warning is None and self.spent >= WARN_AT * self.limit.amount:
            self.warning = f"{self.spent / self.limit.amount:.0%} of the budget of {self.limit} is spent"

    def _amount(self, label: str, usage: Usage, calls: int, share: float) -> float:
        if self.limit.unit == "calls":
            return calls
        if self.limit.unit == "tokens":
            return (usage.input or 0) + (usage.output or 0)
        price = self._price(label)
        assert price is not None, "checked before the run"
        return price.cost(usage) * share

    def _shown(self, amount: float) -> str:
        return str(Limit(round(amount, 4), self.limit.unit))
