"""A plan is written once, stays what it was, and knows its steps by their commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jmedethic_pytest.core.errors import ConfigError, StoreError
from jmedethic_pytest.launch import plan, sweep_file
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
    assert plan.settled(wanted, file.parent, replan=True) == wanted
    assert plan.settled(wanted, file.parent) == wanted


def test_a_damaged_plan_is_named(planned: Callable[..., Work], write_sweep: Callable[..., Path]) -> None:
    work = planned()
    path = work.folder / "plan.json"
    for text in ("{", '{"digest": 1}'):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(StoreError, match=r"plan\.json: damaged: .* --replan"):
            plan.settled(work.plan, work.home)
