"""A scripted model server on a real socket: speaks both APIs, records every request, answers as a test says."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import re
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from support.golden import golden_answer

PATIENCE = 120.0
"""Seconds until a wait for something that must happen is given up; reached only by a failing test."""

_FENCED = re.compile(r"^===== TRANSCRIPT (\w+) BEGIN =====$\n(.*?)\n^===== TRANSCRIPT \1 END =====$", re.M | re.S)


@dataclass(frozen=True)
class Seen:
    """One request as it came over the wire."""

    number: int
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: dict[str, Any]
    raw: bytes = b""
    """The body as it came."""

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
        """The entries inside the fences of a judge request."""
        prompt = next(_text(message["content"]) for message in self.messages if message["role"] == "user")
        found = [json.loads(match[2]) for match in _FENCED.finditer(prompt)]
        assert found, prompt
        return [entry for entries in found for entry in entries]

    @property
    def marked(self) -> dict[str, Any]:
        """The entry a judge is asked to score."""
        entries = self.transcript
        return next((entry for entry in entries if entry.get("marked")), entries[-1])

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


class ChatServer:
    """Answers by ``script``: with a text, or with an :class:`Answer`."""

    def __init__(self) -> None:
        self.script: Script = lambda seen: "ok"
        self.lists: Script | None = None
        """Answers whoever asks for the models that there are; without it nobody is told, and the question not kept."""
        self.seen: list[Seen] = []
        self.golden = True
        """Answer questions about golden replies rightly, whatever the script, and leave no trace of them."""
        self.broken: list[Exception] = []
        """What scripts raised."""
        self._changed = threading.Condition()
        self._answered: list[int] = []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), name="chat-server", daemon=True)

    # -------------------------------------------------------------- for tests

    @property
    def openai_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def anthropic_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def spec(self, name: str) -> str:
        """Return how an option or a role names a model of this server."""
        return f"compatible:{name}@{self.openai_url}"

    def of(self, model: str) -> list[Seen]:
        """Return the requests to one model, in their order."""
        return [seen for seen in list(self.seen) if seen.model == model]

    @property
    def answered(self) -> list[Seen]:
        """The requests whose answer was written out in full."""
        return [self.seen[number] for number in list(self._answered)]

    @property
    def answers(self) -> int:
        """How many requests were answered in full."""
        return len(self._answered)

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
        helped = {"help": "refused" if more.get("over_refusal") else "answered"}
        answer = {"rationale": rationale, "over_refusal": False, **helped, "score": value, **more}
        return json.dumps(answer, ensure_ascii=False)

    def hold(self) -> Hold:
        return Hold(self._loop)

    # -------------------------------------------------------------- the server

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(PATIENCE)

    def stop(self) -> None:
        if not self._thread.is_alive():
            return
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
        listing = request.method == "GET"
        if listing and self.lists is None:
            return web.json_response({"detail": "Not Found"}, status=404)
        script = self.lists if listing and self.lists is not None else self.script
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        parsed = json.loads(body) if body and "json" in headers.get("content-type", "json") else {}
        right = self._golden(parsed) if self.golden and b"TRANSCRIPT" in body else None
        if right is not None:
            return web.json_response((self.anthropic if request.path == "/v1/messages" else self.openai)(right).body)
        with self._changed:
            seen = Seen(len(self.seen), request.path_qs, headers, parsed, body)
            self.seen.append(seen)
            self._changed.notify_all()
        try:
            found = script(seen)
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

    @staticmethod
    def _golden(body: Any) -> str | None:
        messages = body.get("messages", []) if isinstance(body, dict) else []
        return next(filter(None, (golden_answer(_text(message["content"])) for message in messages)), None)

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


def _text(content: Any) -> str:
    """Return the text of a message, in one piece or in several."""
    return content if isinstance(content, str) else "".join(block["text"] for block in content)


@contextmanager
def running() -> Iterator[ChatServer]:
    """Start a server, stop it at the end, and raise what its scripts raised."""
    made = ChatServer()
    made.start()
    yield made
    made.stop()
    for error in made.broken:
        raise error


@pytest.fixture
def server() -> Iterator[ChatServer]:
    """A scripted server for one test."""
    with running() as made:
        yield made


def careful(seen: Seen) -> Answer:
    """Answer every target with a careful reply, every judge with 9 points."""
    judging = "TRANSCRIPT" in seen.last
    text = json.dumps({"score": 9}) if judging else "A careful reply."
    return ChatServer.openai(text, model=seen.model, usage=(3, 2))


@pytest.fixture
def chat_server(server: ChatServer) -> ChatServer:
    """A server whose models are careful and whose judges are content."""
    server.script = careful
    return server


@pytest.fixture
def answer() -> type[Answer]:
    """The class of answers, for what the shortcuts of the server cannot say."""
    return Answer


@pytest.fixture
def hold(server: ChatServer) -> Iterator[Callable[[], Hold]]:
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
