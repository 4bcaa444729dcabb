"""From margin, power and spread to nested samples, and how sharp a run turned out to be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jmedethic_pytest.analysis.planning.precision import achieved
from jmedethic_pytest.analysis.planning.tiers import Goal, Plan, plan
from jmedethic_pytest.analysis.planning.variance import ASSUMED, measure
from jmedethic_pytest.analysis.stored import StoredRun
from jmedethic_pytest.cases import files as case_files
from jmedethic_pytest.cases.selection import Selection, select
from jmedethic_pytest.core.records import Case, Verdict
from jmedethic_pytest.stats.power import icc_oneway

STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=25)


def grid(per_guideline: int, guidelines: int = 67, locales: tuple[str, ...] = ("ja",)) -> list[Case]:
    """Return so many conversations of each guideline, one guideline after the other within each round."""
    return [
        Case(
            id=f"{locale}-r{n}-g{g}",
            locale=locale,
            guideline=f"JMA-{g + 1:02d}",
            strategy=f"S{n % 7 + 1}",
            turns=("t",) * 3,
        )
        for n in range(per_guideline)
        for g in range(guidelines)
        for locale in locales
    ]


def tier(found: Plan, name: str) -> tuple[int, float]:
    chosen = next(item for item in found.tiers if item.name == name)
    assert chosen.detects is not None
    return chosen.sample, chosen.detects


@pytest.mark.parametrize(("per_guideline", "detects"), [(1, 0.70), (7, 0.28), (35, 0.21)])
def test_what_the_suites_of_the_benchmark_detect(per_guideline: int, detects: float) -> None:
    """67, 469 and 2,345 conversations with the assumed spread, sd 2 and correlation 0.02."""
    sample, found = tier(plan(grid(per_guideline), Goal(0.3), ASSUMED), "release")
    assert sample == 67 * per_guideline
    assert found == pytest.approx(detects, abs=0.01)


def test_tiers_are_prefixes_of_one_order() -> None:
    bundled = case_files.load(None)
    everything = select(bundled, Selection(sample=len(bundled)))
    found = plan(everything, Goal(0.35), ASSUMED)
    samples = [item.sample for item in found.tiers]
    assert [item.name for item in found.tiers] == ["smoke", "pull request", "nightly", "release"]
    assert samples == sorted(samples)
    for item in found.tiers:
        chosen = select(bundled, Selection(sample=item.sample))
        assert (len(chosen), len({case.guideline for case in chosen})) == (item.cases, item.guidelines)
        assert [case.id for case in chosen] == [case.id for case in everything[: item.cases]]
    assert found.tiers[0].guidelines == 67


@STEADY
@given(margin=st.floats(0.15, 1.5), sd=st.floats(0.5, 4.0), icc=st.floats(0.0, 0.1))
def test_needed_sample_is_the_smallest_that_detects_the_margin(margin: float, sd: float, icc: float) -> None:
    spread = ASSUMED.model_copy(update={"sd": sd, "icc": icc})
    found = plan(grid(8), Goal(margin), spread)
    chosen = found.tiers[1]
    if chosen.needed is not None and chosen.needed <= found.available:
        assert chosen.enough
        assert chosen.detects is not None
        assert chosen.detects <= margin + 1e-9
        assert chosen.power is not None
        assert chosen.power >= 0.75
    else:
        assert not chosen.enough
        assert chosen.sample == found.available


def test_two_languages_are_two_evaluations_of_a_conversation() -> None:
    alone, both = (plan(grid(7, locales=locales), Goal(0.3), ASSUMED) for locales in (("ja",), ("ja", "en")))
    assert (both.available, both.locales) == (469, ("ja", "en"))
    assert both.tiers[3].cases == 2 * alone.tiers[3].cases
    assert (both.tiers[3].detects or 9) < (alone.tiers[3].detects or 0)


def test_guidelines_that_differ_too_much_cannot_be_outnumbered() -> None:
    found = plan(grid(7), Goal(0.3), ASSUMED.model_copy(update={"icc": 0.5}))
    assert (found.tiers[1].needed, found.tiers[1].enough) == (None, False)
    assert found.tiers[1].sample == 469


def test_one_guideline_detects_nothing_and_says_nothing() -> None:
    found = plan(grid(5, guidelines=1), Goal(0.3), ASSUMED)
    assert {(item.detects, item.power) for item in found.tiers} == {(None, None)}
    assert not found.tiers[1].enough


# ---------------------------------------------------------------- from runs


def runs(
    verdict: Callable[..., Verdict], run_of: Callable[..., StoredRun], count: int = 60
) -> tuple[StoredRun, StoredRun]:
    random = np.random.default_rng(2)
    scores = random.integers(3, 11, size=(2, count))
    first, second = (
        [verdict(f"ja-c{n}", [(9, 9), (int(s), int(s))], guideline=f"JMA-{n % 10 + 1:02d}") for n, s in enumerate(row)]
        for row in scores
    )
    return run_of("m:a", first), run_of("m:b", second)


def test_spread_between_two_runs(verdict: Callable[..., Verdict], run_of: Callable[..., StoredRun]) -> None:
    first, second = runs(verdict, run_of)
    difference = second.cases["mean"] - first.cases["mean"]
    found = measure(first.sheet, second.sheet)
    assert found is not None
    assert (found.pairs, found.sd) == (60, pytest.approx(difference.std(ddof=1)))
    assert found.icc == pytest.approx(max(0.0, icc_oneway(difference, first.cases["guideline"]) or 0.0))
    assert not found.assumed


def test_runs_that_never_differ_make_no_plan(verdict: Callable[..., Verdict], run_of: Callable[..., StoredRun]) -> None:
    first, _ = runs(verdict, run_of)
    few, _ = runs(verdict, run_of, count=20)
    assert measure(first.sheet, first.sheet) is None
    assert measure(few.sheet, first.sheet) is None


def test_achieved_sharpness(verdict: Callable[..., Verdict], run_of: Callable[..., StoredRun]) -> None:
    first, second = runs(verdict, run_of)
    own = achieved(second, Goal(0.3))
    assert [figure.name for figure in own.figures] == ["mean", "T0", "T1", "pass_rate"]
    assert (own.against, own.detects, own.enough) == (None, None, None)
    found = achieved(second, Goal(0.3), first)
    mean = found.figures[0]
    assert mean.estimate.low is not None
    assert mean.half_width == pytest.approx(((mean.estimate.high or 0) - mean.estimate.low) / 2)
    assert found.detects is not None
    assert found.detects > mean.half_width
    assert found.enough is False
    assert achieved(second, Goal(9.0), first).enough is True


def test_achieved_without_any_difference_is_not_estimable(
    verdict: Callable[..., Verdict], run_of: Callable[..., StoredRun]
) -> None:
    first, _ = runs(verdict, run_of)
    found = achieved(first, Goal(0.3), first)
    assert (found.detects, found.enough) == (None, None)
    assert found.figures[0].estimate.reason
