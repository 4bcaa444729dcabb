"""Packs against each other: golden figures, and answers that are none."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jmedethic_pytest.analysis.cultures import arms, compare
from jmedethic_pytest.analysis.cultures.records import LEAST_GROUPS, Cultures
from jmedethic_pytest.analysis.stored import StoredRun
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.data import load
from jmedethic_pytest.reports.cultures import lines, page, tables
from jmedethic_pytest.store.scores import Origin, Row, ScoreSheet
from support.score_rows import ORIGIN

SHARED = [group for group in load("equivalents.json")["groups"] if group["us"] and group["eu"]]
STRATEGIES = tuple(f"S{number}" for number in range(1, 8))
Level = Callable[[int, int], float | None]
"""Score of the conversation under a duty (by number) and a strategy (by number)."""


def run(pack: str, level: Level, model: str = "vllm:base", duties: int = len(SHARED), **changes: Any) -> StoredRun:
    """Return a run of one conversation a duty and strategy; all its turns have the same score."""
    rows = {}
    for place, group in enumerate(SHARED[:duties]):
        for number, strategy in enumerate(STRATEGIES):
            key, value = f"en-{pack}{place:02d}-s{number}", level(place, number)
            rows[key] = Row(
                key=key,
                locale="en",
                guideline=group[pack][0],
                strategy=strategy,
                digest="d",
                turns=(value, value),
                judges=((value, value), (value, value)),
                failed=None if value is None else value <= 2,
                status="scored" if value is not None else "judge_unparsable",
            )
    name = f"{model} ({pack})"
    return StoredRun(name, ScoreSheet(Origin(**{**ORIGIN, "run": f"run-{pack}", "model": model, **changes}), rows))


def compared(*runs: StoredRun, kinds: Mapping[str, list[StoredRun]] | None = None) -> Cultures:
    return compare.cultures(runs, kinds)


def test_a_difference_by_hand() -> None:
    """Duties differ by 1, 2 and 3 points in turn: the mean of these, with Student's t over the duties."""
    found = compared(run("us", lambda *_: 4.0), run("eu", lambda duty, _: 5.0 + duty % 3)).contrasts[0]
    groups = len(SHARED)
    assert groups >= LEAST_GROUPS
    differences = [1.0 + duty % 3 for duty in range(groups)]
    mean = sum(differences) / groups
    assert (found.first, found.second, found.groups, found.missing) == ("us", "eu", groups, 0)
    assert found.mean.value == pytest.approx(mean)
    spread = sum((item - mean) ** 2 for item in differences) / (groups - 1)
    from scipy.stats import t  # type: ignore[import-untyped]

    half = t.ppf(0.975, groups - 1) * (spread / groups) ** 0.5
    assert (found.mean.low, found.mean.high) == (pytest.approx(mean - half), pytest.approx(mean + half))
    assert found.finding == "second"
    assert found.pass_rate.value == 0.0


@settings(max_examples=12)
@given(st.floats(-1.5, 1.5), st.integers(0, 50))
def test_who_is_second_turns_the_sign(shift: float, seed: int) -> None:
    here, there = (
        run(pack, lambda duty, number, add=add: 5.0 + add + (duty * 7 + number * 3 + seed) % 5 / 5)
        for pack, add in (("us", 0.0), ("eu", shift))
    )
    one, other = compared(here, there).contrasts[0], compared(there, here).contrasts[0]
    assert one.mean.value is not None
    assert other.mean.value == pytest.approx(-one.mean.value)
    assert {one.finding, other.finding} in ({"first", "second"}, {"no difference shown"}, {"inconclusive"})
    assert one.carried == other.carried


def test_strategies_that_work_alike_carry_over_and_turned_round_do_not() -> None:
    def alike(duty: int, number: int) -> float:
        return 2.0 + number + duty % 2 / 2

    same = compared(run("us", alike), run("eu", alike)).contrasts[0]
    assert (same.tau.value, same.carried, same.strategies) == (pytest.approx(1.0), "carries over", 7)
    turned = compared(run("us", alike), run("eu", lambda duty, number: alike(duty, 6 - number))).contrasts[0]
    assert (turned.tau.value, turned.carried) == (pytest.approx(-1.0), "not shown")


