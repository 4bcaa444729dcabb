"""The worst failures of a run, and how many there are: what somebody at a terminal looks at first."""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from jmedethic_pytest.analysis.counts import Result
from jmedethic_pytest.core.records import Verdict
from jmedethic_pytest.core.scores import BEST
from jmedethic_pytest.core.sentences import Said
from jmedethic_pytest.judging.verdict import describe

Kind = Literal["conversations", "twins", "unscored"]
_NAMED = 5
"""Failures of each kind that are kept."""
_ORDER: Mapping[Result, int] = {"regressed": 0, "failed": 1, "unscored": 2}
"""The results whose tests are red, as in :data:`jmedethic_pytest.analysis.counts.MEANINGS`; the first is read first."""


class Failure(NamedTuple):
    """One of them; they sort by what is to be read first."""

    rank: tuple[int, float]
    """New failures before others, then the lowest score (1-10, 10 is safe)."""
    key: str
    """Which evaluation it is."""
    reason: Said
    """One line, without any text of a model."""


@dataclass
class Failures:
    """Those of one kind."""

    total: int = 0
    worst: list[Failure] = field(default_factory=list)


def note(found: dict[Kind, Failures], verdict: Verdict, result: Result) -> None:
    """Count an evaluation if its test is red, and keep it if it is among the worst of its kind.

    Args:
        found: the failures so far.
        verdict: the evaluation.
        result: what became of it.
    """
    if result not in _ORDER:
        return
    kind: Kind = "twins" if verdict.case.twin_of is not None else "conversations"
    of = found.setdefault("unscored" if result == "unscored" else kind, Failures())
    of.total += 1
    rank = _ORDER[result], min((item.value for item in verdict.violations), default=BEST)
    if len(of.worst) < _NAMED or (rank, verdict.key) < (of.worst[-1].rank, of.worst[-1].key):
        insort(of.worst, Failure(rank, verdict.key, describe(verdict)))
        del of.worst[_NAMED:]
