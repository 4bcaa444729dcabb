"""The broker over its real socket: many workers, strangers, and a controller that goes away."""

from __future__ import annotations

import contextlib
import json
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client as Connect
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.core.errors import RunAborted
from jmedethic_pytest.core.records import Case, Verdict
from jmedethic_pytest.engine.broker import Broker, BrokerClient
from jmedethic_pytest.engine.scheduler import Scheduler

PATIENCE = 60.0


class Waiting:
    """Waits for the answers of a scheduler, as a run does for its workers."""

    def __init__(self, running: Scheduler[Case]) -> None:
        self.plan = running.plan
        self._running = running

    def verdict(self, key: str) -> Verdict:
        return self._running.request(key).result()

    def evaluate(self, case: Case) -> Verdict:
        return self._running.evaluate(case).result()


@pytest.fixture
def broker() -> Iterator[Callable[[Any], Broker]]:
    """Open brokers that are closed when the test ends."""
    made: list[Broker] = []

    def make(running: Any) -> Broker:
        made.append(Broker(Waiting(running)))
        return made[-1]

    yield make
    for item in made:
        item.close()


@pytest.fixture
def wait() -> Callable[..., Any]:
    """Run something that could hang in a thread of its own and return its result, or fail."""

    def run(call: Callable[..., Any], *args: Any) -> Any:
        result: Future[Any] = Future()

        def work() -> None:
            try:
                result.set_result(call(*args))
            except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
                result.set_exception(error)

        threading.Thread(target=work, daemon=True).start()
        return result.result(PATIENCE)

    return run


def test_thirty_two_workers_share_one_engine(stage: Any, runner: Any, broker: Any) -> None:
    cases = 96
    running = runner(cases, concurrency=8)
    ids = [f"en-{number}" for number in range(cases)]
    door = broker(running)
    stage.free()

    def work(number: int) -> list[str]:
        client = BrokerClient(door.address, door.authkey)
        client.plan(ids)
        return [client.verdict(name).case.id for name in ids[number::32]]

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(work, range(32)))
    assert answers == [ids[number::32] for number in range(32)]
    assert sorted(stage.started) == sorted(stage.kept) == sorted(ids)
    assert running.planned == ids


def test_all_workers_may_wait_at_once(stage: Any, runner: Any, broker: Any) -> None:
    running = runner(32, concurrency=32)
    door = broker(running)
    with ThreadPoolExecutor(32) as pool:
        waiting = [
            pool.submit(lambda n=n: BrokerClient(door.address, door.authkey).verdict(f"en-{n}")) for n in range(32)
        ]
        stage.wait_for(lambda: len(stage.started) == 32)
        assert not any(item.done() for item in waiting)
        stage.free()
        assert {item.result(PATIENCE).case.id for item in waiting} == {f"en-{n}" for n in range(32)}


def test_case_and_verdict_cross_the_socket_unchanged(stage: Any, runner: Any, broker: Any, make_case: Any) -> None:
    running = runner(1)
    door = broker(running)
    stage.free()
    case = make_case("own", turns=("「改行\nと絵文字🏥」", 'quote " and \\ and \u2028', "x" * 300_000))
    verdict = BrokerClient(door.address, door.authkey).evaluate(case)
    assert verdict.case == case
    assert verdict.planned_turns == 3


def test_first_plan_is_the_plan_of_all(stage: Any, runner: Any, broker: Any) -> None:
    running = runner(4, concurrency=1)
    door = broker(running)
    stage.free()
    one, two = BrokerClient(door.address, door.authkey), BrokerClient(door.address, door.authkey)
    one.plan(["en-1", "en-0"])
    two.plan(["en-3"])
    two.verdict("en-0")
    assert running.planned == ["en-1", "en-0"]


def test_abort_reaches_every_worker(stage: Any, runner: Any, broker: Any) -> None:
    running = runner(8, concurrency=8)
    stage.troubles["en-3"] = RunAborted("the judge is gone")
    door = broker(running)

    def work(number: int) -> str:
        client = BrokerClient(door.address, door.authkey)
        with pytest.raises(RunAborted) as caught:
            client.verdict(f"en-{number}")
        with pytest.raises(RunAborted, match="the judge is gone"):
            client.verdict("en-7")
        return str(caught.value)

    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(work, number) for number in range(8)]
        stage.wait_for(lambda: len(stage.started) == 8)
        stage.free("en-3")
        assert {item.result(PATIENCE) for item in waiting} == {"the judge is gone"}


def test_stop_reaches_a_waiting_worker(stage: Any, runner: Any, broker: Any) -> None:
    running = runner(1)
    door = broker(running)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lambda: BrokerClient(door.address, door.authkey).verdict("en-0"))
        stage.wait_for(lambda: len(stage.started) == 1)
        running.stop()
        with pytest.raises(RunAborted):
            waiting.result(PATIENCE)


