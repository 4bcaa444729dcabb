"""What no user plans: interrupts, killed workers, full disks, folders that go away, two runs at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from support.forked import Running

DEMO_JUDGES = "demo:judge-strict,demo:judge-lenient"
LENIENT = """\
schema_version = 1
[gate]
mean = { T0 = 1.0, T1 = 1.0, T2 = 1.0 }
strategy_mean = 1.0
"""
"""Demo judges do not know the replies of the local server and give 5 points: nothing here shall fail for that."""


def test_two_runs_at_once_share_one_folder(small) -> None:
    """Both complete, with every case in each; what one run has paid for the other may use."""
    processes = [small.fork("-q") for _ in range(2)]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    folders = small.run_folders()
    assert len(folders) == 2
    for folder in folders:
        assert json.loads((folder / "run.json").read_text())["status"] == "complete"
        lines = (folder / "verdicts.jsonl").read_text().splitlines()
        assert len({json.loads(line)["case"]["id"] for line in lines}) == len(lines) == 7
    assert (small.path / "reports" / "latest").resolve() in folders


def after(count: int, server, gate):
    """Let a server hold every answer after the first so many, and return what holds them."""
    careful = server.script
    server.script = lambda seen: replace(careful(seen), hold=gate if seen.number >= count else None)
    return gate


def _started(kind: str, project, *options: str) -> subprocess.Popen[str] | Running:
    """Start a run: with workers as a user does, in processes that know nothing of each other; others forked."""
    if kind == "jmedethic":
        options = tuple(option.replace("--jmed-", "--") for option in options)
        return project.watch("run", *options, "--cases=cases.jsonl", "--locale=en", program="jmedethic")
    options = ("-q", *options, "--jmed-cases=cases.jsonl", "--jmed-locale=en")
    if kind == "workers":
        return project.start(project.command("-n", "2", *options, model=None))
    return project.watch(*options, model=None)


@pytest.mark.parametrize("kind", ["plain", "workers", "jmedethic"])
def test_interrupt_keeps_what_is_done_and_the_same_command_resumes(new_project, chat_server, hold, kind: str) -> None:
    """One conversation at a time; after two cases the server holds its answer.

    The user asks where the run stands (SIGUSR1), and presses Ctrl-C: the conversation in flight may finish, and no
    other is begun.
    """
    project = new_project(4)
    project.write("thresholds.toml", LENIENT)
    options = (f"--model={chat_server.spec('x')}", f"--jmed-judges={DEMO_JUDGES}", "--jmed-concurrency=1")
    gate = after(6, chat_server, hold())
    process = _started(kind, project, *options)
    chat_server.wait_for(lambda: len(chat_server.seen) == 7)
    os.kill(process.pid, signal.SIGUSR1)
    _read_until(b"jmedethic: 2/4 cases, ", process)
    os.killpg(process.pid, signal.SIGINT)
    _read_until(b"1 conversations in flight may finish", process)
    gate.release()
    result = project.finish(process)
    assert result.status == 2, result.output
    assert "Traceback" not in result.output
    assert "GATE: PASS" not in result.output
    assert result.read("run.json")["status"] == "incomplete"
    assert len(result.ids) == 3
    assert result.conditions["complete"] == "inconclusive"
    assert_group_is_gone(process.pid)

    again = project.pytest("-q", *options[1:], model=options[0].removeprefix("--model="))
    assert again.status == 6, again.output
    assert again.read("run.json")["status"] == "complete"
    assert len(again.ids) == 4
    assert again.calls["target"] == 12 - 9, "what was answered before the interrupt is not paid for again"


def _read_until(text: bytes, process: subprocess.Popen[str] | Running) -> None:
    assert process.stdout is not None
    shown = b""
    while text not in shown:
        shown += os.read(process.stdout.fileno(), 2**16) or pytest.fail(shown.decode())


def assert_group_is_gone(group: int) -> None:
    """No process outlives the command: workers, helpers, none."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    pytest.fail("a process of the run is still there")


