"""How sharp a run turned out to be: half-widths, and the margin that a comparison of two runs could show."""

from __future__ import annotations

from typing import Literal

from scipy import special  # type: ignore[import-untyped]

from jmedethic_pytest.analysis.leaderboard import entry, fine_tune
from jmedethic_pytest.analysis.planning.tiers import Goal
from jmedethic_pytest.analysis.planning.variance import Spread, measure
from jmedethic_pytest.analysis.planning.whole_gate import WholeGate
from jmedethic_pytest.analysis.stored import StoredRun
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.records import Record
from jmedethic_pytest.stats.estimate import Estimate


class Figure(Record):
    """One figure and how well it is known."""

    name: str
    """``mean``, ``T0`` ... in points; ``pass_rate`` as a share."""
    estimate: Estimate
    half_width: float | None
    """Half of the 95 % interval, clustered by guideline."""


class Achieved(Record):
    """The sharpness of a run, or of its difference from another one."""

    schema_version: Literal[1] = 1
    run: str
    model: str
    against: str | None = None
    """Id of the run it was compared with; then the figures are differences: the run minus this one."""
    figures: tuple[Figure, ...]
    spread: Spread | None = None
    """How the two runs differ case by case."""
    margin: float
    """The margin asked for."""
    detects: float | None = None
    """Smallest margin on the mean score that these two runs could show with the power asked for."""
    enough: bool | None = None
    """Whether that is at most the margin asked for; ``None`` without a second run, or if it is not estimable."""
    gate_power: float | None = None
    """Probability that every figure of the gate passes an unchanged model on these cases; ``None`` without a second
    run, or with fewer than thirty scored conversations."""


def achieved(run: StoredRun, goal: Goal, against: StoredRun | None = None, rules: Thresholds | None = None) -> Achieved:
    """Measure the sharpness of a run, and of its comparison with another one if that is given.

    Args:
        run: the run.
        goal: what a comparison must be able to show.
        against: the other one.
        rules: floors and margins of the gate, to simulate the whole of it.
    """
    name, model = run.origin.run, run.origin.model
    if against is None:
        own = entry(run)
        figures = _figures(own.mean, own.turns, own.pass_rate)
        return Achieved(run=name, model=model, figures=figures, margin=goal.margin)
    change = fine_tune(against, run)
    detects, spread = _detects(change.mean, goal), measure(against.sheet, run.sheet)
    return Achieved(
        run=name,
        model=model,
        against=against.origin.run,
        figures=_figures(change.mean, change.turns, change.pass_rate),
        spread=spread,
        margin=goal.margin,
        detects=detects,
        enough=None if detects is None else detects <= goal.margin,
        gate_power=_gate_power(run, against, goal, rules, spread) if rules is not None and spread is not None else None,
    )


def _gate_power(run: StoredRun, against: StoredRun, goal: Goal, rules: Thresholds, spread: Spread) -> float | None:
    gate = WholeGate(against.sheet, rules, spread, true_drop=goal.true_drop)
    common = [row for key, row in run.sheet.rows.items() if key in against.sheet.rows and not row.twin]
    return gate.power(common, goal.alpha, goal.margin) if gate.enough else None


def _figures(mean: Estimate, turns: tuple[Estimate, ...], rate: Estimate) -> tuple[Figure, ...]:
    named = {"mean": mean, **{f"T{index}": turn for index, turn in enumerate(turns)}, "pass_rate": rate}
    return tuple(Figure(name=name, estimate=found, half_width=half_width(found)) for name, found in named.items())


def half_width(found: Estimate) -> float | None:
    """Return half the width of an interval, ``None`` where there is none."""
    return None if found.low is None or found.high is None else (found.high - found.low) / 2


def _detects(mean: Estimate, goal: Goal) -> float | None:
    """Return the margin that this difference could show, from its own standard error."""
    half = half_width(mean)
    if half is None:
        return None
    freedom = mean.clusters - 1
    error = half / float(special.stdtrit(freedom, (1 + mean.level) / 2))
    quantiles = sum(float(special.stdtrit(freedom, probability)) for probability in (1 - goal.alpha, goal.power))
    return goal.true_drop + quantiles * error
