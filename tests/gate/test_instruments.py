"""What anchors and links make of a gate: nothing passes for judges that moved, and nothing that failed passes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jmedethic_pytest.analysis.carried import carried
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.gate import instruments, outcome
from jmedethic_pytest.gate.outcome import Outcome
from jmedethic_pytest.store import anchors as anchor_files
from jmedethic_pytest.store import judge_files, links
from jmedethic_pytest.store.anchors import AnchorSet, Check, JudgeCheck, Shifted
from jmedethic_pytest.store.baselines import Baseline
from jmedethic_pytest.store.judge_files import PanelOf
from jmedethic_pytest.store.links import Unit, Verdicts
from jmedethic_pytest.store.scores import read as read_sheet
from support.judged_runs import NEW, OLD, info, judged, make_link, store

PANEL = PanelOf(judges=OLD, prompts="p" * 64, context="full")
RUN_AT = "2026-11-01T01:00:00Z"
FIGURES = ("mean", "T0", "T1", "T2", "min", "pass_rate", "above_4")
ALONE = {
    "pass_rate": 0.0,
    "mean": dict.fromkeys(("T0", "T1", "T2"), 1.0),
    "strategy_mean": 1.0,
    "baseline": {"strategy": 2.0},
}
"""No floor: the comparison is asked."""


RUN = info("now", "vllm:now", OLD, 201)


def rules(**gate: Any) -> Thresholds:
    return Thresholds.model_validate({"schema_version": 1, "gate": {**ALONE, **gate}})


def shifted(value: float | None = 0.0, error: float = 0.01, missing: int = 0) -> Shifted:
    return Shifted(value=value, error=error, freedom=66.0, clusters=67, n=402 - missing, missing=missing)


def a_check(answer: str = "stable", at: str = RUN_AT, **changes: Any) -> Check:
    found = changes.pop("shift", shifted())
    judge = JudgeCheck(judge=OLD[1], answer=answer, mean=found, share=shifted(), sd_frozen=2.0, sd_now=2.0)
    fields: dict[str, Any] = {
        "at": at,
        "tool_version": "1",
        "panel": PANEL,
        "content": "c",
        "answer": answer,
        "reasons": () if answer == "stable" else (f"{OLD[1]} is {answer}",),
        "whole": judge,
        "judges": (judge,),
        "figures": dict.fromkeys(FIGURES, found),
        "bands": {},
        "calls": 804,
        "cost_usd": None,
        **changes,
    }
    return Check(**fields)


def anchors(reports: Path, *checks: Check, created: str = RUN_AT) -> None:
    about = AnchorSet(
        name="release",
        created=created,
        tool_version="1",
        panel=PANEL,
        judges=tuple({"model": judge, "kind": "openai"} for judge in OLD),
        served={},
        history="own",
        scorings=2,
        sources=(),
        conversations=134,
        turns=402,
        vocabulary={},
        content="c",
    )
    path = anchor_files.find(reports, "release")
    judge_files.write(path / "anchors.json", about)
    for item in checks:
        anchor_files.append(path, item)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a baseline's run, and a candidate's that is a tenth of a point lower."""
    reports, random = tmp_path_factory.mktemp("gated") / "reports", np.random.default_rng(7)
    noise = {run: random.normal(0, 0.4, (201, 3, 2)) for run in ("before", "now")}
    for run, lower in (("before", 0.0), ("now", 0.1)):
        scores = [
            judged(
                n, lambda n, t, j, run=run, lower=lower: 8.3 - lower + float(noise[run][n, t, j]), text="ご説明します"
            )
            for n in range(201)
        ]
        store(reports, run, f"vllm:{run}", scores)
    return reports / "runs" / "before", reports / "runs" / "now"


@pytest.fixture
def decide(runs: tuple[Path, Path], tmp_path: Path) -> Callable[..., Outcome]:
    """Return what the gate says of the candidate, with files about judges of the test's own."""
    before, now = runs
    reports = tmp_path / "reports"
    (reports / "runs").mkdir(parents=True)
    (reports / "runs" / "now").symlink_to(now)

    def ask(**gate: Any) -> Outcome:
        baseline = Baseline(name="release", created=RUN_AT, sheet=read_sheet(before))
        return outcome.load(reports / "runs" / "now", rules=rules(**gate), baselines=[baseline])

    return ask


def answers(found: Outcome) -> dict[str, str]:
    return {item.name: item.answer for item in found.gate.conditions}


def test_stable_judges_correct_and_widen_and_never_more(decide: Any, tmp_path: Path) -> None:
    plain = decide()
    assert plain.gate.answer == "pass", plain.gate.reasons
    anchors(tmp_path / "reports", a_check(shift=shifted(0.05, 0.02)))
    found = decide(anchors="release")
    assert answers(found)["anchors"] == "pass"
    pairs = zip(plain.comparisons[0].endpoints, found.comparisons[0].endpoints, strict=True)
    for before, now in pairs:
        moved = 0.05 if before.name != "over_refusal" else 0.0
        assert now.difference.value == pytest.approx(before.difference.value - moved, abs=1e-9), now.name
        assert now.difference.low < before.difference.low
        assert now.difference.high >= before.difference.high
    assert "anchors shifted by +0.050 points" in " ".join(found.comparisons[0].notices)


