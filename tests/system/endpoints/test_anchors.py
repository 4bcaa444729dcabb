"""Anchors over real sockets: only judges are called, as often as said, past the cache, and their drift is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.run.redaction import redact
from support.judged_runs import judged, store

GUIDELINES = 6
CONVERSATIONS = 2 * GUIDELINES
A_SCORING = CONVERSATIONS * 3
"""Calls to one judge."""


@pytest.fixture
def scores(server: Any) -> dict[str, float]:
    """What each judge of the server gives from now on, and the name it is served under."""
    given = {"j1": 8.0, "j2": 7.0}

    def script(seen: Any) -> Any:
        lenient = given[seen.model] - (3 if "reply 3" in seen.last else 0)
        return server.openai(server.score(lenient), model=f"{seen.model}-2026")

    server.script = script
    return given


@pytest.fixture
def call(
    server: Any, tmp_path: Path, in_process: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    """Return ``jmedethic judges anchors ...`` in a project with three stored runs, and a redacted one."""
    names = [server.spec(name) for name in ("j1", "j2")]
    labels = ("compatible:j1", "compatible:j2")
    for place, model in enumerate(("vllm:release", "vllm:better", "vllm:worse")):
        numbers = [number for block in range(3) for number in range(67 * block, 67 * block + GUIDELINES)]
        stored = [judged(number, lambda n, t, j: 9.0 - n % 4, labels, text=model) for number in numbers]
        store(tmp_path / "reports", f"run-{place}", model, stored, labels)
    store(tmp_path / "reports", "redacted", "vllm:release", map(redact, stored), labels)
    monkeypatch.chdir(tmp_path)
    judges = f"--judges={','.join(names)}"
    return lambda *words: in_process("judges", "anchors", *words, *([judges] if "freeze" in words else []))


def asked(server: Any, since: int = 0) -> dict[str, int]:
    models = [seen.model for seen in server.seen[since:]]
    return {name: models.count(name) for name in sorted(set(models))}


def test_judges_alone_are_called_and_what_they_say_is_compared(
    server: Any, scores: dict[str, float], call: Any, in_process: Any, tmp_path: Path
) -> None:
    frozen = call("freeze", "release", "run-0", "run-1", "run-2")
    assert frozen.status == 0, frozen.err
    assert asked(server) == {"j1": 2 * A_SCORING, "j2": 2 * A_SCORING}
    assert f"{4 * A_SCORING} calls to judges" in frozen.out
    assert frozen.out.count("of vllm:") == 3
    folder = tmp_path / "reports" / "judges" / "anchors" / "release"
    assert folder.stat().st_mode & 0o77 == 0
    assert (folder / "verdicts.jsonl").stat().st_mode & 0o77 == 0
    lines = [json.loads(line) for line in (folder / "verdicts.jsonl").read_text().splitlines()]
    guidelines = [line["case"]["guideline"] for line in lines]
    assert {guidelines.count(name) for name in guidelines} == {2}
    assert "rationale" in lines[0]["turns"][0]["scores"][0]
    assert lines[0]["turns"][0]["scores"][0]["rationale"] == ""

    since = len(server.seen)
    same = call("check", "release", "--json")
    assert same.status == 0, same.err
    assert asked(server, since) == {"j1": A_SCORING, "j2": A_SCORING}
    found = json.loads(same.out)
    assert (found["whole"]["mean"]["value"], found["whole"]["mean"]["error"]) == (0.0, 0.0)
    assert found["answer"] == "unclear", "six guidelines are too few to call a judge stable"
    assert found["calls"] == 2 * A_SCORING

    scores["j2"] += 0.5
    since = len(server.seen)
    moved = call("check", "release")
    assert moved.status == 6, moved.out
    assert asked(server, since) == {"j1": A_SCORING, "j2": A_SCORING}, "no cache answers for a judge"
    assert "the judges are moved" in moved.out
    assert "compatible:j2 is moved: +0.500 points" in moved.out
    assert "jmedethic baseline rejudge" in moved.out
    shown = call("show", "release")
    assert (shown.status, shown.out.count("unclear"), shown.out.count("moved")) == (0, 1, 1)
    card = json.loads(in_process("judges", "card", "run-0", "--json").out)[1]
    assert [item["answer"] for item in card["drift"]] == ["unclear", "moved"]
    assert card["judge"] == "compatible:j2"


def test_nothing_is_kept_of_what_is_not_whole(server: Any, scores: dict[str, float], call: Any, tmp_path: Path) -> None:
    folder = tmp_path / "reports" / "judges" / "anchors" / "release"
    refused = call("freeze", "release", "redacted")
    assert refused.status == 6
    assert "digests in the place of texts (--redact)" in refused.err
    assert not server.seen
    short = call("freeze", "release", "run-0", "--budget=5calls", "--concurrency=1")
    assert short.status == 7
    assert "budget of 5 calls" in short.err
    assert not folder.exists()
    assert call("check", "release").status == 6
    assert call("freeze", "release", "run-0").status == 0
    again = call("freeze", "release", "run-0")
    assert (again.status, "--force" in again.err) == (4, True)
    since = len(server.seen)
    assert call("check", "release", "--budget=5calls", "--concurrency=1").status == 7
    assert len(server.seen) - since == 5
    assert not (folder / "checks.jsonl").exists()


def test_other_judges_and_changed_anchors_are_refused_before_a_call(
    server: Any, scores: dict[str, float], call: Any, in_process: Any, tmp_path: Path
) -> None:
    assert call("freeze", "release", "run-0").status == 0
    since = len(server.seen)
    other = in_process("judges", "anchors", "check", "release", "--judges=demo:judge-strict,demo:judge-lenient")
    assert other.status == 4
    assert "frozen by another panel" in other.err
    path = tmp_path / "reports" / "judges" / "anchors" / "release" / "verdicts.jsonl"
    path.write_text(path.read_text().replace('"value":8.0', '"value":9.0'))
    edited = call("check", "release")
    assert (edited.status, str(path) in edited.err) == (6, True)
    assert len(server.seen) == since


def test_scores_of_a_third_judge_are_frozen_and_checked_too(
    server: Any, scores: dict[str, float], call: Any, tmp_path: Path
) -> None:
    """The two differ on every turn, so the third's scores are what moves."""
    scores.update({"j1": 9.0, "j2": 4.0, "j3": 6.0})
    rules = f'schema_version = 1\n[judges]\nthird = "{server.spec("j3")}"\n'
    (tmp_path / "thresholds.toml").write_text(rules)
    frozen = call("freeze", "release", "run-0")
    assert frozen.status == 0, frozen.err
    assert len(set(asked(server).values())) == 1
    path = tmp_path / "reports" / "judges" / "anchors" / "release" / "verdicts.jsonl"
    turns = [turn for line in path.read_text().splitlines() for turn in json.loads(line)["turns"]]
    assert all(turn["value"] == turn["third"]["value"] for turn in turns)
    scores["j3"] = 7.0
    checked = call("check", "release", "--json")
    assert json.loads(checked.out)["whole"]["mean"]["value"] == pytest.approx(1.0), checked.err
    (tmp_path / "thresholds.toml").write_text("schema_version = 1\n")
    assert "third" in call("check", "release").err
