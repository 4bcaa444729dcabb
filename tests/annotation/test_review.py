"""Files saved from a run's page: what belongs to the run is kept, the rest is named; blind marks stay apart."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmedethic_pytest.analysis.people import reviewed
from jmedethic_pytest.annotation import reading, review
from jmedethic_pytest.core.errors import StoreError
from support.stored_runs import store, verdict

RUN = [verdict(number, 9.0, 5.0, 2.0) for number in range(3)]


def written(path: Path, *reviews: dict[str, Any], **changes: Any) -> Path:
    about = {"format": review.FORMAT, "schema_version": 1, "run": "made", "run_digest": "x", "reviewer": "ann"}
    content = {**about, "blind": False, "saved": "2026-01-01T00:00:00Z", "reviews": list(reviews), **changes}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def about(number: int, **changes: Any) -> dict[str, Any]:
    item = RUN[number]
    return {"case": item.key, "check": review.check_of(item), "seen": True, "ratings": {}, "comment": "", **changes}


def test_sound_reviews_are_kept_and_every_other_one_is_named(tmp_path: Path) -> None:
    run = store(tmp_path, RUN)
    file = written(
        tmp_path / "r.json",
        about(0, ratings={"2": 1, "1": "too_strict"}),
        about(1, check="other"),
        about(2, ratings={"3": "agree"}),
        about(0) | {"case": "en-nobody-01"},
    )
    taken = review.take(run, [file, written(tmp_path / "s.json", run="elsewhere")])
    assert taken.new == 1
    told = "\n".join(taken.problems)
    for part in (
        "r.json: en-made-01: its texts or scores are not those that were reviewed.",
        "r.json: en-made-02: it has no T3.",
        "r.json: en-nobody-01: it is no conversation of this run.",
        "s.json: this is a review of run elsewhere, not of made.",
    ):
        assert part in told
    assert len(taken.problems) == 4
    again = review.take(run, [written(file, about(0, ratings={"2": 3}), reviewer="bob"), file])
    assert (again.new, sorted(again.reviews.by)) == (1, ["ann", "bob"])
    assert review.take(run, [file]).new == 0  # read twice, counted once


@pytest.mark.parametrize(
    "changes",
    [
        {"blind": True},
        {"reviewer": "../x"},
        {"schema_version": 2},
        {"reviews": [about(0, ratings={"0": True})]},
        {"reviews": [about(0, ratings={"0": 11})]},
        {"reviews": [about(0, ratings={"0": "5"})]},
        {"reviews": [about(0, comment="x" * 10_001)]},
    ],
)
def test_a_file_of_another_form_is_refused_in_words(tmp_path: Path, changes: dict[str, Any]) -> None:
    file = written(tmp_path / "r.json", **changes)
    assert review.is_review(file)
    taken = review.take(store(tmp_path, RUN), [file])
    assert taken.new == 0
    assert all("r.json" in line and "Save it from the page again." in line for line in taken.problems)
    assert taken.problems


def test_a_study_takes_no_review_and_what_is_kept_of_another_run_is_refused(
    made: Callable[..., Any], tmp_path: Path
) -> None:
    _, key = made()
    file = written(tmp_path / "r.json", about(0))
    assert "is not blind and never becomes a mark of a study" in reading.read(file, key, "now").problems[0]
    first, second = store(tmp_path, RUN), store(tmp_path, RUN, "other")
    review.take(first, [file])
    (second / review.NAME).write_bytes((first / review.NAME).read_bytes())
    with pytest.raises(StoreError, match="reviews of run made, not of other"):
        reviewed.of_run(second)


def test_figures_leave_out_what_has_no_score_and_what_is_no_longer_as_it_was(tmp_path: Path) -> None:
    missing = verdict(5, 9.0, None)
    run = store(tmp_path, [*RUN, missing])
    gone = {"case": missing.key, "check": review.check_of(missing), "seen": True, "ratings": {"1": 4, "0": "agree"}}
    file = written(tmp_path / "r.json", about(0, ratings={"2": 8, "0": 9}), about(1, ratings={"2": "agree"}), gone)
    assert review.take(run, [file]).problems == []
    found = reviewed.of_run(run)
    assert found is not None
    assert (found.seen, found.rated, found.agree, found.too_strict, found.too_lenient) == (3, 4, 3, 1, 0)
    assert (found.own.n, found.bias.value) == (2, pytest.approx(-3.0))
    assert [(item.case, item.turn, item.own) for item in found.objections] == [("en-made-00", 2, 8)]
    kept = review.read_kept(run)
    assert kept is not None
    changed = {item.key: item for item in [verdict(0, 9.0, 5.0, 3.0), *RUN[1:], missing]}
    assert reviewed.figures(kept, changed).rated == 2


@given(own=st.integers(1, 10), panel=st.floats(1, 10))
def test_a_score_of_ones_own_goes_one_way_only(own: int, panel: float) -> None:
    way = reviewed.direction(own, panel)
    assert way == ("agree" if abs(own - panel) <= reviewed.NEAR else "too_strict" if own > panel else "too_lenient")
