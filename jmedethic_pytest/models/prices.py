"""What tokens cost. An unknown price is ``None``, never zero."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from jmedethic_pytest.config.servers import Price
from jmedethic_pytest.core.records import Usage
from jmedethic_pytest.data import load


def as_of() -> str:
    """Return the date of the shipped price table."""
    return str(load("prices.toml")["as_of"])


def source() -> str:
    """Return where the shipped price table comes from."""
    return str(load("prices.toml")["source"])


def price(label: str, overrides: Mapping[str, Price]) -> Price | None:
    """Return the price of a model (``provider:name``): the user's own, else the shipped one, else ``None``."""
    if label in overrides:
        return overrides[label]
    for pattern, row in load("prices.toml")["models"].items():
        if fnmatchcase(label, pattern):
            return Price(**row)
    return None


def batch_share(label: str) -> float:
    """Return which share of its price a model costs in its provider's batches; all of it where nothing is known."""
    shares = load("prices.toml")["batch"].items()
    return next((float(share) for pattern, share in shares if fnmatchcase(label, pattern)), 1.0)


def cost(label: str, usage: Usage, overrides: Mapping[str, Price]) -> float | None:
    """Return US dollars for the tokens, or ``None`` if the model's price is unknown."""
    found = price(label, overrides)
    return found.cost(usage) if found else None
