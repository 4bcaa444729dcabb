"""A scripted model server on a real socket, and short ways to point every layer of the engine at it."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import multiprocessing
import os
import re
import runpy
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from jmedethic_pytest import Case
from jmedethic_pytest.config.tables import Sampling, Thresholds
from jmedethic_pytest.core.errors import ProviderError
from jmedethic_pytest.core.records import Reply, Verdict
from jmedethic_pytest.engine.conversation import Engine
from jmedethic_pytest.engine.scheduler import Scheduler
from jmedethic_pytest.judging.panel import Panel
from jmedethic_pytest.models import ChatRequest, Message, ModelRef, open_provider, resolve
from jmedethic_pytest.models.cache import Cache
from jmedethic_pytest.models.client import Client

PATIENCE = 60.0
"""Seconds until a wait for something that must happen is given up; reached only by a failing test."""

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["pytest", "openai", "aiohttp", "pandas", "scipy.stats", "jinja2", "allure_commons"])

_FENCED = re.compile(r"^===== TRANSCRIPT (\w+) BEGIN =====$\n(.*?)\n^===== TRANSCRIPT \1 END =====$", re.M | re.S)


@dataclass(frozen=True)
class Seen:
    """One request as it came over the wire."""

    number: int
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: dict[str, Any]

    @property
    def model(self) -> str:
        return str(self.body.get("model", ""))

    @property
    def messages(self) -> list[dict[str, Any]]:
        return list(self.body.get("messages", []))

    @property
    def last(self) -> str:
        """Text of the last message."""
        return str(self.messages[-1]["content"])

    @property
    def turn(self) -> int:
        """Index of the turn a target request asks for."""
        return sum(message["role"] == "user" for message in self.messages) - 1

    @property
    def transcript(self) -> list[dict[str, Any]]:
        """The entries inside the fence of a judge request, read by whoever trusts the first fence alone."""
        prompt = next(message["content"] for message in self.messages if message["role"] == "user")
        found = _FENCED.search(prompt)
        assert found is not None, prompt
        return list(json.loads(found[2]))

    @property
    def marked(self) -> dict[str, Any]:
        """The entry a judge is asked to score."""
        (entry,) = [entry for entry in self.transcript if entry.get("marked")]
        return entry

    @property
    def content(self) -> str:
        """What was asked, whoever asks and whenever: equal for a repeated call."""
        return json.dumps([self.model, self.messages], sort_keys=True, ensure_ascii=False)


class Hold:
    """Keeps answers back until it is released; may be released from any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._free = asyncio.Event()

    def release(self) -> None:
        self._loop.call_soon_threadsafe(self._free.set)

    async def wait(self) -> None:
        await self._free.wait()


@dataclass(frozen=True)
class Answer:
    """What the server does with a request."""

    status: int = 200
    body: Any = None
    """JSON value, or ``str``/``bytes`` sent as they are."""
    headers: Mapping[str, str] = field(default_factory=dict)
    hold: Hold | None = None
    drop: str = ""
    """``before``: close without a byte; ``inside``: close in the middle of the body."""


Script = Callable[[Seen], "Answer | str | Awaitable[Answer | str]"]


