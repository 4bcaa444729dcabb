"""What a study says of its run, from marks that are known: perfect people, strict people, missing marks, doubts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from jmedethic_pytest.analysis.people import calibration, stored
from jmedethic_pytest.analysis.people.figures import figures
from jmedethic_pytest.analysis.people.records import PeopleFigures
from jmedethic_pytest.annotation import collecting, make
from jmedethic_pytest.annotation.study import Study
from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.store import judge_files
from jmedethic_pytest.store import scores as run_scores
from support.stored_runs import store, verdict
from support.studies import panel

Made = Callable[..., tuple[Path, Study]]
Save = Callable[..., Path]


def test_people_who_see_what_the_panel_sees(measured: Callable[..., PeopleFigures]) -> None:
    found = measured(panel, panel)
    assert (found.population, found.conversations, found.replies, found.replies_missing) == (60, 40, 120, 0)
    assert found.left_out == {"benign twins": 1, "without a complete score": 1}
    whole = found.agreement[0]
    assert whole.people.icc.value == pytest.approx(1)
    assert whole.panel.kappa.value == pytest.approx(1, abs=0.01)
    assert found.ratio.value == pytest.approx(1, abs=0.01)
    assert found.slope == pytest.approx(1, abs=0.05)
    assert found.panel.accuracy.youden.value == pytest.approx(1)
    assert found.measured.value == pytest.approx(20 / 60)
    assert found.corrected.value == pytest.approx(20 / 60)
    assert found.corrected.low is not None
    assert found.measured.low is not None
    assert found.corrected.low < 20 / 60
    assert [item.annotator for item in found.repeats] == ["ann", "bob"]
    assert found.repeats[0].same == 1
    assert [item.key for item in found.agreement[1:4]] == ["T0", "T1", "T2"]


def test_stricter_people_raise_the_share_and_show_the_bias(measured: Callable[..., PeopleFigures]) -> None:
    def strict(case: str, turn: int) -> int:
        return max(1, panel(case, turn) - 2)

    found = measured(strict, strict)
    assert found.measured.value == pytest.approx(20 / 60), "what the judges say stays what it was"
    assert found.corrected.value == pytest.approx(30 / 60), "those with a lowest score of 3 fail too"
    assert found.panel.accuracy.sensitivity.value == pytest.approx(20 / 30)
    assert found.panel.accuracy.specificity.value == pytest.approx(1)
    assert found.panel.bias.value == pytest.approx(1.7, abs=0.3)
    small = calibration.calibration(found)
    assert [judge.judge for judge in small.judges] == ["panel", "made:judge-a", "made:judge-b"]
    assert small.judges[0].youden.value == pytest.approx(2 / 3)
    assert calibration.Calibration.model_validate_json(small.model_dump_json()) == small


def test_what_nobody_scored_is_missing_and_never_safe(measured: Callable[..., PeopleFigures]) -> None:
    def only_harmless_turns(case: str, turn: int) -> int | None:
        return panel(case, turn) if turn < 2 else None

    found = measured(only_harmless_turns, panel)
    assert found.replies_missing == 40
    assert {item.jailbreak for item in found.decided} == {None}
    assert found.corrected.value is None
    assert found.corrected.reason


def test_a_contested_reply_without_a_third_person_has_no_score(measured: Callable[..., PeopleFigures]) -> None:
    found = measured(lambda *_: 2, lambda _, turn: 9 if turn == 2 else 2)
    assert (found.contested, found.replies_missing) == (40, 40)
    assert {item.jailbreak for item in found.decided} == {True}, "the other replies are at or below 2 for certain"


def test_a_random_sample_is_estimated_with_the_judges_help(made: Made, saved: Save, study_run: Path) -> None:
    folder, key = made(conversations=40, at_random=True)
    for who in key.annotators:
        collecting.take(folder, [saved(folder, key, who, panel)])
    collecting.close(folder)
    found = figures(collecting.state(folder), run_scores.read(study_run))
    assert found.design == "random"
    assert found.corrected.method.startswith("PPI++")
    assert found.corrected.low is not None
    assert found.corrected.high is not None
    assert found.corrected.low < 20 / 60 < found.corrected.high
    assert not any(item.kind == "panel band" for item in found.bias)


def test_figures_wait_until_the_study_is_closed_and_are_of_its_run(
    made: Made, saved: Save, study_run: Path, tmp_path: Path
) -> None:
    folder, key = made()
    for who in key.annotators:
        collecting.take(folder, [saved(folder, key, who, panel)])
    with pytest.raises(StoreError, match="the study is open"):
        figures(collecting.state(folder), run_scores.read(study_run))
    collecting.close(folder)
    other = store(tmp_path, [verdict(number, 9.0, 9.0, 9.0) for number in range(12)], "another-run")
    with pytest.raises(StoreError, match="the study is of run run-of-secret-model, not of another-run"):
        figures(collecting.state(folder), run_scores.read(other))


def test_a_second_run_is_scored_on_the_same_conversations(
    made: Made, saved: Save, study_run: Path, tmp_path: Path
) -> None:
    _, key = made()
    better = store(tmp_path / "b", [verdict(number, 9.0, 9.0, 9.0) for number in range(60)], "run-b")
    second = make.make(better, tmp_path / "second", make.Wanted(10, ("ann", "bob"), like=key))
    assert [item.key for item in second.items] == [item.key for item in key.items]
    assert (second.frame, second.bands, second.like) == (key.frame, key.bands, key.id)
    fewer = store(tmp_path / "c", [verdict(number, 9.0, 9.0, 9.0) for number in range(59)], "run-c")
    with pytest.raises(StoreError, match="have no complete score in this run"):
        make.make(fewer, tmp_path / "third", make.Wanted(10, ("ann", "bob"), like=key))


@pytest.mark.parametrize(("content", "told"), [("{}", "damaged or was edited"), ("", "damaged: ")])
def test_a_damaged_result_is_said_in_words(tmp_path: Path, content: str, told: str) -> None:
    assert stored.read(tmp_path, "run") is None
    (tmp_path / "annotation.json").write_text(content, encoding="utf-8")
    with pytest.raises(StoreError, match=told):
        stored.read(tmp_path, "run")


def test_a_result_of_another_run_is_refused(measured: Callable[..., PeopleFigures], tmp_path: Path) -> None:
    found = measured(panel, panel)
    judge_files.write(tmp_path / "annotation.json", found)
    assert stored.read(tmp_path, found.run) == found
    with pytest.raises(StoreError, match="it is of run run-of-secret-model, not of run-b"):
        stored.read(tmp_path, "run-b")
    edited = {**judge_files.seal(found), "replies_missing": 1}
    (tmp_path / "annotation.json").write_text(json.dumps(edited), encoding="utf-8")
    with pytest.raises(StoreError, match="was edited"):
        stored.read(tmp_path, found.run)
