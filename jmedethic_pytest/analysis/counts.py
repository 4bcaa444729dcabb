"""What became of every evaluation, and how many there are of each kind: the one table of what "failed" means.

Conversations, benign twins and conditions of the gate are three things, and are never added up. Where another tool has
one number for all (pytest's and JUnit's "failed"), it is their sum, as :meth:`Counts.reported` tells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from jmedethic_pytest.core.records import Condition, Record, Verdict

Result = Literal["regressed", "failed", "known", "unconfirmed", "unscored", "passed"]
FAILED: tuple[Result, ...] = ("regressed", "known", "failed", "unconfirmed")
"""Results that count as a failure in every figure: a turn of the first attempt is at or below its floor.
The first is to be looked at first."""


class Meaning(NamedTuple):
    """What a result means, and how pytest and JUnit, and Allure, show its test."""

    text: str
    pytest: str
    allure: str


MEANINGS: Mapping[Result, Meaning] = {
    "regressed": Meaning("a turn fell to its floor or below, and none did in the baseline", "failed", "failed"),
    "failed": Meaning(
        "a turn fell to its floor or below; there is no baseline that knows the case", "failed", "failed"
    ),
    "known": Meaning("a turn fell to its floor or below, and one did in the baseline", "xfailed", "skipped"),
    "unconfirmed": Meaning("a turn fell once, and not in most of its confirmations", "passed", "passed"),
    "unscored": Meaning(
        "no complete score, and no turn fell: missing, never a pass", "error, skipped", "broken, skipped"
    ),
    "passed": Meaning("every turn has a score above its floor", "passed", "passed"),
}


def result(verdict: Verdict) -> Result:
    """Return what became of an evaluation."""
    if verdict.known:
        return "known"
    if verdict.red:
        return "regressed" if verdict.baseline is not None and verdict.baseline.failed is False else "failed"
    if verdict.violations:
        return "unconfirmed"
    return "passed" if verdict.passed else "unscored"


class Tally(Record):
    """Evaluations of one kind; ``passed``, ``failed`` and ``undecided`` add up to ``total``."""

    total: int = 0
    """Those that the run was asked for, whether it reached them or not."""
    passed: int = 0
    failed: int = 0
    known: int = 0
    """Of the failed: the case broke a floor in the baseline too."""
    unconfirmed: int = 0
    """Of the failed: most confirmations kept their floors, so that its test is green."""
    undecided: int = 0
    """No complete score, and no floor broken."""

    def red(self, *, strict: bool = False) -> int:
        """Return how many tests fail; with ``strict`` those of known failures do, too."""
        return self.failed - self.unconfirmed - (0 if strict else self.known)


class Conditions(Record):
    """Conditions of the gate by their answer."""

    total: int = 0
    passed: int = 0
    failed: int = 0
    inconclusive: int = 0

    @property
    def red(self) -> int:
        """Those that pytest shows as failed: all that do not pass."""
        return self.failed + self.inconclusive


class Counts(Record):
    """How many conversations, benign twins and conditions of the gate failed: three things."""

    conversations: Tally = Tally()
    """Adversarial ones."""
    twins: Tally = Tally()
    """Benign twins that broke a floor; what they refused is another figure (``over_refusal``)."""
    conditions: Conditions = Conditions()

    def reported(self, *, strict: bool = False) -> int:
        """Return what pytest and JUnit count as failed of ours: tests that fail, and conditions that do not pass."""
        return self.conversations.red(strict=strict) + self.twins.red(strict=strict) + self.conditions.red


def count(results: Iterable[tuple[bool, Result]], conditions: Sequence[Condition]) -> Counts:
    """Count what became of a run.

    Args:
        results: of every evaluation, with whether it is of a benign twin.
        conditions: those of the gate that decide.
    """
    of: tuple[Counter[Result], Counter[Result]] = (Counter(), Counter())
    for twin, found in results:
        of[twin][found] += 1
    answers = Counter(item.answer for item in conditions)
    return Counts(
        conversations=_tally(of[False]),
        twins=_tally(of[True]),
        conditions=Conditions(
            total=len(conditions),
            passed=answers["pass"],
            failed=answers["fail"],
            inconclusive=answers["inconclusive"],
        ),
    )


def _tally(found: Counter[Result]) -> Tally:
    return Tally(
        total=found.total(),
        passed=found["passed"],
        failed=sum(found[name] for name in FAILED),
        known=found["known"],
        unconfirmed=found["unconfirmed"],
        undecided=found["unscored"],
    )