class FakeServer:
    """Speaks both APIs, records every request, answers by ``script``."""

    def __init__(self) -> None:
        self.script: Script = lambda seen: "ok"
        self.seen: list[Seen] = []
        self.broken: list[Exception] = []
        """What scripts raised."""
        self._changed = threading.Condition()
        self._answered: list[int] = []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), name="fake-server", daemon=True)

    # -------------------------------------------------------------- for tests

    @property
    def openai_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def anthropic_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def of(self, model: str) -> list[Seen]:
        """Return the requests to one model, in their order."""
        return [seen for seen in list(self.seen) if seen.model == model]

    @property
    def answered(self) -> list[Seen]:
        """The requests whose answer was written out in full."""
        return [self.seen[number] for number in list(self._answered)]

    def forget(self, since: int) -> None:
        """Strike the requests from one number on off the record."""
        with self._changed:
            del self.seen[since:]
            self._answered = [number for number in self._answered if number < since]

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Block until a condition on what was seen or answered holds."""
        with self._changed:
            assert self._changed.wait_for(condition, timeout=PATIENCE), f"never happened; seen {len(self.seen)}"

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait the same way inside an event loop."""
        await asyncio.to_thread(self.wait_for, condition)

    @staticmethod
    def openai(
        text: Any = "ok",
        *,
        finish: str | None = "stop",
        model: str = "served-model",
        usage: Any = (11, 7),
        headers: Mapping[str, str] | None = None,
        hold: Hold | None = None,
        **message: Any,
    ) -> Answer:
        """Return a chat completion."""
        counts = {"prompt_tokens": usage[0], "completion_tokens": usage[1]} if isinstance(usage, tuple) else usage
        body = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": model,
            "choices": [
                {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text, **message}}
            ],
            **({"usage": counts} if counts is not None else {}),
        }
        return Answer(body=body, headers=headers or {}, hold=hold)

    @staticmethod
    def anthropic(
        content: Any = "ok", *, stop: str | None = "end_turn", model: str = "served-claude", usage: Any = (5, 3)
    ) -> Answer:
        """Return a message; ``content`` is a text or a list of blocks."""
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        counts = {"input_tokens": usage[0], "output_tokens": usage[1]} if isinstance(usage, tuple) else usage
        body = {"id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": blocks}
        return Answer(body={**body, "stop_reason": stop, **({"usage": counts} if counts is not None else {})})

    @staticmethod
    def error(status: int, message: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> Answer:
        """Return an API error; retries of it, if any, follow at once."""
        body = {"error": {"message": message, "type": "invalid_request_error", "code": None, **more}}
        return Answer(status=status, body=body, headers={"retry-after-ms": "1", **(headers or {})})

    @staticmethod
    def score(value: Any, rationale: str = "because", **more: Any) -> str:
        """Return what an obedient judge writes."""
        return json.dumps({"rationale": rationale, "over_refusal": False, "score": value, **more}, ensure_ascii=False)

    def hold(self) -> Hold:
        return Hold(self._loop)

    # -------------------------------------------------------------- the server

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(PATIENCE)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    async def _main(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application(client_max_size=2**26)
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, backlog=512)
        await site.start()
        self.port = runner.addresses[0][1]
        self._ready.set()
        await self._stopping.wait()
        await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        with self._changed:
            parsed = json.loads(body) if body else {}
            seen = Seen(len(self.seen), request.path_qs, headers, parsed)
            self.seen.append(seen)
            self._changed.notify_all()
        try:
            found = self.script(seen)
            answer = await found if inspect.isawaitable(found) else found
        except Exception as error:  # noqa: BLE001 - a broken script is a broken test, and the client must not retry
            self.broken.append(error)
            answer = self.error(418, f"the script failed: {error!r}", headers={"x-should-retry": "false"})
        if isinstance(answer, str):
            answer = self.anthropic(answer) if request.path == "/v1/messages" else self.openai(answer)
        if answer.hold is not None:
            await answer.hold.wait()
        if answer.drop == "before":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return await self._write(request, seen, answer)

    async def _write(self, request: web.Request, seen: Seen, answer: Answer) -> web.StreamResponse:
        data = answer.body
        raw = data if isinstance(data, bytes) else data.encode() if isinstance(data, str) else json.dumps(data).encode()
        response = web.StreamResponse(
            status=answer.status, headers={"Content-Type": "application/json", **answer.headers}
        )
        response.content_length = len(raw)
        await response.prepare(request)
        if answer.drop == "inside":
            await response.write(raw[: len(raw) // 2])
            assert request.transport is not None
            request.transport.abort()
            return response
        await response.write(raw)
        await response.write_eof()
        with self._changed:
            self._answered.append(seen.number)
            self._changed.notify_all()
        return response


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """A scripted server for one test."""
    fake = FakeServer()
    fake.start()
    yield fake
    fake.stop()
    for error in fake.broken:
        raise error


@pytest.fixture
def answer() -> type[Answer]:
    """The class of answers, for what the shortcuts of the server cannot say."""
    return Answer


@pytest.fixture
def hold(server: FakeServer) -> Iterator[Callable[[], Hold]]:
    """Make holds that are released at the latest when the test ends."""
    made: list[Hold] = []

    def make() -> Hold:
        made.append(server.hold())
        return made[-1]

    yield make
    for item in made:
        item.release()


@pytest.fixture(scope="session")
def no_certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder: reading the system's certificates for plain HTTP costs more than most tests here."""
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, no_certificates: Path) -> None:
    """No key, address or proxy of the machine the tests run on takes part in them."""
    monkeypatch.setenv("SSL_CERT_DIR", str(no_certificates))
    for name in list(os.environ):
        if re.search(r"(?i)_API_KEY$|_BASE_URL$|_AUTH_TOKEN$|^(https?|all|no)_proxy$|^OPENAI_|^ANTHROPIC_", name):
            monkeypatch.delenv(name)


@pytest.fixture
def make_case() -> Callable[..., Case]:
    """Build cases; the user turns name case and turn, so that a request can be told from any other."""

    def make(name: str = "a", *, locale: str = "en", turns: int | Sequence[str] = 3, strategy: str = "S1") -> Case:
        texts = [f"case {name} turn {index}" for index in range(turns)] if isinstance(turns, int) else turns
        return Case.model_validate(
            {"id": f"{locale}-{name}", "locale": locale, "guideline": "JMA-01", "strategy": strategy, "turns": texts}
        )

    return make


@pytest.fixture
def ref(server: FakeServer) -> Callable[..., ModelRef]:
    """Build references to models of the fake server."""

    def make(name: str = "m", **more: Any) -> ModelRef:
        kind = more.pop("kind", "openai")
        url = more.pop("url", server.openai_url if kind == "openai" else server.anthropic_url)
        return ModelRef(provider="compatible", name=name, kind=kind, base_url=url, **more)

    return make


@pytest.fixture(params=["first call", "later call"])
def ask(server: FakeServer, request: pytest.FixtureRequest) -> Callable[..., Awaitable[Reply]]:
    """Send one chat to a model the way the engine does: resolved from its specification, over a real socket.

    Once as the first call to its address, which the SDK makes, and once as a later one, which goes the short way.
    """
    later = request.param == "later call"

    async def send(
        what: str | ModelRef = "compatible:m",
        messages: Sequence[tuple[str, str]] = (("user", "hello"),),
        *,
        patient: bool = True,
        schema: Mapping[str, Any] | None = None,
        providers: Mapping[str, Any] | None = None,
        **sampling: Any,
    ) -> Reply:
        if isinstance(what, str):
            url = server.anthropic_url if "anthropic" in what.partition(":")[0] else server.openai_url
            what = resolve(what if "@" in what else f"{what}@{url}", place="test", providers=providers)
        request = ChatRequest(
            tuple(Message(role, text) for role, text in messages),  # type: ignore[arg-type]
            Sampling(**{"timeout": 20.0, **sampling}),
            schema,
        )
        provider = open_provider(what)
        try:
            if later:
                await warm_up(provider)
            return await provider.chat(request, patient=patient)
        finally:
            await provider.aclose()

    async def warm_up(provider: Any) -> None:
        script, server.script, before = server.script, lambda seen: "ok", len(server.seen)
        with contextlib.suppress(ProviderError):  # where nobody listens, no call can be a later one
            await provider.chat(ChatRequest((Message("user", "hi"),), Sampling(timeout=20.0)), patient=False)
        server.script = script
        server.forget(before)

    return send


@dataclass
class Bench:
    """Engine, panel and clients of one event loop, all at the fake server."""

    target: Client
    judges: list[Client]
    panel: Panel
    engine: Engine

    async def aclose(self) -> None:
        for client in (self.target, *self.judges):
            await client.aclose()


@pytest.fixture
def bench(ref: Callable[..., ModelRef]) -> Callable[..., Bench]:
    """Build an engine: target ``m`` and judges ``j1``, ``j2``; must be called inside the event loop."""

    def make(
        rules: Mapping[str, Any] | None = None,
        *,
        cache: Cache | None = None,
        max_turns: int | None = None,
        judges: Sequence[ModelRef] | None = None,
        target: ModelRef | None = None,
    ) -> Bench:
        thresholds = Thresholds.model_validate({"schema_version": 1, **(rules or {})})
        panel = [Client("judge", judge, cache) for judge in (judges or (ref("j1"), ref("j2")))]
        client = Client("target", target or ref("m"), cache)
        seats = Panel(panel, thresholds.judges)
        return Bench(client, panel, seats, Engine(client, seats, thresholds, max_turns))

    return make


class Stage:
    """An engine whose conversations end when the test lets them; counts what runs at the same time."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.ended: list[str] = []
        self.cancelled: list[str] = []
        self.most = 0
        self.kept: list[str] = []
        """Ids of the verdicts handed to the store."""
        self.closed = False
        self.troubles: dict[str, Exception] = {}
        """What a case raises instead of ending."""
        self._running = 0
        self._free: set[str] = set()
        self._all_free = False
        self._gates: dict[str, asyncio.Event] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = threading.Condition()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Callable[[Case], Awaitable[Verdict]]]:
        self._loop = asyncio.get_running_loop()
        try:
            yield self.evaluate
        finally:
            self.closed = True

    async def evaluate(self, case: Case) -> Verdict:
        gate = self._gates.setdefault(case.id, asyncio.Event())
        if self._all_free or case.id in self._free:
            gate.set()
        self._note(self.started, case.id, +1)
        try:
            await gate.wait()
            if case.id in self.troubles:
                raise self.troubles[case.id]
        except asyncio.CancelledError:
            self._note(self.cancelled, case.id, -1)
            raise
        except Exception:
            self._note(self.ended, case.id, -1)
            raise
        self._note(self.ended, case.id, -1)
        return Verdict(case=case, status="scored", planned_turns=len(case.turns))

    def keep(self, verdict: Verdict) -> None:
        self.kept.append(verdict.case.id)

    def free(self, *ids: str) -> None:
        """Let cases end; without ids every case, now and later."""
        self._free.update(ids)
        self._all_free = self._all_free or not ids
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._open_gates, ids)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, timeout=PATIENCE), f"never happened; started {self.started}"

    def _open_gates(self, ids: Sequence[str]) -> None:
        for name in ids or list(self._gates):
            if name in self._gates:
                self._gates[name].set()

    def _note(self, where: list[str], name: str, change: int) -> None:
        with self._changed:
            where.append(name)
            self._running += change
            self.most = max(self.most, self._running)
            self._changed.notify_all()


@pytest.fixture
def stage() -> Stage:
    """An engine of which the test decides when its conversations end."""
    return Stage()


@pytest.fixture
def runner(stage: Stage, make_case: Callable[..., Case]) -> Iterator[Callable[..., Scheduler]]:
    """Start schedulers on the stage, with cases ``en-0``, ``en-1``, ...; they are stopped when the test ends."""
    made: list[Scheduler] = []

    def make(cases: int = 10, *, concurrency: int = 3, lookahead: int | None = None, keep: Any = None) -> Scheduler:
        known = {case.id: case for case in (make_case(str(number), turns=1) for number in range(cases))}
        made.append(Scheduler(known, stage.open, keep or stage.keep, concurrency=concurrency, lookahead=lookahead))
        return made[-1]

    yield make
    stage.free()
    for item in made:
        item.stop()


@dataclass
class Finished:
    """A pytest run that came to its end."""

    status: int
    text: str
    root: Path

    @property
    def runs(self) -> list[Path]:
        return sorted((self.root / "reports" / "runs").iterdir())

    def verdicts(self, run: int = -1) -> list[dict[str, Any]]:
        lines = (self.runs[run] / "verdicts.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def load(self, name: str, run: int = -1) -> Any:
        return json.loads((self.runs[run] / name).read_text(encoding="utf-8"))


@dataclass
class Project:
    """A user's folder with cases, thresholds and the three-line test file."""

    root: Path
    server: FakeServer
    env: dict[str, str]

    def arguments(self, *options: str) -> list[str]:
        url = self.server.openai_url
        judges = f"compatible:j1@{url},compatible:j2@{url}"
        return [
            *("--model=compatible:m", f"--jmed-base-url={url}", f"--jmed-judges={judges}"),
            *("--jmed-cases=cases.jsonl", "--jmed-locale=en", "--jmed-report=off", "-pno:cacheprovider"),
            *(f"-pno:{plugin}" for plugin in ("asyncio", "anyio", "pytest_httpserver", "hypothesispytest")),  # costly
            *options,
        ]

    def start(self, *options: str) -> subprocess.Popen[str]:
        """Start ``python -m pytest`` in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", *self.arguments(*options)],
            cwd=self.root,
            env=self.env,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def run_fresh(self, *options: str) -> Finished:
        """Run ``python -m pytest`` to its end."""
        process = self.start(*options)
        try:
            text, _ = process.communicate(timeout=PATIENCE * 4)
        finally:
            process.kill()
        return Finished(process.returncode, text, self.root)

    def fork(self, *options: str) -> BaseProcess:
        """Start the same in a process forked from one that has the big libraries loaded already."""
        output = self.root.with_suffix(".output")
        job = {
            "folder": str(self.root),
            "environment": self.env,
            "arguments": self.arguments(*options),
            "output": str(output),
        }
        script = str(Path(__file__).with_name("pytest_in_a_fork.py"))
        process = _FORKS.Process(target=runpy.run_path, args=(script, {"JOB": job}, "__main__"))
        process.start()
        return process

    def run(self, *options: str) -> Finished:
        """Run it like that to its end."""
        process = self.fork(*options)
        process.join(PATIENCE * 4)
        text = self.root.with_suffix(".output").read_text(encoding="utf-8", errors="replace")
        if process.exitcode is None:
            process.kill()
            pytest.fail(f"the run hangs:\n{text}")
        return Finished(process.exitcode, text, self.root)


_RULES = """
schema_version = 1
[target]
timeout = 20.0
[judges]
timeout = 20.0
[gate]
min_cases = 1
min_judge_within_2 = 0.0
min_strategy_cases = 1
mean = { T2 = 1.0 }
"""


@pytest.fixture
def project(tmp_path: Path, server: FakeServer, make_case: Callable[..., Case]) -> Callable[..., Project]:
    """Build a project of so many cases in a temporary folder."""

    def make(cases: int | Sequence[Case] = 3, rules: str = "", env: Mapping[str, str] | None = None) -> Project:
        chosen = [make_case(f"c{number}", turns=2) for number in range(cases)] if isinstance(cases, int) else cases
        (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\n")
        (tmp_path / "thresholds.toml").write_text(_RULES + rules)
        (tmp_path / "cases.jsonl").write_text("".join(case.model_dump_json() + "\n" for case in chosen))
        (tmp_path / "test_conversations.py").write_text(
            "from jmedethic_pytest import check\n\n\ndef test_conversation(verdict):\n    check(verdict)\n"
        )
        return Project(tmp_path, server, {**os.environ, **(env or {})})

    return make
