"""OpenRouter's batches: one model and its requests in one piece of JSON, and the results in the batch itself.

Those requests go to the model's variant ``NAME:batch``. A batch there has no name of ours either
(:mod:`jmedethic_pytest.models.batches.messages`), and cannot be cancelled.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from jmedethic_pytest.core.errors import ProviderError
from jmedethic_pytest.models import http
from jmedethic_pytest.models.base import ModelRef
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
)
from jmedethic_pytest.models.batches.files import OVER, answer, reason
from jmedethic_pytest.models.transport import Transport

_VARIANT = ":batch"
_PAGE = 100


class Inline:
    """The interface of OpenRouter.

    Args:
        transport: the way to the server.
        ref: the model.
    """

    limits = Limits(lines=5_000, bytes=100_000_000)
    alone = False

    def __init__(self, transport: Transport, ref: ModelRef) -> None:
        self._transport = transport
        self._model = ref.asked_as if ref.asked_as.endswith(_VARIANT) else f"{ref.asked_as}{_VARIANT}"
        self._what = ref.label

    def line(self, key: str, body: dict[str, Any]) -> bytes:
        """Return a request as it stands in a batch, which names the model for all of them."""
        return dumped({"custom_id": key, "body": {name: value for name, value in body.items() if name != "model"}})

    async def send(self, pending: Pending, lines: Sequence[bytes], uploaded: Callable[[str], None]) -> str:  # noqa: ARG002
        """Begin a batch; what it is for stands before its requests, as the server reads them one by one."""
        what = dumped({"endpoint": f"/v1{self._transport.route}", "model": self._model})
        body = what[:-1] + b',"requests":[' + b",".join(lines) + b"]}"
        content = await self._transport.ask("POST", "/batches", body, most=SMALL, timeout=SENDING_SECONDS)
        return str(loaded(content, self._what)["id"])

    async def find(self, pending: Pending) -> str | None:
        """Return the oldest batch of that model and size that was begun since, and is known not to be another."""
        content = await self._transport.ask("GET", f"/batches?limit={_PAGE}", most=LARGE, timeout=ASKING_SECONDS)
        found = None
        for row in loaded(content, self._what).get("data") or []:
            made = row.get("created_at") if isinstance(row, dict) else None
            if not isinstance(made, int | float) or made < pending.began - SKEW_SECONDS:
                continue
            fits = row.get("model") == self._model and _counts(row)[0] == len(pending.keys)
            if fits and str(row.get("id")) not in pending.others:
                found = str(row["id"])
        return found

    async def standing(self, batch: str) -> Standing:
        """Ask how it stands."""
        row = await self._row(batch)
        word, (_, completed, failed) = http.word(row.get("status")), _counts(row)
        return Standing(word, word in OVER, completed + failed, reason(row.get("error")) if word == "failed" else "")

    async def answers(self, batch: str) -> AsyncIterator[Answer]:
        """Read the results in the batch."""
        for item in (await self._row(batch)).get("results") or []:
            if isinstance(item, dict):
                yield answer(item)

    async def cancel(self, batch: str) -> None:
        """Say that this cannot be done."""
        raise ProviderError(f"{self._what}: batch {batch} goes on: the provider has no way to cancel one")

    def clear(self, batch: str) -> None:
        """Leave nothing to remove: the results are the provider's, for a month."""

    async def _row(self, batch: str) -> dict[str, Any]:
        content = await self._transport.ask("GET", f"/batches/{batch}", most=LARGE, timeout=SENDING_SECONDS)
        return loaded(content, self._what)


def _counts(row: dict[str, Any]) -> tuple[int, int, int]:
    counts = row.get("request_counts") or {}
    return count(counts.get("total")), count(counts.get("completed")), count(counts.get("failed"))
