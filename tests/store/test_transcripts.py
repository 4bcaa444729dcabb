"""Stored conversations that others are to score: whole, unchanged, and with their texts; or refused, and why."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.core import transcripts
from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.records import Verdict
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.store import runs as run_files
from jmedethic_pytest.store import scores
from jmedethic_pytest.store.runs import RunStore
from jmedethic_pytest.store.transcripts import open_transcripts

Build = Callable[..., Verdict]
KEYS = ("ja-a", "ja-b", "ja-c")


@pytest.fixture
def run(tmp_path: Path, build_verdict: Build) -> Path:
    """A complete run of three conversations, with digests of them."""
    store = RunStore(tmp_path, "run")
    kept = {}
    for name in KEYS:
        verdict = build_verdict(name, [(9, 9), (8, 8)])
        verdict = verdict.model_copy(update={"transcript": transcripts.digest(verdict)})
        kept[verdict.key] = verdict.transcript
        store.append(verdict)
    store.close()
    store.write_info(info(transcripts.digest_of_all(kept)))
    return store.path


def info(digest: str | None, **changes: Any) -> RunInfo:
    digests = {"cases": "c", "prompts": "p", "thresholds": "t", **({"transcripts": digest} if digest else {})}
    fields: dict[str, Any] = {
        "id": "run",
        "status": "complete",
        "started": "2026-01-01T00:00:00Z",
        "finished": "2026-01-01T00:10:00Z",
        "tool_version": "0.1.0",
        "git_commit": "abc",
        "target": {"model": "vllm:m", "kind": "openai"},
        "judges": ({"model": "demo:one", "kind": "demo"}, {"model": "demo:two", "kind": "demo"}),
        "simulated": True,
        "selection": {},
        "selected": len(KEYS),
        "digests": digests,
        "concurrency": 1,
    }
    return RunInfo(**{**fields, **changes})


def rewrite(run: Path, number: int, change: Callable[[dict[str, Any]], None]) -> None:
    """Change one line of the verdicts."""
    file = run / "verdicts.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines()
    content = json.loads(lines[number])
    change(content)
    lines[number] = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def rewrite_info(run: Path, **changes: Any) -> None:
    content = json.loads((run / "run.json").read_text(encoding="utf-8"))
    (run / "run.json").write_text(json.dumps({**content, **changes}), encoding="utf-8")


def say(text: str) -> Callable[[dict[str, Any]], None]:
    return lambda verdict: verdict["turns"][0]["reply"].update(text=text)


def test_sound_run_is_read_conversation_by_conversation(run: Path) -> None:
    found = open_transcripts(run)
    assert [found.read(key) for key in found.digests] == list(run_files.read_verdicts(run))
    assert {case_id: found.cases[case_id].id for case_id in found.cases} == {name: name for name in KEYS}
    assert found.source.model_dump() == {
        "run": "run",
        "finished": "2026-01-01T00:10:00Z",
        "tool_version": "0.1.0",
        "git_commit": "abc",
        "judges": ("demo:one", "demo:two"),
        "prompts": "p",
        "transcripts": found.info.digests["transcripts"],
        "attested": True,
    }


@pytest.mark.parametrize(
    ("number", "change", "told"),
    [
        (1, say("somebody else's words"), "1 of 3 conversations were edited .*: ja-b"),
        (2, lambda verdict: verdict["turns"][1].update(user="another question"), "edited .*: ja-c"),
        (0, lambda verdict: verdict["case"].update(guideline="JMA-02"), "edited .*: ja-a"),
        (0, lambda verdict: verdict["case"].update(components=["nothing"]), "edited .*: ja-a"),
        (0, lambda verdict: verdict.update(transcript=""), "edited .*: ja-a"),
        (0, lambda verdict: verdict.update(branch="refused"), "edited .*: ja-a"),
        (0, lambda verdict: verdict.update(planned_turns=3, status="judge_unparsable"), "edited .*: ja-a"),
        (0, say("[redacted: sha256 0123456789abcdef, 12 characters]"), r"digests in the place of texts .*: ja-a"),
        (0, say(""), "1 of 3 conversations lack the text of a reply: ja-a"),
    ],
)
def test_conversation_that_is_not_what_was_said_is_named(
    run: Path, number: int, change: Callable[[dict[str, Any]], None], told: str
) -> None:
    rewrite(run, number, change)
    with pytest.raises(StoreError, match=told):
        open_transcripts(run)


def test_edit_with_a_digest_of_its_own_does_not_fit_the_run(run: Path) -> None:
    def change(verdict: dict[str, Any]) -> None:
        say("somebody else's words")(verdict)
        verdict["transcript"] = transcripts.digest(Verdict.model_validate(verdict))

    rewrite(run, 1, change)
    with pytest.raises(StoreError, match="put in place of others"):
        open_transcripts(run)


def test_scores_are_no_part_of_the_digest(run: Path) -> None:
    def change(verdict: dict[str, Any]) -> None:
        verdict["turns"][0].update(value=9.5, scores=[{"judge": "j", "value": 9.5}])
        verdict["seconds"] = 99.0

    rewrite(run, 1, change)
    assert open_transcripts(run).source.attested


def test_lost_line_is_noticed(run: Path) -> None:
    file = run / "verdicts.jsonl"
    file.write_text("".join(file.read_text(encoding="utf-8").splitlines(keepends=True)[:2]), encoding="utf-8")
    with pytest.raises(StoreError, match="2 of 3 conversations are there"):
        open_transcripts(run)


def test_run_that_did_not_end_is_refused_with_its_command(run: Path) -> None:
    rewrite_info(run, status="incomplete", command=["pytest", "--model=vllm:m"])
    with pytest.raises(StoreError, match=r"incomplete.*pytest --model=vllm:m"):
        open_transcripts(run)


def test_older_run_without_digests_is_read_and_said_to_be_unattested(run: Path) -> None:
    for number in range(3):
        rewrite(run, number, lambda verdict: verdict.pop("transcript"))
    rewrite_info(run, digests={"cases": "c", "prompts": "p", "thresholds": "t"})
    assert not open_transcripts(run).source.attested


def test_change_while_it_is_read_is_noticed(run: Path) -> None:
    found = open_transcripts(run)
    rewrite(run, 0, say("R"))  # as long as before
    with pytest.raises(StoreError, match="ja-a has changed while it was read"):
        found.read("ja-a")


def test_collection_has_no_scores_to_compare_and_its_record_admits_none(run: Path) -> None:
    rewrite_info(run, judges=[])
    with pytest.raises(StoreError, match="T0 has 2 scores, and the run 0 judges"):
        list(run_files.read_verdicts(run))
    with pytest.raises(StoreError, match="jmedethic judge run"):
        scores.read(run)
