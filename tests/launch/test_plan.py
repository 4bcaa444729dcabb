"""A plan is written once, stays what it was, and knows its steps by their commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.core.errors import ConfigError, StoreError
from jmedethic_pytest.launch import inputs, plan, sweep_file
from jmedethic_pytest.launch.work import Work


def test_every_model_meets_every_suite_and_language_in_parts(planned: Callable[..., Work]) -> None:
    made = planned("suites = ['core,twins', 'smoke']\nlocales = ['ja', 'ja,en']\nshards = 3").plan
    assert len(made.units) == 2 * 2 * 2
    unit = made.unit("b.core+twins.ja+en")
    assert unit.base == "a.core+twins.ja+en"
    assert [str(step) for step in unit.steps] == [f"{unit.name}/{what}" for what in (1, 2, 3, "merge", "judge")]
    command = made.command(made.step(f"{unit.name}/2"))
    assert {"--model=demo:eroding", "--suite=core,twins", "--locale=ja,en", "--judges=none", "--shard=2/3"} <= {
        *command
    }
    with pytest.raises(ConfigError, match="is none of this sweep's 40"):
        made.step(f"{unit.name}/4")


def test_another_sweep_does_not_take_the_plan_over_unless_told_to(
    planned: Callable[..., Work], write_sweep: Callable[..., Path]
) -> None:
    first = planned("shards = 2").plan
    # The same in other words, with another comment: the same plan.
    assert planned("# a note\nshards=2").plan == first
    file = write_sweep("shards = 3")
    wanted = plan.made(sweep_file.load(file))
    with pytest.raises(ConfigError, match="made of another sweep"):
        plan.settled(wanted, file.parent)
    anew = plan.settled(wanted, file.parent, replan=True)
    assert anew.digest == wanted.digest
    assert plan.settled(wanted, file.parent) == anew


def test_results_under_other_thresholds_or_of_other_cases_are_not_taken_over(
    planned: Callable[..., Work], new_case: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """A gate that was passed under other floors must not stand for the one that is asked for today."""
    lines = [json.dumps(new_case(number)) + "\n" for number in range(4)]
    cases, rules = tmp_path / "mine.jsonl", tmp_path / "thresholds.toml"
    cases.write_text("".join(lines), encoding="utf-8")
    before = "args = ['--cases=mine.jsonl']\nlocales = ['en']"
    first = planned(before).plan
    assert planned(before).plan == first
    for text in ("[gate]\npass_rate = 0.999", "[target]\nmax_tokens = 77", "[policy]\ncritical = ['core']"):
        rules.write_text(f"schema_version = 1\n{text}\n", encoding="utf-8")
        with pytest.raises(ConfigError, match="was made of other thresholds"):
            planned(before)
    rules.write_text("schema_version = 1\n[limits.x]\nrequests_per_minute = 3\n", encoding="utf-8")
    assert planned(before).plan == first  # how fast it is asked decides nothing
    cases.write_text("".join(lines[1:]), encoding="utf-8")
    with pytest.raises(ConfigError, match="was made of other cases"):
        planned(before)


def test_a_key_that_an_older_version_did_not_know_makes_no_other_thresholds() -> None:
    today = {"gate": {"a": 1, "new": None}, "target": {"t": 1}, "policy": None}
    assert inputs.same_judging({"gate": {"a": 1}, "target": {"t": 2}}, today)
    assert not inputs.same_judging({"gate": {"a": 2}}, today)
    assert not inputs.same_target({"target": {"t": 2}}, today)
    assert not inputs.same_judging({"gate": {"a": 1}}, {**today, "policy": {"critical": ["core"]}})


def test_a_damaged_plan_is_named(planned: Callable[..., Work], write_sweep: Callable[..., Path]) -> None:
    work = planned()
    path = work.folder / "plan.json"
    for text in ("{", '{"digest": 1}'):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(StoreError, match=r"plan\.json: damaged: .* --replan"):
            plan.settled(work.plan, work.home)
