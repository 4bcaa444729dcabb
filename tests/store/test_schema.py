"""What the version before wrote, recorded with it, is read with the figures it had then."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.records import SCHEMA_VERSION, Score, Verdict
from jmedethic_pytest.core.status import OF_JUDGE, OF_TARGET
from jmedethic_pytest.core.vocabulary import SHIPPED, Vocabulary
from jmedethic_pytest.gate.outcome import load
from jmedethic_pytest.judging import prompt
from jmedethic_pytest.judging import verdict as verdicts
from jmedethic_pytest.store import baselines, comparable, runs, schema, scores

RECORDED = Path(__file__).parent / "schema1"
"""A reports folder: two whole runs and a baseline of the first, a run of own guidelines, one that ran out of budget,
one with every trouble that a case can have, and one that was killed."""
RUNS = sorted(path.name for path in (RECORDED / "runs").iterdir())
REGRESSED, ERODING, OWN, BUDGET, TROUBLE, KILLED = RUNS


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """A copy of the recorded folder."""
    return Path(shutil.copytree(RECORDED, tmp_path / "reports"))


def lines(run: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (RECORDED / "runs" / run / "verdicts.jsonl").read_bytes().splitlines()]


@pytest.mark.parametrize("run", RUNS)
def test_verdict_keeps_its_words_and_its_parts_get_words_without_a_role(run: str) -> None:
    found = list(runs.read_verdicts(RECORDED / "runs" / run))
    assert [(verdict.key, verdict.status, verdict.detail) for verdict in found] == [
        (line["case"]["id"] + (f"~{line['repeat']}" if line["repeat"] else ""), line["status"], line["detail"])
        for line in lines(run)
    ]
    for verdict, line in zip(found, lines(run), strict=True):
        assert verdict.schema_version == SCHEMA_VERSION
        for turn, stored in zip(verdict.turns, line["turns"], strict=True):
            assert stored["reply"]["status"] == {**OF_TARGET, "ok": "ok"}[turn.reply.status]
            old = [score["status"] for score in stored["scores"]]
            assert old == [{**OF_JUDGE, "scored": "scored"}[score.status] for score in turn.scores]


LATER = {"target_too_long", "judge_too_long"}
"""Words that schema 1 did not know."""


def test_every_word_of_a_verdict_is_among_the_recorded_ones() -> None:
    found = [verdict for run in RUNS for verdict in runs.read_verdicts(RECORDED / "runs" / run)]
    words = {*OF_TARGET.values(), *OF_JUDGE.values(), "scored", "skipped_budget"} - LATER
    assert {verdict.status for verdict in found} == words
    for verdict in found:
        if verdict.turns:
            assert verdicts.status(verdict.turns, verdict.planned_turns) == (verdict.status, verdict.detail)


@pytest.mark.parametrize("run", [REGRESSED, ERODING, OWN, BUDGET, TROUBLE])
def test_gate_decides_on_the_figures_it_had(run: str) -> None:
    """What the gate makes of a figure may have become stricter since; the figure may not have moved."""
    recorded = json.loads((RECORDED / "runs" / run / "gate.json").read_text(encoding="utf-8"))
    found = {condition.name: condition for condition in load(RECORDED / "runs" / run).gate.conditions}
    for before in recorded["conditions"]:
        assert found[before["name"]].observed == pytest.approx(before["observed"]), before["name"]
        assert before["answer"] == "pass" or found[before["name"]].answer != "pass", before["name"]


def test_killed_run_is_incomplete_and_keeps_what_it_had() -> None:
    outcome = load(RECORDED / "runs" / KILLED)
    assert outcome.info.status == "started"
    assert outcome.gate.answer != "pass"
    assert sum(outcome.summary.statuses.values()) == len(lines(KILLED)) == 2


@pytest.mark.parametrize("run", RUNS)
def test_verdict_found_by_its_place_is_the_same(run: str) -> None:
    folder = RECORDED / "runs" / run
    placed = list(runs.read_places(folder))
    assert list(runs.read_at(folder, [place for _, place in placed])) == [verdict for verdict, _ in placed]


def test_scores_for_a_comparison_are_those_of_the_recorded_baseline(reports: Path) -> None:
    from jmedethic_pytest.store import baselines

    baseline = baselines.read(reports / "baselines" / "before.json")
    rows = scores.read(reports / "runs" / REGRESSED).rows
    assert {key: row._replace(marks=(), help=(), flags=(), told="") for key, row in rows.items()} == baseline.sheet.rows


def test_commands_read_recorded_runs(cli: Callable[..., Any], reports: Path) -> None:
    listed = cli("list", "runs", f"--reports={reports}", "--json")
    recorded = json.loads((RECORDED / "list.json").read_text(encoding="utf-8"))
    assert [row | then for row, then in zip(listed.json, recorded, strict=True)] == listed.json
    shown = cli("show", TROUBLE, "en-c6", f"--reports={reports}")
    assert "status judge_truncated" in shown.out
    assert "vllm:judge-b: truncated" in shown.out
    compared = cli("compare", ERODING, "before", f"--reports={reports}", "--json")
    assert (compared.status, compared.json["obstacles"], compared.json["pairs"]) == (6, [], 8)
    board = cli("leaderboard", REGRESSED, ERODING, f"--reports={reports}", "--json")
    recorded = json.loads((RECORDED / "leaderboard.json").read_text(encoding="utf-8"))
    for now, then in zip(board.json["entries"], recorded["entries"], strict=True):
        assert (now["name"], now["n"], now["mean"]["value"]) == (then["name"], then["n"], then["mean"]["value"])


def test_report_of_a_recorded_run_is_written(cli: Callable[..., Any], reports: Path) -> None:
    done = cli("report", TROUBLE, f"--reports={reports}")
    assert done.status == 0, done.err
    assert (reports / "runs" / TROUBLE / "report.html").is_file()


def test_text_that_looks_like_a_status_stays(build_verdict: Callable[..., Verdict]) -> None:
    """Only the two places that hold a status are put into other words."""
    verdict = build_verdict("ja-a", [[8.0, 9.0]])
    text = '"status":"target_truncated"'
    turn = verdict.turns[0].model_copy(
        update={"reply": verdict.turns[0].reply.model_copy(update={"text": text, "sent": {"status": "target_empty"}})}
    )
    content = verdict.model_copy(update={"turns": (turn,)}).model_dump(mode="json")
    read = schema.read(Verdict, json.dumps({**content, "schema_version": 1}).encode())
    assert (read.turns[0].reply.text, read.turns[0].reply.sent) == (text, {"status": "target_empty"})
    assert read == schema.read(Verdict, json.dumps(content).encode())


def test_words_of_schema_1_are_damage_in_schema_2(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "x"
    shutil.copytree(RECORDED / "runs" / TROUBLE, run)
    path = run / "verdicts.jsonl"
    path.write_bytes(path.read_bytes().replace(b'{"schema_version":1,"case"', b'{"schema_version":2,"case"', 1))
    with pytest.raises(StoreError, match=r"verdicts\.jsonl:1: damaged: turns\.1\.reply\.status"):
        list(runs.read_verdicts(run))


def test_score_knows_no_role() -> None:
    with pytest.raises(ValueError, match="judge_refused"):
        Score(judge="j", value=None, status="judge_refused")  # type: ignore[arg-type]


def test_prompts_of_a_baseline_are_known_again_by_the_digest_of_its_time() -> None:
    """It was taken over all guidelines at once; a run of today holds it besides one for each guideline it names."""
    old = baselines.read(RECORDED / "baselines" / "before.json").sheet.origin
    words = SHIPPED.with_own(Vocabulary({"OWN-01": SHIPPED.guideline("JMA-01")._replace(id="OWN-01")}), "here")
    for known, same in ((SHIPPED, True), (words, False)):
        told = {"JMA-01": prompt.guideline_digest(known.guideline("JMA-01"))}
        as_then = prompt.digest_as_schema_1("paper", known)
        today = {"prompts": prompt.digest("paper"), "guidelines": told, "prompts_schema_1": as_then}
        found = comparable.unlike(old, old.model_copy(update=today))
        assert [problem.startswith("the judges' prompts differ") for problem in found] == ([] if same else [True])
