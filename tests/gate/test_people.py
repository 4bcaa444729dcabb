"""What people's marks change about a gate: a narrower margin, and a figure that can hold a pass back but never fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmedethic_pytest.analysis.people import paired, stored
from jmedethic_pytest.analysis.people.records import NAME, Decided, PeopleFigures
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.gate import people
from jmedethic_pytest.gate.instruments import panel_of
from jmedethic_pytest.store import judge_files
from jmedethic_pytest.store import runs as run_files
from jmedethic_pytest.store import scores as run_scores
from jmedethic_pytest.store.baselines import Baseline
from support.studies import made, measured, panel, saved, study_run

__all__ = ["made", "measured", "saved", "study_run"]


@pytest.fixture
def study(measured: Callable[..., PeopleFigures]) -> PeopleFigures:
    def score(case: str, turn: int) -> int:
        return 1 if int(case[-2:]) % 12 == 2 else panel(case, turn)  # failures that the panel did not see

    return measured(score, score)


@pytest.fixture
def info(study_run: Path) -> RunInfo:
    return run_files.read_info(study_run)


def rules(**changes: Any) -> Thresholds:
    return Thresholds.model_validate({"schema_version": 1, "gate": changes})


def test_the_margin_shrinks_by_what_the_judges_do_not_see(study: PeopleFigures, info: RunInfo, tmp_path: Path) -> None:
    judge_files.write(stored.find(tmp_path, "spring"), study)
    before = rules(people="spring")
    after, condition = people.narrowed(tmp_path, info, panel_of(info), before)
    low = study.panel.accuracy.youden.low
    assert condition is not None
    assert low is not None
    assert 0 < low < 1
    assert (condition.name, condition.answer, condition.observed) == ("people", "pass", low)
    assert after.gate.baseline.pass_rate == pytest.approx(0.08 * low)
    assert after.gate.baseline.mean == before.gate.baseline.mean
    assert people.narrowed(tmp_path, info, panel_of(info), rules()) == (rules(), None)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"prompts": "other"}, "of another panel: prompts"),
        ({"judges": ("a:x", "a:y")}, "of another panel: judges"),
        ({"simulated": True}, "its people were scripted"),
        ({"instruments": ()}, "damaged"),
        (None, "there is no study"),
    ],
)
def test_a_study_that_does_not_speak_for_the_judges_makes_the_gate_inconclusive(
    study: PeopleFigures, info: RunInfo, tmp_path: Path, changes: dict[str, Any] | None, told: str
) -> None:
    if changes is not None:
        judge_files.write(stored.find(tmp_path, "spring"), study.model_copy(update=changes))
    after, condition = people.narrowed(tmp_path, info, panel_of(info), rules(people="spring"))
    assert condition is not None
    assert condition.answer == "inconclusive"
    assert told in condition.detail
    assert after == rules(people="spring"), "no margin is changed by what cannot be believed"


def test_judges_who_see_too_little_narrow_nothing(
    measured: Callable[..., PeopleFigures], info: RunInfo, tmp_path: Path
) -> None:
    blind = measured(
        lambda case, turn: 1 if int(case[-2:]) % 2 else 9, lambda case, turn: 1 if int(case[-2:]) % 2 else 9
    )
    judge_files.write(stored.find(tmp_path, "blind"), blind)
    _, condition = people.narrowed(tmp_path, info, panel_of(info), rules(people="blind"))
    assert condition is not None
    assert "see too little of what people see" in condition.detail


def compared(reports: Path, study_run: Path, info: RunInfo, margin: float, run: str = "run-b") -> list[Any]:
    sheet = run_scores.read(study_run)
    baseline = Baseline(name="release", created="", sheet=sheet)
    guidelines = {key: row.guideline for key, row in sheet.rows.items()}
    asked = rules(baseline={"pass_rate_human": margin})
    now = info.model_copy(update={"id": run})
    return list(people.compared(reports, now, [baseline], lambda: guidelines, asked))


def test_people_can_hold_a_pass_back_and_never_fail_a_run(
    study: PeopleFigures, study_run: Path, info: RunInfo, tmp_path: Path
) -> None:
    assert compared(tmp_path, study_run, info, 1.0) == [], "off by default"
    (missing,) = compared(tmp_path, study_run, info, 0.2)
    assert (missing.answer, "no people scored the baseline's run" in missing.detail) == ("inconclusive", True)

    def keep(found: PeopleFigures) -> None:
        judge_files.write(tmp_path / "runs" / found.run / NAME, found)

    keep(study)
    (missing,) = compared(tmp_path, study_run, info, 0.2)
    assert "no people scored this run" in missing.detail
    same = study.model_copy(update={"study": "study-b", "like": study.study, "run": "run-b"})
    keep(same)
    (held,) = compared(tmp_path, study_run, info, 0.2)
    assert (held.name, held.answer, held.observed) == ("pass_rate_human[release]", "pass", 0)
    (narrow,) = compared(tmp_path, study_run, info, 0.01)
    assert narrow.answer == "inconclusive", "no change among so few excludes little"
    keep(same.model_copy(update={"decided": tuple(item._replace(jailbreak=True) for item in study.decided)}))
    (fallen,) = compared(tmp_path, study_run, info, 0.2)
    assert (fallen.answer, fallen.observed < -0.5) == ("inconclusive", True)
    keep(same.model_copy(update={"like": ""}))
    (other,) = compared(tmp_path, study_run, info, 0.2)
    assert "are of different conversations" in other.detail
    keep(same.model_copy(update={"decided": tuple(item._replace(jailbreak=None) for item in study.decided)}))
    (unknown,) = compared(tmp_path, study_run, info, 0.2)
    assert (unknown.answer, unknown.observed) == ("inconclusive", None)


@given(
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from([True, False, None]), st.booleans()), min_size=6, max_size=60)
)
def test_the_difference_is_that_of_the_two_shares_and_lies_in_its_interval(rows: list[tuple[int, Any, bool]]) -> None:
    frame = {f"c{number}": band for number, (band, _, _) in enumerate(rows)}
    marks = [[None if a is None else bool(a ^ (flip and b)) for _, a, b in rows] for flip in (False, True)]
    first, second = (_Study(frame, tuple(map(Decided, frame, verdicts))) for verdicts in marks)
    guidelines = {key: f"g{number % 7}" for number, key in enumerate(frame)}
    found = paired.difference(first, second, guidelines)  # type: ignore[arg-type]
    known = {band for band, mark, _ in rows if mark is not None}
    if known != set(frame.values()):
        assert found.value is None
        return
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    assert -1 <= found.low <= found.value <= found.high <= 1
    back = paired.difference(second, first, guidelines)  # type: ignore[arg-type]
    assert back.value == pytest.approx(-found.value)
    assert back.low == pytest.approx(-found.high)


class _Study:
    """As much of a study as a difference needs."""

    def __init__(self, frame: Mapping[str, int], decided: tuple[Decided, ...]) -> None:
        self.frame, self.decided = frame, decided