def test_what_passed_by_lenient_judges_passes_no_more(decide: Any, tmp_path: Path) -> None:
    assert decide().gate.answer == "pass"
    anchors(tmp_path / "reports", a_check("unclear", shift=shifted(0.08, 0.03)))
    found = decide(anchors="release")
    assert found.gate.answer == "inconclusive"
    assert answers(found)["baseline[release].mean"] == "inconclusive"
    assert answers(found)["anchors"] == "pass"


@pytest.mark.parametrize(
    ("check", "name", "word"),
    [
        (a_check("moved", shift=shifted(0.3)), "anchors", f"{OLD[1]} is moved"),
        (None, "anchors check", "jmedethic judges anchors check release"),
        (a_check(at="2026-12-01T00:00:00Z"), "anchors check", "within 7 days"),
        (a_check(panel=PANEL.model_copy(update={"judges": NEW})), "anchors check", "within 7 days"),
        (a_check(content="other"), "anchors check", "within 7 days"),
        (a_check(panel=PANEL.model_copy(update={"asked": {"temperature": 1.0}})), "anchors check", "within 7 days"),
        (a_check("unclear", shift=shifted(None)), "anchors check", "too many scores are missing"),
        (a_check("unclear", shift=shifted(missing=40)), "anchors check", "too many scores are missing"),
    ],
)
def test_judges_of_whom_nothing_is_known_pass_nothing(
    tmp_path: Path, check: Check | None, name: str, word: str
) -> None:
    anchors(tmp_path, *([check] if check else []))
    found = instruments.anchored(tmp_path, RUN, rules(anchors="release")).condition
    assert found is not None
    assert (found.name, found.answer) == (name, "inconclusive")
    assert word in found.detail


def test_no_score_fails_by_judges_that_moved(decide: Any, tmp_path: Path) -> None:
    assert decide(pass_rate=0.5, mean={"T0": 9.9}).gate.answer == "fail"
    anchors(tmp_path / "reports", a_check("moved", shift=shifted(-0.4)))
    assert decide(pass_rate=0.5, mean={"T0": 9.9}, anchors="release").gate.answer == "inconclusive"


@pytest.mark.parametrize("damage", ["gone", "torn", "unknown"])
def test_anchors_that_cannot_be_read_are_inconclusive_in_words(tmp_path: Path, damage: str) -> None:
    reports = tmp_path
    if damage != "gone":
        anchors(reports, a_check())
        place = anchor_files.find(reports, "release") / ("checks.jsonl" if damage == "torn" else "anchors.json")
        text = place.read_text()
        place.write_text(text[:-40] if damage == "torn" else text.replace('"scorings"', '"scoring"'))
    found = instruments.anchored(reports, RUN, rules(anchors="release")).condition
    assert found is not None
    assert (found.name, found.answer) == ("anchors check", "inconclusive")
    assert "jmedethic judges anchors" in found.detail


def test_a_drift_before_the_baseline_is_no_drift_since(decide: Any, tmp_path: Path) -> None:
    """Anchors of spring, judges that moved in summer, a baseline of autumn: only what came after counts."""
    then = a_check("unclear", at=RUN_AT, shift=shifted(0.08, 0.02))
    anchors(tmp_path / "reports", then, created="2026-04-01T00:00:00Z")
    found, plain = decide(anchors="release"), decide()
    assert found.comparisons[0].endpoints[0].difference.value == plain.comparisons[0].endpoints[0].difference.value
    assert found.comparisons[0].endpoints[0].difference.low < plain.comparisons[0].endpoints[0].difference.low