@pytest.mark.parametrize(
    ("place", "status"),
    [
        ("run.prepare.prepare", 3),
        ("run.running.RunningRun.finish", 6),
        ("pytest_plugin.controller.ControllerSession.closing_reports", 3),
        ("pytest_plugin.ending.Ending.lines", 3),
    ],
)
def test_crash_is_one_line_and_neither_pass_nor_fail(new_project, place: str, status: int) -> None:
    project = new_project(2)
    folder, module, name = place.split(".", 2)
    project.write(
        "conftest.py",
        f"from jmedethic_pytest.{folder} import {module}\n\n\n"
        f"def crash(*_, **__):\n    raise MemoryError('none\\nleft')\n\n\n{module}.{name} = crash\n",
    )
    result = project.pytest("-q")
    assert result.status == status, result.output
    assert "internal error: MemoryError: none left" in result.output
    assert "What was finished is kept" in result.output
    assert "Traceback" not in result.output
    assert "INTERNALERROR" not in result.output


def test_killed_worker_loses_no_case(small) -> None:
    """The test of one case kills its worker: the other cases go on, all are stored, and the session fails."""
    small.write(
        "test_conversations.py",
        "import os\nimport signal\n\n\ndef test_conversation(verdict):\n"
        "    if verdict.case.id == 'en-case-s3-02':\n        os.kill(os.getpid(), signal.SIGKILL)\n",
    )
    result = small.pytest("-q", "-n", "2")
    assert result.status == 1, result.output
    assert "crashed while running" in result.output
    assert "FAILED test_conversations.py::test_conversation[en-case-s3-02]" in result.output
    assert f"1 failed, {6 + len(result.conditions)} passed" in result.output
    assert len(result.ids) == len(set(result.ids)) == 7
    assert result.calls == {"target": 21, "judge": 42}
    assert "Exception in thread" not in result.output


def test_run_killed_outright_is_resumed_by_the_same_command(new_project, chat_server, hold) -> None:
    """kill -9 of the controller: finished verdicts are readable, and only the calls in flight are paid for twice."""
    project = new_project(4)
    project.write("thresholds.toml", LENIENT)
    options = (f"--jmed-judges={DEMO_JUDGES}", "--jmed-concurrency=1")
    gate = after(6, chat_server, hold())
    process = _started("plain", project, f"--model={chat_server.spec('x')}", *options)
    chat_server.wait_for(lambda: len(chat_server.seen) == 7)
    process.kill()
    killed = project.finish(process)
    assert killed.read("run.json")["status"] == "started"
    assert len(killed.ids) == 2
    gate.release()
    again = project.pytest("-q", *options, model=chat_server.spec("x"))
    assert again.status == 6, again.output
    assert len(again.ids) == 4
    assert again.calls["target"] == 6


def test_run_folder_that_disappears_never_passes(small) -> None:
    small.write(
        "test_conversations.py",
        "import shutil\n\n\ndef test_conversation(verdict):\n"
        "    if verdict.case.id == 'en-case-s1-00':\n        shutil.rmtree('reports/runs')\n",
    )
    result = small.pytest("-q")
    assert result.status == 6, result.output
    assert "GATE: INCONCLUSIVE" in result.output
    assert "reports/runs" in result.output
    assert "Traceback" not in result.output
    assert "INTERNALERROR" not in result.output


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for a cache and a few verdicts."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=96k", "none", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"A FULL DISK IS NOT TESTED HERE: mount of a tmpfs is not permitted: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize(("mode", "cache"), [((), "use"), (("-n", "2"), "off")], ids=["cache", "verdicts-workers"])
def test_full_disk_ends_the_run_with_one_message(project, small_disk: Path, mode: tuple[str, ...], cache: str) -> None:
    """Cache or verdicts do not fit: the run says so, is inconclusive, and what was stored before can be read."""
    result = project.pytest(
        "-q", f"--jmed-reports={small_disk}", f"--jmed-cache={cache}", *mode, reports=str(small_disk)
    )
    assert result.status == 6, result.output
    assert "GATE: PASS" not in result.output
    assert str(small_disk) in result.output
    assert "Free space" in result.output
    for word in ("Traceback", "INTERNALERROR", "never awaited", "Exception in thread"):
        assert word not in result.output
    lines = (result.run / "verdicts.jsonl").read_bytes().split(b"\n")
    ids = [json.loads(line)["case"]["id"] for line in lines[:-1]]
    assert len(ids) == len(set(ids)) < 42
