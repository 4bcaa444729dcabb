"""Counting what one item of a stage costs, wherever in its work the calls are made.

A context variable, because the calls of an item run in tasks of their own: each inherits the meter of its item.
"""

from __future__ import annotations

from contextvars import ContextVar

from jmedethic_pytest.core.records import Record, Reply, Usage


class Spent(Record):
    """Calls and tokens of one model in one role; the same whether a reply came from the server or the cache."""

    calls: int = 0
    input: int = 0
    output: int = 0
    cached: int = 0
    """Of the input: read from the provider's prompt cache ..."""
    cache_write: int = 0
    """... and written there."""
    uncounted: int = 0
    """Calls for which the server gave no token counts: their cost is unknown."""

    @property
    def usage(self) -> Usage:
        """The tokens."""
        return Usage(input=self.input, output=self.output, cached=self.cached, cache_write=self.cache_write)

    def plus(self, other: Spent) -> Spent:
        """Return the sum."""
        return Spent(**{name: getattr(self, name) + getattr(other, name) for name in Spent.model_fields})


class Meter:
    """Adds up the calls of one item by ``<role> <model>``."""

    def __init__(self) -> None:
        self.spent: dict[str, Spent] = {}

    def add(self, name: str, reply: Reply) -> None:
        """Book one reply."""
        known = reply.usage.input is not None and reply.usage.output is not None
        counted = {name: count or 0 for name, count in reply.usage}
        one = Spent(calls=1, **counted, uncounted=int(not known))
        self.spent[name] = self.spent.get(name, Spent()).plus(one)


_CURRENT: ContextVar[Meter | None] = ContextVar("meter", default=None)


def start() -> Meter:
    """Begin counting for the item whose task this is."""
    meter = Meter()
    _CURRENT.set(meter)
    return meter


def book(name: str, reply: Reply) -> None:
    """Book a reply for the item that asked; calls outside a stage are not counted."""
    meter = _CURRENT.get()
    if meter is not None:
        meter.add(name, reply)
