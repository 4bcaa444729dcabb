"""Collecting on one machine, judging on another: no target is called twice, and nobody is paid twice."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.run.evidence import PROBES
from support.golden import GOLDEN
from support.project import LENIENT_RULES

ALONE = ("-p", "no:xdist")
OWN_CASE = """\
from jmedethic_pytest import Case, check


def test_own(engine):
    check(engine.evaluate(Case(id="en-own", locale="en", guideline="JMA-01", strategy="S1", turns=("Hello?",))))
"""


def asked(server: Any, model: str, since: int = 0) -> int:
    """How often a model was asked of a conversation."""
    return sum(seen.model == model and seen.last not in PROBES for seen in server.seen[since:])


def scripted(server: Any) -> None:
    """Targets name what they were asked; judges are content."""

    def script(seen: Any) -> Any:
        if seen.model == "m":
            return server.openai(f"reply to {seen.last}", model="weights-1")
        return server.score(9)

    server.script = script


@pytest.fixture
def call(in_process: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Return a function that calls ``jmedethic`` in a folder."""

    def run(folder: Path, *arguments: str) -> Any:
        monkeypatch.chdir(folder)
        return in_process(*arguments)

    return run


def test_collection_is_judged_elsewhere_as_it_would_have_been_here(
    server: Any, project: Any, call: Any, tmp_path: Path
) -> None:
    scripted(server)
    made = project(4)
    made.write("test_own.py", OWN_CASE)
    direct = made.pytest(*ALONE, "--jmed-revision=commit-1", "test_conversations.py")
    assert direct.status == 0, direct.output
    made.options = made.options[:1]
    since = len(server.seen)
    collected = made.pytest(*ALONE, "--jmed-judges=none", "--jmed-cache=off", "--jmed-revision=commit-1", "-r", "s")
    assert collected.status == 6, collected.output
    assert "5 skipped" in collected.output
    assert "not judged: the replies were only collected" in collected.output
    assert f"next: jmedethic judge {collected.run.name}" in collected.output
    assert (asked(server, "m", since), asked(server, "j1", since)) == (4 * 2 + 1, 0)
    assert collected.conditions == {"judged": "inconclusive", "complete": "pass"}
    assert {verdict["status"] for verdict in collected.verdicts} == {"not_judged"}
    assert collected.read("run.json")["status"] == "complete"

    there = tmp_path / "elsewhere"
    (there / "reports" / "runs").mkdir(parents=True)
    place = there / "reports" / "runs" / collected.run.name
    shutil.copytree(collected.run, place)
    (there / "thresholds.toml").write_text(LENIENT_RULES)
    judges = f"--judges={server.spec('j1')},{server.spec('j2')}"
    since, before = len(server.seen), (place / "verdicts.jsonl").read_bytes()
    stopped = call(there, "judge", collected.run.name, judges, f"--budget={2 * GOLDEN + 4}calls", "--concurrency=1")
    assert stopped.status == 7, stopped.out
    done = call(there, "judge", "latest", judges, "--report=off")
    assert (done.status, "GATE: PASS" in done.out) == (0, True), done.out + done.err
    assert (asked(server, "m", since), asked(server, "j1", since), asked(server, "j2", since)) == (0, 8, 8)
    assert (place / "verdicts.jsonl").read_bytes() == before, "the collection stays as it is"

    run = (there / "reports" / "latest").resolve()
    scored = [json.loads(line) for line in (run / "verdicts.jsonl").read_text().splitlines()]
    values = {verdict["case"]["id"]: [turn["value"] for turn in verdict["turns"]] for verdict in scored}
    assert values == direct.scores
    told = json.loads((run / "run.json").read_text())
    there_told, here_told = collected.read("run.json"), direct.read("run.json")
    for name in ("target", "selection"):
        assert told[name] == there_told[name] == here_told[name]
    assert told["identity"]["probes"] == there_told["identity"]["probes"]
    assert told["identity"]["served"]["target"] == {"weights-1": 8}
    assert told["transcripts_of"]["run"] == collected.run.name
    assert told["transcripts_of"]["judges"] == []
    assert told["transcripts_of"]["attested"] is True
    assert not [name for name in told["calls"] if name.startswith("target")]
    assert all(turn["reply"]["usage"]["input"] for verdict in scored for turn in verdict["turns"])


