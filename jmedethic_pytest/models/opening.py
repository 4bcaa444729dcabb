"""Opening the clients of a run, an exam or a stage: cache, quotas and budget are found in one way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from jmedethic_pytest.config.servers import QuotaTable
from jmedethic_pytest.models import descriptors
from jmedethic_pytest.models.base import CacheMode, ModelRef, Role
from jmedethic_pytest.models.budget import Budget
from jmedethic_pytest.models.cache import Cache
from jmedethic_pytest.models.client import Client
from jmedethic_pytest.models.limits import Quota


class Clients:
    """Clients that share a budget, stated quotas and caches; an asynchronous context that closes them all.

    Must be used in one event loop: sqlite and the HTTP pools belong to its thread.

    Args:
        mode: how the caches are used (:class:`jmedethic_pytest.models.client.Client`); ``judges``: not for the target.
        limits: what endpoints allow a minute, by model (``[limits]``).
        budget: the most that all of them may spend together.
        shared: whether others may read a cache that is made.
    """

    def __init__(
        self, mode: CacheMode, limits: Mapping[str, QuotaTable], budget: Budget | None, *, shared: bool = False
    ) -> None:
        self._shared = shared
        self._mode = mode
        self._limits = limits
        self._budget = budget
        self._clients: list[Client] = []
        self._notes: list[str] = []
        self._caches: dict[Path, Cache] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients:
            await client.aclose()
        for cache in self._caches.values():
            cache.close()

    def open(self, role: Role, ref: ModelRef, cache: Path, *, ceiling: int, beside: int = 0) -> Client:
        """Return a client.

        Args:
            role: what it is asked for.
            ref: the model.
            cache: file of its cache; made with its folder unless the mode is ``off``.
            ceiling: the most calls in flight; fewer where there are not enough file descriptors.
            beside: other clients that will be used at the same time.
        """
        if not ref.simulated:
            ceiling, note = descriptors.ceiling(ceiling, 1 + beside)
            self._notes = self._notes or ([note] if note else [])
        mode = self._mode if role != "probe" else "off"
        if mode == "judges":
            mode = "off" if role == "target" else "use"
        if mode != "off" and cache not in self._caches:
            self._caches[cache] = Cache(cache, shared=self._shared)
        stated = self._limits.get(ref.label)
        quota = Quota(stated.requests_per_minute, stated.tokens_per_minute) if stated else None
        known = self._caches.get(cache) if mode != "off" else None
        client = Client(role, ref, known, mode, ceiling=ceiling, quota=quota, budget=self._budget)
        self._clients.append(client)
        return client

    def cache(self, path: Path) -> Cache | None:
        """Return the cache in a file, if a client uses it."""
        return self._caches.get(path)

    @property
    def notes(self) -> list[str]:
        """What had to be done with the caches so far, and how far the concurrency was bounded, in words."""
        return [*(cache.note for cache in self._caches.values() if cache.note), *self._notes]


def tell_apart(clients: Sequence[Client]) -> None:
    """Give models of one name at different addresses different names in the records."""
    counts = Counter(client.ref.label for client in clients)
    for client in clients:
        client.suffix = f" at {client.ref.address}" if counts[client.ref.label] > 1 else ""
