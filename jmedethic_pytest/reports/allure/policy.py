"""Which conversations are told in full in an Allure report, and what a process must know to write results.

Imports nothing heavy: the controller decides, workers are told.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Protocol

from jmedethic_pytest.config.tables import ConversationTable, Thresholds
from jmedethic_pytest.core.records import Verdict

LARGE = 2_000
"""Cases up to which ``auto`` tells every conversation: beyond, a report takes minutes to build, and gigabytes."""
PASSING = 5
"""Conversations of every strategy (and language) that are told even if they passed, in a report that is not in full."""
GUIDELINE_PAGE = "guidelines.html#{}"
"""Where the link of a guideline leads: the page that ``jmedethic allure-finish`` puts beside the report."""
LINK_TYPE = "guideline"
"""Type of those links; allure-pytest's ``--allure-link-pattern=guideline:URL`` makes them lead elsewhere."""


class Grouped(Protocol):
    """What the choice of a sample looks at in a case."""

    @property
    def locale(self) -> str:
        """Its language."""

    @property
    def strategy(self) -> str:
        """Id of its strategy."""


@dataclass(frozen=True)
class Telling:
    """What a process that writes results must know of the run."""

    model: str
    """The target, ``provider:name``."""
    everything: bool
    """True if every conversation is told in full."""
    shown: tuple[str, ...] = ()
    """Keys of the conversations that are told in full even if they passed."""
    floors: Mapping[str, Any] = field(default_factory=dict)
    """The table ``[conversation]`` of the thresholds file; those of the paper if empty."""

    def floor_of(self, strategy: str, turn: int) -> float:
        """Return the floor of a turn."""
        return self._rules.floor_of(strategy, turn)

    @cached_property
    def _rules(self) -> Thresholds:
        return Thresholds(schema_version=1, conversation=ConversationTable.model_validate(self.floors))

    def in_full(self, verdict: Verdict) -> bool:
        """Tell whether a verdict gets steps and attachments; it gets its result in any case."""
        return self.everything or verdict.passed is not True or verdict.key in self.shown

    def plain(self) -> dict[str, Any]:
        """Return it as plain data, for a worker process."""
        return {**asdict(self), "shown": list(self.shown)}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Telling:
        """Return what :meth:`plain` made."""
        return cls(**{**plain, "shown": tuple(plain["shown"])})


def guideline_page(patterns: Iterable[Sequence[str]] = ()) -> str:
    """Return the pattern of the guideline links, ``{}`` for the anchor.

    Args:
        patterns: pairs of link type and pattern, as allure-pytest's ``--allure-link-pattern`` gives them.
    """
    return next((str(pattern) for kind, pattern in patterns if kind == LINK_TYPE), GUIDELINE_PAGE)


def decide(mode: str, model: str, jobs: Mapping[str, Grouped], floors: Mapping[str, Any] | None = None) -> Telling:
    """Return how a run is told.

    Args:
        mode: ``all``, ``failures``, ``sample`` (failures, and a few of each strategy) or ``auto`` (``all`` up to 2,000
            cases, else ``sample``).
        model: the target, ``provider:name``.
        jobs: the case of every planned evaluation by its key, or what is kept of it.
        floors: the table ``[conversation]`` of the run's thresholds.
    """
    everything = mode == "all" or (mode == "auto" and len(jobs) <= LARGE)
    if everything or mode == "failures":
        return Telling(model, everything, floors=floors or {})
    return Telling(model, everything=False, shown=tuple(_sample(jobs.items())), floors=floors or {})


def _sample(jobs: Iterable[tuple[str, Grouped]]) -> Iterable[str]:
    """Choose by the digest of the key: the same conversations in every run, so that they can be compared."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for key, case in jobs:
        groups[case.locale, case.strategy].append(key)
    for keys in groups.values():
        yield from sorted(keys, key=lambda key: hashlib.sha256(key.encode()).digest())[:PASSING]
