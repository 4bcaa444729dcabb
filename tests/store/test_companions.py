"""What stands beside the verdicts of a run: read line by line, refused where damaged, taken over into a baseline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.core import files
from jmedethic_pytest.core.companions import Companions
from jmedethic_pytest.core.errors import ConfigError, StoreError
from jmedethic_pytest.store import baselines, companions, runs
from support.stored_runs import store, verdict

REWORDED = Companions(
    key="en-made-00",
    kind="typos",
    repeated=verdict(0, 9.0, 8.0, repeat=10_000),
    reworded=verdict(0, 9.0, 1.0, repeat=20_000),
    wording="d1",
)
UNCHANGED = Companions(key="en-made-01", kind="width", reason="nothing to change")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = store(tmp_path, [verdict(number, 9.0, 8.0) for number in (0, 1)])
    for item in (REWORDED, UNCHANGED):
        companions.append(folder, item)
    return folder


def told(found: companions.Companion) -> tuple:
    """What a baseline keeps of it."""
    rows = [None if row is None else (row.key, row.turns, row.judges, row.failed) for row in found[1:3]]
    return found.kind, *rows, found.wording, found.reason


def test_written_and_read_again(run: Path) -> None:
    assert list(companions.read(run)) == [REWORDED, UNCHANGED]
    found = companions.scores(run)
    row = found["en-made-00"].reworded
    assert row is not None
    assert (row.key, row.turns, row.failed) == ("en-made-00", (9.0, 1.0), True)
    assert found["en-made-01"] == ("width", None, None, "", "nothing to change")


def test_a_line_that_a_kill_cut_is_left_out_and_any_other_damage_is_told(run: Path) -> None:
    path = run / companions.FILE
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:100])
    assert len(list(companions.read(run))) == 2
    for damaged, told_ in (
        (whole + whole, "a second line of en-made-00"),
        (b"{}\n" + whole, "jsonl:1: damaged"),
    ):
        path.write_bytes(damaged)
        with pytest.raises(StoreError, match=told_):
            list(companions.read(run))
    path.unlink()
    assert list(companions.read(run)) == []


@pytest.mark.parametrize(
    "changes", [{"reason": "none"}, {"repeated": None}, {"key": "en-made-01"}, {"repeated": None, "reworded": None}]
)
def test_half_a_record_is_none(changes: dict) -> None:
    with pytest.raises(ValueError, match=r"two companions are needed|of another case"):
        Companions(**{**dict(REWORDED), **changes})


def test_a_baseline_takes_them_over_and_without_any_stays_as_it_was(run: Path, tmp_path: Path) -> None:
    file = baselines.record(tmp_path, "reworded", run)
    found = baselines.read(file)
    assert {key: told(item) for key, item in found.companions.items()} == {
        key: told(item) for key, item in companions.scores(run).items()
    }
    (run / companions.FILE).unlink()
    plain = baselines.record(tmp_path, "plain", run)
    assert "companions" not in plain.read_text(encoding="utf-8")
    assert baselines.read(plain).companions == {}


@pytest.mark.parametrize(
    "companions", [{"a": 1}, ["x"], [{"key": "a"}], [{"key": "a", "kind": "typos", "reworded": {}}]]
)
def test_a_baseline_with_other_companions_is_damaged(run: Path, tmp_path: Path, companions: Any) -> None:
    """In words, also where somebody has made its digest fit."""
    content = json.loads(baselines.record(tmp_path, "b", run).read_text(encoding="utf-8"))
    content["companions"] = companions
    del content["digest"]
    (tmp_path / "c.json").write_text(json.dumps({**content, "digest": files.compact_digest(content)}), encoding="utf-8")
    with pytest.raises(ConfigError, match="damaged"):
        baselines.read(tmp_path / "c.json")


@pytest.mark.parametrize("perturb", [True, {}, {"kinds": [], "version": "1"}, {"kinds": "typos", "version": "1"}])
def test_a_record_that_asked_for_nothing_sensible_is_damaged(run: Path, perturb: Any) -> None:
    content = json.loads((run / "run.json").read_text(encoding="utf-8"))
    content["selection"]["perturb"] = perturb
    (run / "run.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(StoreError, match="damaged"):
        runs.read_info(run)
