"""One fault of an endpoint after the other, over real sockets, through the public command.

Every run must end by itself, account for every case exactly once, and say in one place what is wrong.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.run.evidence import PROBES

ALONE = ("-p", "no:xdist")


def _good(server: Any) -> Callable[[Any], Any]:
    return lambda seen: "a careful reply" if seen.model == "m" else server.score(9)


def _first_time(seen: Any, known: set[str]) -> bool:
    new = seen.content not in known
    known.add(seen.content)
    return new


def _accounted(done: Any, cases: int) -> Counter[str]:
    """Check that every case has one verdict, and return how many have which status."""
    verdicts = done.verdicts
    assert sorted(verdict["case"]["id"] for verdict in verdicts) == sorted(f"en-c{number}" for number in range(cases))
    assert "Traceback" not in done.output
    assert "internal error" not in done.output
    return Counter(verdict["status"] for verdict in verdicts)


# ---------------------------------------------------------------------------------- busy and failing servers


@pytest.mark.parametrize("headers", [{"retry-after": "1"}, {}], ids=["retry-after", "without"])
def test_storm_of_429_slows_the_run_down_and_loses_nothing(server: Any, project: Any, headers: dict[str, str]) -> None:
    """The endpoint refuses every second request for a while."""
    good, lock, count = _good(server), threading.Lock(), iter(range(10**6))

    def script(seen: Any) -> Any:
        with lock:
            number = next(count)
        if seen.model == "m" and number < 16 and number % 2:
            error = {"error": {"message": "slow down", "type": "rate_limit"}}
            return type(server.openai())(status=429, body=error, headers=headers)
        return good(seen)

    server.script = script
    done = project(20).pytest(*ALONE)
    assert done.status == 0, done.output
    assert _accounted(done, 20) == {"scored": 20}
    info = done.read("run.json")
    assert any("429 too many requests" in change for change in info["limits"]["target compatible:m"])
    assert "429" not in str(info["limits"]["judge compatible:j1"])
    assert info["calls"]["target compatible:m"] == len(server.of("m")) > 40
    assert "at a time at the end (429 too many requests)" in info["note"]


@pytest.mark.parametrize("statuses", [(500, 502), (503, 529), (408, 409)], ids=str)
def test_passing_server_error_is_retried_unseen(server: Any, project: Any, statuses: tuple[int, int]) -> None:
    """Every call is refused once, with one status in the first half of the conversations and another in the other."""
    good, known = _good(server), set[str]()

    def script(seen: Any) -> Any:
        status = statuses[bool(re.search(r"case c[23] turn", seen.content))]
        return server.error(status, "try again") if _first_time(seen, known) else good(seen)

    server.script = script
    done = project(4).pytest(*ALONE)
    assert done.status == 0, done.output
    assert _accounted(done, 4) == {"scored": 4}
    assert set(Counter(seen.content for seen in server.seen).values()) == {2}


def test_endpoint_that_is_down_for_a_while_is_paused_and_loses_nothing(server: Any, project: Any) -> None:
    """Down until ten requests were refused: four pause it, then one conversation at a time tries."""
    good, lock, count = _good(server), threading.Lock(), iter(range(10**6))
    server.script = lambda seen: server.error(503, "restarting") if seen.model == "m" and _down() else good(seen)

    def _down() -> bool:
        with lock:
            return 6 <= next(count) < 12

    done = project(20).pytest(*ALONE, "--jmed-concurrency=8")
    assert done.status == 0, done.output
    assert _accounted(done, 20) == {"scored": 20}
    info = done.read("run.json")
    told = [change.partition(": ")[2] for change in info["limits"]["target compatible:m"]]
    assert "paused after HTTP 503" in told
    assert any(change.startswith("goes on after") for change in told)
    assert info["calls"]["target compatible:m"] == len(server.of("m")) == 40 + 6


def test_one_prompt_that_a_firewall_stops_is_lost_alone(server: Any, project: Any) -> None:
    good = _good(server)
    page = type(server.openai())(status=403, body="<!DOCTYPE html>blocked", headers={"Content-Type": "text/html"})
    server.script = lambda seen: page if seen.model == "m" and "case c0 turn 0" in seen.last else good(seen)
    made = project(5)
    for _ in range(2):
        done = made.pytest(*ALONE)
        assert done.status == 6, done.output
        assert _accounted(done, 5) == {"scored": 4, "transport_error": 1}
        assert done.read("run.json")["status"] == "complete"


def test_conversation_that_is_too_long_says_what_to_do(server: Any, project: Any) -> None:
    good = _good(server)
    full = server.error(400, "the request exceeds the available context size", type="exceed_context_size_error")
    server.script = lambda seen: (
        full if "case c1 turn 1" in seen.last or (seen.model == "j2" and "case c2 turn" in seen.content) else good(seen)
    )
    done = project(4).pytest(*ALONE)
    assert done.status == 6, done.output
    assert _accounted(done, 4) == {"scored": 2, "target_too_long": 1, "judge_too_long": 1}
    assert "lower [target] max_tokens" in done.output
    assert "[judges] context" in done.output


@pytest.mark.parametrize("drop", ["before", "inside"])
def test_connection_lost_once_a_call_is_retried_unseen(server: Any, project: Any, drop: str) -> None:
    good, known = _good(server), set[str]()

    def script(seen: Any) -> Any:
        return type(server.openai())(body={"a": "b" * 1000}, drop=drop) if _first_time(seen, known) else good(seen)

    server.script = script
    done = project(2).pytest(*ALONE)
    assert done.status == 0, done.output
    assert _accounted(done, 2) == {"scored": 2}


UNREADABLE = {
    "malformed": ("{'no': json", "unreadable answer"),
    "wrong type": ("<html>bad gateway</html>", "no JSON object"),
    "empty choices": ({"model": "m", "choices": []}, "unexpected shape"),
    "no choices": ({"model": "m"}, "unexpected shape"),
    "a list": ([1, 2], "no JSON object"),
}
UNFINISHED = {"content_filter": "target_blocked", "length": "target_truncated"}
ODD = [*UNREADABLE, *UNFINISHED]


@pytest.fixture(scope="module")
def once() -> dict[str, Any]:
    """What one run left behind."""
    return {}


@pytest.fixture
def odd(once: dict[str, Any], server: Any, project: Any) -> dict[str, dict[str, Any]]:
    """The verdict of each conversation whose second reply is odd, in one run with four others."""

    def answer(kind: str) -> Any:
        if kind in UNFINISHED:
            return server.openai("half a rep", finish=kind)
        html = {"Content-Type": "text/html"} if kind == "wrong type" else {}
        return type(server.openai())(body=UNREADABLE[kind][0], headers=html)

    def script(seen: Any) -> Any:
        found = re.search(r"case c(\d+) turn 1", seen.last) if seen.model == "m" else None
        return answer(ODD[int(found[1])]) if found and int(found[1]) < len(ODD) else good(seen)

    if not once:
        good, server.script = _good(server), script
        done = project(len(ODD) + 4).pytest(*ALONE)
        assert done.status == 6, done.output
        wanted = Counter(UNFINISHED.values()) + Counter(scored=4, transport_error=len(UNREADABLE))
        assert _accounted(done, len(ODD) + 4) == wanted
        once |= {verdict["case"]["id"]: verdict for verdict in done.verdicts}
    return {kind: once[f"en-c{number}"] for number, kind in enumerate(ODD)}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_answer_that_stays_unreadable_is_that_cases_trouble(odd: dict[str, dict[str, Any]], kind: str) -> None:
    assert odd[kind]["status"] == "transport_error"
    assert UNREADABLE[kind][1] in odd[kind]["detail"]
    assert [turn["value"] for turn in odd[kind]["turns"]] == [9.0, None]


@pytest.mark.parametrize("kind", UNFINISHED)
def test_filtered_or_cut_reply_is_missing_and_never_low(odd: dict[str, dict[str, Any]], kind: str) -> None:
    assert odd[kind]["status"] == UNFINISHED[kind]
    assert [turn["value"] for turn in odd[kind]["turns"]] == [9.0, None]


# ------------------------------------------------------------------------------------------- slow and silent


def test_request_that_always_hangs_costs_one_case_and_three_deadlines(server: Any, project: Any, hold: Any) -> None:
    good, gate = _good(server), hold()
    server.script = lambda seen: (
        server.openai(hold=gate) if seen.model == "m" and "case c1 turn 1" in seen.last else good(seen)
    )
    begun = time.monotonic()
    done = _with_deadlines(project, 6)
    assert done.status == 6, done.output
    assert _accounted(done, 6) == {"scored": 5, "transport_error": 1}
    assert "no answer within 2 s" in next(item["detail"] for item in done.verdicts if item["status"] != "scored")
    assert time.monotonic() - begun < 30


def _with_deadlines(project: Any, cases: int, *options: str) -> Any:
    """Run with deadlines of two seconds, and hardly more patience."""
    made = project(cases)
    file = made.path / "thresholds.toml"
    file.write_text(file.read_text().replace("timeout = 20.0", "timeout = 2.0\npatience = 5.0"))
    return made.pytest(*ALONE, *options)


def _soon_given_up(made: Any) -> Any:
    file = made.path / "thresholds.toml"
    file.write_text(file.read_text().replace("timeout = 20.0", "timeout = 20.0\npatience = 2.0"))
    return made


class Loris:
    """A server that accepts, and then sends a byte now and then, for ever."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"
        self._stopped = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._drip, args=(connection,), daemon=True).start()

    def _drip(self, connection: socket.socket) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
        try:
            connection.sendall(head)
            while not self._stopped.wait(0.1):
                connection.sendall(b" ")
        except OSError:
            pass
        finally:
            connection.close()

    def close(self) -> None:
        self._stopped.set()
        self._socket.close()


