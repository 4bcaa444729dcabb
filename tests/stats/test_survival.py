"""How long conversations stay safe: golden numbers, independent implementations, and what must always hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmedethic_pytest.stats.hazards import FIRST, last_hazard, plateau, trend
from jmedethic_pytest.stats.survival import (
    Counts,
    Courses,
    counts,
    courses,
    followed,
    greenwood,
    hazards,
    pseudo_values,
    safe_shares,
    safe_turns,
    surviving,
)
from support.lazy import Lazy

sm = Lazy("statsmodels.api")
AT_RISK, FELL = (469, 455, 420, 372, 346, 330, 318), (14, 35, 48, 26, 16, 12, 9)
NAN = float("nan")


def golden() -> Courses:
    """Return 469 conversations of seven turns, of 67 guidelines in rotation."""
    watched = np.repeat([*range(1, 8), 7], [*FELL, AT_RISK[0] - sum(FELL)])
    return followed(watched, np.arange(len(watched)) < sum(FELL), np.arange(len(watched)) % 67)


def test_golden_numbers_of_hazards_shares_and_safe_turns() -> None:
    data = golden()
    whole = counts(data, 7).together()
    assert (tuple(whole.at_risk), tuple(whole.fell)) == (AT_RISK, FELL)
    assert hazards(whole) == pytest.approx([0.0299, 0.0769, 0.1143, 0.0699, 0.0462, 0.0364, 0.0283], abs=5e-5)
    assert surviving(whole) == pytest.approx([0.9701, 0.8955, 0.7932, 0.7377, 0.7036, 0.6780, 0.6588], abs=5e-5)
    assert safe_turns(data, 7).value == pytest.approx(5.437, abs=5e-4)
    assert greenwood(whole) == pytest.approx(np.sqrt(surviving(whole) * (1 - surviving(whole)) / AT_RISK[0]))


def test_golden_numbers_of_the_trend_and_of_the_last_two_turns() -> None:
    found = trend(counts(golden(), 7))
    assert found.slope.value == pytest.approx(-0.3225, abs=1e-4)
    assert found.model_error == pytest.approx(0.1214, abs=5e-5)
    assert np.exp(found.slope.value) == pytest.approx(0.724, abs=5e-4)
    last = last_hazard(counts(golden(), 7))
    assert last.value == pytest.approx(0.032, abs=5e-4)
    assert plateau(last, 0.02) != "plateau"


def test_a_course_ends_at_the_first_low_score_or_where_nothing_is_known() -> None:
    rows = [[9, 2, 9], [9, 2.5, 9], [9, NAN, 1], [NAN, 1, 1], [9, 9, NAN], [2, NAN, NAN]]
    found = courses(np.array(rows, dtype=float), 2.0, list("abcabc"))
    assert found.watched.tolist() == [2, 3, 1, 0, 2, 1]
    assert found.fell.tolist() == [True, False, False, False, False, True]
    assert found.safe.tolist() == [1, 3, 1, 0, 2, 0]


SCORES = st.lists(st.lists(st.sampled_from([1.0, 2.0, 5.0, 10.0]), min_size=5, max_size=5), min_size=2, max_size=30)


@given(SCORES)
def test_pseudo_values_of_complete_courses_are_their_safe_turns(scores: list[list[float]]) -> None:
    found = courses(np.array(scores), 2.0, np.arange(len(scores)))
    assert pseudo_values(found, 5) == pytest.approx(found.safe.astype(float))


@given(SCORES, st.lists(st.integers(1, 5), min_size=30, max_size=30))
def test_shares_fall_and_a_safer_score_never_shortens_a_course(scores: list[list[float]], plan: list[int]) -> None:
    table = np.array(scores)
    table[np.arange(5) >= np.array(plan[: len(table)])[:, None]] = NAN
    found = courses(table, 2.0, np.arange(len(table)) % 3)
    shares = surviving(counts(found, 5).together())
    assert (np.diff(shares) <= 1e-12).all()
    assert ((shares >= 0) & (shares <= 1)).all()
    safer = courses(np.where(table == 1.0, 5.0, table), 2.0, np.zeros(len(table)))
    assert (safer.safe >= found.safe).all()


def censored(seed: int) -> Courses:
    """Return conversations of which some were not watched to the end."""
    random = np.random.default_rng(seed)
    fall, end = random.geometric(0.1, 300), random.integers(3, 8, 300)
    return followed(np.minimum(fall, end), fall <= end, random.integers(0, 40, 300))


@pytest.mark.parametrize("seed", range(3))
def test_shares_and_their_plain_error_are_those_of_statsmodels(seed: int) -> None:
    data = censored(seed)
    other = sm.SurvfuncRight(data.watched, data.fell)
    whole = counts(data, 7).together()
    at = other.surv_times - 1
    assert surviving(whole)[at] == pytest.approx(other.surv_prob, abs=1e-12)
    assert greenwood(whole)[at] == pytest.approx(other.surv_prob_se, abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_the_trend_is_that_of_statsmodels_with_clusters(seed: int) -> None:
    data = censored(seed)
    found = counts(data, 7)
    rows = [
        (fell, turn, cluster)
        for watched, end, cluster in zip(*data, strict=True)
        for turn in range(FIRST, watched)
        for fell in [float(end and turn == watched - 1)]
    ]
    fell, turn, cluster = (np.array(column) for column in zip(*rows, strict=True))
    model = sm.GLM(fell, sm.add_constant(turn - float(FIRST)), family=sm.families.Binomial())
    robust = model.fit(cov_type="cluster", cov_kwds={"groups": cluster, "use_correction": False})
    mine = trend(found)
    assert mine.slope.value == pytest.approx(robust.params[1], abs=1e-7)
    assert mine.model_error == pytest.approx(model.fit().bse[1], rel=1e-6)
    groups = len(np.unique(cluster))
    low, high, value = mine.slope.low, mine.slope.high, mine.slope.value
    assert low is not None
    assert high is not None
    assert value is not None
    width = robust.bse[1] * np.sqrt(groups / (groups - 1))
    assert (high - low) / 2 == pytest.approx(width * t_quantile(groups - 1), rel=1e-6)


def t_quantile(freedom: int) -> float:
    from scipy import special  # type: ignore[import-untyped]

    return float(special.stdtrit(freedom, 0.975))


def test_intervals_of_shares_are_seeded_stay_on_the_scale_and_hold_without_a_fall() -> None:
    data = golden()
    first, again = (safe_shares(data, 7, resamples=400) for _ in range(2))
    assert first == again
    for item in first:
        assert item.low is not None
        assert item.high is not None
        assert item.value is not None
        assert 0 < item.low < item.value < item.high < 1
    nobody = safe_shares(data._replace(fell=np.zeros(469, dtype=bool), watched=np.full(469, 7)), 7)
    assert [(item.value, item.high) for item in nobody] == [(1.0, 1.0)] * 7
    assert nobody[0].low == pytest.approx(0.992, abs=5e-4)
    alone = safe_shares(data._replace(cluster=np.zeros(469, dtype=np.intp)), 7)
    assert alone[0].low is None
    assert "one guideline" in alone[0].reason


def test_intervals_stay_as_wide_where_few_are_left() -> None:
    """Most have fallen, and of the others most plans have ended."""
    random = np.random.default_rng(5)
    fall, end = random.geometric(0.4, 402), random.integers(5, 8, 402)
    data = followed(np.minimum(fall, end), fall <= end, np.arange(402) % 67)
    errors = greenwood(counts(data, 7).together())
    for item, error in zip(safe_shares(data, 7), errors.tolist(), strict=True):
        assert item.low is not None
        assert item.high is not None
        assert (item.high - item.low) / 2 == pytest.approx(1.96 * error, rel=0.35)


@pytest.mark.parametrize(
    ("fell", "answer"),
    [((0, 0), "plateau"), ((1, 2), "plateau"), ((5, 6), "inconclusive"), ((20, 20), "continues")],
)
def test_no_fall_among_many_is_a_plateau_and_a_few_among_few_is_not(fell: tuple[int, int], answer: str) -> None:
    def ask(size: int) -> Any:
        at_risk = np.full((67, 2), float(size))
        falls = np.zeros((67, 2))
        for turn, count in enumerate(fell):
            falls[np.arange(count) * 3, turn] = 1
        return plateau(last_hazard(Counts(at_risk, falls)))

    assert ask(7) == answer
    assert ask(1) in ("inconclusive", "continues")


def test_what_cannot_be_estimated_says_why() -> None:
    short = counts(golden(), 4)
    assert trend(short).slope.value is None
    assert "two turns" in trend(short).slope.reason
    nothing = Counts(np.full((5, 7), 3.0), np.zeros((5, 7)))
    assert trend(nothing).slope.reason == "falls at fewer than two turns"
    assert last_hazard(Counts(np.zeros((5, 7)), np.zeros((5, 7)))).reason
    assert plateau(last_hazard(Counts(np.zeros((5, 7)), np.zeros((5, 7))))) == "inconclusive"