def test_floors_and_margins_are_carried_over() -> None:
    given = Thresholds.model_validate({"schema_version": 1, "gate": {"mean": {"T0": 1.0}, "median": {"T2": 7.0}}})
    found = carried(given, make_link()).gate
    assert found.mean["T0"] == 1.0, "off stays off"
    allowance = 1.9966 * 0.05 * 2.2 / 2.6
    assert found.mean["T2"] == pytest.approx(6.523 + allowance, abs=2e-3)
    assert found.median["T2"] == pytest.approx(7.0 + allowance, abs=2e-3)
    assert found.strategy_mean == pytest.approx(7.2 + (5.5 - 6.8) * 2.2 / 2.6 + allowance, abs=2e-3)
    assert found.baseline.mean == pytest.approx(0.3 * 0.85)
    assert found.baseline.pass_rate == given.gate.baseline.pass_rate, "a share has no unit"
    wider = carried(given, make_link(unit=Unit(value=1.35, low=1.2, high=1.5))).gate
    assert wider.baseline == given.gate.baseline, "no machine widens a margin"
    assert carried(given, make_link(unit=Unit(value=0.95, low=0.9, high=1.05))).gate.baseline == given.gate.baseline


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({}, ""),
        ({"refusals": ("only 60 conversations",)}, "only 60 conversations"),
        ({"new": PANEL.model_copy(update={"judges": NEW})}, "another panel"),
        ({"verdicts": Verdicts(floor=2.5, old_alone=0.0, new_alone=0.0)}, "[conversation] floor"),
        ({"verdicts": Verdicts(floor=2.5, old_alone=0.0, new_alone=0.0), "turns": {"T2": 2.0}}, "[conversation] floor"),
        ({"mean": 7.5}, "outside the models"),
        ({"damaged": True}, "damaged"),
    ],
)
def test_a_link_that_does_not_fit_passes_nothing(tmp_path: Path, changes: Any, word: str) -> None:
    path = links.find(tmp_path, "ours")
    models = make_link().models
    if "mean" in changes:
        models = (*models[:2], models[2].model_copy(update={"mean_new": changes.pop("mean")}))
    damaged = changes.pop("damaged", False) if changes else False
    asked = rules(link="ours", mean={"T2": 6.0})
    if "turns" in changes:
        floors = {"floor": 2.5, "turns": changes.pop("turns")}
        asked = asked.model_copy(update={"conversation": asked.conversation.model_copy(update=floors)})
    judge_files.write(path, make_link(models=models, **changes))
    if damaged:
        path.write_text(path.read_text()[:-30])
    applied, found = instruments.linked(tmp_path, RUN, asked, 8.2)
    assert found is not None
    assert found.answer == ("inconclusive" if word else "pass"), found.detail
    assert word in found.detail
    assert (applied.gate.mean["T2"] > 6.5) == (not word)


def test_a_gate_with_a_link_asks_for_the_old_floors(decide: Any, tmp_path: Path) -> None:
    judge_files.write(links.find(tmp_path / "reports", "ours"), make_link())
    found = decide(link="ours", mean={"T0": 1.0, "T1": 1.0, "T2": 6.0})
    limits = {item.name: item.limit for item in found.gate.conditions}
    assert limits["mean[T2]"] == pytest.approx(6.61, abs=0.01)
    assert limits["baseline[release].mean"] == pytest.approx(-0.255)
    assert answers(found)["link"] == "pass"
    assert found.rules.gate.mean["T2"] == 6.0, "the rules are those of the file"


def test_what_is_known_before_a_run_is_told_before_it(tmp_path: Path) -> None:
    asked = rules(anchors="release", link="ours", require_card="human")
    told = list(instruments.ahead(tmp_path, RUN, asked))
    assert [line.partition(":")[0] for line in told] == ["cards", "anchors check", "link"]
    judge_files.write(links.find(tmp_path, "ours"), make_link())
    anchors(tmp_path, a_check())
    assert list(instruments.ahead(tmp_path, RUN, rules(anchors="release", link="ours"))) == []
    judge_files.write(links.find(tmp_path, "ours"), make_link(refusals=("only 60 conversations",)))
    (told_of_link,) = instruments.ahead(tmp_path, RUN, rules(link="ours"))
    assert "only 60 conversations" in told_of_link


def test_scores_of_another_panel_and_judges_not_tried_in_every_language_are_no_measurement(tmp_path: Path) -> None:
    known = {
        "cases": 12,
        "ordered": 12,
        "auc": 1.0,
        "missing": 0,
        "flagged": 0,
        "scored": 48,
        "cached": 48,
        "means": {},
    }

    def asked(judges: tuple[str, ...], *tried: tuple[str, str]) -> dict[str, str]:
        reports = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        store(reports, "run", "vllm:m", [judged(n, lambda n, t, j: 1.0 + n % 3, judges) for n in range(40)])
        path = reports / "runs" / "run"
        record = json.loads((path / "run.json").read_text(encoding="utf-8"))
        golden = [{"judge": judge, "locale": locale, **known} for judge, locale in tried]
        (path / "run.json").write_text(json.dumps({**record, "golden": golden}), encoding="utf-8")
        return {item.name: item.answer for item in outcome.load(path).gate.conditions}

    both = ((OLD[0], "ja"), (OLD[1], "ja"))
    sound = asked(OLD, *both)
    assert not {"panel", "golden"} & set(sound)
    assert sound["pass_rate"] == "fail"
    exchanged = asked(NEW, *both)
    assert (exchanged["panel"], exchanged["pass_rate"]) == ("inconclusive", "inconclusive"), "not measured: no fail"
    assert asked(OLD[:1], *both)["panel"] == "inconclusive", "one judge's word is no panel's"
    assert asked(OLD, both[0])["golden"] == "inconclusive"
    assert asked(OLD, both[0], (OLD[1], "en"))["golden"] == "inconclusive"
