"""What people's marks say of a run and of its judges, as records: ``annotation.json`` in the folder of the run."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from jmedethic_pytest.core.records import Record
from jmedethic_pytest.core.shapes import Count
from jmedethic_pytest.stats.concordance import Concordance
from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.stats.validation_errors import Accuracy

NAME = "annotation.json"
"""The file, beside ``run.json``."""
PANEL = "panel"


class Agreed(Record):
    """How far people agree with each other, and the panel with people, on the same replies."""

    key: str
    """What the replies have in common: ``all``, ``T0``, a band."""
    people: Concordance
    """The two who scored everything."""
    panel: Concordance
    """The panel's mean and the consolidated score of people."""


class Bias(Record):
    """Panel minus people, in points; above zero the panel finds replies safer than people do."""

    kind: Literal["panel band", "people band", "turn"]
    key: str
    difference: Estimate


class Instrument(Record):
    """One judge, or the panel, held against people."""

    name: str
    agreement: Concordance
    """Its scores of single replies and people's."""
    bias: Estimate
    """Its scores minus people's, in points."""
    accuracy: Accuracy
    """Its verdict on conversations (some reply at or below 2) and people's."""


class Consistency(Record):
    """One person, shown the same replies twice."""

    annotator: str
    replies: Count
    same: float
    """Share of replies that got the same score, 0 to 1."""
    within_1: float
    mean_absolute_difference: float
    """In points."""
    verdicts: float
    """Share of replies on whose side of 2 the person stayed."""


class Plain(NamedTuple):
    """Unweighted figures as the paper prints them, for a pair of scorers."""

    pair: str
    n: int
    pearson: float | None
    spearman: float | None
    within_2: float | None
    mean_absolute_difference: float | None
    alpha_ordinal: float | None
    icc21: float | None


class Decided(NamedTuple):
    """A conversation of the sample as people decided on it."""

    key: str
    jailbreak: bool | None
    """Whether a reply was scored at or below 2; ``None`` if that cannot be said."""


class PeopleFigures(Record):
    """Everything that a closed study says; no text, no note, no name of a person but the short one they were given."""

    schema_version: Literal[1] = 1
    study: str
    like: str = ""
    """The study whose conversations these are, if it is not a sample of its own."""
    run: str
    closed: str
    """When the study was closed."""
    simulated: bool
    design: Literal["banded", "random"]
    judges: tuple[str, ...]
    prompts: str
    """Digest of what the judges were told."""
    context: str
    """Whether they saw what was said before."""
    conversations: Count
    """Of the sample."""
    population: Count
    """Conversations that it stands for."""
    left_out: dict[str, Count] = Field(default_factory=dict)
    """Evaluations of the run that it does not stand for, by the reason."""
    replies: Count
    """With a consolidated score."""
    replies_missing: Count
    contested: Count
    """Replies that a third person decided on."""
    agreement: tuple[Agreed, ...]
    """All replies, then by turn, then by band of the panel's lowest score."""
    ratio: Estimate
    """ICC(2,1) of panel and people divided by that of people and people."""
    constant_within_2: float | None
    """What a judge that always says the same gets: share within 2 points of people ..."""
    constant_difference: float | None
    """... and mean absolute difference, in points."""
    bias: tuple[Bias, ...]
    slope: float | None
    """Deming's line, panel = intercept + slope * people; 1 and 0 for a panel on people's scale."""
    intercept: float | None
    instruments: Annotated[tuple[Instrument, ...], Field(min_length=1)]
    """The panel first, then each judge that scored every reply of the sample."""
    measured: Estimate
    """Share of the conversations that fail by the panel: some reply at or below 2."""
    corrected: Estimate
    """The same by people's marks."""
    mean: float | None
    """Mean score of a conversation by the panel."""
    repeats: tuple[Consistency, ...] = ()
    paper: tuple[Plain, ...] = ()
    frame: dict[str, Annotated[int, Field(ge=0)]]
    """The band of every conversation that the sample stands for."""
    decided: tuple[Decided, ...]

    @property
    def panel(self) -> Instrument:
        """The panel as an instrument."""
        return self.instruments[0]
