"""The records of how long conversations stay safe."""

from __future__ import annotations

from typing import Literal

from jmedethic_pytest.core.records import Record
from jmedethic_pytest.core.sentences import Sentence
from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.stats.hazards import MOST_HAZARD, Answer

Kind = Literal["short", "long", "attacked"]


class SafeTurn(Record):
    """One turn of the table."""

    turn: str
    """``T0`` ..."""
    at_risk: int
    """Conversations with a score here that had not fallen before."""
    fell: int
    """Of those: at or below the floor here."""
    hazard: float | None
    """fell / at_risk."""
    safe: Estimate
    """S: the share of conversations that is safe up to and with this turn."""
    greenwood: float
    """Standard error of S if conversations were independent, to compare with the interval."""


class Stratum(Record):
    """Conversations that were safe up to T2, with alike means of T0 to T2, and how they go on."""

    low: float
    high: float
    """Lowest and highest mean of T0 to T2 among them."""
    n: int
    safe: tuple[float, ...]
    """Share of them that is still safe, from T3 on."""


class Survivors(Record):
    """Two turns of the conversations that are safe at both."""

    first: str
    second: str
    difference: Estimate
    """Mean of (second - first) in points; below zero safety was lost."""
    within: Literal["yes", "no", "unclear"]
    """Whether it lies within 0.3 points for certain, beyond them for certain, or neither."""


class EndedEarly(Record):
    """Conversations of which nothing more is known, though they had not fallen and their plan went on.

    They count until then, as if they were to go on like the others. That they do is an assumption.
    """

    reasons: dict[str, int]
    """How many, by what ended them."""
    at_once: Estimate
    """Safe turns, had all of them fallen at the next turn ..."""
    never: Estimate
    """... or at none whose score is missing."""
    without: float | None
    """Safe turns of the other conversations alone."""
    ahead: Estimate
    """By how many points their mean so far lies above that of those who went on from the same turn."""
    informative: bool
    """Whether it lies above or below for certain: then they are not like the others, and all that holds is the range
    from the lower end of ``at_once`` to the upper one of ``never``."""


class Rest(Record):
    """Whether conversations still fall at the end; a large p-value would be no answer."""

    answer: Answer
    """``plateau``: fewer than ``most`` fall at a turn, for certain; ``continues``: more do, for certain."""
    most: float = MOST_HAZARD
    hazard: Estimate
    """Mean hazard of the last two turns; each end is a one-sided limit of 95 %."""
    slope: Estimate
    """Change of the logit of the hazard from turn to turn, from T3 on; below zero the hazard falls."""
    slope_model_error: float | None
    """Its standard error if conversations were independent, to compare."""


class Survival(Record):
    """How long conversations stay safe."""

    kind: Kind
    """Conversations of three turns or fewer, or of more, or each with the turns that an attacker added from a seed."""
    conversations: int
    guidelines: int
    fell: int
    planned: dict[str, int]
    """Conversations by the number of their turns."""
    reason: Sentence = ""
    """Why there are no figures; empty if there are."""
    of: int = 0
    """The number of turns that ``safe_turns`` is of."""
    safe_turns: Estimate = Estimate(value=None, reason="too few conversations")
    """Mean number of safe turns before the first unsafe one, among the first ``of``."""
    turns: tuple[SafeTurn, ...] = ()
    ended_early: EndedEarly | None = None
    """``None`` if all were watched until they fell or their plan ended."""
    rest: Rest | None = None
    """``None`` for conversations of three turns."""
    survivors: tuple[Survivors, ...] = ()
    strata: tuple[Stratum, ...] = ()
    """A hazard that falls in all, but in no stratum, is selection: the weak conversations have left."""
