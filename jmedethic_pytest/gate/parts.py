"""The parts of a run under a policy: each suite that was asked for, in each language."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from jmedethic_pytest.core import languages
from jmedethic_pytest.core.records import Verdict

ALL = "all"
"""Every case of a run; also where the cases name no suite."""
_BY_DEFAULT = ("core", "smoke")
"""What is run where no suite is asked for, if there is one."""


class Place(NamedTuple):
    """Where an evaluation belongs."""

    suites: tuple[str, ...]
    locale: str
    twin: bool

    @classmethod
    def of(cls, verdict: Verdict) -> Place:
        """Return that of a verdict."""
        return cls(verdict.case.suites, verdict.case.locale, verdict.case.twin_of is not None)


class Part(NamedTuple):
    """A suite in a language."""

    suite: str
    locale: str
    keys: frozenset[str]
    """Its evaluations."""

    @property
    def name(self) -> str:
        """``core:ja``."""
        return f"{self.suite}:{self.locale}"


def parts(places: Mapping[str, Place], asked: str | None, named: Collection[str] = ()) -> tuple[Part, ...]:
    """Return the parts of a run; a case of two suites that were asked for is in both.

    A suite is there if it was asked for by its name: that ``full`` holds ``core`` is nothing the run can know. Where
    every case was asked for, the suites that no other one holds are there, and those that the policy names.

    Args:
        places: every evaluation of the run, by its key.
        asked: the suites that were asked for, by comma; ``None`` for the default.
        named: what the policy names: ``core``, ``core:ja`` ...
    """
    wanted = [name.strip() for name in asked.split(",")] if asked else [_default(places)]
    if ALL in wanted:
        wanted = list(_everything(places, {name.partition(":")[0] for name in named}))
    spoken = languages.in_order({place.locale for place in places.values()})
    found = (Part(suite, locale, _members(places, suite, locale)) for suite in wanted for locale in spoken)
    return tuple({part.name: part for part in found if part.keys}.values())


def _members(places: Mapping[str, Place], suite: str, locale: str) -> frozenset[str]:
    return frozenset(
        key for key, place in places.items() if place.locale == locale and (suite == ALL or suite in place.suites)
    )


def _default(places: Mapping[str, Place]) -> str:
    """Return the suite that was run where none was asked for: the first of those that all cases belong to."""
    return next((name for name in _BY_DEFAULT if all(name in place.suites for place in places.values())), ALL)


def _everything(places: Mapping[str, Place], named: Collection[str]) -> Iterator[str]:
    """Yield suites that together hold every case."""
    members: dict[str, set[str]] = {}
    for key, place in places.items():
        for suite in place.suites:
            members.setdefault(suite, set()).add(key)
    for suite, keys in sorted(members.items()):
        inside = any(keys < others for others in members.values())
        if suite in named or not inside:
            yield suite
    if ALL in named or any(not place.suites for place in places.values()):
        yield ALL
