"""``jmedethic judges card``: what is known of a judge in one file, and what the gate makes of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.analysis import cards
from jmedethic_pytest.analysis.people.calibration import Calibration, JudgeCalibration
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.run_info import Golden
from jmedethic_pytest.gate import instruments
from jmedethic_pytest.stats.estimate import Estimate
from support.judged_runs import OLD, info, judged, store

ASKED = Thresholds.model_validate({"schema_version": 1, "gate": {"require_card": "human"}})


def calibration(path: Path, youden: float | None = 0.73, **changes: Any) -> Path:
    """Write what people said of both judges."""

    def about(value: float | None) -> Estimate:
        return Estimate(value=value, low=value, high=value)

    judges = tuple(
        JudgeCalibration(
            judge=judge,
            replies=300,
            sensitivity=about(0.74),
            specificity=about(0.99),
            youden=about(youden),
            bias=about(0.4),
            icc=about(0.8),
        )
        for judge in ("panel", *OLD)
    )
    fields: dict[str, Any] = {
        "study": "autumn",
        "run": "run-1",
        "closed": "2026-10-01T00:00:00Z",
        "simulated": False,
        "prompts": "p" * 64,
        "context": "full",
        "conversations": 100,
        "people": about(0.85),
        "judges": judges,
        **changes,
    }
    path.write_text(Calibration(**fields).model_dump_json(), encoding="utf-8")
    return path


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    store(tmp_path / "reports", "run-1", "vllm:m", [judged(0, lambda n, t, j: 9.0)])
    return tmp_path / "reports"


def gate(reports: Path) -> tuple[str, str]:
    found = instruments.carded(reports, info("run-2", "vllm:m", OLD, 1), ASKED)
    assert found is not None
    return found.answer, found.detail


def test_card_holds_what_is_known_and_the_gate_asks_for_it(
    in_process: Callable[..., Any], reports: Path, tmp_path: Path
) -> None:
    assert gate(reports) == ("inconclusive", gate(reports)[1])
    assert "there is no card" in gate(reports)[1]
    bare = in_process("judges", "card", "run-1", "--reports", reports)
    assert (bare.status, bare.out.count("nobody has marked")) == (0, 2), bare.err
    assert gate(reports)[0] == "inconclusive"
    assert f"nobody has held {OLD[0]} against people" in gate(reports)[1]
    study = calibration(tmp_path / "calibration.json")
    told = in_process("judges", "card", "run-1", "--study", study, "--reports", reports)
    assert (told.status, told.out.count("J: 0.74 [0.74, 0.74], 0.99 [0.99, 0.99], 0.73")) == (0, 2), told.out
    assert gate(reports)[0] == "pass"
    kept = in_process("judges", "card", "run-1", "--json", "--reports", reports)
    found = json.loads(kept.out)
    assert [item["judge"] for item in found] == list(OLD)
    assert found[0]["human"]["judge"]["youden"]["value"] == 0.73, "a card keeps its study"
    path = cards.find(reports, OLD[0])
    assert path == reports / "judges" / "cards" / "openai-old-a.json"
    assert "reply" not in path.read_text(encoding="utf-8"), "no text of a model"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"youden": 0.3}, "J 0.30 (at least 0.4)"),
        ({"youden": None}, "J unknown"),
        ({"prompts": "q" * 64}, "under another prompt"),
        ({"context": "turn"}, "context 'turn'"),
        ({"simulated": True}, "were scripted"),
    ],
)
def test_marks_that_say_nothing_of_this_judge_pass_nothing(
    in_process: Callable[..., Any], reports: Path, tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    study = calibration(tmp_path / "calibration.json", **changes)
    assert in_process("judges", "card", "run-1", "--study", study, "--reports", reports).status == 0
    assert gate(reports)[0] == "inconclusive"
    assert words in gate(reports)[1]


def test_damaged_files_are_named_and_are_no_card(in_process: Callable[..., Any], reports: Path, tmp_path: Path) -> None:
    study = calibration(tmp_path / "calibration.json")
    in_process("judges", "card", "run-1", "--study", study, "--reports", reports)
    path = cards.find(reports, OLD[1])
    path.write_text(path.read_text(encoding="utf-8").replace('"judge"', '"juge"', 1), encoding="utf-8")
    with pytest.raises(StoreError, match="damaged or was edited"):
        cards.read(reports, OLD[1])
    assert gate(reports)[0] == "inconclusive"
    again = in_process("judges", "card", "run-1", "--reports", reports)
    assert (again.status, str(path) in again.err) == (6, True)
    assert in_process("judges", "card", "run-1", "--study", study, "--reports", reports).status == 0
    assert gate(reports)[0] == "pass"
    study.write_text("{}", encoding="utf-8")
    bad = in_process("judges", "card", "run-1", "--study", study, "--reports", reports)
    assert (bad.status, "calibration is damaged" in bad.err) == (6, True)


def test_the_card_of_another_judge_speaks_for_nobody(reports: Path, in_process: Callable[..., Any]) -> None:
    assert in_process("judges", "card", "run-1", "--reports", reports).status == 0
    cards.find(reports, OLD[0]).replace(cards.find(reports, OLD[1]))
    with pytest.raises(StoreError, match=f"that of {OLD[0]}, not of {OLD[1]}"):
        cards.read(reports, OLD[1])


def test_where_golden_replies_are_enough_no_card_is_asked_for(reports: Path) -> None:
    assert instruments.carded(reports, info("run-2", "vllm:m", OLD, 1), Thresholds(schema_version=1)) is None


def test_a_card_tells_how_its_judge_scored_golden_replies(reports: Path) -> None:
    told = [
        Golden(judge=judge, locale="ja", cases=12, ordered=ordered, auc=1.0, missing=0, flagged=0, scored=48, means={})
        for judge, ordered in zip(OLD, (12, 11), strict=True)
    ]
    card = cards.make(reports, info("run-2", "vllm:m", OLD, 1, golden=told), OLD[1], None, "2026-11-01T00:00:00Z")
    assert [item.ordered for item in card.golden] == [11]
