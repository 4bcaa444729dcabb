"""Several models side by side: models x turns with intervals, groups of models, fine-tunes against their base."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jmedethic_pytest.analysis import same_table
from jmedethic_pytest.analysis.distribution import share_passed
from jmedethic_pytest.analysis.frames import asked_alike, attacks, mean_of_repeats
from jmedethic_pytest.analysis.model_groups import GroupComparison, ModelFigures, compare_groups
from jmedethic_pytest.analysis.people.correction import Correction, correction
from jmedethic_pytest.analysis.people.records import PeopleFigures
from jmedethic_pytest.analysis.public_gap import Gap, gaps
from jmedethic_pytest.analysis.stored import StoredRun
from jmedethic_pytest.core.records import Record
from jmedethic_pytest.core.scores import BEST, WORST
from jmedethic_pytest.exam.stored import ExamResult, Quadrant, accuracy, different_exams, quadrant
from jmedethic_pytest.stats.estimate import Estimate, Test
from jmedethic_pytest.stats.intervals import bootstrap_mean, cluster_t
from jmedethic_pytest.stats.multiplicity import holm
from jmedethic_pytest.stats.paired import wilcoxon
from jmedethic_pytest.store.anchors import Check


class Entry(Record):
    """One model of the leaderboard; adversarial cases only, intervals 95 %, clustered by guideline."""

    name: str
    """How the run was named on the command line."""
    run: str
    model: str
    group: str = ""
    simulated: bool
    n: int
    """Conversations with a score at every turn."""
    missing: int
    """Conversations that lack one."""
    mean: Estimate
    """Mean over the turns of a conversation."""
    turns: tuple[Estimate, ...]
    pass_rate: Estimate
    """Share of conversations with every turn above 2: the paper's rule, whatever the floors of the run."""
    corrected: Correction | None = None
    """The pass rate as people correct it; ``None`` if no study can say anything of this run."""
    helpfulness: float | None = None
    """Accuracy on the newest exam of the model in the language of the run, 0 to 1."""
    exam: str = ""
    """Id of that exam."""
    quadrant: Quadrant | None = None

    def figures(self) -> ModelFigures:
        """Return what a comparison of groups needs."""
        turns = tuple(turn.value for turn in self.turns)
        return ModelFigures(model=self.name, turns=turns, mean=self.mean.value, pass_rate=self.pass_rate.value)


class FineTune(Record):
    """A fine-tuned model against its base, paired by conversation: tuned minus base, below zero is less safe."""

    base: str
    tuned: str
    pairs: int
    mean: Estimate
    turns: tuple[Estimate, ...]
    pass_rate: Estimate
    test: Test
    """Wilcoxon signed-rank on conversation means, Holm over all fine-tunes."""


class Leaderboard(Record):
    """The whole table."""

    schema_version: Literal[1] = 1
    forced: tuple[str, ...] = ()
    """Differences between the runs that were overridden: with any of them the table compares unlike things."""
    notices: tuple[str, ...] = ()
    shared_cases: int
    """Evaluations that all runs have; with overridden differences only these count, if there are any."""
    entries: tuple[Entry, ...]
    """The safest first."""
    groups: GroupComparison | None = None
    fine_tunes: tuple[FineTune, ...] = ()
    gaps: tuple[Gap, ...] = ()
    """Of models that were also run on private conversations."""


def leaderboard(
    runs: Sequence[StoredRun],
    *,
    groups: Mapping[str, Sequence[StoredRun]] | None = None,
    pairs: Sequence[tuple[StoredRun, StoredRun]] = (),
    private: Sequence[StoredRun] = (),
    exams: Sequence[ExamResult] = (),
    people: Mapping[str, PeopleFigures] | None = None,
    anchors: Check | None = None,
) -> Leaderboard:
    """Compute the table. The caller has checked :func:`alike.obstacles`; what it overrode is labelled here.

    Args:
        runs: one run a model.
        groups: runs of each group by its name.
        pairs: (base, tuned).
        private: runs of some of the models on private conversations.
        exams: stored exams, oldest first.
        people: what people said of a run, by its id.
        anchors: the newest check of the judges' anchors, if there is one.

    Raises:
        ConfigError: for a private run that cannot be held against a listed one.
    """
    overridden = same_table.obstacles(runs)
    shared = same_table.shared(runs)
    used = {run.name: run.keeping(shared) if overridden and shared else run for run in runs}
    group_of = {run.name: name for name, members in (groups or {}).items() for run in members}
    entries = [entry(run, group_of.get(run.name, ""), exams) for run in used.values()]
    found = {run.origin.run: correction(run, runs, people or {}, anchors) for run in runs}
    entries = [item.model_copy(update={"corrected": found[item.run]}) for item in entries]
    entries.sort(key=lambda item: (item.mean.value is None, -(item.mean.value or 0.0), item.name))
    sat = [accuracy(exams, run.origin.model, run.locales) for run in runs]
    unlike = different_exams([exam for exam in sat if exam is not None])
    figures = {item.name: item.figures() for item in entries}
    members = {name: [figures[run.name] for run in chosen] for name, chosen in (groups or {}).items()}
    return Leaderboard(
        forced=overridden,
        notices=(*same_table.notices(runs), *([unlike] if unlike else [])),
        shared_cases=len(shared),
        entries=tuple(entries),
        groups=compare_groups(members) if members else None,
        fine_tunes=_fine_tunes([(used[base.name], used[tuned.name]) for base, tuned in pairs]),
        gaps=gaps(list(used.values()), private),
    )


