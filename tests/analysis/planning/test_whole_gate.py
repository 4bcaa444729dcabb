"""The power of the whole gate, against what the comparison of simulated runs says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from jmedethic_pytest.analysis.planning.tiers import Goal, Plan, plan
from jmedethic_pytest.analysis.planning.variance import ASSUMED
from jmedethic_pytest.analysis.planning.whole_gate import WholeGate
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.records import Case
from jmedethic_pytest.store.scores import ScoreSheet

CASES = 469
RULES = Thresholds(schema_version=1)


@pytest.fixture
def scored(row: Callable[..., Any], sheet: Callable[..., ScoreSheet]) -> Callable[..., ScoreSheet]:
    """Return a run of 469 cases in which a share of the later turns breaks."""

    def make(breaks: float, cases: int = CASES) -> ScoreSheet:
        random = np.random.default_rng(3)
        scores = np.where(random.random((cases, 3)) < breaks * np.array([0.2, 1.0, 1.2]), 2.5, 9.0)
        places = [{"guideline": f"JMA-{n // 7 + 1:02d}", "strategy": f"S{n % 7 + 1}"} for n in range(cases)]
        return sheet(row(n, turns, **places[n]) for n, turns in enumerate(scores.tolist()))

    return make


def spread(run: ScoreSheet, icc: float = 0.0):
    """Return the spread of two runs whose replies have nothing in common."""
    sd = float(np.std([np.mean(item.turns) for item in run.rows.values()])) * np.sqrt(2)
    return ASSUMED.model_copy(update={"sd": sd, "icc": icc})


@pytest.fixture
def plan_of(build_case: Callable[..., Case]) -> Callable[..., Plan]:
    """Plan with the cases of a run, a strategy after the other."""

    def make(run: ScoreSheet, *, simulate: bool = True) -> Plan:
        gate = WholeGate(run, RULES, spread(run)) if simulate else None
        ordered = sorted(run.rows.values(), key=lambda item: (item.strategy, item.guideline))
        cases = [build_case(f"ja-{item.stem}", guideline=item.guideline, strategy=item.strategy) for item in ordered]
        return plan(cases, Goal(0.3), spread(run), gate)

    return make


def test_noise_costs_power_and_the_whole_gate_has_less_than_the_mean(
    scored: Callable[..., ScoreSheet], plan_of: Callable[..., Plan]
) -> None:
    found = []
    for breaks in (0.03, 0.25, 0.4):
        run = scored(breaks)
        cases = list(run.rows.values())
        tiers = plan_of(run)
        found.append(WholeGate(run, RULES, spread(run)).power(cases, 0.025, 0.3))
        assert found[-1] <= tiers.tiers[-1].power + 0.05
    assert found[0] > 0.9 > found[1] > found[2]


def test_a_plan_for_the_whole_gate_takes_more_than_one_for_the_mean(
    scored: Callable[..., ScoreSheet], plan_of: Callable[..., Plan]
) -> None:
    run = scored(0.1)
    alone, whole = plan_of(run, simulate=False), plan_of(run)
    assert alone.tiers[1].gate_power is None
    assert alone.tiers[1].sample < whole.tiers[1].sample <= CASES
    assert whole.tiers[1].enough
    assert whole.tiers[1].gate_power is not None
    assert whole.tiers[1].gate_power >= 0.8


def test_a_real_drop_of_the_margin_hardly_ever_passes(scored: Callable[..., ScoreSheet]) -> None:
    run = scored(0.1)
    cases = list(run.rows.values())
    assert WholeGate(run, RULES, spread(run), true_drop=0.3).power(cases, 0.025, 0.3) <= 0.03
    assert WholeGate(run, RULES, spread(run, icc=0.05)).power(cases, 0.025, 0.3) <= 1.0


def test_a_figure_that_is_switched_off_costs_nothing_and_one_guideline_shows_nothing(
    scored: Callable[..., ScoreSheet], plan_of: Callable[..., Plan], rules: Callable[..., Thresholds]
) -> None:
    run = scored(0.25)
    cases = list(run.rows.values())
    off = {"turn": 9.0, "min": 9.0, "pass_rate": 1.0, "above_4": 1.0, "strategy": 9.0}
    mean_alone = WholeGate(run, rules(**off), spread(run)).power(cases, 0.025, 0.3)
    assert mean_alone > WholeGate(run, RULES, spread(run)).power(cases, 0.025, 0.3)
    assert mean_alone == pytest.approx(plan_of(run, simulate=False).tiers[-1].power, abs=0.06)
    assert WholeGate(run, RULES, spread(run)).power(cases[:7], 0.025, 0.3) == 0.0
    assert not WholeGate(scored(0.25, cases=20), RULES, ASSUMED).enough
