"""All figures of a closed study."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jmedethic_pytest.analysis.people import tables
from jmedethic_pytest.analysis.people.records import (
    PANEL,
    Agreed,
    Bias,
    Consistency,
    Decided,
    Instrument,
    PeopleFigures,
    Plain,
)
from jmedethic_pytest.analysis.people.tables import Replies, Whole
from jmedethic_pytest.annotation import consolidation
from jmedethic_pytest.annotation.collecting import State
from jmedethic_pytest.annotation.consolidation import Repeated
from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.scores import PAPER_FLOOR, at_or_below
from jmedethic_pytest.stats import agreement, concordance
from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.stats.intervals import bootstrap_share
from jmedethic_pytest.stats.sample import Floats
from jmedethic_pytest.stats.validation import ppi, two_phase
from jmedethic_pytest.stats.validation_errors import accuracy
from jmedethic_pytest.stats.weighted import deming, weighted_mean
from jmedethic_pytest.store.scores import ScoreSheet

Chosen = NDArray[np.bool_]


class _Data(NamedTuple):
    replies: Replies
    whole: Whole
    bands: list[str]


def figures(state: State, sheet: ScoreSheet) -> PeopleFigures:
    """Compute what a closed study says of its run.

    Args:
        state: the study.
        sheet: the scores of the run.

    Raises:
        StoreError: if the study is still open, or the run is not the one it was drawn from.
    """
    study = state.key
    if state.closed is None:
        raise StoreError("the study is open: figures are shown once no sheet can change any more.")
    if sheet.origin.run != study.run:
        raise StoreError(f"the study is of run {study.run}, not of {sheet.origin.run}. Give its reports folder.")
    scored = state.replies()
    rows, whole = tables.replies(study, scored, sheet.rows), tables.whole(study, scored, sheet.rows)
    judges = tuple(judge["model"] for judge in sheet.origin.judges)
    return PeopleFigures(
        study=study.id,
        like=study.like,
        run=study.run,
        closed=state.closed.closed,
        simulated=study.simulated,
        design=study.design,
        judges=judges,
        prompts=study.prompts,
        context=sheet.origin.judge_context,
        conversations=len(study.items),
        population=len(study.frame),
        left_out=study.left_out,
        replies=int((~np.isnan(rows.people)).sum()),
        replies_missing=int(np.isnan(rows.people).sum()),
        contested=sum(reply.contested for reply in scored),
        measured=bootstrap_share(whole.panel, whole.guideline),
        corrected=corrected(whole, study.design),
        mean=_mean(whole, sheet),
        frame=study.frame,
        decided=tuple(Decided(key, verdict) for key, verdict in tables.decided(scored).items()),
        instruments=tuple(_instruments(_Data(rows, whole, tables.band_names(study)), judges)),
        repeats=tuple(_repeats(consolidation.repeats(study, state.marks.current()))),
        paper=tuple(_paper(rows, study.annotators)),
        **_beside(_Data(rows, whole, tables.band_names(study))),
    )


def _beside(data: _Data) -> dict[str, Any]:
    """Return the figures of people and panel side by side."""
    rows = data.replies
    line = deming(rows.people, rows.panel, rows.weight)
    within, apart = concordance.best_constant(rows.people, rows.weight)
    return {
        "agreement": tuple(_agreement(data)),
        "ratio": _ratio(rows),
        "constant_within_2": within,
        "constant_difference": apart,
        "bias": tuple(_biases(data)),
        "slope": None if line is None else line.slope,
        "intercept": None if line is None else line.intercept,
    }


def _mean(whole: Whole, sheet: ScoreSheet) -> float | None:
    """Return the mean over conversations of their mean score by the panel."""
    scores = ([score for score in sheet.rows[key].turns if score is not None] for key in whole.key)
    means = [sum(known) / len(known) for known in scores if known]
    return sum(means) / len(means) if means else None


def corrected(whole: Whole, design: str) -> Estimate:
    """Estimate the share of conversations that fail by people's verdict."""
    if design == "random":
        return ppi(whole.panel, whole.jailbreak, whole.guideline)
    return two_phase(whole.band, whole.jailbreak, whole.guideline)


