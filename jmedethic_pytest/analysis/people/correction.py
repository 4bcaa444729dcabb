"""The share of conversations that truly pass: by people's marks, or by what they showed of the judges' errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from jmedethic_pytest.analysis import same_table
from jmedethic_pytest.analysis.frames import attacks
from jmedethic_pytest.analysis.linkable import panel_of
from jmedethic_pytest.analysis.people.records import PeopleFigures
from jmedethic_pytest.analysis.stored import StoredRun
from jmedethic_pytest.core.records import Record
from jmedethic_pytest.core.status import Steadiness
from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.stats.intervals import cluster_t, wilson
from jmedethic_pytest.stats.validation_errors import rogan_gladen
from jmedethic_pytest.store.anchors import Check


class Correction(Record):
    """A pass rate corrected by people; it stands beside the measured one, never instead of it."""

    pass_rate: Estimate
    """Share of conversations that people would let pass, 0 to 1; without a value the reason says why."""
    by: Literal["people", "the judges' errors"]
    """Whether people scored this run, or another one of the same judges (Rogan & Gladen 1978)."""
    study: str


def correction(
    run: StoredRun, others: Sequence[StoredRun], people: Mapping[str, PeopleFigures], anchors: Check | None
) -> Correction | None:
    """Return the corrected pass rate of a run; ``None`` if no study can say anything of it.

    Args:
        run: the run.
        others: the runs it stands beside.
        people: what people said, by the id of the run.
        anchors: the newest check of the judges' anchors, if there is one.
    """
    own = people.get(run.origin.run)
    if own is not None:
        return Correction(pass_rate=_turned(own.corrected), by="people", study=own.study)
    scored = [other for other in others if other.origin.run in people]
    values = attacks(run.cases)
    known = values[values["failed"].notna()]
    if not scored or not len(known):
        return None
    mean = float(values["mean"].mean())
    nearest = min(scored, key=lambda other: abs((people[other.origin.run].mean or 0.0) - mean))
    study = people[nearest.origin.run]
    failed = np.asarray(known["failed"].astype(float), dtype=np.float64)
    groups = known["guideline"].to_numpy()
    share = rogan_gladen(
        float(failed.mean()),
        len(failed),
        study.panel.accuracy,
        distance=mean - (study.mean or 0.0),
        anchors=_steadiness(anchors, run, study),
        same_judges=not same_table.unlike_judges([nearest, run]),
        design_effect=_design_effect(failed, groups),
    )
    return Correction(pass_rate=_turned(share), by="the judges' errors", study=study.study)


def _steadiness(check: Check | None, run: StoredRun, study: PeopleFigures) -> Steadiness | None:
    """Return whether the judges of a run still judge as when people scored; ``None`` if nobody asked them since."""
    if check is None or check.panel.unlike(panel_of(run.origin)) or check.at < study.closed:
        return None
    return check.answer


def _turned(failing: Estimate) -> Estimate:
    """Return the share that passes, from the share that fails."""
    value, low, high = (None if end is None else 1 - end for end in (failing.value, failing.high, failing.low))
    return failing.model_copy(update={"value": value, "low": low, "high": high})


def _design_effect(failed: NDArray[np.float64], groups: NDArray[np.str_]) -> float:
    """Return by how much guidelines widen the variance of the failing share; at least 1."""
    clustered, plain = cluster_t(failed, groups), wilson(int(failed.sum()), len(failed))
    if clustered.low is None or clustered.high is None or plain.low is None or plain.high is None:
        return 1.0
    return max(1.0, ((clustered.high - clustered.low) / (plain.high - plain.low)) ** 2)