@pytest.fixture
def loris() -> Iterator[Loris]:
    made = Loris()
    yield made
    made.close()


def test_slow_loris_ends_when_patience_does_with_one_message(server: Any, project: Any, loris: Loris) -> None:
    begun = time.monotonic()
    done = _with_deadlines(project, 30, f"--jmed-base-url={loris.url}")
    assert done.status == 6, done.output
    assert "no answer within 2 s" in done.output
    assert "the model under test cannot be used" in done.output
    assert done.read("run.json")["status"] == "incomplete"
    assert time.monotonic() - begun < 30


def test_one_judge_twenty_times_slower_than_the_rest_delays_but_loses_nothing(server: Any, project: Any) -> None:
    good = _good(server)

    async def script(seen: Any) -> Any:
        await asyncio.sleep(0.2 if seen.model == "j2" else 0.01)
        return good(seen)

    server.script = script
    done = project(12).pytest(*ALONE, "--jmed-concurrency=4")
    assert done.status == 0, done.output
    assert _accounted(done, 12) == {"scored": 12}
    assert set(done.calls_by_model.values()) == {24}


# ---------------------------------------------------------------------------------------- nobody there at all


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a TLS server whose certificate nobody trusts."""
    folder = tmp_path_factory.mktemp("tls")
    subject = ["-subj", "/CN=localhost", "-days", "2", "-nodes", "-newkey", "rsa:2048"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(["openssl", "req", "-x509", *subject, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    listener = socket.create_server(("127.0.0.1", 0))
    stopped = threading.Event()

    def serve() -> None:
        while not stopped.is_set():
            try:
                connection, _ = listener.accept()
                context.wrap_socket(connection, server_side=True).close()
            except OSError:
                continue

    threading.Thread(target=serve, daemon=True).start()
    yield f"https://localhost:{listener.getsockname()[1]}/v1"
    stopped.set()
    listener.close()


def test_certificate_nobody_trusts_is_one_message(server: Any, project: Any, self_signed: str) -> None:
    _is_one_message(project(30).pytest(*ALONE, f"--jmed-base-url={self_signed}"), "ertificate")


def test_plain_http_where_tls_was_expected_is_one_message(server: Any, project: Any) -> None:
    url = server.openai_url.replace("http:", "https:")
    _is_one_message(project(30).pytest(*ALONE, f"--jmed-base-url={url}"), "no connection")


def test_host_that_does_not_exist_is_one_message(server: Any, project: Any) -> None:
    done = project(30).pytest(*ALONE, "--jmed-base-url=http://no-such-host.invalid/v1")
    _is_one_message(done, "no-such-host.invalid")


def _is_one_message(done: Any, word: str) -> None:
    assert done.status == 6, done.output
    told = [line for line in done.output.splitlines() if "the model under test cannot be used" in line]
    assert len(told) == 1, done.output
    assert word in told[0]
    assert "Traceback" not in done.output
    info = done.read("run.json")
    assert info["status"] == "incomplete"
    assert done.verdicts == []


# ------------------------------------------------------------------------------------------------ dying judges


def test_judge_that_is_down_from_the_start_ends_the_run_in_seconds(server: Any, project: Any) -> None:
    good = _good(server)
    server.script = lambda seen: server.error(503, "no judge today") if seen.model == "j2" else good(seen)
    begun = time.monotonic()
    done = _soon_given_up(project(60)).pytest(*ALONE)
    assert done.status == 6, done.output
    assert "a judge cannot be used: compatible:j2" in done.output
    assert done.read("run.json")["status"] == "incomplete"
    assert done.verdicts == []
    assert time.monotonic() - begun < 30


def test_judge_that_dies_halfway_keeps_what_is_done_and_the_same_command_resumes(server: Any, project: Any) -> None:
    """Calls of the target are not paid again, though they were never scored."""
    good, lock, scored = _good(server), threading.Lock(), iter(range(10**6))

    def script(seen: Any) -> Any:
        if seen.model == "j2":
            with lock:
                if next(scored) >= 40:
                    return server.error(500, "out of order")
        return good(seen)

    server.script = script
    made = _soon_given_up(project(40))
    first = made.pytest(*ALONE, "--jmed-concurrency=4")
    assert first.status == 6, first.output
    assert "out of order" in first.output
    assert "patience = 2" in first.output
    finished = {verdict["case"]["id"] for verdict in first.verdicts if verdict["status"] == "scored"}
    assert 10 <= len(finished) < 40
    asked = {seen.content for seen in server.answered if seen.model == "m"}

    server.script = good
    second = made.pytest(*ALONE, "--jmed-concurrency=4")
    assert second.status == 0, second.output
    assert _accounted(second, 40) == {"scored": 40}
    counts = Counter(seen.content for seen in server.seen if seen.model == "m")
    assert {counts[content] for content in asked} == {1}


# ------------------------------------------------------------------------------------------------------ clocks


def test_jump_of_the_clock_changes_nothing(server: Any, project: Any) -> None:
    """The wall clock is set back a day in the middle of a run, as by a late time synchronisation."""
    server.script = _good(server)
    made = project(6)
    (made.path / "conftest.py").write_text(
        "import time\n\n_real = time.time\n\n\ndef pytest_runtest_logreport(report):\n"
        "    time.time = lambda: _real() - 86400\n"
    )
    done = made.pytest(*ALONE)
    assert done.status == 0, done.output
    assert _accounted(done, 6) == {"scored": 6}
    assert all(verdict["seconds"] >= 0 for verdict in done.verdicts)


# ------------------------------------------------------------------------------------------- one cache for two


def test_two_runs_share_one_cache_at_the_same_time(server: Any, project: Any, tmp_path: Path) -> None:
    server.script = _good(server)
    made = project(15)
    processes = [made.fork(*ALONE, "--jmed-revision=w1") for _ in range(2)]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    runs = made.run_folders()
    assert len(runs) == 2
    for run in runs:
        assert (run / "verdicts.jsonl").read_bytes().count(b"\n") == 15
    third = made.pytest(*ALONE, "--jmed-revision=w1")
    assert third.calls == {"target": 0, "judge": 0, "probe": len(PROBES)}
