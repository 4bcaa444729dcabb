"""OpenAI's batches: a file of lines is uploaded, a batch of it begun, and its answers are two files.

A batch that was begun while nobody could note its id is known by its metadata, and an upload by its file's name.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from jmedethic_pytest.models import http
from jmedethic_pytest.models.batches.base import (
    ASKING_SECONDS,
    LARGE,
    SENDING_SECONDS,
    SKEW_SECONDS,
    SMALL,
    Answer,
    Limits,
    Pending,
    Standing,
    count,
    dumped,
    loaded,
    objects,
)
from jmedethic_pytest.models.direct import Upload
from jmedethic_pytest.models.transport import Transport

MARK = "jmedethic"
"""Key of the metadata, and the beginning of the files' names."""
OVER = ("completed", "failed", "expired", "cancelled")
_CROWDED = ("token_limit_exceeded", "batch_limit_exceeded", "rate_limit_exceeded")
_PAGE = 100


class Files:
    """The interface of OpenAI, and of whoever has the same.

    Args:
        transport: the way to the server.
        what: the model, for error texts.
    """

    limits = Limits(lines=50_000, bytes=200_000_000)
    alone = False

    def __init__(self, transport: Transport, what: str) -> None:
        self._transport = transport
        self._what = what
        self._route = f"/v1{transport.route}"

    def line(self, key: str, body: dict[str, Any]) -> bytes:
        """Return a request as a line (see :class:`jmedethic_pytest.models.batches.base.Interface`, as for all)."""
        return dumped({"custom_id": key, "method": "POST", "url": self._route, "body": body})

    async def send(self, pending: Pending, lines: Sequence[bytes], uploaded: Callable[[str], None]) -> str:
        """Upload a file and begin a batch of it."""
        upload = pending.upload
        if not upload:
            file = Upload(_file_name(pending.name), b"\n".join(lines) + b"\n", {"purpose": "batch"})
            answer = await self._transport.ask("POST", "/files", file, most=SMALL, timeout=SENDING_SECONDS)
            upload = self._id(answer)
            uploaded(upload)
        return await self._begin(pending.name, upload)

    async def find(self, pending: Pending) -> str | None:
        """Look for the batch by its metadata, then for its file by the name."""
        oldest = pending.began - SKEW_SECONDS
        found = await self._first("/batches", oldest, lambda row: _mark(row) == pending.name)
        if found is not None:
            return str(found["id"])
        upload = pending.upload
        if not upload:
            name = _file_name(pending.name)
            file = await self._first("/files", oldest, lambda row: row.get("filename") == name, "&purpose=batch")
            upload = str(file["id"]) if file is not None else ""
        return await self._begin(pending.name, upload) if upload else None

    async def standing(self, batch: str) -> Standing:
        """Ask how it stands."""
        row = await self._row(batch)
        word, counts = http.word(row.get("status")), row.get("request_counts") or {}
        answered = count(counts.get("completed")) + count(counts.get("failed"))
        reasons = (row.get("errors") or {}).get("data") or []
        trouble = ", ".join(dict.fromkeys(reason(each) for each in reasons))
        failed = word == "failed"
        crowded = failed and any(sign in trouble for sign in _CROWDED)
        return Standing(word, word in OVER, answered, (trouble or word) if failed else "", crowded)

    async def answers(self, batch: str) -> AsyncIterator[Answer]:
        """Read both files."""
        row = await self._row(batch)
        for name in ("output_file_id", "error_file_id"):
            if row.get(name):
                path = f"/files/{row[name]}/content"
                content = await self._transport.ask("GET", path, most=LARGE, timeout=SENDING_SECONDS)
                for item in objects(content):
                    yield answer(item)

    async def cancel(self, batch: str) -> None:
        """Have it ended."""
        await self._transport.ask("POST", f"/batches/{batch}/cancel", most=SMALL, timeout=ASKING_SECONDS)

    def clear(self, batch: str) -> None:
        """Leave nothing to remove: the files are the provider's, for thirty days."""

    async def _begin(self, name: str, upload: str) -> str:
        body = {
            "input_file_id": upload,
            "endpoint": self._route,
            "completion_window": "24h",
            "metadata": {MARK: name},
        }
        return self._id(await self._transport.ask("POST", "/batches", dumped(body), most=SMALL, timeout=ASKING_SECONDS))

    async def _row(self, batch: str) -> dict[str, Any]:
        content = await self._transport.ask("GET", f"/batches/{batch}", most=SMALL, timeout=ASKING_SECONDS)
        return loaded(content, self._what)

    async def _first(
        self, path: str, oldest: float, fits: Callable[[dict[str, Any]], bool], more: str = ""
    ) -> dict[str, Any] | None:
        """Return the first row of a list that fits; lists begin with what is newest."""
        after = ""
        while True:
            content = await self._transport.ask(
                "GET", f"{path}?limit={_PAGE}{more}{after}", most=LARGE, timeout=ASKING_SECONDS
            )
            page = loaded(content, self._what)
            rows = [row for row in page.get("data") or [] if isinstance(row, dict) and row.get("id")]
            for row in rows:
                if fits(row):
                    return row
            if not rows or not page.get("has_more") or _made(rows[-1]) < oldest:
                return None
            after = f"&after={rows[-1]['id']}"

    def _id(self, content: bytes) -> str:
        return str(loaded(content, self._what)["id"])


def answer(item: dict[str, Any]) -> Answer:
    """Return what a line of an answer file says, of OpenAI's as of vLLM's."""
    key, response = str(item.get("custom_id") or ""), item.get("response") or {}
    body = response.get("body") if isinstance(response, dict) else None
    status = response.get("status_code", 200) if isinstance(response, dict) else None
    if isinstance(body, dict) and status == 200 and not item.get("error"):
        return Answer(key, body)
    error = item.get("error") or (body.get("error") if isinstance(body, dict) else None) or {}
    return Answer(key, None, reason(error, f"HTTP {status}" if status and status != 200 else ""))


def reason(error: Any, before: str = "") -> str:
    """Return why a line has no answer, in words of the provider's code: its sentences may quote the question."""
    known = error if isinstance(error, dict) else {}
    code = http.word(str(known.get("code") or known.get("type") or ""))
    return " ".join(filter(None, (before, code))) or "an error without a name"


def _file_name(name: str) -> str:
    return f"{MARK}-{name}.jsonl"


def _mark(row: dict[str, Any]) -> Any:
    metadata = row.get("metadata")
    return metadata.get(MARK) if isinstance(metadata, dict) else None


def _made(row: dict[str, Any]) -> float:
    made = row.get("created_at")
    return float(made) if isinstance(made, int | float) else time.time()