def entry(run: StoredRun, group: str = "", exams: Sequence[ExamResult] = ()) -> Entry:
    """Return the figures of one run."""
    cases, rows = attacks(run.cases), attacks(run.rows)
    passed = 1.0 - cases["failed"].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    rate = share_passed(passed, cases["guideline"].to_numpy())
    exam = accuracy(exams, run.origin.model, run.locales)
    helpful = exam.accuracy if exam else None
    return Entry(
        name=run.name,
        run=run.origin.run,
        model=run.origin.model,
        group=group,
        simulated=run.origin.simulated_target,
        n=int(cases["mean"].notna().sum()),
        missing=int(cases["mean"].isna().sum()),
        mean=cluster_t(cases["mean"].to_numpy(), cases["guideline"].to_numpy()).within(WORST, BEST),
        turns=tuple(
            cluster_t(turn["value"].to_numpy(), turn["guideline"].to_numpy()).within(WORST, BEST)
            for _, turn in rows.groupby("turn")
        ),
        pass_rate=rate,
        helpfulness=helpful,
        exam=exam.id if exam else "",
        quadrant=quadrant(rate.value, helpful),
    )


def _fine_tunes(pairs: Sequence[tuple[StoredRun, StoredRun]]) -> tuple[FineTune, ...]:
    found = [fine_tune(base, tuned) for base, tuned in pairs]
    adjusted = holm([item.test.p for item in found])
    return tuple(
        item.model_copy(update={"test": item.test.model_copy(update={"p_adjusted": p, "adjustment": "Holm"})})
        for item, p in zip(found, adjusted, strict=True)
    )


def fine_tune(base: StoredRun, tuned: StoredRun) -> FineTune:
    """Compare two models on the cases that both have, repetitions averaged."""
    means = _paired(attacks(base.cases), attacks(tuned.cases), "mean")
    before, after = attacks(base.rows), attacks(tuned.rows)
    turns = sorted(set(before["turn"]) & set(after["turn"]))
    by_turn = [_of_turn(before, after, turn) for turn in turns]
    rates = _paired(_with_passed(base.cases), _with_passed(tuned.cases), "passed")
    return FineTune(
        base=base.name,
        tuned=tuned.name,
        pairs=len(means[0]),
        mean=cluster_t(*means).of_difference(),
        turns=tuple(cluster_t(*values).of_difference() for values in by_turn),
        pass_rate=bootstrap_mean(*rates),
        test=wilcoxon(means[0]),
    )


def _of_turn(base: pd.DataFrame, tuned: pd.DataFrame, turn: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the differences at one turn, of the cases that both were asked in the same branch."""
    first, second = (rows[rows["turn"] == turn] for rows in (base, tuned))
    alike = asked_alike(pd.concat([first, second]), "case")["case"]
    return _paired(first[first["case"].isin(alike)], second[second["case"].isin(alike)], "value")


def _paired(base: pd.DataFrame, tuned: pd.DataFrame, value: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the differences (tuned minus base) of the cases both have, and their guidelines."""
    wide = pd.concat(
        {"base": mean_of_repeats(base, ["case"], value), "tuned": mean_of_repeats(tuned, ["case"], value)}, axis=1
    )
    difference = (wide["tuned"] - wide["base"]).dropna()
    guidelines = base.drop_duplicates("case").set_index("case")["guideline"].reindex(difference.index)
    return difference.to_numpy(dtype=np.float64), guidelines.to_numpy()


def _with_passed(cases: pd.DataFrame) -> pd.DataFrame:
    chosen = attacks(cases)
    passed = 1.0 - chosen["failed"].astype("Float64")
    return chosen.assign(passed=passed.to_numpy(dtype=float, na_value=np.nan))
