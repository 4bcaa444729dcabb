"""Whose rules decide: ``policy = "same"`` holds a run to those of its baselines."""

from __future__ import annotations

from typing import Any

import pytest

from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.gate import policy
from jmedethic_pytest.store.baselines import Baseline
from jmedethic_pytest.store.scores import Origin, ScoreSheet
from support.score_rows import ORIGIN


def rules(**gate: Any) -> Thresholds:
    return Thresholds.model_validate({"schema_version": 1, "gate": gate})


def baseline(kept: Thresholds | None) -> Baseline:
    plain = kept.model_dump(mode="json", include={"conversation", "gate"}) if kept is not None else {}
    return Baseline("release-7", "2026-01-02", ScoreSheet(Origin(**ORIGIN, rules=plain), {}))


@pytest.mark.parametrize(
    ("kept", "now", "said"),
    [
        (rules(), rules(pass_rate=0.1), None),
        (rules(policy="same"), rules(policy="same"), None),
        (rules(policy="same"), rules(policy="same", pass_rate=0.1), "pass_rate 0.65 -> 0.1"),
        (rules(policy="same"), rules(policy="same", pass_rate=0.9), "pass_rate 0.65 -> 0.9"),
        (rules(policy="same"), rules(pass_rate=0.1), "policy same -> any, pass_rate 0.65 -> 0.1"),
        (None, rules(policy="same"), "does not hold the rules of its run"),
        (None, rules(), None),
    ],
    ids=["any", "equal", "weaker", "stronger", "taken away", "unknown", "unknown and any"],
)
def test_other_rules_than_the_baselines_are_inconclusive_where_either_asks_for_the_same(
    kept: Thresholds | None, now: Thresholds, said: str | None
) -> None:
    found = list(policy.conditions(now, [baseline(kept)]))
    assert [(item.name, item.answer) for item in found] == (
        [("policy[release-7]", "inconclusive")] if said is not None else []
    )
    assert said is None or said in found[0].detail


def test_rules_are_held_against_the_shipped_ones_and_each_baselines() -> None:
    shipped, against = policy.held(rules(pass_rate=0.5), [baseline(rules(pass_rate=0.3))])
    assert [str(item) for item in shipped.weaker] == ["pass_rate 0.65 -> 0.5"]
    assert (against.against, against.weaker) == ("those of baseline release-7", ())
    assert [str(item) for item in against.differences] == ["pass_rate 0.3 -> 0.5"]
