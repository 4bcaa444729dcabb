"""Every figure of the summary has an interval or the reason why it has none."""

from __future__ import annotations

import itertools
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jmedethic_pytest.analysis.summary import Summary, summarise
from jmedethic_pytest.analysis.table import ScoreTable
from jmedethic_pytest.core.records import Record, Verdict
from jmedethic_pytest.stats.estimate import Estimate, Test
from jmedethic_pytest.stats.intervals import bootstrap_median, bootstrap_share, cluster_t, wilson

Build = Callable[..., Verdict]
STEADY = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=5,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def summed(verdicts: list[Verdict], **options: Any) -> Summary:
    return summarise(ScoreTable(verdicts), selected=len(verdicts), **{"contested": 3.0, **options})


def many(verdict: Build, count: int, guidelines: int = 10, seed: int = 1) -> list[Verdict]:
    """Return conversations whose last turn is good or bad, never in between, as in the paper's data."""
    random = np.random.default_rng(seed)
    found = []
    for n in range(count):
        bad = random.random() < 0.3
        turns = [(9, 10), (7, 6), (1, 2) if bad else (9, int(random.integers(7, 11)))]
        case = {"guideline": f"JMA-{n % guidelines + 1:02d}", "strategy": f"S{n % 7 + 1}", "persona": "nurse"}
        found.append(verdict(f"ja-c{n:04d}", turns, **case))
    return found


def records(value: object) -> Iterator[Record]:
    if isinstance(value, Record):
        yield value
        yield from itertools.chain.from_iterable(records(getattr(value, name)) for name in type(value).model_fields)
    elif isinstance(value, tuple):
        yield from itertools.chain.from_iterable(records(item) for item in value)
    elif isinstance(value, dict):
        yield from itertools.chain.from_iterable(records(item) for item in value.values())


def plain(value: object) -> Any:
    """Return plain data with figures rounded: the last bit of a sum depends on its order."""
    if isinstance(value, Record):
        return plain(value.model_dump())
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return round(value, 8) if isinstance(value, float) else value


# ---------------------------------------------------------------- figures


def test_intervals_are_those_of_the_shared_functions(verdict: Build) -> None:
    verdicts = many(verdict, 60)
    found = summed(verdicts)
    guidelines = np.array([item.case.guideline for item in verdicts])
    means = np.array([item.mean for item in verdicts], dtype=float)
    passed = np.array([item.passed for item in verdicts], dtype=float)
    assert found.conversations is not None
    assert found.conversations.mean_interval == cluster_t(means, guidelines)
    assert found.conversations.median_interval == bootstrap_median(means, guidelines)
    assert found.pass_interval == bootstrap_share(passed, guidelines)
    assert found.pass_rate == pytest.approx(passed.mean())
    last = np.array([item.turn_scores[2] for item in verdicts], dtype=float)
    assert found.turns[2].mean_interval == cluster_t(last, guidelines)
    assert found.turns[2].pass_rate == pytest.approx((last > 2).mean())


def test_lowest_turn_of_a_conversation(verdict: Build) -> None:
    found = summed([verdict("ja-a", [(9, 9), (3, 4), (6, 6)]), verdict("ja-b", [(8, 8), (9, 9), (1, 1)])]).minimum
    assert found is not None
    assert (found.n, found.mean, found.share_jailbreak) == (2, (3.5 + 1) / 2, 0.5)


def test_first_failing_turn(verdict: Build) -> None:
    scores = [[(9, 9), (2, 2), (1, 1)], [(9, 9), (9, 9), (2, 2)], [(9, 9), (8, 8), (2, 1)], [(9, 9), (9, 9), (9, 9)]]
    found = summed([verdict(f"ja-{n}", turns) for n, turns in enumerate(scores)])
    assert found.first_failing == {"T0": 0, "T1": 1, "T2": 2}
    assert sum(found.first_failing.values()) == found.failed


def test_small_groups_are_descriptive_and_not_resampled(verdict: Build) -> None:
    found = summed(many(verdict, 60))
    for group in (*found.categories, *found.guidelines, *found.personas):
        assert group.descriptive
        assert group.median_interval.value == group.median
        assert "descriptive" in group.median_interval.reason
        failed = round((1 - (group.pass_rate or 0)) * group.n)
        assert group.pass_interval == wilson(group.n - failed, group.n)
    assert not any(group.descriptive for group in (*found.turns, *found.strategies, *found.locales))


def test_guideline_takes_its_conversations_as_independent(verdict: Build) -> None:
    guideline = summed(many(verdict, 60)).guidelines[0]
    assert (guideline.n, guideline.mean_interval.clusters) == (6, 6)
    assert guideline.mean_interval.low is not None


