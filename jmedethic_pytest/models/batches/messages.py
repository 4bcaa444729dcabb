"""Anthropic's message batches: the requests are sent with the batch itself, and read back as one file.

A batch there has no name of ours. One that was begun while nobody could note its id is sought among those of its time
and size, and known by its answers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
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
from jmedethic_pytest.models.batches.files import reason
from jmedethic_pytest.models.transport import Transport

_PATH = "/v1/messages/batches"
_PAGE = 100


class Messages:
    """The interface of Anthropic.

    Args:
        transport: the way to the server.
        what: the model, for error texts.
    """

    limits = Limits(lines=100_000, bytes=256_000_000)
    alone = False

    def __init__(self, transport: Transport, what: str) -> None:
        self._transport = transport
        self._what = what

    def line(self, key: str, body: dict[str, Any]) -> bytes:
        """Return a request as it stands in a batch."""
        return dumped({"custom_id": key, "params": body})

    async def send(self, pending: Pending, lines: Sequence[bytes], uploaded: Callable[[str], None]) -> str:  # noqa: ARG002
        """Begin a batch; nothing is uploaded before."""
        body = b'{"requests":[' + b",".join(lines) + b"]}"
        content = await self._transport.ask("POST", _PATH, body, most=SMALL, timeout=SENDING_SECONDS)
        return str(loaded(content, self._what)["id"])

    async def find(self, pending: Pending) -> str | None:
        """Return the oldest batch of that size that was begun since, and is known not to be another."""
        after, found = "", None
        while True:
            path = f"{_PATH}?limit={_PAGE}{after}"
            page = loaded(await self._transport.ask("GET", path, most=LARGE, timeout=ASKING_SECONDS), self._what)
            rows = [row for row in page.get("data") or [] if isinstance(row, dict) and row.get("id")]
            for row in rows:
                if _made(row) < pending.began - SKEW_SECONDS:
                    return found
                if str(row["id"]) not in pending.others and sum(_counts(row)) == len(pending.keys):
                    found = str(row["id"])
            if not rows or not page.get("has_more"):
                return found
            after = f"&after_id={rows[-1]['id']}"

    async def standing(self, batch: str) -> Standing:
        """Ask how it stands."""
        row = loaded(
            await self._transport.ask("GET", f"{_PATH}/{batch}", most=SMALL, timeout=ASKING_SECONDS), self._what
        )
        word = http.word(row.get("processing_status"))
        processing, *done = _counts(row)
        return Standing(word, word == "ended", sum(done) if processing or any(done) else 0)

    async def answers(self, batch: str) -> AsyncIterator[Answer]:
        """Read its results."""
        path = f"{_PATH}/{batch}/results"
        for item in objects(await self._transport.ask("GET", path, most=LARGE, timeout=SENDING_SECONDS)):
            yield _answer(item)

    async def cancel(self, batch: str) -> None:
        """Have it ended."""
        await self._transport.ask("POST", f"{_PATH}/{batch}/cancel", most=SMALL, timeout=ASKING_SECONDS)

    def clear(self, batch: str) -> None:
        """Leave nothing to remove: the results are the provider's, for a month."""


def _answer(item: dict[str, Any]) -> Answer:
    key, result = str(item.get("custom_id") or ""), item.get("result") or {}
    kind, message = http.word(result.get("type")), result.get("message")
    if kind == "succeeded" and isinstance(message, dict):
        return Answer(key, message)
    error = result.get("error") or {}
    inner = error.get("error") if isinstance(error, dict) and isinstance(error.get("error"), dict) else error
    return Answer(key, None, reason(inner, kind) if inner else kind or "no result")


def _counts(row: dict[str, Any]) -> list[int]:
    """Return how many of its requests wait, and how many ended in each way."""
    counts = row.get("request_counts") or {}
    return [count(counts.get(name)) for name in ("processing", "succeeded", "errored", "canceled", "expired")]


def _made(row: dict[str, Any]) -> float:
    try:
        return datetime.fromisoformat(str(row.get("created_at"))).timestamp()
    except ValueError:
        return float("inf")
