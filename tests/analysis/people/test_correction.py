"""The corrected pass rate beside the measured one: of a run that people scored, and of its neighbours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.analysis import stored as runs
from jmedethic_pytest.analysis.leaderboard import leaderboard
from jmedethic_pytest.analysis.linkable import panel_of
from jmedethic_pytest.analysis.people.figures import figures
from jmedethic_pytest.analysis.people.records import PeopleFigures
from jmedethic_pytest.annotation import collecting
from jmedethic_pytest.annotation.study import Study
from jmedethic_pytest.store import scores as run_scores
from jmedethic_pytest.store.anchors import Check, JudgeCheck, Shifted
from support.stored_runs import store, verdict

LOWEST = (1.0, 1.5, 3.0, 5.5, 7.0, 9.5)


@pytest.fixture
def people(
    made: Callable[..., tuple[Path, Study]], saved: Callable[..., Path], study_run: Path
) -> dict[str, PeopleFigures]:
    folder, key = made(conversations=60)

    def score(case: str, turn: int) -> int:
        number = int(case.rsplit("-", 1)[1])
        return round((9, 9, LOWEST[number % 6])[turn] + 1e-9) if number % 30 else 1

    for who in key.annotators:
        collecting.take(folder, [saved(folder, key, who, score)])
    collecting.close(folder)
    found = figures(collecting.state(folder), run_scores.read(study_run))
    return {found.run: found}


def checked(run: runs.StoredRun, at: str, answer: Any = "stable") -> Check:
    shift = Shifted(value=0.0, error=0.03, freedom=60.0, clusters=67, n=400, missing=0)
    whole = JudgeCheck(judge="panel", answer=answer, mean=shift, share=shift, sd_frozen=1.0, sd_now=1.0)
    return Check(
        at=at,
        tool_version="0",
        panel=panel_of(run.origin),
        content="0",
        answer=answer,
        reasons=(),
        whole=whole,
        judges=(),
        figures={},
        bands={},
        calls=0,
        cost_usd=None,
    )


def test_a_scored_run_is_corrected_and_its_neighbours_where_that_may_be_done(
    people: dict[str, PeopleFigures], study_run: Path, tmp_path: Path
) -> None:
    lows = (1.0, 1.5, 3.0, 5.5, 7.0, 9.0)
    near = store(tmp_path, [verdict(n, 9.25, 8.75, lows[n % 6]) for n in range(60)], "near")
    far = store(tmp_path, [verdict(n, 5.0, 3.0, 1.0) for n in range(60)], "far")
    scored, neighbour, stranger = (runs.read(path, path.name) for path in (study_run, near, far))

    def board(check: Check | None) -> dict[str, Any]:
        listed = leaderboard([scored, neighbour, stranger], people=people, anchors=check).entries
        return {entry.run: entry.corrected for entry in listed}

    found = board(checked(neighbour, "2999-01-01T00:00:00Z"))
    own = found["run-of-secret-model"]
    assert (own.by, own.pass_rate.value) == ("people", pytest.approx(1 - people["run-of-secret-model"].corrected.value))
    assert own.pass_rate.low < own.pass_rate.value < own.pass_rate.high
    close = found["near"]
    assert close.by == "the judges' errors"
    assert close.pass_rate.value == pytest.approx(own.pass_rate.value, abs=0.02)
    assert close.pass_rate.low < close.pass_rate.value < close.pass_rate.high
    assert found["far"].pass_rate.value is None
    assert "points from that of the marked run" in found["far"].pass_rate.reason
    for check, told in (
        (None, "were not scored again"),
        (checked(neighbour, "2000-01-01T00:00:00Z"), "were not scored again"),
        (checked(neighbour, "2999-01-01T00:00:00Z", "moved"), "the anchors are moved"),
    ):
        refused = board(check)["near"]
        assert refused.pass_rate.value is None
        assert told in refused.pass_rate.reason


def test_without_a_study_nothing_is_corrected(study_run: Path) -> None:
    entry = leaderboard([runs.read(study_run, "x")]).entries[0]
    assert entry.corrected is None
