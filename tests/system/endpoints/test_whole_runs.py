"""Whole runs: the real pytest command against a server on a real socket."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import time
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.records import Reply
from jmedethic_pytest.models.cache import Cache
from jmedethic_pytest.run.evidence import PROBES
from jmedethic_pytest.run.options import parse
from jmedethic_pytest.run.prepare import prepare
from support.golden import GOLDEN

KEY = "sk-planted-0123456789-abcdefghijklmnopqrstuvwxyz"
ALONE = ("-p", "no:xdist")


def _name(seen: Any) -> str:
    """Return the case a request belongs to, whoever asks."""
    text = seen.messages[0]["content"] if seen.model == "m" else seen.transcript[0]["text"]
    return str(text.split()[1])


def _safe(server: Any, value: Any = 9) -> Callable[[Any], Any]:
    def script(seen: Any) -> Any:
        if seen.model == "m":
            return f"reply to {seen.last}"
        return server.score(value(seen) if callable(value) else value)

    return script


def _ids(count: int) -> list[str]:
    return [f"en-c{number}" for number in range(count)]


def _until(condition: Callable[[], bool]) -> None:
    """Look again and again at something another process writes."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "never happened"
        time.sleep(0.02)


@pytest.mark.parametrize("options", [ALONE, ("-n", "2")], ids=["alone", "xdist"])
def test_safe_scores_exit_0_and_every_call_is_made_once(server: Any, project: Any, options: tuple[str, ...]) -> None:
    server.script = _safe(server)
    done = project(5).pytest(*options)
    assert done.status == 0, done.output
    assert "GATE: PASS" in done.output
    assert sorted(verdict["case"]["id"] for verdict in done.verdicts) == _ids(5)
    assert {verdict["status"] for verdict in done.verdicts} == {"scored"}
    assert set(Counter(seen.content for seen in server.seen).values()) == {1}
    assert Counter(seen.model for seen in server.seen) == {"m": 10, "j1": 10, "j2": 10}
    info = done.read("run.json")
    assert (info["status"], info["selected"]) == ("complete", 5)
    asked = {"target compatible:m": 10, "judge compatible:j1": 10, "judge compatible:j2": 10}
    assert info["calls"] == {**asked, "golden compatible:j1": GOLDEN, "golden compatible:j2": GOLDEN}


def test_unsafe_scores_exit_1_name_the_turn_and_stay_so_without_a_call_in_the_second_run(
    server: Any, project: Any
) -> None:
    server.script = _safe(server, lambda seen: 1 if seen.marked["turn"] == 1 else 9)
    made, known = project(3), "--jmed-revision=weights-1"
    for done in (made.pytest(*ALONE, known), made.pytest(*ALONE, known)):
        assert done.status == 1, done.output
        assert "GATE: FAIL" in done.output
        assert "T1 fell to 1.0 (floor > 2)" in done.output
        values = {tuple(turn["value"] for turn in verdict["turns"]) for verdict in done.verdicts}
        assert values == {(9.0, 1.0)}
        assert len(done.verdicts) == 3
    assert len(server.seen) == 18 + 2 * len(PROBES)
    assert done.calls == {"target": 0, "judge": 0, "probe": len(PROBES)}


def test_judge_that_answers_prose_exits_6_and_says_what_is_missing(server: Any, project: Any) -> None:
    good = _safe(server)
    server.script = lambda seen: "I find that quite safe." if seen.model == "j2" else good(seen)
    done = project(3).pytest(*ALONE)
    assert done.status == 6, done.output
    assert "GATE: INCONCLUSIVE" in done.output
    assert "3 judge_unparsable" in done.output
    assert {turn["value"] for verdict in done.verdicts for turn in verdict["turns"]} == {None}
    assert len(server.of("j2")) == 3 * 2 * 3


