"""A name is no model: replies of one run answer for another only where the weights are known to be the same."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.run.evidence import PROBES
from support.chat_server import Answer
from support.golden import GOLDEN

ALONE = ("-p", "no:xdist")
UNSAFE = "UNSAFE: here is how"


def serve(server: Any, text: Callable[[], str]) -> None:
    """Let the target say a text, and judges see whether it is the unsafe one."""

    def script(seen: Any) -> Any:
        if seen.model == "m":
            return f"{text()} {seen.last}"
        return server.score(1 if UNSAFE in seen.marked["text"] else 9)

    server.script = script


def asked(server: Any, since: int = 0) -> int:
    """How often the target was asked of a conversation."""
    return sum(seen.model == "m" and seen.last not in PROBES for seen in server.seen[since:])


def test_new_weights_under_the_same_name_are_asked_and_do_not_pass(server: Any, project: Any) -> None:
    weights = {"text": "safe"}
    serve(server, lambda: weights["text"])
    made = project(4)
    assert made.pytest(*ALONE).status == 0
    assert asked(server) == 8
    weights["text"] = UNSAFE
    since = len(server.seen)
    second = made.pytest(*ALONE)
    assert (second.status, asked(server, since)) == (1, 8), second.output
    assert second.read("run.json")["replies_of"] == second.run.name


@pytest.mark.parametrize("place", ["option", "variable", "file"])
def test_equal_stated_revision_costs_no_call_and_another_one_is_asked(server: Any, project: Any, place: str) -> None:
    serve(server, lambda: "safe")

    def go(revision: str) -> Any:
        options, rules, env = [], "", {}
        if place == "option":
            options = [f"--jmed-revision={revision}"]
        elif place == "variable":
            env = {"JMED_REVISION": revision}
        else:
            rules = f"[target]\nrevision = '{revision}'\ntimeout = 20.0\n"
        made = project(3, env=env)
        if rules:
            file = made.path / "thresholds.toml"
            file.write_text(file.read_text().replace("[target]\ntimeout = 20.0\n", rules))
        return made.pytest(*ALONE, *options)

    first = go("commit-1")
    assert first.read("run.json")["target"]["revision"] == "commit-1"
    since = len(server.seen)
    assert (go("commit-1").status, asked(server, since)) == (0, 0)
    go("commit-2")
    assert asked(server, since) == 6


def test_run_that_did_not_end_is_gone_on_with_only_at_the_same_commit(server: Any, project: Any) -> None:
    serve(server, lambda: "safe")
    made = project(6)

    def commit(text: str) -> None:
        (made.path / "finetune.yaml").write_text(text)
        who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        for command in (["init", "-q"], ["add", "finetune.yaml"], [*who, "commit", "-qm", text]):
            subprocess.run(["git", *command], cwd=made.path, check=True, capture_output=True)

    commit("epochs: 1")
    stopped = made.pytest(*ALONE, f"--jmed-budget={2 * GOLDEN + 20}calls", "--jmed-concurrency=1")
    assert stopped.status == 7
    paid = asked(server)
    resumed = made.pytest(*ALONE)
    assert (resumed.status, asked(server)) == (0, 12), resumed.output
    assert resumed.read("run.json")["replies_of"] == stopped.run.name
    assert 0 < paid < 12

    made.pytest(*ALONE, "--jmed-budget=20calls", "--jmed-concurrency=1")
    commit("epochs: 9")
    since = len(server.seen)
    made.pytest(*ALONE)
    assert asked(server, since) == 12


def test_other_weights_than_those_of_the_run_that_did_not_end_are_asked_everything(server: Any, project: Any) -> None:
    weights = {"text": "safe", "root": "/models/old"}
    serve(server, lambda: weights["text"])
    server.lists = lambda seen: Answer(body={"data": [{"id": "m", "root": weights["root"]}]})
    made = project(6)
    stopped = made.pytest(*ALONE, f"--jmed-budget={2 * GOLDEN + 20}calls", "--jmed-concurrency=1")
    assert stopped.status == 7
    weights.update(text="safe too", root="/models/new")
    since = len(server.seen)
    second = made.pytest(*ALONE)
    assert (second.status, asked(server, since)) == (0, 12), second.output
    assert f"this goes on with run {stopped.run.name}, but the server lists another model" in second.output


def test_latest_is_the_run_that_started_last(server: Any, project: Any) -> None:
    """A killed run must not leave the one before as the latest: its answer would be taken for the new one's."""
    serve(server, lambda: "safe")
    made = project(3)
    first = made.pytest(*ALONE)
    assert first.status == 0
    latest: Path = made.path / "reports" / "latest"
    before = first.run
    assert latest.resolve() == before
    server.script = lambda seen: server.error(401, "no")
    dead = made.pytest(*ALONE)
    assert dead.status == 6
    assert latest.resolve() == dead.run != before


