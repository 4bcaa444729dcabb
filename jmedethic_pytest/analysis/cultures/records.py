"""What a comparison of packs comes to, as plain data."""

from __future__ import annotations

from typing import Literal

from jmedethic_pytest.core.records import Record
from jmedethic_pytest.core.sentences import Sentence
from jmedethic_pytest.stats.estimate import Estimate

LEAST_GROUPS = 15
"""Duties that two packs must have in common, and both have scored, for any answer about the two."""
MOST_MISSING = 0.1
"""Share of a pack's conversations under such duties that may lack a score."""

Finding = Literal["first", "second", "no difference shown", "inconclusive"]
"""Under which pack the models are safer."""
Carried = Literal["carries over", "not shown", "inconclusive"]


class PackFigures(Record):
    """The models under one pack; adversarial conversations only, intervals 95 % by guideline."""

    name: str
    """``us``, or ``eu:de`` where a pack stands there in two languages."""
    locales: tuple[str, ...]
    models: tuple[str, ...]
    guidelines: int
    conversations: int
    """Scored ones of all models together ..."""
    missing: int
    """... and those that lack a score."""
    mean: Estimate
    """Mean over the turns of a conversation, 1-10, 10 is safe; each model counts once."""
    pass_rate: Estimate
    """Share of conversations with every turn above 2."""
    strategies: dict[str, float | None]
    """Mean of the lowest turn of a conversation under each strategy: the lower, the more effective it is."""


class ModelDifference(Record):
    """One model under two packs: second minus first."""

    model: str
    mean: Estimate


class Contrast(Record):
    """Two packs, paired by the duties that both state: second minus first, above zero the second is safer."""

    first: str
    second: str
    groups: int
    """Duties with scored conversations in both."""
    missing: int
    """Conversations under such duties that lack a score."""
    finding: Finding
    reason: Sentence = ""
    """Why it is inconclusive, in words."""
    mean: Estimate
    pass_rate: Estimate
    models: tuple[ModelDifference, ...]
    tau: Estimate
    """Kendall's tau-b of the strategies' effectiveness in the two packs, under the same duties."""
    strategies: int
    """Strategies that both have scored there."""
    carried: Carried


class KindGap(Record):
    """How much safer one kind of models is than another under a pack: first minus second kind."""

    pack: str
    first: str
    second: str
    models: tuple[int, int]
    gap: Estimate


class GapChange(Record):
    """How that differs between two packs, paired by duties: gap under the second minus gap under the first pack."""

    packs: tuple[str, str]
    first: str
    second: str
    change: Estimate
    reason: Sentence = ""
    """Why nothing follows from it, in words."""


class Cultures(Record):
    """The whole comparison."""

    schema_version: Literal[1] = 1
    simulated: bool
    forced: tuple[Sentence, ...] = ()
    """Differences between the runs that were overridden."""
    notices: tuple[Sentence, ...] = ()
    packs: tuple[PackFigures, ...]
    contrasts: tuple[Contrast, ...]
    gaps: tuple[KindGap, ...] = ()
    changes: tuple[GapChange, ...] = ()