def test_interval_of_a_mean_stays_on_the_scale(verdict: Build) -> None:
    found = summed([verdict(f"ja-{n}", [(10, 9 + n)], guideline=f"JMA-0{n + 1}") for n in range(2)]).turns[0]
    assert found.mean_interval.low is not None
    assert found.mean_interval.low >= 1.0
    assert found.mean_interval.high == 10.0


def test_over_refusal_has_an_interval(verdict: Build) -> None:
    twins = [
        verdict(f"ja-t{n}", [(9, 9)], twin_of=f"t{n}", refused=n < 3, guideline=f"JMA-{n % 5 + 1:02d}")
        for n in range(20)
    ]
    found = summed(twins)
    assert found.over_refusal == pytest.approx(0.15)
    assert found.over_refusal_interval.low is not None
    assert found.over_refusal_interval.high is not None
    assert 0 <= found.over_refusal_interval.low < 0.15 < found.over_refusal_interval.high <= 1


# ---------------------------------------------------------------- what is missing or degenerate


@pytest.mark.parametrize(
    "scores",
    [
        [],
        [[(5, 5), (5, 5), (5, 5)]],
        [[(5, 5), (5, 5), (5, 5)]] * 3,
        [[None, None, None]] * 3,
        [[(5, None), (None, 5), (None, None)]] * 3,
        [[(9,), (8,), (7,)]] * 3,
        [[(9, 8)]] * 3,
    ],
    ids=["nothing", "one case", "all ties", "no reply", "no pair", "one judge", "one turn"],
)
def test_what_cannot_be_estimated_says_why(verdict: Build, scores: list[Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = summed([verdict(f"ja-{n}", turns) for n, turns in enumerate(scores)])
    assert "NaN" not in found.model_dump_json()
    for record in records(found):
        if isinstance(record, Estimate) and record.low is None:
            assert record.reason, record
        if isinstance(record, Test) and record.p is None:
            assert record.reason, record
    assert Summary.model_validate_json(found.model_dump_json()) == found


def test_file_of_an_older_version_can_be_read(verdict: Build) -> None:
    new = {"pass_interval", "conversations", "minimum", "personas", "first_failing", "degradation", "languages"}
    content = summed(many(verdict, 10)).model_dump(mode="json", exclude=new | {"instruments", "over_refusal_interval"})
    found = Summary.model_validate(content)
    assert found.pass_interval.reason
    assert found.degradation is None


# ---------------------------------------------------------------- properties


@STEADY
@given(order=st.permutations(range(24)))
def test_order_of_the_cases_does_not_matter(verdict: Build, order: list[int]) -> None:
    verdicts = many(verdict, 24, guidelines=4)
    assert plain(summed([verdicts[n] for n in order])) == plain(summed(verdicts))


@STEADY
@given(shift=st.sampled_from([0.5, 1.0, 1.5]), seed=st.integers(0, 5))
def test_shift_of_all_scores_shifts_the_means(verdict: Build, shift: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    scores = random.integers(4, 9, size=(20, 3, 2))
    low, high = (
        summed(
            [
                verdict(f"ja-{n}", (turns + by).tolist(), guideline=f"JMA-{n % 5 + 1:02d}")
                for n, turns in enumerate(scores)
            ]
        )
        for by in (0.0, shift)
    )
    for before, after in zip(low.turns, high.turns, strict=True):
        assert after.mean == pytest.approx((before.mean or 0) + shift)
        assert after.mean_interval.high == pytest.approx(min(10.0, (before.mean_interval.high or 0) + shift))
    assert low.degradation is not None
    assert high.degradation is not None
    assert plain(low.degradation.steps) == plain(high.degradation.steps)


def test_twins_move_no_interval_of_safety(verdict: Build) -> None:
    attacks = many(verdict, 30)
    twins = [verdict(f"ja-t{n}", [(1, 1)] * 3, twin_of=f"t{n}") for n in range(5)]
    alone, beside = summed(attacks), summed([*attacks, *twins])
    for field in ("conversations", "minimum", "pass_interval", "personas", "first_failing", "degradation"):
        assert getattr(alone, field) == getattr(beside, field), field


def test_summary_of_many_cases_takes_seconds(verdict: Build) -> None:
    """Time of this process alone; about 0.3 s where nothing else runs."""
    table = ScoreTable(many(verdict, 3_000, guidelines=67))
    begin = time.process_time()
    found = summarise(table, selected=3_000, contested=3.0)
    assert time.process_time() - begin < 3
    assert found.scored == 3_000
