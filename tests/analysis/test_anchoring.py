"""Anchors: how they are chosen, and what scores of today say beside the frozen ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from jmedethic_pytest.analysis import anchoring
from jmedethic_pytest.analysis.anchoring import Findings, check, choose
from jmedethic_pytest.core.records import Score, Verdict
from jmedethic_pytest.stats.bands import band
from jmedethic_pytest.store.anchors import Check
from jmedethic_pytest.store.judge_files import PanelOf
from support.judged_runs import OLD, judged
from support.score_rows import make_row, make_sheet

SERVED = dict.fromkeys(OLD, (("one-2026",), ("one-2026",)))
FLOORS = 2.0


def floors(_strategy: str, _turn: int) -> float:
    return FLOORS


def anchors(change: Callable[[int, int, int], float] = lambda number, turn, judge: 0.0) -> list[Verdict]:
    """Return 134 conversations; retest noise differs from call to call, as much as half a point."""
    level = np.array([9.0, 7.0, 5.0, 3.5, 1.5])
    return [
        judged(number, lambda n, t, j: float(np.clip(level[n % 5] + change(n, t, j), 1, 10)), OLD)
        for number in range(134)
    ]


def noisy(seed: int, shift: float = 0.0, judge: int | None = None) -> Callable[[int, int, int], float]:
    noise = np.random.default_rng(seed).normal(0, 0.35, (134, 3, 2))
    return lambda n, t, j: float(noise[n, t, j]) + (shift if judge in (None, j) else 0.0)


def checked(now: list[Verdict], served: Any = SERVED) -> Findings:
    return check(anchors(noisy(1)), now, OLD, floors, served)


def test_judges_who_stayed_are_stable_although_they_are_noisy() -> None:
    found = checked(anchors(noisy(2)))
    assert (found.answer, found.reasons) == ("stable", ())
    assert set(found.figures) == {"mean", "T0", "T1", "T2", "min", "pass_rate", "above_4"}
    assert found.whole.mean.n == 402
    assert found.whole.mean.error == pytest.approx(0.016, abs=0.003)
    assert sum(item.n for item in found.bands.values()) == 402


@pytest.mark.parametrize(("shift", "judge"), [(0.3, None), (-0.3, None), (0.3, 1)])
def test_judges_who_moved_are_named(shift: float, judge: int | None) -> None:
    found = checked(anchors(noisy(2, shift, judge)))
    assert found.answer == "moved"
    moved = [item.judge for item in found.judges if item.answer == "moved"]
    assert moved == (list(OLD) if judge is None else [OLD[judge]])
    assert all(name in " ".join(found.reasons) for name in moved)
    assert np.sign(found.figures["mean"].value) == np.sign(shift)


def test_a_name_that_changed_is_at_once_unclear() -> None:
    found = checked(anchors(noisy(2)), {**SERVED, OLD[1]: (("one-2026",), ("two-2027",))})
    assert found.answer == "unclear"
    assert found.reasons == (f"{OLD[1]} was served as one-2026, now as two-2027",)


def test_scores_that_lack_are_missing_and_never_stable() -> None:
    def lost(verdict: Verdict) -> Verdict:
        turn = verdict.turns[2]
        score = Score(judge=OLD[0], value=None, status="unparsable")
        turn = turn.model_copy(update={"scores": (score, turn.scores[1]), "value": None})
        return verdict.model_copy(update={"turns": (*verdict.turns[:2], turn), "status": "judge_unparsable"})

    now = anchors(noisy(2))
    found = checked([lost(item) if place < 20 else item for place, item in enumerate(now)])
    assert found.answer == "unclear"
    assert found.whole.mean.missing == 20
    assert found.figures["min"].missing == 20
    assert found.figures["T0"].missing == 0
    assert "20 turns lack a score" in found.reasons[0]
    assert checked([lost(item) for item in now]).figures["pass_rate"].value is None


def test_more_jailbreaks_seen_is_a_move_although_the_mean_stays() -> None:
    def change(n: int, t: int, j: int) -> float:
        return {3: -1.75}.get(n % 5, 0.45)

    found = check(anchors(), anchors(change), OLD, floors, SERVED)
    assert found.whole.share.value is not None
    assert found.whole.share.value > 0.1
    assert found.answer == "moved"


def test_two_conversations_of_every_guideline_and_none_twice() -> None:
    sheets = [
        make_sheet(
            [
                make_row(number, np.round(random.uniform(1, 10, 3) * 2) / 2)
                for number in range(469)
                for random in [np.random.default_rng([place, number])]
            ],
            model=f"vllm:m{place}",
        )
        for place in range(3)
    ]
    chosen = choose(sheets, seed=0)
    keys = [key for _, key in chosen]
    assert len(keys) == len(set(keys)) == 134
    guidelines = Counter(sheets[number].rows[key].guideline for number, key in chosen)
    assert set(guidelines.values()) == {2}
    assert max(Counter(number for number, _ in chosen).values()) <= 50, "no model alone"
    chosen_bands = Counter(int(band([min(sheets[number].rows[key].turns)])[0]) for number, key in chosen)
    all_bands = Counter(int(band([min(row.turns)])[0]) for sheet in sheets for row in sheet.rows.values())
    assert chosen_bands[4] > 134 * all_bands[4] / all_bands.total(), "more of a rare band than by chance"
    assert choose(sheets, seed=0) == chosen
    assert choose([make_sheet([make_row(1, [None, 3.0, 4.0]), make_row(2, [5.0] * 3, twin=True)])], 0) == []


def test_the_chart_sees_a_slow_trend_that_no_single_check_tells() -> None:
    def stored(value: float) -> Check:
        found = checked(anchors(noisy(2)))
        mean = found.whole.mean.model_copy(update={"value": value, "error": 0.03})
        whole = found.whole.model_copy(update={"mean": mean})
        judges = tuple(item.model_copy(update={"mean": mean}) for item in found.judges)
        fields = found._replace(whole=whole, judges=judges)._asdict()
        panel = PanelOf(judges=OLD, prompts="p" * 64, context="full")
        return Check(at="2026", tool_version="1", panel=panel, content="c", calls=1, cost_usd=None, **fields)

    checks = [stored(0.045)] * 9
    assert anchoring.trend(checks)[-1].signals
    assert anchoring.trend(checks, OLD[0])[-1].signals
    assert not anchoring.trend(checks[:2])[-1].signals
    assert anchoring.trend([stored(0.0)] * 9)[-1].value == 0
