"""Rules in the points of another panel: floors and margins that were set for the old one, carried over by a link."""

from __future__ import annotations

import math

import numpy as np
from scipy import special  # type: ignore[import-untyped]

from jmedethic_pytest.config.tables import BaselineTable, Thresholds
from jmedethic_pytest.core.scores import BEST, WORST
from jmedethic_pytest.store.links import Link

_DIGITS = 1000


def carried(rules: Thresholds, link: Link) -> Thresholds:
    """Return rules whose floors and margins are those of the old panel, on the scale of the new one.

    A floor of a mean becomes ``L^-1(floor) + t SE``, so that the error of the link, which no number of conversations
    makes smaller, is never to the candidate's credit; one of a median goes by the curve. Margins are multiplied by beta
    where a difference is certainly smaller on the new scale; where it is larger they stay.
    """
    gate = rules.gate
    changed = {
        "mean": {turn: _mean(floor, link, gate.alpha) for turn, floor in gate.mean.items()},
        "median": {turn: _median(floor, link, gate.alpha) for turn, floor in gate.median.items()},
        "strategy_mean": None if gate.strategy_mean is None else _mean(gate.strategy_mean, link, gate.alpha),
        "strategy_means": {name: _mean(floor, link, gate.alpha) for name, floor in gate.strategy_means.items()},
        "baseline": _margins(gate.baseline, _unit(link)),
    }
    return rules.model_copy(update={"gate": gate.model_copy(update=changed)})


def _mean(floor: float, link: Link, alpha: float) -> float:
    at = link.mean_new + (floor - link.mean_old) * link.sd_new / link.sd_old
    return _with_error(floor, at, link, alpha)


def _median(floor: float, link: Link, alpha: float) -> float:
    at = float(np.interp(floor, [point.curve for point in link.grid], [point.new for point in link.grid]))
    return _with_error(floor, at, link, alpha)


def _with_error(floor: float, at: float, link: Link, alpha: float) -> float:
    """Return a floor on the new scale, raised by what the link may err; one that asks for nothing stays so."""
    if floor <= WORST:
        return floor
    error = float(np.interp(at, [point.new for point in link.grid], [point.error for point in link.grid]))
    raised = at + float(special.stdtrit(link.freedom, 1 - alpha)) * error * link.sd_new / link.sd_old
    return min(BEST, max(WORST, math.ceil(raised * _DIGITS) / _DIGITS))


def _unit(link: Link) -> float:
    """Return what margins are multiplied by: never more than 1, a machine widens none."""
    unit = link.unit
    below = unit.value is not None and unit.high is not None and unit.high < 1
    return max(unit.value, 0.01) if below and unit.value is not None else 1.0


def _margins(table: BaselineTable, unit: float) -> BaselineTable:
    """Return margins of points in the new unit; a margin as wide as the scale stays off."""
    span = BEST - WORST

    def narrowed(margin: float) -> float:
        return margin if margin >= span else margin * unit

    return table.model_copy(
        update={
            **{name: narrowed(getattr(table, name)) for name in ("mean", "turn", "min", "language", "strategy")},
            **{
                name: {key: narrowed(margin) for key, margin in getattr(table, name).items()}
                for name in ("turns", "strategies")
            },
        }
    )
