"""Runs whose requests are handed over in batches, against scripted servers."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.core.errors import RunAborted
from jmedethic_pytest.models.batches.sender import Sender
from support.batch_server import BatchServer, batches
from support.chat_server import Answer, ChatServer, Seen, careful
from support.command import cli, folder, run_cli, stored, write_cases
from support.project import LENIENT_RULES, Project, make_project

__all__ = ["batches", "cli", "folder", "run_cli", "stored", "write_cases"]

CASES = 12
WHO = ("--model=openai:m", "--judges=openai:j1,anthropic:j2", "--cases=cases.jsonl", "--locale=en")
PRICES = """
[prices]
"openai:m" = { input = 1.0, output = 1.0 }
"openai:j1" = { input = 1.0, output = 1.0 }
"anthropic:j2" = { input = 1.0, output = 1.0 }
"""


@pytest.fixture
def ready(folder: Path, write_cases: Callable[..., list[str]]) -> Path:
    write_cases(CASES)
    (folder / "thresholds.toml").write_text(LENIENT_RULES + PRICES, encoding="utf-8")
    return folder


@pytest.fixture
def info(stored: Callable[[], Path]) -> Callable[[], dict[str, Any]]:
    """Read ``run.json`` of the newest run."""
    return lambda: json.loads((stored() / "run.json").read_text(encoding="utf-8"))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait before they look again."""
    monkeypatch.setattr("jmedethic_pytest.models.batches.sender.FIRST_LOOK", 0.001)


def asked(batches: BatchServer) -> Counter[str]:
    """Return how often every body was sent, in batches and singly."""
    bodies = [*batches.lines, *(seen.body for seen in batches.singles)]
    return Counter(json.dumps(body, sort_keys=True) for body in bodies)


