"""The course of a study: third person, later versions, closing, and damage."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmedethic_pytest.annotation import collecting, consolidation, study
from jmedethic_pytest.annotation.study import Study
from jmedethic_pytest.core.errors import ConfigError, StoreError
from support.studies import filled

Made = Callable[..., tuple[Path, Study]]
Save = Callable[..., Path]
SCORE = st.none() | st.integers(1, 10)


@given(SCORE, SCORE, SCORE)
def test_the_papers_rule(first: int | None, second: int | None, third: int | None) -> None:
    value = consolidation.consolidated(first, second, third)
    if first is None or second is None:
        assert value is None, "missing is missing"
    elif abs(first - second) <= 3:
        assert value == (first + second) / 2
    else:
        assert value == third


def test_the_third_person_gets_what_two_do_not_agree_on(made: Made, study_run: Path, saved: Save) -> None:
    folder, key = made(people=("ann", "bob", "eve"))
    apart = {item.key for item in key.items[:3]}
    collecting.take(folder, [saved(folder, key, "ann", lambda *_: 2)])
    assert collecting.ask_third(folder, study_run.parents[1]) == []
    collecting.take(folder, [saved(folder, key, "bob", lambda case, turn: 6 if case in apart and turn else 5)])
    assert set(collecting.ask_third(folder, study_run.parents[1])) == apart
    key = study.read_key(folder)
    assert {place.key for place in key.sheets["eve"]} == apart
    assert collecting.progress(collecting.state(folder))[2].of == 9
    collecting.take(folder, [saved(folder, key, "eve", lambda _, turn: 9)])
    replies = collecting.state(folder).replies()
    assert {reply.value for reply in replies if reply.contested} == {9.0}
    assert {reply.value for reply in replies if not reply.contested} == {3.5}
    assert collecting.ask_third(folder, study_run.parents[1]) == [item.key for item in key.items[:3]]
    assert study.read_key(folder) == key, "a sheet that holds them already is not written again"


def test_a_third_person_can_be_named_later_but_not_exchanged(made: Made) -> None:
    folder, _ = made()
    with pytest.raises(ConfigError, match="two or three different people"):
        collecting.name_third(folder, "ann")
    collecting.name_third(folder, "eve")
    collecting.name_third(folder, "eve")
    with pytest.raises(ConfigError, match="is 'eve'"):
        collecting.name_third(folder, "joe")


def test_a_second_version_counts_and_the_first_is_kept(made: Made, saved: Save) -> None:
    folder, key = made()
    collecting.take(folder, [saved(folder, key, "ann", lambda *_: 4)])
    assert collecting.take(folder, [saved(folder, key, "ann", lambda *_: 4)]) == (0, [], [])
    changed = saved(folder, key, "ann", lambda case, _: 7 if case == key.items[0].key else 4, "later.json")
    taken = collecting.take(folder, [changed])
    rows = {name for name, (who, place) in key.rows().items() if place.key == key.items[0].key and who == "ann"}
    assert (taken.new, len(taken.changed)) == (0, len(rows))
    assert "4 / 4 / 4 now 7 / 7 / 7; the earlier marks (ann.json, " in taken.changed[0]
    marks = study.read_marks(folder, key)
    assert [mark.scores for mark in marks.marks if mark.id == min(rows)] == [(4, 4, 4), (7, 7, 7)]
    assert marks.current()[min(rows)].file == "later.json"


def test_after_closing_nothing_is_taken_and_nothing_can_be_changed(made: Made, saved: Save) -> None:
    folder, key = made()
    with pytest.raises(StoreError, match="no reply has a score of both people"):
        collecting.close(folder)
    filled(folder, key, saved)
    assert collecting.close(folder).missing == 0
    with pytest.raises(StoreError, match="closed already"):
        collecting.close(folder)
    again = saved(folder, key, "ann", lambda _, turn: (9, 9, 2)[turn])
    assert collecting.take(folder, [again]) == (0, [], []), "what was read already is no news"
    late = collecting.take(folder, [saved(folder, key, "ann", lambda *_: 10)])
    assert "was closed on" in late.problems[0]
    assert "no longer blind" in late.problems[0]
    for name in ("marks.json", "sample.json"):
        whole = (folder / name).read_text(encoding="utf-8")
        content = json.loads(whole)
        if name == "marks.json":
            content["marks"][0]["scores"][0] = 1
        else:
            content["bands"][0]["population"] += 1
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
        with pytest.raises(StoreError, match=f"{name} was changed after the study was closed"):
            collecting.state(folder)
        (folder / name).write_text(whole, encoding="utf-8")
    assert collecting.state(folder).closed is not None


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("sample.json", "{}", "damaged: "),
        ("sample.json", "", "damaged: "),
        ("marks.json", '{"schema_version": 1, "study": "study-0"}', "marks of study study-0"),
        ("marks.json", '{"schema_version": 2, "study": "study-0"}', "damaged: "),
        ("closed.json", "[]", "damaged: "),
    ],
)
def test_a_damaged_study_is_said_in_words(made: Made, name: str, content: str, told: str) -> None:
    folder, _ = made()
    (folder / name).write_text(content, encoding="utf-8")
    with pytest.raises(StoreError, match=told):
        collecting.state(folder)


def test_a_changed_run_gives_no_sheet_to_the_third(made: Made, study_run: Path, saved: Save, tmp_path: Path) -> None:
    folder, key = made(people=("ann", "bob", "eve"))
    collecting.take(folder, [saved(folder, key, "ann", lambda *_: 1), saved(folder, key, "bob", lambda *_: 9)])
    other = tmp_path / "other" / "runs" / study_run.name
    other.mkdir(parents=True)
    for name in ("run.json", "verdicts.jsonl"):
        text = (study_run / name).read_text(encoding="utf-8")
        (other / name).write_text(text.replace("Answer 1", "Anders 1"), encoding="utf-8")
    with pytest.raises(StoreError, match="is not what it was when it was drawn"):
        collecting.ask_third(folder, tmp_path / "other")
