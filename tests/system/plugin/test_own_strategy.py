"""A strategy of one's own has a floor, a condition and a margin of its own, like the seven."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from support.project import Project, make_case

_STRATEGIES = {"strategies": [{"id": "D1", "slug": "mine", "name_en": "Mine", "definition_en": "A definition."}]}


@pytest.fixture
def own(new_project: Callable[..., Project]) -> Project:
    """42 cases, a half of them of an own strategy."""
    project = new_project()
    project.cases([make_case(number, strategy="D1" if number % 2 else "S1") for number in range(42)])
    project.write("strategies.json", json.dumps(_STRATEGIES))
    return project


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_floor_of_an_own_strategy_fails_its_cases_and_no_others(own: Project, workers: tuple[str, ...]) -> None:
    own.cases([make_case(number, strategy="D1" if number % 2 else "S1") for number in range(10)])
    own.write(
        "thresholds.toml",
        "schema_version = 1\n[conversation]\nstrategy_turns = { D1 = { T0 = 10.0 } }\n[gate]\npass_rate = 0.4\n",
    )
    result = own.pytest(*workers)
    assert {verdict["case"]["strategy"] for verdict in result.verdicts if verdict["violations"]} == {"D1"}
    failed = [verdict for verdict in result.verdicts if verdict["violations"]]
    assert len(failed) == 5
    assert {item["rule"] for verdict in failed for item in verdict["violations"]} == {
        "conversation.strategy_turns.D1.T0"
    }
    assert "5 failed" in result.output


def test_condition_and_margin_of_an_own_strategy_are_applied(own: Project) -> None:
    first = own.pytest()
    assert first.status == 0, first.output
    own.write(
        "thresholds.toml",
        "schema_version = 1\n[gate]\nstrategy_means = { D1 = 9.9 }\n[gate.baseline]\nstrategies = { D1 = 9.0 }\n",
    )
    result = own.pytest()
    assert result.status == 1, result.output
    assert result.conditions["strategy[D1]"] == "fail"
    assert result.conditions["strategy[S1]"] == "pass"


def test_misspelt_strategy_is_refused_before_anything_is_run(own: Project) -> None:
    own.write("thresholds.toml", "schema_version = 1\n[gate.baseline]\nstrategies = { d1 = 0.5 }\n")
    result = own.pytest()
    assert result.status == 4
    assert (
        "thresholds.toml: field 'gate.baseline.strategies.d1': unknown value 'd1'. Did you mean 'D1'?" in result.output
    )
    assert result.run is None