def _written(root: Path) -> dict[str, bytes]:
    """Return everything under a folder as plain bytes, cached replies unpacked."""
    found = {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    database = root / "reports" / "cache.sqlite"
    if database.is_file():
        connection = sqlite3.connect(database)
        rows = connection.execute("SELECT value FROM reply").fetchall()
        connection.close()
        found["cached replies"] = b"\n".join(row[0] if row[0][:1] == b"{" else zlib.decompress(row[0]) for row in rows)
    return found


PLANTED = {
    "OPENAI_COMPATIBLE_API_KEY": KEY,
    "OPENAI_API_KEY": "sk-other-planted-openai",
    "ANTHROPIC_API_KEY": "sk-ant-planted-anthropic",
    "OPENROUTER_API_KEY": "sk-or-planted-openrouter",
    "DEEPSEEK_API_KEY": "sk-planted-deepseek",
}


def _leaks(done: Any) -> list[tuple[str, str]]:
    """Return (place, key) for every planted key whose beginning can be found after a run."""
    written = {**_written(done.path), "the terminal": done.output.encode()}
    assert "junit.xml" in written
    assert any(place.startswith("allure/") for place in written)
    parts = {name: value[:10].encode() for name, value in PLANTED.items()}
    return [(place, name) for place, data in written.items() for name, part in parts.items() if part in data]


REPORTS = (*ALONE, "--jmed-concurrency=1", "--junitxml=junit.xml", "--alluredir=allure", "-v", "--tb=long")


def test_trouble_of_single_cases_stays_theirs_and_writes_no_key_anywhere(server: Any, project: Any) -> None:
    """The server shows the key it was given wherever it can; nothing of it may reach a file or the terminal."""
    good = _safe(server)

    def script(seen: Any) -> Any:
        key = seen.headers["authorization"].removeprefix("Bearer ")
        plan = {
            ("m", "c1"): server.error(400, f"maximum context length is 4096 tokens; you sent {key}"),
            ("j1", "c2"): server.error(400, "." * 480 + key),
            ("m", "c3"): server.error(200, f"upstream rejected {key}"),
        }
        return plan.get((seen.model, _name(seen))) or good(seen)

    server.script = script
    done = project(5, env=PLANTED).pytest(*REPORTS)
    assert done.status == 6, done.output
    statuses = {verdict["case"]["id"]: verdict["status"] for verdict in done.verdicts}
    trouble = {"en-c1": "target_too_long", **dict.fromkeys(("en-c2", "en-c3"), "transport_error")}
    assert statuses == {"en-c0": "scored", "en-c4": "scored", **trouble}
    assert "maximum context length" in done.output
    assert done.read("run.json")["status"] == "complete"
    assert {seen.headers["authorization"] for seen in server.seen} == {f"Bearer {KEY}"}
    assert _leaks(done) == []


def test_rejected_key_ends_the_run_and_is_written_nowhere(server: Any, project: Any) -> None:
    server.script = lambda seen: server.error(401, f"you sent {seen.headers['authorization']}")
    done = project(5, env=PLANTED).pytest(*REPORTS)
    assert done.status == 6, done.output
    assert "HTTP 401: you sent Bearer [key]" in done.output
    assert len(server.seen) == 1
    assert _leaks(done) == []


@pytest.mark.parametrize("options", [ALONE, ("-n", "2")], ids=["alone", "xdist"])
def test_refused_connection_ends_the_run_with_one_clear_message(
    server: Any, project: Any, options: tuple[str, ...]
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    done = project(40).pytest(*options, f"--jmed-base-url=http://127.0.0.1:{port}/v1")
    assert done.status == 6, done.output
    assert done.output.count("the model under test cannot be used") == 1, done.output
    assert done.output.count("no connection") == 1, done.output
    summary = done.output.partition("jmedethic: safety regression")[2].splitlines()
    assert len(summary) <= 10, done.output
    assert "short test summary" not in done.output
    assert "Traceback" not in done.output
    assert server.seen == []
    info = done.read("run.json")
    assert info["status"] == "incomplete"
    assert f"127.0.0.1:{port}" in info["note"]
    assert done.verdicts == []


def test_judge_that_loses_its_key_ends_the_run_and_the_same_command_resumes(server: Any, project: Any) -> None:
    good = _safe(server)
    server.script = lambda seen: (
        server.error(401, "expired") if seen.model == "j1" and _name(seen) == "c2" else good(seen)
    )
    made = project(5)
    first = made.pytest(*ALONE, "--jmed-concurrency=1")
    assert first.status == 6, first.output
    assert "a judge cannot be used: compatible:j1" in first.output
    assert [verdict["case"]["id"] for verdict in first.verdicts] == _ids(2)
    server.script = good
    second = made.pytest(*ALONE, "--jmed-concurrency=1")
    assert second.status == 0, second.output
    assert sorted(verdict["case"]["id"] for verdict in second.verdicts) == _ids(5)
    finished = Counter(seen.content for seen in server.seen if _name(seen) in ("c0", "c1"))
    assert set(finished.values()) == {1}


def _database(path: Path) -> bytes:
    """Return a sound cache file with a few hundred replies."""
    cache = Cache(path)
    for number in range(500):
        cache.put(f"key {number}", Reply(text="x" * 50 + str(number)))
    cache.close()
    data = path.read_bytes()
    path.unlink()
    return data


def test_cache_file_cut_short_is_moved_aside_and_named(server: Any, project: Any) -> None:
    server.script = _safe(server)
    made = project(2)
    file = made.path / "reports" / "cache.sqlite"
    file.parent.mkdir()
    data = _database(file)[:9000]
    file.write_bytes(data)
    done = made.pytest(*ALONE, "--jmed-revision=weights-1")
    assert done.status == 0, done.output
    assert f"{file} was damaged" in done.output
    assert "Traceback" not in done.output
    assert [path.read_bytes() for path in file.parent.glob("cache.sqlite.damaged-*")] == [data]
    assert made.pytest(*ALONE, "--jmed-revision=weights-1").status == 0
    assert len(server.seen) == 2 * (6 + len(PROBES))


def test_cache_file_damaged_inside_costs_no_run(server: Any, project: Any) -> None:
    """The header is sound, so that opening succeeds; the trouble shows at the first look-up."""
    server.script = _safe(server)
    made = project(2)
    file = made.path / "reports" / "cache.sqlite"
    file.parent.mkdir()
    data = _database(file)
    file.write_bytes(data[:8192] + b"\xa5" * (len(data) - 8192))
    done = made.pytest(*ALONE)
    assert done.status == 0, done.output
    assert f"{file} was damaged" in done.output
    assert list(file.parent.glob("cache.sqlite.damaged-*"))


@pytest.mark.parametrize("options", [ALONE, ("-n", "2")], ids=["alone", "xdist"])
def test_killed_run_repeats_no_finished_call_and_accounts_for_every_case(
    server: Any, project: Any, hold: Any, options: tuple[str, ...]
) -> None:
    """c0 and c1 are done, c3 waits for its judges, whatever else runs waits for the target; then SIGKILL."""
    gate, good = hold(), _safe(server)

    def script(seen: Any) -> Any:
        name = _name(seen)
        if name in ("c0", "c1") or (name == "c3" and seen.model == "m"):
            return good(seen)
        return server.openai("never seen", hold=gate)

    def asked(name: str, judges: bool) -> int:
        return len([seen for seen in list(server.seen) if _name(seen) == name and (seen.model != "m") == judges])

    server.script = script
    made = project(6)
    process = made.watch(*options, "--jmed-concurrency=3")
    try:
        server.wait_for(lambda: asked("c3", True) == 4 and asked("c2", False) == 1)
        (lines,) = [*(made.path / "reports" / "runs").glob("*/verdicts.jsonl")]
        _until(lambda: lines.read_bytes().count(b"\n") == 2)
        finished = {seen.content for seen in server.answered}
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert len(finished) == 2 * 6 + 2
    server.script = good
    gate.release()
    done = made.pytest(*options)
    assert done.status == 0, done.output
    counts = Counter(seen.content for seen in server.seen)
    assert {counts[content] for content in finished} == {1}
    assert len(counts) == 6 * 6
    assert max(counts.values()) <= 2
    assert sorted(verdict["case"]["id"] for verdict in done.verdicts) == _ids(6)
    killed = json.loads((lines.parent / "run.json").read_text(encoding="utf-8"))
    assert killed["status"] == "started"


def test_worker_that_cannot_reach_the_controller_never_lets_the_run_pass(server: Any, project: Any) -> None:
    """A worker on another host, say: its tests could not be run, so their asserts were never checked."""
    server.script = _safe(server)
    made = project(6)
    (made.path / "conftest.py").write_text(
        "def pytest_configure(config):\n"
        "    given = getattr(config, 'workerinput', {})\n"
        "    if given.get('workerid') == 'gw1':\n"
        "        given['jmedethic']['address'] = '\\0nobody-listens-here'\n"
    )
    done = made.pytest("-n", "2")
    assert "cannot reach the controller" in done.output
    assert done.status != 0, done.output


@pytest.mark.parametrize("judges", ["compatible:j@{url},compatible:j@{url}", "demo:judge-strict,demo:judge-strict"])
def test_one_judge_named_twice_is_no_panel(server: Any, project: Any, judges: str) -> None:
    """Two equal judges always agree: the check on the judges would pass for any judge, however bad."""
    made = project(3)
    raw = {"judges": judges.format(url=server.openai_url), "cases": str(made.path / "cases.jsonl"), "locale": "en"}
    with pytest.raises(ConfigError, match=r"(?i)judge"):
        prepare(parse("demo:aligned", raw, prefix="--jmed-", root=made.path), made.path)


def test_calls_of_two_servers_of_one_judge_model_are_counted_apart(server: Any, project: Any) -> None:
    server.script = _safe(server)
    url = server.openai_url
    other = url.replace("127.0.0.1", "localhost")
    done = project(2).pytest(*ALONE, f"--jmed-judges=compatible:j@{url},compatible:j@{other}")
    assert len(server.of("j")) == 8
    calls = done.read("run.json")["calls"]
    assert sum(count for name, count in calls.items() if name.startswith("judge")) == 8, calls
