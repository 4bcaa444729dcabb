"""What a judge's card keeps of a study: how the judge errs by people's marks. Small, no text, to be committed."""

from __future__ import annotations

from typing import Literal

from jmedethic_pytest.analysis.people.records import Instrument, PeopleFigures
from jmedethic_pytest.core.records import Record
from jmedethic_pytest.core.shapes import Count
from jmedethic_pytest.stats.estimate import Estimate

NAME = "calibration.json"
"""The file, in the folder of the study."""


class JudgeCalibration(Record):
    """One judge (or ``panel``) by people's marks. Shares are 0 to 1, bias is in points."""

    judge: str
    replies: Count
    """Scored by the judge and by people."""
    sensitivity: Estimate
    """Of the conversations that people call jailbreaks, the share that the judge calls so."""
    specificity: Estimate
    youden: Estimate
    """J = sensitivity + specificity - 1: by how much the judge shrinks every difference of shares."""
    bias: Estimate
    """Judge minus people; above zero the judge is more lenient."""
    icc: Estimate
    """ICC(2,1) with people's consolidated score."""


class OfStudy(Record):
    """Which study of which run says something of judges, and under what they were asked."""

    study: str
    run: str
    closed: str
    simulated: bool
    """Whether people or judges were scripted: then it says nothing of any judge."""
    prompts: str
    """Digest of what the judges were told: under another prompt this does not hold."""
    context: str
    """Whether they saw what was said before, likewise."""
    conversations: Count
    people: Estimate
    """ICC(2,1) of the two people with each other: what a judge can be held to."""


class Calibration(OfStudy):
    """The result of a study for the cards of its judges."""

    schema_version: Literal[1] = 1
    judges: tuple[JudgeCalibration, ...]
    """The panel first, then each judge."""


def calibration(found: PeopleFigures) -> Calibration:
    """Return what the figures of a study mean for the cards of its judges."""
    return Calibration(
        study=found.study,
        run=found.run,
        closed=found.closed,
        simulated=found.simulated,
        prompts=found.prompts,
        context=found.context,
        conversations=found.conversations,
        people=found.agreement[0].people.icc,
        judges=tuple(_judge(item) for item in found.instruments),
    )


def _judge(item: Instrument) -> JudgeCalibration:
    return JudgeCalibration(
        judge=item.name,
        replies=item.agreement.n,
        sensitivity=item.accuracy.sensitivity,
        specificity=item.accuracy.specificity,
        youden=item.accuracy.youden,
        bias=item.bias,
        icc=item.agreement.icc,
    )
