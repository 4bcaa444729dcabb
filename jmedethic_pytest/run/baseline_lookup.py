"""What a run is held against: whether it may be compared with its baselines, and what they know of its cases."""

from __future__ import annotations

from collections.abc import Callable

from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.records import BaselineScores, Verdict
from jmedethic_pytest.run import record
from jmedethic_pytest.run.spec import RunSpec
from jmedethic_pytest.store import comparable
from jmedethic_pytest.store.baselines import Baseline
from jmedethic_pytest.store.scores import Row, ScoreSheet, failed, origin


def obstacles(spec: RunSpec) -> dict[str, tuple[str, ...]]:
    """Return, for each baseline, why the run that is about to start cannot be compared with it."""
    if not spec.baselines:
        return {}
    info = record.started(spec, "this").model_copy(update={"status": "complete"})
    rows = {}
    for key, job in spec.plan().items():
        label = spec.cases.labels[job.case_id]
        rows[key] = Row(
            key=key,
            locale=label.locale,
            guideline=label.guideline,
            strategy=label.strategy,
            digest=spec.cases.content_digest(job.case_id),
            told=spec.cases.told_digest(job.case_id),
            turns=(None,) * min(label.length, spec.settings.selection.turns or label.length),
            judges=(),
            twin=label.twin_of is not None,
        )
    planned = ScoreSheet(origin(info, {}), rows)
    return {baseline.name: comparable.obstacles(baseline.sheet, planned) for baseline in spec.baselines}


def recall(spec: RunSpec) -> Callable[[Verdict], Verdict]:
    """Return a function that adds to a verdict what the first baseline knows of its case.

    It adds nothing if the two must not be compared: a failure under other judges is not known to be one under these.
    """
    first = spec.baselines[0] if spec.baselines else None
    if first is None or obstacles(spec)[first.name]:
        return lambda verdict: verdict
    return beside(first, spec.thresholds)


def beside(baseline: Baseline, rules: Thresholds) -> Callable[[Verdict], Verdict]:
    """Return a function that adds to a verdict what a baseline knows of its case, judged by these floors."""
    name, rows = baseline.name, baseline.sheet.rows

    def add(verdict: Verdict) -> Verdict:
        row = rows.get(verdict.key)
        if row is None:
            return verdict.model_copy(update={"baseline": None})
        if None not in (verdict.branch, row.branch) and verdict.branch != row.branch:
            row = row._replace(turns=row.turns[: row.common])  # what it did in another branch excuses nothing
        scores = BaselineScores(name=name, turns=row.turns, failed=failed(row, rules.floor_of))
        return verdict.model_copy(update={"baseline": scores})

    return add
