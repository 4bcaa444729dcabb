"""Many faults at once, and death at any moment: nothing is lost, nothing is counted twice."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import os
import random
import re
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

ALONE = ("-p", "no:xdist")
FAULTS = (
    "429",
    "500",
    "529",
    "reset",
    "half",
    "malformed",
    "html",
    "empty",
    "no choices",
    "filter",
    "length",
    "prose",
    "hang",
)
HANG_SECONDS = 12.0


def _chance(seed: str) -> float:
    """Return a number in [0, 1) that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8]) / 2**64


# ------------------------------------------------------------------------------------------------- faults


def _odd(server: Any, fault: str) -> Any:
    """Return the answer that a fault is."""
    answer = type(server.openai())
    return {
        "429": server.error(429, "slow down"),
        "500": server.error(500, "oops"),
        "529": server.error(529, "overloaded"),
        "reset": answer(body="", drop="before"),
        "half": answer(body={"a": "b" * 500}, drop="inside"),
        "malformed": answer(body="{'no': json"),
        "html": answer(body="<html>", headers={"Content-Type": "text/html"}),
        "empty": server.openai(""),
        "no choices": answer(body={"model": "m", "choices": []}),
        "filter": server.openai(None, finish="content_filter"),
        "length": server.openai("half a rep", finish="length"),
        "prose": server.openai("Quite safe, I should say."),
    }[fault]


def test_hundreds_of_conversations_with_every_fault_at_once(server: Any, project: Any, make_case: Any) -> None:
    """Each kind of fault hits one call in fifty, a retried call as likely as any other."""
    drawn, asked = Counter[str](), Counter[str]()

    async def script(seen: Any) -> Any:
        asked[seen.content] += 1
        draw = _chance(f"{seen.content}/{asked[seen.content]}")
        if draw < 0.02 * len(FAULTS):
            fault = FAULTS[int(draw * 50)]
            drawn[fault] += 1
            if fault != "hang":
                return _odd(server, fault)
            await asyncio.sleep(HANG_SECONDS)
        return "a careful reply" if seen.model == "m" else server.score(9)

    server.script = script
    cases = [make_case(f"c{number}", turns=1) for number in range(400)]
    made = project(cases)
    file = made.path / "thresholds.toml"
    file.write_text(file.read_text().replace("timeout = 20.0", f"timeout = {HANG_SECONDS / 2}"))
    done = made.pytest(*ALONE, "--jmed-concurrency=128", "-q", "-r", "N", "--tb=no")
    assert set(drawn) == set(FAULTS), drawn
    assert min(drawn.values()) >= 10, drawn
    verdicts = done.verdicts
    assert sorted(verdict["case"]["id"] for verdict in verdicts) == sorted(case.id for case in cases)
    statuses = Counter(verdict["status"] for verdict in verdicts)
    assert statuses["scored"] > 300, statuses
    # What is a model's own is missing; whatever went wrong on the way was asked for again, and seldom three times.
    assert {"target_empty", "target_blocked", "target_truncated"} <= set(statuses), statuses
    assert statuses["transport_error"] <= 3, statuses
    for verdict in verdicts:
        values = [turn["value"] for turn in verdict["turns"]]
        assert (verdict["status"] == "scored") == (values == [9.0]), verdict["status"]
    assert done.status == 6, done.output[-3000:]
    assert done.read("run.json")["status"] == "complete"
    assert "Traceback" not in done.output
    assert "GATE: INCONCLUSIVE" in done.output


# -------------------------------------------------------------------------------------------------- death

SEEDS = range(12)


def _figures(run: Path) -> Any:
    """Return what a run says about the model: all but names, times and what was paid."""
    return json.loads((run / "summary.json").read_text()), json.loads((run / "gate.json").read_text())


def _score(seen: Any) -> float:
    return 1 + int(_chance(seen.content) * 19) / 2


def test_killed_at_any_moment_nothing_finished_is_lost_and_the_figures_are_the_same(server: Any, project: Any) -> None:
    """Twelve runs are killed after so many answers and started again; one that was left alone is the measure."""

    enough = math.inf

    async def script(seen: Any) -> Any:
        await asyncio.sleep(0.02)
        while server.answers >= enough:  # no run ends before it is killed
            await asyncio.sleep(0.02)
        return f"reply to {seen.last}" if seen.model == "m" else server.score(_score(seen))

    server.script = script
    made = project(15)
    options = (*ALONE, "--jmed-concurrency=4", "-q", "-r", "N", "--tb=no")
    whole = made.pytest(*options, "--jmed-reports=undisturbed", reports="undisturbed")
    calls = len(server.seen)
    expected = _figures(next((made.path / "undisturbed" / "runs").iterdir()))
    killed_early = killed_late = 0
    for seed in SEEDS:
        reports = made.path / f"reports-{seed}"
        seen_before, enough = len(server.seen), server.answers + random.Random(seed).randrange(calls)
        process = made.fork(*options, f"--jmed-reports={reports.name}")
        server.wait_for(lambda enough=enough: server.answers >= enough)
        process.kill()
        process.join()
        enough = math.inf
        answered = {seen.content for seen in server.answered if seen.number >= seen_before}
        (run,) = [*(reports / "runs").iterdir()] if (reports / "runs").is_dir() else [None]
        lines = (run / "verdicts.jsonl").read_bytes().split(b"\n")[:-1] if run else []
        finished = {json.loads(line)["case"]["id"] for line in lines}
        killed_early += not finished
        killed_late += 0 < len(finished) < 15
        before = len(server.seen)
        again = made.pytest(*options, f"--jmed-reports={reports.name}")
        assert again.status == whole.status, again.output
        latest = (reports / "latest").resolve()
        assert _figures(latest) == expected, f"seed {seed}"
        repeated = [seen.content for seen in server.seen if seen.number >= before and seen.content in answered]
        assert len(repeated) <= 4 * 3, f"seed {seed}: more than the calls in flight were paid again"
        of_finished = {f"case {name.removeprefix('en-')} " for name in finished}
        paid = [seen for seen in server.seen if seen.number >= before and seen.model == "m"]
        assert not [seen for seen in paid if any(name in seen.last for name in of_finished)], f"seed {seed}"
    assert killed_late >= 5, (killed_early, killed_late)


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_polite_end_under_load_sums_up_and_leaves_nothing_running(
    server: Any, project: Any, hold: Any, kind: int
) -> None:
    """Twenty cases are done, sixteen are under way, and the test of one of them waits."""
    gate = hold()

    def script(seen: Any) -> Any:
        number = int(re.search(r"case c(\d+) ", seen.content)[1])
        text = f"reply to {seen.last}" if seen.model == "m" else server.score(9)
        return server.openai(text, hold=gate if number >= 20 else None)

    server.script = script
    made = project(60)
    process = made.watch(*ALONE, "--jmed-concurrency=16", "-v")
    shown = b""
    while b"[en-c20]" not in shown:
        shown += os.read(process.stdout.fileno(), 2**16) or pytest.fail(shown.decode())
    server.wait_for(lambda: len(server.seen) == 20 * 6 + 16)
    process.send_signal(kind)
    done = made.finish(process)
    assert done.status == 2, done.output
    assert done.read("run.json")["status"] == "incomplete"
    summary = done.read("summary.json")
    assert summary["finished"] == len(done.verdicts) == 20
    assert summary["selected"] == 60
    assert "GATE: PASS" not in done.output
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
