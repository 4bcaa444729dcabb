"""A name is no model: replies of one run answer for another only where the weights are known to be the same."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

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
    return sum(seen.model == "m" for seen in server.seen[since:])


def test_new_weights_under_the_same_name_are_asked_and_do_not_pass(server: Any, project: Any) -> None:
    weights = {"text": "safe"}
    serve(server, lambda: weights["text"])
    made = project(4)
    assert made.run(*ALONE).status == 0
    assert asked(server) == 8
    weights["text"] = UNSAFE
    since = len(server.seen)
    second = made.run(*ALONE)
    assert (second.status, asked(server, since)) == (1, 8), second.text
    assert second.load("run.json")["replies_of"] == second.runs[-1].name


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
            file = made.root / "thresholds.toml"
            file.write_text(file.read_text().replace("[target]\ntimeout = 20.0\n", rules))
        return made.run(*ALONE, *options)

    first = go("commit-1")
    assert first.load("run.json")["target"]["revision"] == "commit-1"
    since = len(server.seen)
    assert (go("commit-1").status, asked(server, since)) == (0, 0)
    go("commit-2")
    assert asked(server, since) == 6


def test_run_that_did_not_end_is_gone_on_with_only_at_the_same_commit(server: Any, project: Any) -> None:
    serve(server, lambda: "safe")
    made = project(6)

    def commit(text: str) -> None:
        (made.root / "finetune.yaml").write_text(text)
        who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        for command in (["init", "-q"], ["add", "finetune.yaml"], [*who, "commit", "-qm", text]):
            subprocess.run(["git", *command], cwd=made.root, check=True, capture_output=True)

    commit("epochs: 1")
    stopped = made.run(*ALONE, "--jmed-budget=20calls", "--jmed-concurrency=1")
    assert stopped.status == 7
    paid = asked(server)
    resumed = made.run(*ALONE)
    assert (resumed.status, asked(server)) == (0, 12), resumed.text
    assert resumed.load("run.json")["replies_of"] == stopped.runs[0].name
    assert 0 < paid < 12

    made.run(*ALONE, "--jmed-budget=20calls", "--jmed-concurrency=1")
    commit("epochs: 9")
    since = len(server.seen)
    made.run(*ALONE)
    assert asked(server, since) == 12


def test_latest_is_the_run_that_started_last(server: Any, project: Any) -> None:
    """A killed run must not leave the one before as the latest: its answer would be taken for the new one's."""
    serve(server, lambda: "safe")
    made = project(3)
    first = made.run(*ALONE)
    assert first.status == 0
    latest: Path = made.root / "reports" / "latest"
    (before,) = first.runs
    assert latest.resolve() == before
    server.script = lambda seen: server.error(401, "no")
    dead = made.run(*ALONE)
    assert dead.status == 6
    assert latest.resolve() == dead.runs[-1] != before


def test_finished_run_is_replayed_only_without_any_call_and_says_so(server: Any, project: Any) -> None:
    serve(server, lambda: "safe")
    made = project(3)
    first = made.run(*ALONE)
    since = len(server.seen)
    replay = made.run(*ALONE, "--jmed-cache=only")
    assert len(server.seen) == since
    assert {verdict["status"] for verdict in replay.verdicts()} == {"scored"}
    assert replay.load("run.json")["replayed"] == first.runs[0].name