def test_too_few_duties_and_missing_scores_are_inconclusive() -> None:
    few = compared(run("us", lambda *_: 4.0, duties=5), run("eu", lambda duty, _: 8.0 + duty % 2)).contrasts[0]
    assert (few.finding, few.carried, few.groups) == ("inconclusive", "inconclusive", 5)
    assert f"at least {LEAST_GROUPS} needed" in few.reason
    shown = page.render(compared(run("us", lambda *_: 4.0, duties=5), run("eu", lambda *_: 8.0)))
    assert "判定不能：両方の指針集で採点された共通の義務は 5 個だけです" in shown
    gone = compared(
        run("us", lambda duty, _: None if duty < 3 else 4.0), run("eu", lambda duty, _: 8.0 + duty % 2)
    ).contrasts[0]
    assert gone.finding == "inconclusive"
    assert gone.missing == 21
    assert "17% of a pack's conversations" in gone.reason
    alone = compared(run("us", lambda *_: 4.0), run("eu", lambda *_: 8.0, model="vllm:other")).contrasts[0]
    assert (alone.finding, alone.reason) == ("inconclusive", "no model was run under both packs")


def test_kinds_of_models_have_a_gap_under_each_pack_and_a_change_between_them() -> None:
    closed, medical = "api:closed", "vllm:medical"
    runs = [
        run("us", lambda duty, _: 8.0 + duty % 2 / 2, model=closed),
        run("us", lambda *_: 5.0, model=medical),
        run("eu", lambda duty, _: 7.0 + duty % 2 / 2, model=closed),
        run("eu", lambda *_: 6.0, model=medical),
    ]
    kinds = {"commercial": [runs[0], runs[2]], "medical": [runs[1], runs[3]]}
    found = compared(*runs, kinds=kinds)
    gaps = {gap.pack: gap.gap.value for gap in found.gaps}
    assert gaps["us"] == pytest.approx(3 + sum(duty % 2 for duty in range(len(SHARED))) / 2 / len(SHARED))
    (change,) = found.changes
    assert (change.packs, change.reason) == (("us", "eu"), "")
    assert change.change.value == pytest.approx(-2.0)
    shown = "\n".join(lines.lines(found))
    assert "commercial (1) minus medical (1)" in shown
    written = page.render(found)
    assert "モデルの種類による差" in written
    assert "commercial - medical" in written
    assert "kind_gap_change,eu - us,commercial - medical" in tables.csv(found).replace("False,", "")
    assert "| eu - us |" in tables.markdown(found)


def test_runs_that_cannot_stand_beside_each_other_are_refused() -> None:
    us = run("us", lambda *_: 4.0)
    with pytest.raises(ConfigError, match="all of one pack"):
        arms.sorted_runs([us])
    with pytest.raises(ConfigError, match="a second run of vllm:base under the pack us"):
        arms.sorted_runs([us, run("us", lambda *_: 5.0), run("eu", lambda *_: 5.0)])
    mixed = StoredRun("mixed", ScoreSheet(us.origin, {**us.sheet.rows, **run("eu", lambda *_: 5.0).sheet.rows}))
    with pytest.raises(ConfigError, match="its guidelines are of eu, us"):
        arms.sorted_runs([mixed, us])
    told = arms.obstacles([us, run("eu", lambda *_: 5.0, prompts="q" * 64)])
    assert any("in other words than this version's" in line for line in told)
    assert arms.obstacles([us, run("eu", lambda *_: 5.0)]) == ()


def test_page_and_tables_are_written_without_what_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    found = compared(run("us", lambda *_: 4.0), run("eu", lambda *_: 5.0))
    assert {file.name for file in page.write(found, tmp_path)} == {"cultures.csv", "cultures.md", "cultures.html"}
    assert {file.name for file in tmp_path.iterdir()} == {"cultures.csv", "cultures.md", "cultures.html"}