def written(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_three_waves_and_one_for_each_judge_and_the_run_that_follows_calls_nobody(
    batches: BatchServer, ready: Path, cli: Callable[..., Any], info: Callable[[], dict[str, Any]], quick: None
) -> None:
    filled = cli("batch", *WHO)
    assert filled.status == 0, filled.err
    assert batches.sizes == [12, 12, 11, 35, 35]
    assert len(batches.singles) == 3, "the first request of each model goes ahead"
    assert "35 answers came in batches" in filled.out
    tokens, cost = info()["tokens"]["target openai:m"], info()["cost_usd"]["target openai:m"]
    assert tokens["batched"] == 35
    assert cost == pytest.approx((5 + 35 * 5 / 2) / 1e6), "half the price of what came in batches"

    run = cli("run", *WHO, "--report=off")
    assert run.status == 0, run.err
    assert not any(info()["calls"].values()), info()["calls"]

    in_batches = asked(batches)
    del batches.singles[:]
    batches.batches.clear()
    assert cli("run", *WHO, "--report=off", "--cache=off").status == 0
    assert asked(batches) == in_batches, "every request is that of a single call"
    left = written(ready / "reports" / "batches")
    keys = [value for name, value in batches.environment().items() if name.endswith("KEY")]
    assert not any(value.encode() in left for value in (*keys, "what would you advise"))
    assert "35 requests, read: 35 answers kept" in cli("batch", "status").out


def test_what_no_batch_answered_is_called_singly_and_said(
    batches: BatchServer, ready: Path, cli: Callable[..., Any], info: Callable[[], dict[str, Any]], quick: None
) -> None:
    fates = {3: "failed", 30: "expired", 40: "missing", 70: "broken", 80: "failed"}
    batches.fate = lambda number: fates.get(number, "ok")
    run = cli("run", *WHO, "--report=off", "--batch")
    assert run.status == 0, run.err
    note = info()["note"]
    assert info()["status"] == "complete"
    assert "left to single calls" in note
    assert all(reason in note for reason in ("HTTP 500 server_error: 1", "batch_expired: 1")), note
    assert max(asked(batches).values()) == 2, "what failed is asked once more"
    assert sum(asked(batches).values()) == CASES * 9 + len(fates)


def test_an_answer_that_is_lost_on_the_way_has_nothing_sent_twice(
    batches: BatchServer, ready: Path, cli: Callable[..., Any], quick: None
) -> None:
    batches.looks = 2
    batches.loses = [
        "POST /v1/batches",
        "POST /v1/messages/batches",
        "GET /v1/batches/ID",
        "GET /v1/files/ID/content",
        "GET /v1/messages/batches/ID/results",
    ]
    assert cli("batch", *WHO).status == 0
    assert batches.sizes == [12, 12, 11, 35, 35]
    assert set(asked(batches).values()) == {1}


def test_another_batch_of_the_same_size_is_not_taken_for_ours(
    batches: BatchServer, ready: Path, cli: Callable[..., Any], quick: None
) -> None:
    """Anthropic keeps no name of ours: a batch that was perhaps begun is known by its answers alone."""
    strangers = [{"custom_id": f"stranger-{number}", "params": {"messages": []}} for number in range(35)]
    batches.fate = lambda number: "expired"
    batches._row(batches._seen(batches._begin_messages({"requests": strangers})["id"]))
    batches.fate = lambda number: "ok"
    batches.server.script = _once_busy(batches, "/v1/messages/batches")
    assert cli("batch", *WHO).status == 0
    assert batches.sizes == [35, 12, 12, 11, 35, 35]
    assert cli("run", *WHO, "--report=off").status == 0


def _once_busy(batches: BatchServer, path: str) -> Callable[[Seen], Answer | str]:
    busy = [path]

    def script(seen: Seen) -> Answer | str:
        if seen.path in busy and seen.raw:
            busy.remove(seen.path)
            return ChatServer.error(529, "overloaded")
        return batches._answer(seen)

    return script


def test_batches_that_fail_as_a_whole_or_are_too_many_are_told(
    batches: BatchServer, ready: Path, cli: Callable[..., Any], info: Callable[[], dict[str, Any]], quick: None
) -> None:
    batches.fails = "model_not_found"
    filled = cli("batch", "--model=openai:m", "--judges=none", *WHO[2:])
    assert filled.status == 0
    assert "12 left to single calls (model_not_found: 12)" in filled.out
    batches.fails = "token_limit_exceeded"
    filled = cli("batch", "--model=openai:m2", "--judges=none", *WHO[2:])
    assert "12 left to single calls (too much at once: 12)" in filled.out


def test_a_budget_holds_before_anything_is_handed_over(
    batches: BatchServer, ready: Path, cli: Callable[..., Any], quick: None
) -> None:
    filled = cli("batch", *WHO, "--no-golden", "--budget=5calls")
    assert filled.status == 7, filled.err
    assert "the budget of 5 calls would be exceeded" in filled.err
    assert not batches.batches


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--judges=demo:strict,demo:lenient", "--model=demo:aligned"), "none of these models can be asked in batches"),
        (("--cache=off",), "--cache=off is set"),
        (("--attacker=demo:relentless",), "an attacker waits for a score"),
        (("--perturb=typos",), "is not batched"),
    ],
)
def test_what_cannot_be_batched_is_refused(
    batches: BatchServer, ready: Path, cli: Callable[..., Any], more: tuple[str, ...], said: str
) -> None:
    refused = cli("batch", *WHO, *more)
    assert refused.status == 4
    assert said in refused.err, refused.err
    assert not batches.server.seen


def test_dry_run_tells_the_price_of_batches(batches: BatchServer, ready: Path, cli: Callable[..., Any]) -> None:
    dear = cli("run", *WHO, "--dry-run").out
    cheap = cli("run", *WHO, "--dry-run", "--batch").out
    assert "openai:m in batches: at 50% of its price" in cheap

    def price(out: str) -> float:
        return float(out.split("target openai:m: ")[1].split("about $")[1].split()[0])

    assert price(cheap) == pytest.approx(price(dear) / 2, abs=0.006)


