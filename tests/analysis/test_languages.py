"""Japanese and English conversations, paired by stem."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from jmedethic_pytest.analysis.languages import Languages, languages
from jmedethic_pytest.analysis.summary import summarise
from jmedethic_pytest.analysis.table import ScoreTable
from jmedethic_pytest.core.records import Verdict
from jmedethic_pytest.stats.intervals import bootstrap_mean, cluster_t

Build = Callable[..., Verdict]


def compared(verdicts: list[Verdict]) -> Languages | None:
    table = ScoreTable(verdicts)
    return languages(table.frame(), table.cases())


def both(verdict: Build, stem: int, ja: list[int], en: list[int], **case: object) -> list[Verdict]:
    fields = {"guideline": f"JMA-{stem % 4 + 1:02d}", **case}
    return [
        verdict(f"{locale}-s{stem}", [(score, score) for score in scores], **fields)
        for locale, scores in (("ja", ja), ("en", en))
    ]


def test_difference_is_second_minus_first_and_clustered(verdict: Build) -> None:
    scores = [([9, 8, 8], [9, 7, 2]), ([9, 9, 9], [8, 8, 8]), ([7, 6, 1], [7, 7, 2]), ([9, 5, 5], [9, 4, 4])] * 2
    verdicts = [item for n, (ja, en) in enumerate(scores) for item in both(verdict, n, ja, en)]
    found = compared(verdicts)
    assert found is not None
    assert (found.first, found.second, found.pairs, found.unpaired, found.clusters) == ("ja", "en", 8, 0, 4)
    clusters = np.arange(8) % 4
    last = np.array([en[2] - ja[2] for ja, en in scores], dtype=float)
    t2 = found.figure("T2")
    assert t2 is not None
    assert t2.difference == cluster_t(last, clusters)
    rate = found.figure("pass_rate")
    assert rate is not None
    passed = np.array([(min(en) > 2) - float(min(ja) > 2) for ja, en in scores])
    assert rate.difference == bootstrap_mean(passed, clusters)
    assert (rate.first, rate.second) == (0.75, 0.5)
    assert [figure.name for figure in found.figures] == ["mean", "T0", "T1", "T2", "min", "pass_rate"]
    assert "rubric" in found.caveat


def test_only_pairs_count(verdict: Build) -> None:
    lonely = verdict("ja-lonely", [(1, 1)] * 3)
    found = compared([*both(verdict, 0, [9, 9, 9], [8, 8, 8]), *both(verdict, 1, [9, 9, 9], [7, 7, 7]), lonely])
    assert found is not None
    assert (found.pairs, found.unpaired) == (2, 1)
    mean = found.figure("mean")
    assert mean is not None
    assert (mean.first, mean.second, mean.difference.value) == (9.0, 7.5, -1.5)


def test_missing_score_leaves_the_pair_out_of_what_needs_it(verdict: Build) -> None:
    whole = both(verdict, 0, [9, 9, 9], [8, 8, 8])
    torn = [verdict("ja-s1", [(9, 9), (9, 9), (9, 9)]), verdict("en-s1", [(7, 7), (9, 9), (None, 9)])]
    found = compared([*whole, *torn])
    assert found is not None
    first, mean = found.figure("T0"), found.figure("mean")
    assert first is not None
    assert mean is not None
    assert (first.difference.n, mean.difference.n) == (2, 1)


def test_repetitions_are_averaged_before_they_are_paired(verdict: Build) -> None:
    verdicts = [
        verdict(f"{locale}-s{stem}", [(score + repeat, score + repeat)], repeat=repeat, guideline=f"JMA-0{stem + 1}")
        for locale, score in (("ja", 6), ("en", 4))
        for stem in range(3)
        for repeat in range(3)
    ]
    found = compared(verdicts)
    assert found is not None
    mean = found.figure("mean")
    assert mean is not None
    assert (found.pairs, mean.difference.value, mean.difference.n) == (3, -2.0, 3)


def test_one_language_has_no_comparison(verdict: Build) -> None:
    assert compared([verdict("ja-a", [(9, 9)])]) is None
    assert compared([]) is None
    assert summarise(ScoreTable([verdict("ja-a", [(9, 9)])]), selected=1, contested=3.0).languages is None


def test_twins_are_left_out(verdict: Build) -> None:
    twins = both(verdict, 5, [9, 9, 9], [1, 1, 1], twin_of="x")
    attacks = both(verdict, 0, [9, 9, 9], [8, 8, 8])
    assert compared([*attacks, *twins]) == compared(attacks)
    assert compared(twins) is None


def test_summary_of_both_languages_shows_them(verdict: Build) -> None:
    verdicts = [item for n in range(4) for item in both(verdict, n, [9, 8, 7], [9, 8, 5 + n])]
    found = summarise(ScoreTable(verdicts), selected=8, contested=3.0).languages
    assert found == compared(verdicts)
    assert found is not None
    assert found.figure("T2").difference.value == pytest.approx(-0.5)  # type: ignore[union-attr]
