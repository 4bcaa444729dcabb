"""Judges as instruments, against figures of pingouin, scikit-learn and krippendorff."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from jmedethic_pytest.analysis.judge_reliability import SHOWN, instruments, judge_report, model_level
from jmedethic_pytest.analysis.judge_study import study
from jmedethic_pytest.analysis.stored import StoredRun
from jmedethic_pytest.analysis.summary import summarise
from jmedethic_pytest.analysis.table import ScoreTable
from jmedethic_pytest.core.records import Verdict

Build = Callable[..., Verdict]


def test_golden_panel(golden: list[Verdict]) -> None:
    table = ScoreTable(golden)
    assert table.judges == ("judge-0", "judge-1")
    report = judge_report(table.frame(), table.judges, contested=3.0)
    found = report.turn_level
    (pair,) = found.pairs
    assert (found.n, found.missing, pair.n) == (36, 0, 36)
    assert found.icc21 == pytest.approx(0.961418051942326)
    assert found.icc2k == pytest.approx(0.9803295641031408)
    assert pair.kappa == pytest.approx(0.9603594080338267)
    assert found.alpha_ordinal == pytest.approx(0.913831161691132)
    assert found.alpha_interval == pytest.approx(0.9609091109300328)
    assert pair.pearson == pytest.approx(0.9605025684844116)
    assert pair.spearman == pytest.approx(0.9140915886159203)
    assert (pair.within_2, pair.mean_absolute_difference) == (1.0, pytest.approx(0.6944444444444444))
    assert found.reliability == pytest.approx(2 * 0.9605025684844116 / 1.9605025684844116)


def test_standard_error_of_a_turn(golden: list[Verdict]) -> None:
    table = ScoreTable(golden)
    report = judge_report(table.frame(), table.judges, contested=3.0)
    sd = np.std([item.turn_scores[2] for item in golden], ddof=1)  # type: ignore[arg-type]
    assert report.turn_level.reliability is not None
    assert report.measurement_error["T2"] == pytest.approx(sd * np.sqrt(1 - report.turn_level.reliability))
    assert list(report.measurement_error) == ["T0", "T1", "T2"]


def test_reliability_of_the_papers_panel() -> None:
    """Printed: Spearman-Brown 0.958, from Spearman's 0.919 of the models; 0.783 from Pearson's 0.643 of the turns."""
    random = np.random.default_rng(0)
    common, noise = random.normal(size=(2, 20_000))
    other = random.normal(size=20_000)
    scale = np.sqrt(1 / 0.643 - 1)
    found = instruments("turn", ["a", "b"], np.column_stack([common + scale * noise, common + scale * other]))
    assert found.pairs[0].pearson == pytest.approx(0.643, abs=0.01)
    assert found.reliability == pytest.approx(0.783, abs=0.01)


def test_three_judges_make_three_pairs(verdict: Build) -> None:
    table = ScoreTable([verdict(f"ja-{n}", [(n + 1, n + 2, 9 - n)]) for n in range(6)])
    found = judge_report(table.frame(), table.judges, contested=3.0)
    assert [(pair.first, pair.second) for pair in found.turn_level.pairs] == [
        ("judge-0", "judge-1"),
        ("judge-0", "judge-2"),
        ("judge-1", "judge-2"),
    ]
    assert found.turn_level.pairs[1].pearson == pytest.approx(-1.0)
    assert found.contested == 3
    assert len(found.most_contested[0].scores) == 3


def test_a_judge_at_2_whose_mean_passes_is_hidden(verdict: Build) -> None:
    """(1, 10) averages 5.5 and passes; (2, 2) does not hide anything; (2, 3) does."""
    table = ScoreTable([verdict("ja-a", [(1, 10), (2, 2), (9, 5)]), verdict("ja-b", [(9, 9), (2, 3), (8, 4)])])
    report = judge_report(table.frame(), table.judges, contested=3.0)
    assert (report.contested, report.hidden) == (3, 2)
    shown = [(turn.key, turn.turn, turn.distance, turn.hidden) for turn in report.most_contested]
    assert shown == [
        ("ja-a", "T0", 9.0, True),
        ("ja-b", "T1", 1.0, True),
        ("ja-a", "T2", 4.0, False),
        ("ja-b", "T2", 4.0, False),
    ]


def test_list_of_contested_turns_is_short(verdict: Build) -> None:
    table = ScoreTable([verdict(f"ja-{n:02d}", [(1, 10)]) for n in range(SHOWN + 5)])
    report = judge_report(table.frame(), table.judges, contested=3.0)
    assert (report.contested, len(report.most_contested)) == (SHOWN + 5, SHOWN)


def test_scores_of_one_judge_only_are_no_agreement(verdict: Build) -> None:
    table = ScoreTable([verdict("ja-a", [(9,), (8,)])])
    report = judge_report(table.frame(), table.judges, contested=3.0)
    assert (report.turn_level.icc21, report.contested, report.most_contested) == (None, 0, ())
    assert "single judge" in report.turn_level.reason


def test_missing_score_of_a_judge_is_neither_contested_nor_counted(verdict: Build) -> None:
    table = ScoreTable([verdict("ja-a", [(1, None), (9, 9)]), verdict("ja-b", [(5, 6), (7, 8)])])
    report = judge_report(table.frame(), table.judges, contested=3.0)
    assert (report.turn_level.n, report.turn_level.missing) == (3, 1)
    assert (report.contested, report.hidden) == (0, 0)


def test_summary_counts_what_the_report_counts(golden: list[Verdict]) -> None:
    found = summarise(ScoreTable(golden), selected=12, contested=0.5)
    assert found.instruments is not None
    assert found.contested == found.instruments.contested == 25
    assert found.agreement.pearson == found.instruments.turn_level.pairs[0].pearson


# ---------------------------------------------------------------- several runs


def test_model_level_needs_three_models() -> None:
    two = model_level(["a", "b"], {"m1": [8, 7], "m2": [5, 5]})
    assert (two.icc21, two.n) == (None, 2)
    assert "at least 3" in two.reason
    three = model_level(["a", "b"], {"m1": [8, 7], "m2": [5, 5], "m3": [3, 2]})
    assert three.icc21 is not None
    assert three.level == "model"


def test_study_of_several_runs(golden: list[Verdict], verdict: Build, run_of: Callable[..., StoredRun]) -> None:
    worse = [verdict(f"ja-w{n}", [(8, 9), (4, 5), (1, 2)]) for n in range(4)]
    worst = [verdict(f"ja-x{n}", [(2, 3), (4, None)]) for n in range(4)]
    found = study([run_of("m:a", golden), run_of("m:b", worse), run_of("m:c", worst)])
    assert found.pooled is not None
    assert (found.pooled.n, found.pooled.missing) == (36 + 12 + 4, 4)
    assert found.models is not None
    assert found.models.n == 3
    assert found.models.pairs[0].pearson == pytest.approx(1.0, abs=0.05)
    lost = found.runs[2].alone[1]
    assert (lost.judge, lost.n, lost.missing, lost.turns) == ("openai:judge-1", 4, 4, (3.0, None))
    assert study([run_of("m:a", golden)]).models is None


def test_a_run_without_scores_is_not_said_to_have_a_single_judge(build_verdict: Build) -> None:
    table = ScoreTable([build_verdict("ja-a", [None, None, None])])
    report = judge_report(table.frame(), table.judges, contested=3.0)
    assert report.turn_level.reason == "no turn was scored"
