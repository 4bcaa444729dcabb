"""``[policy]``: which suites, languages and figures decide, which make people look, and which are only shown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Annotated, Self

from pydantic import Field, model_validator

from jmedethic_pytest.config.servers import Table
from jmedethic_pytest.core import languages
from jmedethic_pytest.core.errors import ConfigError, unknown
from jmedethic_pytest.core.records import TIERS, PolicyTier
from jmedethic_pytest.core.vocabulary import SUITES

EXAM = "exam"
"""In the place of a suite: the multiple-choice exam."""
_ALL = "all"
_FIGURES = ("pass_rate", "over_refusal", "robustness")
_OF_TURN = re.compile(r"(mean|median)\[T\d\]")
_OF_STRATEGY = re.compile(r"strategy\[(.+)\]")
_AGAINST = "baseline."
_DIFFERENCES = ("mean", "min", "branch", "pass_rate", "above_4", "safe_turns", "over_refusal")
"""Figures of a comparison, beside turns, strategies and languages."""
_EXAMPLES = "pass_rate, over_refusal, mean[T1], median[T2], strategy[S5], baseline.mean, baseline.T2, baseline.S5, ..."


class PolicyTable(Table):
    """``[policy]``: one answer over several suites. Without this table a run is decided as a whole.

    A name is a suite (`core`), a suite in a language (`core:ja`), a language (`en`), the exam (`exam`), or a figure
    (`mean[T1]`, `baseline.T2`). The most specific name holds; between suite and language the stricter one.
    """

    critical: tuple[str, ...] = ()
    """All of these must pass, and one that fails fails; so must every suite that is not named."""
    supporting: tuple[str, ...] = ()
    """A fail here, or what could not be measured, makes the answer inconclusive: look before you merge. Too few cases
    to tell do not."""
    advisory: tuple[str, ...] = ()
    """Shown, and never decides."""
    suites: tuple[str, ...] = ()
    """Suites of case files of your own that this table names."""
    exam_accuracy: Annotated[float, Field(strict=True, gt=0.0, lt=1.0, allow_inf_nan=False)] | None = None
    """Share of right answers asked of the exam, by its 95 % interval; without it the exam can only be advisory."""

    @model_validator(mode="after")
    def _each_name_once(self) -> Self:
        counts = Counter(name for tier in TIERS for name in self.named(tier))
        twice = [name for name, count in counts.items() if count > 1]
        if twice:
            raise ValueError(f"{twice[0]!r} is named twice: a name stands in one tier")
        decisive = [name for name in self.critical if is_figure(name)]
        if decisive:
            raise ValueError(f"critical: {decisive[0]!r} is a figure, which is as critical as its suite: name a suite")
        return self

    def named(self, tier: PolicyTier) -> tuple[str, ...]:
        """Return the names of a tier."""
        found: tuple[str, ...] = getattr(self, tier)
        return found

    def tier(self, part: str) -> PolicyTier:
        """Return the tier of a suite in a language, ``core:ja``; of the exam ``advisory``, unless it is named."""
        own = self._of(part)
        if own is not None:
            return own
        found = [tier for tier in map(self._of, _names(part)[1:]) if tier is not None]
        return min(found, key=TIERS.index, default="advisory" if part.partition(":")[0] == EXAM else "critical")

    def figure(self, name: str) -> PolicyTier:
        """Return the tier of a figure in a critical suite."""
        return (self._of(name) if is_figure(name) else None) or "critical"

    def _of(self, name: str) -> PolicyTier | None:
        return next((tier for tier in TIERS if name in self.named(tier)), None)

    def absent(self, parts: Collection[str]) -> Iterator[tuple[str, PolicyTier]]:
        """Yield every place that is named and of which nothing is there, with its tier.

        Args:
            parts: what is there, ``core:ja`` ...
        """
        for tier in TIERS:
            for name in self.named(tier):
                if not is_figure(name) and not any(name in _names(part) for part in parts):
                    yield name, tier

    def require(self, suites: Collection[str], strategies: Collection[str], place: object) -> None:
        """Refuse names that mean nothing, or two things: what was to decide would silently not.

        Args:
            suites: those of the cases at hand; the bundled ones are known anyway.
            strategies: ids that cases may name.
            place: the file, for the error.

        Raises:
            ConfigError: naming each of them.
        """
        known = list(dict.fromkeys([*SUITES, *suites, *self.suites, _ALL, EXAM]))
        problems = [
            unknown(f"{place}: field 'policy.{tier}'", name, known, f" Or a language, SUITE:LANGUAGE, {_EXAMPLES}")
            for tier in TIERS
            for name in self.named(tier)
            if not (_is_place(name, known) or _names_figure(name, strategies))
        ]
        problems += [
            f"{place}: field 'policy': a suite is called {name!r}, which means something else here. Rename the suite."
            for name in dict.fromkeys((*suites, *self.suites))
            if not name or ":" in name or name in (*languages.tags(), EXAM) or is_figure(name)
        ]
        if self.exam_accuracy is None and any(
            name.partition(":")[0] == EXAM for name in (*self.critical, *self.supporting)
        ):
            problems.append(
                f"{place}: field 'policy': nothing is asked of the exam: set exam_accuracy, or name it advisory."
            )
        if problems:
            raise ConfigError(problems)


def _names(part: str) -> tuple[str, ...]:
    """Return what a suite in a language may be called; the exam is no suite, and a language does not mean it."""
    suite, _, locale = part.partition(":")
    return (part, suite) if suite == EXAM else (part, suite, locale)


def is_figure(name: str) -> bool:
    """Tell whether a name means a figure, whatever strategies there are."""
    return (
        name in _FIGURES
        or name.startswith(_AGAINST)
        or any(pattern.fullmatch(name) for pattern in (_OF_TURN, _OF_STRATEGY))
    )


def figure_of(condition: str) -> str:
    """Return the figure that a condition of a part is about: ``baseline[release-7].T2`` is ``baseline.T2``."""
    if condition.startswith("robustness["):  # beside a baseline
        return "robustness"
    head, _, figure = condition.rpartition("].")
    return f"{_AGAINST}{figure}" if head.startswith("baseline[") else condition


def _is_place(name: str, suites: Collection[str]) -> bool:
    suite, colon, locale = name.partition(":")
    return name in languages.tags() or (suite in suites and (not colon or locale in languages.tags()))


def _names_figure(name: str, strategies: Collection[str]) -> bool:
    strategy = _OF_STRATEGY.fullmatch(name)
    if strategy:
        return strategy[1] in strategies
    figure = name.removeprefix(_AGAINST)
    if figure == name:
        return is_figure(name)
    known = {*_DIFFERENCES, *languages.tags(), *strategies}
    return figure in known or re.fullmatch(r"T\d", figure) is not None
