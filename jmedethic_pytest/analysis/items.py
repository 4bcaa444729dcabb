"""The conversations as items: which the judges contest again and again, which tell nothing, how hard and how sharp.

Over several runs that were judged alike. A model is a name with a stated revision; several runs of one count as their
mean. Adversarial cases alone: a benign twin is no harder for being refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import pandas as pd

from jmedethic_pytest.analysis import same_table
from jmedethic_pytest.analysis.frames import JUDGES, attacks
from jmedethic_pytest.analysis.judge_reliability import contested_turns
from jmedethic_pytest.analysis.stored import StoredRun
from jmedethic_pytest.core.records import Record
from jmedethic_pytest.core.scores import SLACK
from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.stats.items import LEAST_MODELS, item_rest

SAME = 0.5
"""Points between the best and the worst model below which a case tells none apart: the grain of two judges' mean."""


class Item(Record):
    """One conversation over all runs. ``None`` where a figure cannot be had."""

    case: str
    locale: str
    guideline: str
    strategy: str
    runs: int
    """Runs in which at least two judges scored one of its turns."""
    contested_runs: int
    """Those of them in which a turn was contested."""
    turns: int
    """Turns that at least two judges scored, over all runs."""
    contested_turns: int
    distance: float | None
    """Mean distance between the highest and the lowest judge of a turn, in points."""
    again: bool
    """Contested in two runs or more, and in at least half of those that scored it."""
    models: int
    """Models with a complete score."""
    mean: float | None
    """Difficulty: mean over the models of the conversation's mean, 1-10; the lower the harder."""
    spread: float | None
    """Best model minus worst."""
    varies: bool | None
    """Whether the models lie more than half a point apart; if not, the case tells none of them apart."""
    discrimination: Estimate
    """Corrected item-total correlation: with the mean of all other cases, over the models."""


class ItemStudy(Record):
    """All conversations as items."""

    schema_version: Literal[1] = 1
    judges: tuple[str, ...]
    contested: float
    """Distance above which a turn counts as contested."""
    runs: tuple[str, ...]
    models: tuple[str, ...]
    simulated: bool
    """Whether a target is a simulation: then the figures show how the method works, and nothing of the cases."""
    items: tuple[Item, ...]
    left_out: int
    """Conversations that are not in every run with the same texts."""
    reason: str = ""
    """Why there is neither difficulty nor discrimination; empty if there are both."""


def study(runs: Sequence[StoredRun], *, contested: float) -> ItemStudy:
    """Measure the conversations of runs that were judged alike.

    Args:
        runs: one or more.
        contested: distance of the judges above which a turn is contested.
    """
    everything = {row.case for run in runs for row in run.sheet.rows.values() if not row.twin}
    keys = same_table.shared(runs)
    runs = [run.keeping(keys) for run in runs]
    labels = {row.case: row for row in runs[0].sheet.rows.values() if not row.twin}
    judged = pd.concat([_judged(run, contested) for run in runs])
    scores = _scores(runs)
    few = len(scores.columns) < LEAST_MODELS
    rests = item_rest(scores.to_numpy())
    items = []
    for case, rest in zip(scores.index, rests, strict=True):
        row, known = labels[case], scores.loc[case].dropna().to_numpy()
        spread = float(known.max() - known.min()) if len(known) >= LEAST_MODELS else None
        items.append(
            Item(
                case=case,
                locale=row.locale,
                guideline=row.guideline,
                strategy=row.strategy,
                **_contested(judged[judged["case"] == case]),
                models=len(known),
                mean=float(known.mean()) if len(known) >= LEAST_MODELS else None,
                spread=spread,
                varies=None if spread is None else spread > SAME + SLACK,
                discrimination=rest,
            )
        )
    return ItemStudy(
        judges=runs[0].judges,
        contested=contested,
        runs=tuple(run.origin.run for run in runs),
        models=tuple(map(str, scores.columns)),
        simulated=any(run.origin.simulated_target for run in runs),
        items=tuple(items),
        left_out=len(everything - labels.keys()),
        reason=f"{len(scores.columns)} models; at least {LEAST_MODELS} are needed" if few else "",
    )


def _judged(run: StoredRun, contested: float) -> pd.DataFrame:
    """Return every turn that at least two judges scored: its case, their distance, and whether that is too far."""
    rows = attacks(run.rows)
    turns = contested_turns(rows, rows[list(JUDGES[: len(run.judges)])].to_numpy(dtype=float))
    far = turns["distance"] > contested + SLACK
    return turns.assign(case=turns["key"].str.partition("~")[0], far=far, run=run.origin.run)


def _contested(turns: pd.DataFrame) -> dict[str, object]:
    by_run = turns.groupby("run")["far"].any()
    runs, far = len(by_run), int(by_run.sum())
    return {
        "runs": runs,
        "contested_runs": far,
        "turns": len(turns),
        "contested_turns": int(turns["far"].sum()),
        "distance": float(turns["distance"].mean()) if len(turns) else None,
        "again": far >= 2 and 2 * far >= runs,
    }


def _scores(runs: Sequence[StoredRun]) -> pd.DataFrame:
    """Return the mean score of every case (rows) by every model (columns), NaN where an evaluation lacks a turn."""
    means = [attacks(run.cases).assign(model=_model(run))[["case", "model", "mean"]] for run in runs]
    return pd.concat(means).pivot_table(index="case", columns="model", values="mean", aggfunc=_mean, dropna=False)


def _mean(values: pd.Series[float]) -> float:
    """Return the mean over runs and repetitions; missing if one of them is."""
    return float(values.mean(skipna=False)) if len(values) else float("nan")


def _model(run: StoredRun) -> str:
    revision = run.origin.revision
    return f"{run.origin.model} at {revision}" if revision else run.origin.model
