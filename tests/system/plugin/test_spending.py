"""Dry run, budget, repetitions and confirmation, through pytest's own command."""

from __future__ import annotations

import re

import pytest

from support.golden import GOLDEN

PRICED = """\
schema_version = 1
[gate]
min_cases = 1
[prices."compatible:x"]
input = 1000.0
output = 1000.0
"""


def _remote(server) -> str:
    return server.spec("x")


def test_dry_run_names_calls_tokens_cost_and_time_and_calls_nothing(project, chat_server) -> None:
    project.write("thresholds.toml", PRICED)
    result = project.pytest("--jmed-dry-run", "--jmed-judges=demo", model=_remote(chat_server))
    assert result.status == 6, result.output
    assert "GATE: NOT DECIDED" in result.output
    assert "DRY RUN: nothing is called. 42 cases" in result.output
    assert re.search(r"target compatible:x: 126 calls, \d+ \+ 75600 tokens, about \$\d+\.\d\d", result.output)
    assert "judge demo:judge-strict: 126 calls" in result.output
    assert f"golden demo:judge-strict: {GOLDEN} calls" in result.output
    assert "time about" in result.output
    assert chat_server.seen == []
    assert result.run is None
    assert "passed" not in result.output


def test_dry_run_never_counts_an_unknown_price_as_free(project, chat_server) -> None:
    result = project.pytest("--jmed-dry-run", "--jmed-judges=demo", model=_remote(chat_server))
    assert "target compatible:x: 126 calls" in result.output
    assert "price unknown" in result.output
    assert "for the models whose price is known" in result.output


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["plain", "xdist"])
def test_spent_budget_of_calls_ends_with_7_and_everything_stored(small, workers: tuple[str, ...]) -> None:
    result = small.pytest(f"--jmed-budget={2 * GOLDEN + 50}calls", "--jmed-concurrency=2", *workers)
    assert result.status == 7, result.output
    assert f"the budget of {2 * GOLDEN + 50} calls would be exceeded" in result.output
    assert sum(result.calls.values()) <= 50
    assert len(result.ids) == len(set(result.ids)) == 7, "what the budget did not reach is accounted for, too"
    statuses = [verdict["status"] for verdict in result.verdicts]
    assert set(statuses) == {"scored", "skipped_budget"}
    assert 2 <= statuses.count("scored") <= 5
    info = result.read("run.json")
    assert (info["status"], info["stopped_by_budget"]) == ("incomplete", True)
    assert "GATE: PASS" not in result.output

    again = small.pytest("--jmed-concurrency=2")
    assert again.status == 0, again.output
    assert again.calls["target"] <= 21 - 3 * statuses.count("scored")


def test_budget_that_is_large_enough_changes_nothing(small) -> None:
    result = small.pytest(f"--jmed-budget={2 * GOLDEN + 63}calls")
    assert result.status == 0, result.output
    assert result.calls == {"target": 21, "judge": 42}


def test_budget_in_tokens_is_kept(project) -> None:
    result = project.pytest("--jmed-budget=1500000tokens", "--jmed-concurrency=1")
    assert result.status == 7, result.output
    tokens = result.read("run.json")["tokens"].values()
    assert 0 < sum(used["input"] + used["output"] for used in tokens) <= 1500000


def test_budget_in_money_needs_every_price_before_anything_is_spent(project, chat_server) -> None:
    result = project.pytest("--jmed-budget=5", "--jmed-judges=demo", model=_remote(chat_server))
    assert result.status == 4, result.output
    assert "the price of 'compatible:x' is unknown" in result.output
    assert '[prices."compatible:x"]' in result.output
    assert chat_server.seen == []


def test_budget_in_money_follows_the_prices_of_the_thresholds_file(project, chat_server) -> None:
    """Five tokens a call at 1,000 dollars a million: half a cent, and a first guess of half a dollar."""
    project.write("thresholds.toml", PRICED)
    result = project.pytest(
        "--jmed-budget=0.6", "--jmed-judges=demo", "--jmed-concurrency=1", model=_remote(chat_server)
    )
    assert result.status == 7, result.output
    cost = result.read("run.json")["cost_usd"]["target compatible:x"]
    assert cost == pytest.approx(len(chat_server.seen) * 0.005)
    assert 0 < cost <= 0.6


def test_repetitions_are_conversations_of_their_own(new_project) -> None:
    project = new_project(10)
    result = project.pytest("--jmed-repeats=3", "--jmed-cache=use")
    assert result.calls == {"target": 90, "judge": 180}, result.output
    keys = sorted((verdict["case"]["id"], verdict["repeat"]) for verdict in result.verdicts)
    assert len(keys) == len(set(keys)) == 30
    assert {repeat for _, repeat in keys} == {0, 1, 2}
    assert result.conditions["cases"] == "inconclusive", "thirty repetitions of ten cases are ten cases"
    again = project.pytest("--jmed-repeats=4")
    assert again.calls == {"target": 30, "judge": 60}, "three of four repetitions are in the cache"


def test_confirmation_runs_only_narrow_failures_again_and_keeps_every_attempt(project) -> None:
    project.write(
        "thresholds.toml", "schema_version = 1\n[conversation]\nfloor = 3.0\nconfirm = 2\nconfirm_within = 2.0\n"
    )
    result = project.pytest(model="demo:eroding")
    plain = [verdict for verdict in result.verdicts if not verdict["attempts"]]
    repeated = [verdict for verdict in result.verdicts if verdict["attempts"]]
    assert plain
    assert repeated
    for verdict in repeated:
        assert len(verdict["attempts"]) == 2
        assert all(item["value"] > item["floor"] - 2.0 for item in verdict["violations"])
        assert verdict["confirmed"] in (True, False)
    assert result.calls["target"] == 3 * (42 + 2 * len(repeated))
    red = [verdict for verdict in result.verdicts if verdict["violations"] and verdict["confirmed"] is not False]
    assert re.search(rf"^pytest counts \d+ failed: {len(red)} conversations", result.output, re.MULTILINE), (
        result.output
    )
