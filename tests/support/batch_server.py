"""The batch interfaces of OpenAI and Anthropic, in front of a scripted chat server: lines are answered as its calls."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from support.chat_server import Answer, ChatServer, Seen, careful, running

Fate = Callable[[int], str]
"""What becomes of a line by its number among all: ``ok``, ``failed``, ``expired``, ``missing``, ``broken``."""


@dataclass
class Batch:
    """A batch as the server knows it."""

    id: str
    lines: list[dict[str, Any]]
    metadata: dict[str, str] = field(default_factory=dict)
    model: str = ""
    """That of all its lines, where they name none."""
    looks: int = 0
    cancelled: bool = False
    results: list[tuple[str, str, dict[str, Any]]] | None = None
    """Name, fate and answer of every line, once it is over."""


class BatchServer:
    """Takes batches and answers them by ``chat``; what it was asked is counted.

    Attributes:
        fate: what becomes of each line.
        looks: how often a batch is looked at before it is over.
        fails: the reason for which whole batches fail, if they do.
        loses: the requests whose answer is lost on the way: a path, as often as it stands there.
    """

    def __init__(self, server: ChatServer) -> None:
        self.server = server
        self.chat: Callable[[Seen], Answer | str] = careful
        self.fate: Fate = lambda number: "ok"
        self.looks = 0
        self.fails = ""
        self.loses: list[str] = []
        self.files: dict[str, tuple[str, bytes]] = {}
        self.batches: dict[str, Batch] = {}
        self.singles: list[Seen] = []
        """Calls that came one by one."""
        self._ids, self._numbers = count(1), count()
        server.script = server.lists = self._answer

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The body of every line that was handed over."""
        listed = [(batch.model, line) for batch in self.batches.values() for line in batch.lines]
        return [{"model": model, **(line.get("body") or line["params"])} for model, line in listed]

    @property
    def sizes(self) -> list[int]:
        """How many lines each batch had."""
        return [len(batch.lines) for batch in self.batches.values()]

    def environment(self) -> dict[str, str]:
        """Return what points both SDKs here."""
        return {
            "OPENAI_BASE_URL": self.server.openai_url,
            "ANTHROPIC_BASE_URL": self.server.anthropic_url,
            "OPENAI_API_KEY": "sk-planted-openai-key-0123456789",
            "ANTHROPIC_API_KEY": "sk-ant-planted-key-9876543210",
        }

    def _answer(self, seen: Seen) -> Answer | str:
        path, _, query = seen.path.partition("?")
        route = re.sub(r"(batch|file|msgbatch)-\d+", "ID", path)
        name = next(iter(re.findall(r"(?:batch|file|msgbatch)-\d+", path)), "")
        handlers: dict[str, Callable[[], Any]] = {
            "/v1/files": lambda: self._list_files() if not seen.raw else self._upload(seen.raw),
            "/v1/files/ID/content": lambda: self.files[name][1],
            "/v1/batches": lambda: self._begin(seen) if seen.raw else self._list(query, "batch"),
            "/v1/batches/ID": lambda: self._row(self._seen(name)),
            "/v1/batches/ID/cancel": lambda: self._row(self._cancelled(name)),
            "/v1/messages/batches": lambda: self._begin_messages(seen.body) if seen.raw else self._list(query, "msg"),
            "/v1/messages/batches/ID": lambda: self._row(self._seen(name)),
            "/v1/messages/batches/ID/cancel": lambda: self._row(self._cancelled(name)),
            "/v1/messages/batches/ID/results": lambda: self._results(self.batches[name]),
        }
        if route not in handlers:
            if seen.raw:
                self.singles.append(seen)
                return self._said(path, seen)
            return ChatServer.error(404, "no such thing")
        found = handlers[route]()
        method = "POST" if seen.raw or route.endswith("cancel") else "GET"
        if f"{method} {route}" in self.loses:
            self.loses.remove(f"{method} {route}")
            return Answer(drop="before")
        return found if isinstance(found, Answer) else Answer(body=found)

    # ------------------------------------------------------------------ files

    def _upload(self, raw: bytes) -> Any:
        filename = re.search(rb'name="file"; filename="([^"]+)"', raw)
        assert filename is not None, raw[:500]
        content = raw[filename.end() :].split(b"\r\n\r\n", 1)[1].rsplit(b"\r\n--", 1)[0]
        name = f"file-{next(self._ids)}"
        self.files[name] = (filename[1].decode(), content)
        return {"id": name, "object": "file", "filename": filename[1].decode(), "created_at": _NOW}

    def _list_files(self) -> Any:
        rows = [{"id": name, "filename": stored, "created_at": _NOW} for name, (stored, _) in self.files.items()]
        return {"data": rows[::-1], "has_more": False}

    def _stored(self, lines: list[Any]) -> str | None:
        if not lines:
            return None
        name = f"file-{next(self._ids)}"
        self.files[name] = ("output.jsonl", _jsonl(lines))
        return name

    # ------------------------------------------------------------------ batches

    def _begin(self, seen: Seen) -> Any:
        body = seen.body
        if "requests" in body:
            assert seen.raw.index(b'"model"') < seen.raw.index(b'"requests"'), "the server reads as it comes"
            return self._row(self._new("batch", body["requests"], {}, body["model"]))
        content = self.files[body["input_file_id"]][1]
        assert body["endpoint"] == "/v1/chat/completions"
        lines = [json.loads(line) for line in content.splitlines()]
        return self._row(self._new("batch", lines, body["metadata"]))

    def _begin_messages(self, body: dict[str, Any]) -> Any:
        return self._row(self._new("msgbatch", body["requests"], {}))

    def _new(self, kind: str, lines: list[dict[str, Any]], metadata: dict[str, str], model: str = "") -> Batch:
        names = [line["custom_id"] for line in lines]
        assert len(set(names)) == len(names)
        assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) for name in names)
        made = Batch(f"{kind}-{next(self._ids)}", lines, metadata, model)
        self.batches[made.id] = made
        return made

    def _seen(self, name: str) -> Batch:
        batch = self.batches[name]
        batch.looks += 1
        if batch.results is None and batch.looks > self.looks and not self.fails:
            batch.results = [self._result(line) for line in batch.lines]
        return batch

    def _cancelled(self, name: str) -> Batch:
        batch = self.batches[name]
        batch.cancelled, batch.results = True, batch.results or []
        return batch

    def _result(self, line: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
        fate = self.fate(next(self._numbers))
        body = line.get("body") or line["params"]
        path = "/v1/messages" if "params" in line else "/v1/chat/completions"
        answer = self._said(path, Seen(-1, path, {}, body, b"")).body if fate == "ok" else {}
        return line["custom_id"], fate, answer

    def _said(self, path: str, seen: Seen) -> Answer:
        """Return what the script says, in the form of either interface."""
        found = self.chat(seen)
        if path != "/v1/messages":
            return self.server.openai(found) if isinstance(found, str) else found
        text = found if isinstance(found, str) else found.body["choices"][0]["message"]["content"]
        return self.server.anthropic(text)

    def _list(self, query: str, kind: str) -> Any:
        """List two a page, the newest first."""
        rows = [self._row(batch) for batch in self.batches.values() if batch.id.startswith(kind)][::-1]
        after = re.search(r"after(?:_id)?=([\w-]+)", query)
        first = next((at + 1 for at, row in enumerate(rows) if after and row["id"] == after[1]), 0)
        return {"data": rows[first : first + 2], "has_more": len(rows) > first + 2}

    def _row(self, batch: Batch) -> dict[str, Any]:
        fates = [fate for _, fate, _ in batch.results or []]
        over = batch.results is not None
        if batch.id.startswith("msg"):
            done = {
                "succeeded": fates.count("ok"),
                "errored": fates.count("failed") + fates.count("broken"),
                "canceled": len(batch.lines) if batch.cancelled else fates.count("missing"),
                "expired": fates.count("expired"),
            }
            return {
                "id": batch.id,
                "processing_status": "ended" if over else "in_progress",
                "request_counts": {"processing": 0 if over else len(batch.lines), **(done if over else {})},
                "created_at": "2030-01-01T00:00:00Z",
            }
        counts = {"total": len(batch.lines), "completed": 0, "failed": 0}
        row = {"id": batch.id, "metadata": batch.metadata, "created_at": _NOW, "status": "in_progress"}
        row |= {"model": batch.model, "request_counts": counts}
        if self.fails and batch.looks > self.looks:
            reasons = {"data": [{"code": self.fails, "message": f"refused: {self.fails}"}]}
            return {**row, "status": "failed", "errors": reasons}
        if not over:
            return row
        word = "cancelled" if batch.cancelled else "expired" if "expired" in fates else "completed"
        good = [_line(name, 200, body) for name, fate, body in batch.results or [] if fate == "ok"]
        bad = [
            {"custom_id": name, "response": None, "error": {"code": "batch_expired", "message": "too late"}}
            if fate == "expired"
            else _line(name, 500, {"error": {"code": "server_error", "message": "it broke"}})
            for name, fate, _ in batch.results or []
            if fate in ("failed", "expired")
        ]
        broken = ["{", {"custom_id": "a stranger"}] if "broken" in fates else []
        inline = {"results": [*good, *bad, *broken][::-1]} if batch.model else {}
        return {
            **row,
            **inline,
            "status": word,
            "request_counts": {"total": len(batch.lines), "completed": len(good), "failed": len(bad)},
            "output_file_id": self._stored([*good, *broken][::-1]),
            "error_file_id": self._stored(bad),
        }

    def _results(self, batch: Batch) -> str:
        lines = []
        for name, fate, message in batch.results or []:
            result: dict[str, Any] = {"type": "succeeded", "message": message}
            if fate in ("failed", "broken"):
                error = {"type": "error", "error": {"type": "api_error", "message": "it broke"}}
                result = {"type": "errored", "error": error}
            elif fate == "expired":
                result = {"type": "expired"}
            if fate != "missing":
                lines.append({"custom_id": name, "result": result})
        return _jsonl(lines[::-1]).decode()


_NOW = 1_900_000_000


def _line(name: str, status: int, body: dict[str, Any]) -> dict[str, Any]:
    return {"id": f"r-{name}", "custom_id": name, "response": {"status_code": status, "body": body}, "error": None}


def _jsonl(lines: list[Any]) -> bytes:
    texts = [line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines]
    return "".join(f"{text}\n" for text in texts).encode()


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[BatchServer]:
    """A scripted server with batches; the SDKs are pointed to it."""
    with running() as server:
        made = BatchServer(server)
        for name, value in made.environment().items():
            monkeypatch.setenv(name, value)
        yield made