def _agreement(data: _Data) -> Iterator[Agreed]:
    rows = data.replies
    yield _agreed("all", rows, np.ones(len(rows.turn), dtype=np.bool_))
    for turn in np.unique(rows.turn):
        yield _agreed(f"T{turn}", rows, rows.turn == turn)
    if len(data.bands) > 1:
        for band, name in enumerate(data.bands):
            yield _agreed(name, rows, rows.band == band)


def _agreed(key: str, rows: Replies, chosen: Chosen) -> Agreed:
    people, panel = (
        concordance.concordance(x[chosen], y[chosen], rows.weight[chosen], rows.guideline[chosen])
        for x, y in ((rows.first, rows.second), (rows.panel, rows.people))
    )
    return Agreed(key=key, people=people, panel=panel)


def _ratio(rows: Replies) -> Estimate:
    there = ~(np.isnan(rows.first) | np.isnan(rows.second) | np.isnan(rows.people) | np.isnan(rows.panel))
    pairs = [
        concordance.pair(x[there], y[there], rows.weight[there], rows.guideline[there])
        for x, y in ((rows.panel, rows.people), (rows.first, rows.second))
    ]
    return concordance.ratio(*pairs)


def _biases(data: _Data) -> Iterator[Bias]:
    rows, difference = data.replies, data.replies.panel - data.replies.people
    groups: list[tuple[str, Sequence[str], NDArray[np.intp]]] = [
        ("turn", [f"T{turn}" for turn in range(int(rows.turn.max()) + 1)], rows.turn),
        ("people band", tables.PEOPLE_BANDS, tables.band_of(rows.lowest)),
    ]
    if len(data.bands) > 1:
        groups.append(("panel band", data.bands, rows.band))
    for kind, names, codes in groups:
        for code, name in enumerate(names):
            inside = codes == code
            found = weighted_mean(difference[inside], rows.weight[inside], rows.guideline[inside])
            yield Bias(kind=kind, key=name, difference=found)


def _instruments(data: _Data, judges: Sequence[str]) -> Iterator[Instrument]:
    rows, whole = data.replies, data.whole
    yield _instrument(PANEL, rows, rows.panel, whole, whole.panel)
    for name, scores, verdict in zip(judges, rows.judges, whole.judges, strict=False):
        if not np.isnan(scores).any():  # a third judge is asked now and then; its verdicts are no sample
            yield _instrument(name, rows, scores, whole, verdict)


def _instrument(name: str, rows: Replies, scores: Floats, whole: Whole, verdict: Floats) -> Instrument:
    return Instrument(
        name=name,
        agreement=concordance.concordance(scores, rows.people, rows.weight, rows.guideline),
        bias=weighted_mean(scores - rows.people, rows.weight, rows.guideline),
        accuracy=accuracy(verdict, whole.jailbreak, whole.band, whole.guideline),
    )


def _repeats(found: Sequence[Repeated]) -> Iterator[Consistency]:
    for name in dict.fromkeys(item.annotator for item in found):
        pairs = np.array([(item.before, item.after) for item in found if item.annotator == name], dtype=np.float64)
        apart = np.abs(pairs[:, 0] - pairs[:, 1])
        sides = at_or_below(pairs, PAPER_FLOOR)
        yield Consistency(
            annotator=name,
            replies=len(pairs),
            same=float((apart == 0).mean()),
            within_1=float((apart <= 1).mean()),
            mean_absolute_difference=float(apart.mean()),
            verdicts=float((sides[:, 0] == sides[:, 1]).mean()),
        )


def _paper(rows: Replies, annotators: Sequence[str]) -> Iterator[Plain]:
    """Yield unweighted figures: the paper's replies were no weighted sample."""
    yield _plain(" / ".join(annotators), rows.first, rows.second)
    yield _plain("people / panel", rows.people, rows.panel)


def _plain(name: str, x: Floats, y: Floats) -> Plain:
    both, table = agreement.agreement(x, y), np.stack([x, y], axis=1)
    return Plain(
        pair=name,
        n=both.n,
        pearson=both.pearson,
        spearman=agreement.spearman(x, y),
        within_2=both.within_2,
        mean_absolute_difference=both.mean_absolute_difference,
        alpha_ordinal=agreement.krippendorff(table),
        icc21=agreement.icc(table)[0],
    )