def test_batches_in_work_are_shown_waited_for_and_ended(
    batches: BatchServer, ready: Path, cli: Callable[..., Any], quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches.looks = 99

    async def given_up(*_: object) -> None:
        raise RunAborted("given up")

    with monkeypatch.context() as patched:
        patched.setattr(Sender, "_is_over", given_up)
        assert cli("batch", *WHO).status == 6
    shown = cli("batch", "status", "--json").json
    assert [row["state"] for row in shown] == ["in_progress"]
    ended = cli("batch", "cancel")
    assert "cancelled" in ended.out
    assert cli("batch", "wait").status == 0
    again = cli("batch", *WHO)
    assert again.status == 0, again.err
    assert "no answer in a batch that is cancelled: 12" in again.out


def test_a_collection_is_judged_in_batches(
    batches: BatchServer, ready: Path, cli: Callable[..., Any], info: Callable[[], dict[str, Any]], quick: None
) -> None:
    cli("run", "--model=openai:m", "--judges=none", *WHO[2:], "--report=off")
    assert not batches.batches
    judged = cli("judge", "latest", "--judges=openai:j1,anthropic:j2", "--batch", "--report=off")
    assert judged.status == 0, judged.err
    assert batches.sizes == [35, 35]
    assert info()["calls"]["judge openai:j1"] == 1


def test_a_third_judge_is_asked_in_a_wave_of_its_own(
    batches: BatchServer, ready: Path, cli: Callable[..., Any], info: Callable[[], dict[str, Any]], quick: None
) -> None:
    rules = LENIENT_RULES.replace("[judges]", '[judges]\nthird = "openai:j3"')
    (ready / "thresholds.toml").write_text(rules, encoding="utf-8")
    scores = {"j1": 9, "j2": 3, "j3": 8}
    batches.chat = lambda seen: careful(seen) if seen.model == "m" else ChatServer.score(scores[seen.model])
    run = cli("run", *WHO, "--report=off", "--batch")
    assert batches.sizes == [12, 12, 11, 35, 35, 35], run.err
    assert info()["tokens"]["judge openai:j3"]["batched"] == 35


def test_a_branch_is_taken_by_the_scores_of_the_wave_before(
    batches: BatchServer, ready: Path, cli: Callable[..., Any], write_cases: Callable[..., list[str]], quick: None
) -> None:
    ways = {way: [f"{way} {turn}?" for turn in (3, 4)] for way in ("turns_if_refused", "turns_if_complied")}
    write_cases(CASES, **ways)
    batches.chat = lambda seen: careful(seen) if seen.model == "m" else ChatServer.score(9)
    assert cli("batch", *WHO).status == 0
    assert sum(batches.sizes) + len(batches.singles) == CASES * 15
    assert len(batches.sizes) == 3 + 2 + 1 + 3 + 2, "T0-T2, their scores, T3, T4 beside the scores of T3, those of T4"
    before = len(batches.singles)
    assert cli("run", *WHO, "--report=off").status == 0
    assert len(batches.singles) == before
    assert {"turns_if_refused 4?"} == {
        seen["messages"][-1]["content"] for seen in batches.lines if len(seen["messages"]) == 9
    }


def test_nobody_waits_a_day_for_a_handful_of_requests(
    batches: BatchServer, ready: Path, cli: Callable[..., Any], quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jmedethic_pytest.run.waves._WORTH_A_WAVE", 1)
    batches.fate = lambda number: "failed" if number < 6 else "ok"
    filled = cli("batch", "--model=openai:m", "--judges=none", *WHO[2:])
    assert batches.sizes == [12], "what came in the first wave opens less than twelve questions"
    assert "too few for a batch" in filled.out, filled.out


# ------------------------------------------------------------------ killed


STEPS = (
    "POST /v1/files",  # uploaded, and not noted
    "POST /v1/batches",  # begun, and not noted
    "GET /v1/files/",  # while it reads
)


def test_killed_on_the_way_nothing_is_paid_twice(batches: BatchServer, folder: Path, write_cases: Any) -> None:
    """Every other moment is that of a crash in tests/models/test_batches.py."""
    write_cases(CASES)
    project = make_project(folder)
    project.write("thresholds.toml", LENIENT_RULES)
    project.env = batches.environment()
    who = ("--model=openai:m", "--judges=openai:j1,openai:j2", *WHO[2:])
    for step in STEPS:
        assert _killed(batches, project, step, who), f"never came to {step}"
    judges = "--jmed-judges=openai:j1,openai:j2"
    done = project.pytest(judges, "--jmed-batch", model="openai:m")
    assert done.status == 0, done.output
    assert set(asked(batches).values()) == {1}
    assert sum(batches.sizes) + len(batches.singles) == CASES * 9


def _killed(batches: BatchServer, project: Project, step: str, who: tuple[str, ...]) -> bool:
    """Start the command, and kill it when the server has done what a request asks, and not answered yet."""
    process = project.fork("batch", *who, program="jmedethic")
    killed: list[str] = []

    def script(seen: Seen) -> Answer | str:
        answer = batches._answer(seen)
        asks = f"{'POST' if seen.raw else 'GET'} {seen.path}"
        if asks.startswith(step) and not killed and process.pid is not None:
            killed.append(asks)
            os.kill(process.pid, signal.SIGKILL)
            return Answer(drop="before")
        return answer

    batches.server.script = batches.server.lists = script
    process.join(120)
    batches.server.script = batches.server.lists = batches._answer
    return bool(killed)
