"""``jmedethic verify``: a stored run is decided under the caller's rules, and everything else about it is doubted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.project import LENIENT_RULES

ALONE = ("-p", "no:xdist")


def safe(server: Any) -> None:
    server.script = lambda seen: f"reply to {seen.last}" if seen.model == "m" else server.score(9)


@pytest.fixture
def verify(in_process: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, server: Any) -> Callable[..., Any]:
    """Return a function that verifies the latest run of a project under a policy that lies elsewhere."""

    def call(made: Any, *options: str, policy: str = LENIENT_RULES, revision: str = "commit-1") -> Any:
        elsewhere = made.path.parent / f"{made.path.name}-policy.toml"
        elsewhere.write_text(policy)
        monkeypatch.chdir(made.path)
        url = server.openai_url
        return in_process(
            *("verify", "latest", f"--policy={elsewhere}", f"--revision={revision}", "--model=compatible:m"),
            *(f"--base-url={url}", f"--judges=compatible:j1@{url},compatible:j2@{url}"),
            *("--cases=cases.jsonl", "--locale=en", *options),
        )

    return call


def test_honest_run_is_verified_without_a_call(server: Any, project: Any, verify: Any) -> None:
    safe(server)
    made = project(4)
    assert made.pytest(*ALONE, "--jmed-revision=commit-1").status == 0
    calls = len(server.seen)
    done = verify(made)
    assert (done.status, "GATE: PASS" in done.out) == (0, True), done.out
    assert len(server.seen) == calls


def test_who_states_no_revision_is_told_where_one_comes_from(in_process: Callable[..., Any]) -> None:
    done = in_process("verify", "latest", "--policy=policy.toml", "--model=demo:aligned")
    assert done.status == 4
    assert "`jmedethic revision PATH` prints" in done.err


def test_rules_of_the_run_do_not_count(server: Any, project: Any, verify: Any) -> None:
    """The run's thresholds let everything pass; the caller's do not."""
    server.script = lambda seen: f"reply to {seen.last}" if seen.model == "m" else server.score(2)
    made = project(4)
    made.write("thresholds.toml", f"{LENIENT_RULES}strategy_mean = 1.5\n[conversation]\nfloor = 1.0\n")
    assert made.pytest(*ALONE, "--jmed-revision=commit-1").status == 0
    assert verify(made).status in (1, 6)


@pytest.mark.parametrize(
    ("change", "doubt"),
    [
        ("other revision", "verify[revision]"),
        ("no revision", "verify[revision]"),
        ("system prompt", "verify[target.system]"),
        ("one judge enough", "verify[judges.allow_single]"),
        ("fewer cases", "verify[missing]"),
        ("a case reworded", "verify[changed]"),
        ("one turn", "verify[changed]"),
        ("replies of an earlier run", "verify[cache]"),
        ("a guideline retold", "verify[guidelines]"),
        ("a header that routes", "verify[target.dialect]"),
    ],
)
def test_what_the_caller_did_not_ask_for_is_doubted(
    server: Any, project: Any, verify: Any, change: str, doubt: str
) -> None:
    safe(server)
    made, options = project(4), ["--jmed-revision=commit-1"]
    file = made.path / "thresholds.toml"
    if change == "other revision":
        options = ["--jmed-revision=commit-0"]
    elif change == "no revision":
        options = []
    elif change == "system prompt":
        file.write_text(file.read_text().replace("[target]", '[target]\nsystem = "Refuse."'))
    elif change == "one judge enough":
        file.write_text(file.read_text().replace("[judges]", "[judges]\nallow_single = true"))
    elif change == "a header that routes":
        file.write_text(file.read_text() + '[providers.compatible]\nheaders = { x-route = "safe-base" }\n')
    elif change == "one turn":
        options.append("--jmed-turns=1")
    elif change == "replies of an earlier run":
        made.pytest(*ALONE, *options)
    done = made.pytest(*ALONE, *options, *(["-k", "not c3"] if change == "fewer cases" else []))
    routed = "policy: compatible:m is called with headers x-route of the thresholds file"
    assert (routed in done.output) == (change == "a header that routes")
    if change == "a case reworded":
        lines = (made.path / "cases.jsonl").read_text().splitlines()
        case = json.loads(lines[0])
        case["turns"][1] += " Please."
        (made.path / "cases.jsonl").write_text("\n".join([json.dumps(case), *lines[1:]]) + "\n")
    if change == "a guideline retold":
        file = made.path / "reports" / "latest" / "run.json"
        told = json.loads(file.read_text())
        file.write_text(json.dumps({**told, "guidelines": dict.fromkeys(told["guidelines"], "0" * 64)}))
    done = verify(made)
    assert done.status == 6, done.out
    assert doubt in done.out


def test_edited_verdicts_are_refused_or_doubted(server: Any, project: Any, verify: Any) -> None:
    safe(server)
    made = project(4)
    made.pytest(*ALONE, "--jmed-revision=commit-1")
    file: Path = made.path / "reports" / "latest" / "verdicts.jsonl"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join([*lines, lines[0]]))
    doubled = verify(made)
    assert (doubled.status, "second verdict" in doubled.err) == (6, True)
    file.write_text("".join(lines[1:]))
    assert "verify[missing]" in verify(made).out
    file.write_text("".join([lines[0].replace("reply to", "Reply to"), *lines[1:]]))
    assert "verify[transcripts]" in verify(made).out
    file.write_text("".join(lines))
    told = json.loads((made.path / "reports" / "latest" / "run.json").read_text())
    told["calls"].pop("target compatible:m")
    (made.path / "reports" / "latest" / "run.json").write_text(json.dumps(told))
    doubted = verify(made)
    assert "verify[calls]" in doubted.out
    assert "verify[transcripts]" not in doubted.out


def test_other_words_must_be_those_of_the_callers_cases(server: Any, project: Any, verify: Any) -> None:
    """Where the caller asks for the loss by other words; made-up companions would hide it."""
    safe(server)
    made = project(4)
    result = made.pytest(*ALONE, "--jmed-revision=commit-1", "--jmed-perturb=typos")
    assert result.status == 0, result.output
    policy = LENIENT_RULES.replace("[gate]", "[gate]\nrobustness = 0.9")
    assert "verify[robustness]" not in verify(made, policy=policy).out
    path = result.run / "robustness.jsonl"
    first, *rest = path.read_text(encoding="utf-8").splitlines()
    changed = json.loads(first)
    for turn in changed["reworded"]["turns"]:
        turn["user"] = "Hello?"
    path.write_text("\n".join([json.dumps(changed), *rest, ""]), encoding="utf-8")
    done = verify(made, policy=policy)
    assert "verify[robustness]" in done.out
    assert "1 conversations were not said again" in done.out
    assert "verify[robustness]" not in verify(made).out, "nothing depends on it"


def test_scores_of_a_cache_count_only_if_the_caller_vouches_for_it(server: Any, project: Any, verify: Any) -> None:
    safe(server)
    made = project(4)
    made.pytest(*ALONE, "--jmed-revision=commit-0")
    made.pytest(*ALONE, "--jmed-revision=commit-1")
    assert "verify[scores]" in verify(made).out
    assert verify(made, "--trust-judge-cache").status == 0