def test_judged_run_is_proved_only_beside_its_untouched_collection(server: Any, project: Any, call: Any) -> None:
    scripted(server)
    made = project(3)
    judges, options = made.options[1].replace("--jmed-", "--"), made.options
    made.options = options[:1]
    collected = made.pytest(*ALONE, "--jmed-judges=none", "--jmed-revision=commit-1")
    assert call(made.path, "judge", "latest", judges, "--report=off").status == 0
    policy = made.path.parent / "policy.toml"
    policy.write_text(LENIENT_RULES)
    verify = (
        *("verify", "latest", f"--policy={policy}", "--revision=commit-1", "--model=compatible:m", judges),
        *(f"--base-url={server.openai_url}", "--cases=cases.jsonl", "--locale=en"),
    )
    proved = call(made.path, *verify)
    assert (proved.status, "GATE: PASS" in proved.out) == (0, True), proved.out
    judged, file = (made.path / "reports" / "latest").resolve(), collected.run / "verdicts.jsonl"
    before = file.read_bytes()
    for changed, told in (
        (file, "were edited after they had been stored"),
        (judged / "verdicts.jsonl", "1 transcripts"),
    ):
        kept = changed.read_bytes()
        changed.write_bytes(kept.replace(b"reply to case c0 turn 1", b"reply to case c0 turn 7", 1))
        doubted = call(made.path, *verify)
        assert (doubted.status, "verify[transcripts]" in doubted.out, told in doubted.out) == (6, True, True), (
            doubted.out
        )
        changed.write_bytes(kept)
    file.write_bytes(before.replace(b"reply to case c0 turn 1", b"reply to case c0 turn 7", 1))
    again = call(made.path, "judge", collected.run.name, judges)
    assert (again.status, "1 of 3 conversations were edited" in again.err) == (6, True)
    file.write_bytes(before)
    collected.run.rename(made.path / "away")
    lost = call(made.path, *verify)
    assert (lost.status, f"those of run {collected.run.name}, which is not in" in lost.out) == (6, True), lost.out


def test_what_the_target_did_not_answer_stays_unanswered_and_redacted_texts_are_refused(
    server: Any, project: Any, call: Any
) -> None:
    def script(seen: Any) -> Any:
        if seen.model == "m":
            return server.error(400, "no") if "c1 turn 1" in seen.last else "reply"
        return server.score(9)

    server.script = script
    made = project(3)
    judges = made.options[1].replace("--jmed-", "--")
    made.options = made.options[:1]
    collected = made.pytest(*ALONE, "--jmed-judges=none")
    assert (collected.status, "2 skipped" in collected.output, "1 error" in collected.output) == (6, True, True)
    judged = call(made.path, "judge", "latest", judges, "--redact", "--report=off")
    assert judged.status == 6
    run = (made.path / "reports" / "latest").resolve()
    statuses = [json.loads(line)["status"] for line in (run / "verdicts.jsonl").read_text().splitlines()]
    assert sorted(statuses) == ["scored", "scored", "transport_error"]
    refused = call(made.path, "rejudge", "latest", judges)
    assert (refused.status, "digests in the place of texts (--redact)" in refused.err) == (6, True), refused.err


REFUSED = [
    (["run", "--model=demo:aligned", "--judges=none", "--baseline=x"], "without judges there are no scores"),
    (["run", "--model=demo:aligned", "--judges=none", "--redact"], "could never be judged"),
    (["judge", "latest", "--judges=none"], "'none' scores nothing"),
    (["rejudge", "latest", "--judges=demo"], "nobody has scored it yet"),
    (["rejudge", "latest"], "say by whom"),
    (["baseline", "set", "x", "latest"], "only collected"),
]


def test_what_cannot_be_done_is_said_before_anything_is_paid(call: Any, tmp_path: Path) -> None:
    (tmp_path / "cases.jsonl").write_text(
        '{"id": "en-a", "locale": "en", "guideline": "JMA-01", "strategy": "S1", "turns": ["Hello?"]}\n'
    )
    made = call(tmp_path, "run", "--model=demo:aligned", "--judges=none", "--cases=cases.jsonl", "--locale=en")
    assert made.status == 6
    runs = list((tmp_path / "reports" / "runs").iterdir())
    for arguments, told in REFUSED:
        done = call(tmp_path, *arguments)
        assert done.status in (4, 6)
        assert told in done.err
    assert list((tmp_path / "reports" / "runs").iterdir()) == runs