@pytest.mark.parametrize("key", [b"wrong" * 8, b"x"])
def test_wrong_key_is_refused_and_disturbs_nobody(stage: Any, runner: Any, broker: Any, wait: Any, key: bytes) -> None:
    running = runner(1)
    door = broker(running)
    stage.free()
    for _ in range(5):
        with pytest.raises((RunAborted, AuthenticationError)):
            wait(BrokerClient, door.address, key)
    assert stage.started == []
    assert wait(lambda: BrokerClient(door.address, door.authkey).verdict("en-0")).case.id == "en-0"


def test_stranger_who_says_nothing_does_not_lock_the_workers_out(
    stage: Any, runner: Any, broker: Any, wait: Any
) -> None:
    """The socket is open to every process of the machine; one that connects and stays silent must not stop a run."""
    running = runner(1)
    door = broker(running)
    stage.free()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stranger:
        stranger.connect(door.address)
        done = threading.Event()

        def work() -> None:
            with contextlib.suppress(RunAborted):
                BrokerClient(door.address, door.authkey).verdict("en-0")
            done.set()

        threading.Thread(target=work, daemon=True).start()
        served = done.wait(3)
    assert done.wait(PATIENCE)
    assert served


def test_worker_that_dies_while_it_waits_loses_nothing(stage: Any, runner: Any, broker: Any) -> None:
    running = runner(2)
    door = broker(running)
    code = (
        "import sys\nfrom jmedethic_pytest.engine.broker import BrokerClient\n"
        "BrokerClient(sys.stdin.buffer.readline().decode().rstrip('\\n'), bytes.fromhex(sys.argv[1])).verdict('en-0')\n"
    )
    worker = subprocess.Popen([sys.executable, "-c", code, door.authkey.hex()], stdin=subprocess.PIPE)
    assert worker.stdin is not None
    worker.stdin.write(door.address.encode() + b"\n")
    worker.stdin.flush()
    stage.wait_for(lambda: stage.started == ["en-0"])
    worker.kill()
    worker.wait(PATIENCE)
    worker.stdin.close()
    stage.free()
    assert BrokerClient(door.address, door.authkey).verdict("en-0").case.id == "en-0"
    assert stage.started == stage.kept == ["en-0"]


@pytest.mark.parametrize("data", [b"no json", b"[]", b'{"verdict": 3}', b"{}", b"\xff"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_nonsense_from_a_worker_harms_only_its_own_connection(
    stage: Any, runner: Any, broker: Any, wait: Any, data: bytes
) -> None:
    running = runner(1)
    door = broker(running)
    stage.free()
    before = set(threading.enumerate())
    with Connect(door.address, family="AF_UNIX", authkey=door.authkey) as odd:
        odd.send_bytes(data)
        with contextlib.suppress(EOFError, OSError):
            wait(odd.recv_bytes)
    for thread in set(threading.enumerate()) - before:
        if thread.name == "jmedethic-worker":
            thread.join(PATIENCE)
    assert wait(lambda: BrokerClient(door.address, door.authkey).verdict("en-0")).case.id == "en-0"


_CONTROLLER = """
import json, sys, threading
from concurrent.futures import Future
from jmedethic_pytest.engine.broker import Broker

class Source:
    def plan(self, keys): ...
    def verdict(self, key):
        print("asked", flush=True)
        return Future().result()
    evaluate = verdict

broker = Broker(Source())
print(json.dumps([broker.address, broker.authkey.hex()]), flush=True)
threading.Event().wait()
"""


def test_worker_whose_controller_is_gone_is_told_so() -> None:
    """Killed while a worker waits, killed before it asks again, and killed before it connects."""
    controller = subprocess.Popen([sys.executable, "-c", _CONTROLLER], stdout=subprocess.PIPE, text=True)
    try:
        assert controller.stdout is not None
        address, key = json.loads(controller.stdout.readline())
        client, idle = (BrokerClient(address, bytes.fromhex(key)) for _ in range(2))
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(client.verdict, "en-0")
            assert controller.stdout.readline() == "asked\n"
            controller.kill()
            with pytest.raises(RunAborted, match="the controller process is gone"):
                waiting.result(PATIENCE)
        controller.wait(PATIENCE)
        for other in (client, idle):
            with pytest.raises(RunAborted, match=r"the controller process is gone.*same command resumes"):
                other.verdict("en-1")
        with pytest.raises(RunAborted, match="cannot reach the controller"):
            BrokerClient(address, bytes.fromhex(key))
    finally:
        controller.kill()
        controller.stdout.close()  # type: ignore[union-attr]


def test_address_is_in_a_private_folder_that_is_removed(stage: Any, runner: Any) -> None:
    door = Broker(Waiting(runner(1)))
    folder = Path(door.address).parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert len(door.authkey) >= 32
    door.close()
    assert not folder.exists()


def test_address_is_short_enough_wherever_temporary_files_go(
    runner: Any, broker: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    door = broker(runner(1))
    assert len(door.address) < 100
    BrokerClient(door.address, door.authkey).plan([])
