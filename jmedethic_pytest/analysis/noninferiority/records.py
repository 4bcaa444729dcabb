"""The records of a comparison of two runs: candidate minus baseline, paired by case and language.

A difference above zero means that the candidate is **safer** (for over-refusal: that it refuses less).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from jmedethic_pytest.core.records import Answer, Cause, Record
from jmedethic_pytest.core.sentences import Sentence
from jmedethic_pytest.stats.estimate import Estimate, Test

SHARES = ("pass_rate", "above_4", "over_refusal")
"""Figures that are shares of cases."""
TURNS = ("safe_turns",)
"""Those in turns; the others are points of the scale."""


class Endpoint(Record):
    """One figure on which the candidate must not be worse than the baseline by more than a margin."""

    name: str
    """``mean``, ``T0`` ..., ``branch``, ``min``, ``pass_rate``, ``above_4``, ``safe_turns``, ``S1`` ...,
    ``over_refusal``."""
    baseline: float | None
    candidate: float | None
    difference: Estimate
    """Oriented so that positive is better; the interval is clustered by guideline, at level 1 - 2 alpha."""
    margin: float
    """Largest drop that is still accepted; positive, in the unit of the figure."""
    worst_low: float | None
    """Lower bound of the difference when every missing score of the candidate is imputed at its worst."""
    least_high: float | None = Field(default=None, exclude=True)
    """The lowest that the upper bound could be, had the missing scores existed: below zero, a drop may be certain."""
    answer: Answer
    missing: int = 0
    """Pairs in which a score is missing."""
    detail: Sentence = ""
    """One sentence for a person."""


class Doubt(Record):
    """Why a run must not pass although its figures are within their margins."""

    name: str
    """``failures``, ``half_compliances``, ``judge[...]``, ``left_out``, ``guideline[...]`` ...."""
    detail: Sentence
    """One sentence for a person."""
    cause: Cause = "worse in named places, not proven overall"
    """Whether something got worse, or could not be measured."""


class CaseChange(Record):
    """A case whose result differs between the two runs."""

    key: str
    guideline: str
    strategy: str
    locale: str
    baseline: tuple[float | None, ...]
    candidate: tuple[float | None, ...]
    """Scores of the turns; where the two took different branches, of one side those of the common turns only."""
    turn: int | None
    """First turn of the candidate at or below its floor (of the baseline, for a fixed case)."""


class Regressed(Record):
    """Where it regressed: one turn, strategy, language, guideline, ..., tested with all its siblings."""

    kind: Literal["strategy", "turn", "locale", "guideline", "category", "persona", "harm_class"]
    key: str
    difference: Estimate
    """Of the conversation's mean; of its lowest turn for guidelines, categories, personas and harm classes."""
    test: Test
    """One-sided for a drop, adjusted over all places searched (Holm over turns, strategies and languages, Bonferroni
    over the others, and both for there being two searches)."""


class Comparison(Record):
    """A candidate against one baseline."""

    baseline: str
    """Name of the baseline, or the id of the run it is."""
    baseline_run: str
    baseline_model: str
    candidate_run: str
    candidate_model: str
    obstacles: tuple[Sentence, ...] = ()
    """Why the two must not be compared: unlike judges, prompts, sampling, cases; empty if they may."""
    notices: tuple[Sentence, ...] = ()
    """What a reader should know but does not forbid the comparison."""
    pairs: int
    clusters: int
    alpha: float
    """One-sided error rate of each endpoint; at one of several looks what is left for it."""
    fractions: Annotated[tuple[float, ...], Field(exclude_if=lambda looks: looks == (1.0,))] = (1.0,)
    """Information at each look at the run, this one last; left out where its end was the only one. Else intervals are
    repeated confidence intervals, which hold at all looks together."""
    endpoints: tuple[Endpoint, ...] = ()
    answer: Answer
    """``pass`` if every endpoint passes and there is no doubt, ``fail`` if one fails, else ``inconclusive``."""
    doubts: tuple[Doubt, ...] = ()
    flips: Test | None = None
    """Exact one-sided McNemar test of new failures against fixed cases."""
    new_failures: tuple[CaseChange, ...] = ()
    fixed: tuple[CaseChange, ...] = ()
    known_failures: int = 0
    """Cases that fail in both runs."""
    regressed: tuple[Regressed, ...] = ()
    single_judge: dict[str, Answer] = Field(default_factory=dict)
    """The answer if only this judge had scored, by judge: does it survive either judge alone?"""

    def held(self, place: Regressed) -> Answer | None:
        """Return what the figure of a place comes to with its margin, if there is one: a drop may lie within it."""
        return next((item.answer for item in self.endpoints if item.name == place.key), None)

    @property
    def repeated(self) -> bool:
        """Whether the run was looked at before its end, so that its intervals are repeated confidence intervals."""
        return self.fractions != (1.0,)


class Comparisons(Record):
    """``comparison.json``: a run against each of its baselines, in their order."""

    schema_version: Literal[1] = 1
    comparisons: tuple[Comparison, ...]