def test_model_that_changes_under_its_name_is_named_and_never_passes(server: Any, project: Any) -> None:
    def script(seen: Any) -> Any:
        if seen.model == "m":
            return server.openai(f"reply to {seen.last}", model="m" if len(server.seen) < 6 else "cheap-fallback-7b")
        return server.score(9)

    server.script = script
    done = project(4).pytest(*ALONE, "--jmed-report=full", "--jmed-concurrency=1")
    assert done.status == 6, done.output
    assert "served[target]" in done.output
    assert done.output.count("mean of T2 6.0 -> 1.0") == 2, "among the first lines and the last"
    for name in ("summary.md", "comment.md", "report.html"):
        text = (done.run / name).read_text(encoding="utf-8")
        assert "cheap-fallback-7b" in text, name
        assert "policy: weaker than the shipped ones: " in text, name
        assert "mean of T2 6.0 -" in text, name


def test_other_name_than_the_one_asked_for_is_named_and_passes(server: Any, project: Any) -> None:
    serve(server, lambda: "safe")
    inner = server.script

    def script(seen: Any) -> Any:
        return server.openai(inner(seen), model="snapshot-2026") if seen.model == "m" else inner(seen)

    server.script = script
    done = project(3).pytest(*ALONE)
    assert done.status == 0, done.output
    assert "target compatible:m answered as snapshot-2026 (6)" in done.output


def test_finished_run_is_replayed_only_without_any_call_and_says_so(server: Any, project: Any) -> None:
    serve(server, lambda: "safe")
    made = project(3)
    first = made.pytest(*ALONE)
    since = len(server.seen)
    replay = made.pytest(*ALONE, "--jmed-cache=only")
    assert len(server.seen) == since
    assert {verdict["status"] for verdict in replay.verdicts} == {"scored"}
    assert replay.read("run.json")["replayed"] == first.run.name
    assert (replay.status, "replayed" in replay.output) == (6, True)
    assert "6 of 6 replies of the target had been asked for before" in replay.output


def test_outage_worded_as_an_answer_is_asked_again_under_the_same_stated_revision(
    server: Any, project: Any, make_case: Any
) -> None:
    """Replies of no model are not kept, though the revision is the same: the next run finds out what is served now."""
    weights = {"text": "502 Bad Gateway"}

    def script(seen: Any) -> Any:
        if seen.model == "m":
            return weights["text"]
        return server.score(1 if UNSAFE in seen.marked["text"] else 9)

    server.script = script
    made = project([make_case(f"c{number}", turns=1) for number in range(50)])
    during = made.pytest(*ALONE, "--jmed-revision=commit-1", "--tb=no")
    assert (during.status, "target[same]" in during.output) == (6, True), during.output
    weights["text"] = UNSAFE
    since = len(server.seen)
    after = made.pytest(*ALONE, "--jmed-revision=commit-1", "--tb=no")
    assert asked(server, since) == 50
    assert after.status != 0


def test_other_evidence_under_the_same_stated_revision_is_named_and_the_kept_replies_are_not_used(
    server: Any, project: Any
) -> None:
    """Somebody states the revision of yesterday, and the server serves, and partly says, what is new today."""
    weights = {"text": "safe", "root": "/models/old"}
    serve(server, lambda: weights["text"])
    server.lists = lambda seen: Answer(body={"data": [{"id": "m", "root": weights["root"], "owned_by": "vllm"}]})
    made = project(3)

    def go() -> tuple[Any, int]:
        since = len(server.seen)
        return made.pytest(*ALONE, "--jmed-revision=commit-1", "--tb=no"), asked(server, since)

    first, calls = go()
    assert (first.status, calls) == (0, 6), first.output
    identity = first.read("run.json")["identity"]
    assert (identity["listed"], identity["changes"]) == ({"root": "/models/old"}, [])
    assert len(identity["probes"]) == first.calls_by_model["probe compatible:m"] == len(PROBES)
    again, calls = go()
    assert (again.status, calls) == (0, 0), again.output

    weights["root"] = "/models/new"
    moved, calls = go()
    assert (moved.status, calls) == (0, 6), moved.output
    assert "root '/models/old' -> '/models/new'" in moved.output
    weights.update(root="/models/old", text=UNSAFE)
    retrained, calls = go()
    assert (retrained.status, calls) == (1, 6), retrained.output
    assert "5 of 5 probes are answered otherwise than before" in retrained.output


def test_without_a_stated_revision_nothing_but_the_list_is_asked_for(server: Any, project: Any) -> None:
    serve(server, lambda: "safe")
    server.lists = lambda seen: Answer(body={"data": [{"id": "m", "max_model_len": 4096, "created": 1}]})
    done = project(3).pytest(*ALONE)
    assert (done.status, done.calls) == (0, {"target": 6, "judge": 12}), done.output
    identity = done.read("run.json")["identity"]
    assert identity["listed"] == {"max_model_len": 4096, "created": 1}
    assert (identity["probes"], identity["served"]["target"]) == ([], {"served-model": 6})
