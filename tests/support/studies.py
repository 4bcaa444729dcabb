"""A stored run to draw from, made of verdicts whose texts name what no sheet may tell."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.analysis.people.figures import figures
from jmedethic_pytest.analysis.people.records import PeopleFigures
from jmedethic_pytest.annotation import collecting, make
from jmedethic_pytest.annotation.sheets import folder_of
from jmedethic_pytest.annotation.study import Study
from jmedethic_pytest.store import scores as run_scores
from support.stored_runs import store, verdict

LOWEST = (1.0, 1.5, 3.0, 5.5, 7.0, 9.5)


@pytest.fixture(scope="session")
def study_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 scored conversations in all bands, a twin, and one that a judge did not score."""
    kept = [
        verdict(number, 9.25, 8.75, LOWEST[number % 6], reply=f"Answer {number}.", reason="JUDGE-REASON")
        for number in range(60)
    ]
    twin = verdict(60, 9.0, case={"id": "en-made-60-twin", "twin_of": "made-60"})
    return store(tmp_path_factory.mktemp("reports"), [*kept, twin, verdict(61, 9.0, None)], "run-of-secret-model")


@pytest.fixture
def made(study_run: Path, tmp_path: Path) -> Callable[..., tuple[Path, Study]]:
    """Return ``make(**changes)``: the folder and the key of a new study of 20 conversations, 4 of them repeated."""

    def make_study(**changes: Any) -> tuple[Path, Study]:
        target = tmp_path / "study"
        wanted = make.Wanted(**{"conversations": 20, "people": ("ann", "bob"), "again": 4, **changes})
        return target, make.make(study_run, target, wanted)

    return make_study


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Path]:
    """Return ``save(folder, key, who, score)``: a file as the page saves it, each reply with what ``score`` returns."""

    def save(target: Path, key: Study, who: str, score: Callable[[str, int], Any], name: str = "") -> Path:
        tasks = json.loads((folder_of(target, who) / f"{who}.label-studio.json").read_text(encoding="utf-8"))
        places = key.rows()
        marks = [
            {
                "id": data["row"],
                "check": data["check"],
                "scores": [score(places[data["row"]][1].key, turn) for turn in range(len(data["dialogue"]) // 2)],
                "note": "",
            }
            for data in (task["data"] for task in tasks)
        ]
        content = {"format": "jmedethic-annotation", "schema_version": 1, "study": key.id, "annotator": who}
        path = tmp_path / (name or f"{who}.json")
        path.write_text(json.dumps({**content, "marks": marks}), encoding="utf-8")
        return path

    return save


def filled(target: Path, key: Study, save: Callable[..., Path]) -> None:
    """Read a complete pair of sheets: both people say 9, 9 and 2."""
    paths = [save(target, key, who, lambda _, turn: (9, 9, 2)[turn]) for who in key.annotators]
    assert collecting.take(target, paths).problems == []
    assert not any(item.rows for item in collecting.progress(collecting.state(target)))


def panel(case: str, turn: int) -> int:
    """Return the panel's score of the run's replies, rounded."""
    number = int(case.rsplit("-", 1)[1])
    return round((9.25, 8.75, LOWEST[number % 6])[turn] + 1e-9)


@pytest.fixture
def measured(
    made: Callable[..., tuple[Path, Study]], saved: Callable[..., Path], study_run: Path
) -> Callable[..., PeopleFigures]:
    """Return ``measure(ann, bob)``: the figures when the two people score by these functions of (case, turn)."""

    def measure(first: Callable[[str, int], int | None], second: Callable[[str, int], int | None]) -> PeopleFigures:
        folder, key = made(conversations=40)
        for who, score in (("ann", first), ("bob", second)):
            taken = collecting.take(folder, [saved(folder, key, who, score)])
            assert taken.problems == []
        collecting.close(folder)
        return figures(collecting.state(folder), run_scores.read(study_run))

    return measure
