"""A server from its start to its end, whatever ends it; programs that stand in for vllm and its like."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from jmedethic_pytest.config.serving import ServeTable
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.serving.plan import plan
from jmedethic_pytest.serving.server import Server, _Port
from support.standin import StandIns, alive

PATIENCE = 60.0


def until(true: object) -> None:
    last = time.monotonic() + PATIENCE
    while not true():  # type: ignore[operator]
        assert time.monotonic() < last
        time.sleep(0.05)


def started(stand_ins: StandIns, engine: str = "vllm", **table: object) -> Server:
    wanted = plan(str(stand_ins.checkpoint), ServeTable(**table), place="--jmed-serve", model=f"{engine}:night")
    return Server(wanted, stand_ins.folder / "server.log", stand_ins.folder / "kept.log")


@pytest.mark.parametrize("engine", ["vllm", "sglang", "transformers"])
def test_it_is_ready_when_it_is_made_and_nothing_is_left_when_it_is_stopped(stand_ins: StandIns, engine: str) -> None:
    server = started(stand_ins, engine)
    assert server.version == "9.8.7"
    assert [item["program"] for item in stand_ins.started] == [engine]
    assert alive(stand_ins.checkpoint if engine != "transformers" else stand_ins.folder / "bin")
    server.stop()
    server.stop()
    assert not alive(stand_ins.folder)


def test_it_does_not_learn_the_keys_of_judges(stand_ins: StandIns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sk-secret")
    monkeypatch.setenv("HF_HOME", "/models")
    monkeypatch.setenv("WARD_KEY", "sk-secret")
    wanted = plan(str(stand_ins.checkpoint), ServeTable(), place="--jmed-serve", withheld=["WARD_KEY"])
    Server(wanted, stand_ins.folder / "server.log", stand_ins.folder / "kept.log").stop()
    assert not {"OPENAI_API_KEY", "WARD_KEY", "AWS_SECRET_ACCESS_KEY"} & set(stand_ins.started[0]["env"])
    assert "HF_HOME" in stand_ins.started[0]["env"]


def test_what_it_left_behind_in_a_session_of_its_own_is_ended_too(
    stand_ins: StandIns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STANDIN", "leave")
    server = started(stand_ins)
    assert alive(stand_ins.notes)
    server.stop()
    assert not alive(stand_ins.folder)


def test_a_failure_at_the_start_shows_its_last_lines_and_keeps_them(
    stand_ins: StandIns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STANDIN", "fail")
    with pytest.raises(ConfigError) as failed:
        started(stand_ins)
    first, *lines, last = failed.value.problems
    assert first == "--jmed-serve: the server (vllm) ended with status 3 while it started. Its last lines:"
    assert lines == ["  | RuntimeError: CUDA out of memory: tried to allocate 2.00 GiB"]
    assert last.startswith("Next: ")
    assert last.endswith(str(stand_ins.folder / "kept.log"))
    assert "CUDA out of memory" in (stand_ins.folder / "kept.log").read_text()
    assert not alive(stand_ins.folder)


def test_one_that_is_never_ready_is_given_up(stand_ins: StandIns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANDIN", "silent")
    with pytest.raises(ConfigError, match=r"was not ready after 0.3 s \(\[serve\] ready_seconds\)"):
        started(stand_ins, ready_seconds=0.3)
    assert not alive(stand_ins.folder)


def test_a_program_that_is_not_there_is_a_failure_at_the_start(stand_ins: StandIns) -> None:
    with pytest.raises(ConfigError, match="/nowhere/x: No such file"):
        started(stand_ins, command=("/nowhere/x", "{port}"))


def test_a_death_is_told_once_with_the_last_words(stand_ins: StandIns) -> None:
    server, told, heard = started(stand_ins), list[str](), threading.Event()
    server.watch(lambda why: (told.append(why), heard.set()))
    os.kill(stand_ins.started[0]["pid"], signal.SIGKILL)
    assert heard.wait(PATIENCE)
    server.stop()
    assert told == ["the server of this run (vllm) was killed by signal 9."]


def test_a_server_that_was_stopped_has_not_died(stand_ins: StandIns) -> None:
    server, told = started(stand_ins), list[str]()
    server.watch(told.append)
    server.stop()
    assert not told


def test_a_port_that_another_run_has_is_not_taken(stand_ins: StandIns, monkeypatch: pytest.MonkeyPatch) -> None:
    first = _Port()
    drawn = iter([first.number, first.number, 12_345])
    monkeypatch.setattr("random.SystemRandom.randrange", lambda *_: next(drawn))
    second = _Port()
    assert second.number == 12_345
    second.free()
    first.free()


_HOLDER = """
import sys
from pathlib import Path
from jmedethic_pytest.config.serving import ServeTable
from jmedethic_pytest.serving.plan import plan
from jmedethic_pytest.serving.server import Server
folder = Path(sys.argv[1])
server = Server(plan(str(folder / "ward-7b"), ServeTable(), place=""), folder / "server.log", folder / "kept.log")
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("who", ["run", "supervisor"])
def test_nothing_outlives_a_run_or_a_supervisor_that_is_killed(
    stand_ins: StandIns, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    monkeypatch.setenv("STANDIN", "leave" if who == "run" else "")
    command = [sys.executable, "-c", _HOLDER, str(stand_ins.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"ready\n"
        server = stand_ins.started[0]["pid"]
        supervisor = int(Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(run.pid if who == "run" else supervisor, signal.SIGKILL)
        if who == "supervisor":
            until(lambda: not Path(f"/proc/{server}").exists())
        run.stdin.close()  # type: ignore[union-attr]
    until(lambda: not alive(stand_ins.folder))
