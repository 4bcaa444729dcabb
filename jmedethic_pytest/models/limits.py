"""How many calls to one endpoint may be in flight: learned from its answers, and bounded by stated quotas.

The limit starts low, doubles while the endpoint keeps up and the limit is really used, and after the first "too many
requests" or the first answer that did not come in time grows slowly. An episode of those cuts it once, and of 429
answers lets the endpoint rest; server errors stop its growth; a nearly spent quota in the answer's headers cuts it
before the first 429 comes.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping

from jmedethic_pytest.models import pauses

START = 8
"""Calls in flight at the beginning, or the ceiling if that is lower."""
CUT = 0.7
"""Factor of one cut."""
COOLDOWN_SECONDS = 15.0
"""After a cut the limit neither falls again nor grows for so long (longer if the server says so)."""
LONGEST_REST_SECONDS = 120.0
"""The longest rest of all calls that a server can ask for with Retry-After; the refused call itself waits longer."""
SCARCE = 0.1
"""Share of a quota below which calls are slowed down ahead of the first refusal."""
_MAX_CHANGES = 100
_QUOTA_HEADERS = tuple(
    pair
    for kind in ("requests", "tokens")
    for pair in (
        (f"x-ratelimit-remaining-{kind}", f"x-ratelimit-limit-{kind}"),
        (f"anthropic-ratelimit-{kind}-remaining", f"anthropic-ratelimit-{kind}-limit"),
    )
)
"""What is left of a quota, and the whole quota."""


class AdaptiveLimit:
    """The number of calls in flight to one (endpoint, model); ``async with`` it a call holds one of them.

    Args:
        ceiling: never more than this.
        clock: seconds, for tests.
        start: calls at the beginning.
    """

    def __init__(self, ceiling: int, clock: Callable[[], float] = time.monotonic, *, start: int = START) -> None:
        self.limit = min(start, ceiling)
        self.in_flight = 0
        self.changes: list[str] = []
        """What changed the limit and why, the first hundred times."""
        self.cut_for = ""
        """Why it was cut the last time, empty if it never was."""
        self._ceiling = ceiling
        self._clock = clock
        self._begun = clock()
        self._fast = True
        self._good = 0
        self._peak = 0
        self._quiet_until = 0.0
        self._resting_until = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def __aenter__(self) -> None:
        """Hold one of the calls in flight; wait for it if there is none."""
        while self.in_flight >= self.limit:
            await self._next_in_line()
        self.in_flight += 1
        self._peak = max(self._peak, self.in_flight)
        rest = self._resting_until - self._clock()
        if rest > 0:
            try:
                await asyncio.sleep(rest)
            except BaseException:
                self._leave()
                raise

    async def __aexit__(self, *_: object) -> None:
        """Leave it to another call."""
        self._leave()

    def _leave(self) -> None:
        self.in_flight -= 1
        self._wake()

    async def _next_in_line(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._wake()  # It was this one's turn: pass it on.
            raise

    def _wake(self) -> None:
        """Let as many of those who wait try again as there is room for."""
        room = self.limit - self.in_flight
        while room > 0 and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                room -= 1

    def observe(self, status: int, headers: Mapping[str, str]) -> None:
        """Learn from one answer of the server, also from those the SDK retries by itself."""
        now = self._clock()
        if status == 429:
            self._refused(now, pauses.asked(headers))
        elif status >= 500:
            self._good = 0
            self._quiet_until = max(self._quiet_until, now + COOLDOWN_SECONDS)
        elif now >= self._quiet_until:
            left = _quota_left(headers)
            if left is not None and left < SCARCE:
                self._cut(now, f"{left:.0%} of a quota left", COOLDOWN_SECONDS)
            else:
                self._succeeded(now)

    def late(self) -> None:
        """Learn that an answer did not come in time: slow is not dead, but has too much to do."""
        now = self._clock()
        if now >= self._quiet_until:
            self._cut(now, "no answer in time", COOLDOWN_SECONDS)

    def _refused(self, now: float, asked: float | None) -> None:
        rest = min(asked or 0.0, LONGEST_REST_SECONDS)
        self._resting_until = max(self._resting_until, now + rest)
        if now >= self._quiet_until:
            self._cut(now, "429 too many requests", max(COOLDOWN_SECONDS, rest))

    def _cut(self, now: float, reason: str, quiet: float) -> None:
        self._fast, self._good, self._peak = False, 0, 0
        self._quiet_until = now + quiet
        self.cut_for = reason
        self._change(max(1, int(self.limit * CUT)), now, reason)

    def _succeeded(self, now: float) -> None:
        self._good += 1
        if self._good < self.limit:
            return
        used = self._peak >= 0.8 * self.limit
        self._good, self._peak = 0, self.in_flight
        if used and self.limit < self._ceiling:
            wanted = self.limit * 2 if self._fast else self.limit + max(1, self.limit // 20)
            self._change(min(self._ceiling, wanted), now, "kept up")

    def _change(self, limit: int, now: float, reason: str) -> None:
        if limit != self.limit and len(self.changes) < _MAX_CHANGES:
            self.changes.append(f"{now - self._begun:.1f} s: {self.limit} -> {limit} ({reason})")
        self.limit = limit
        self._wake()


class Quota:
    """Requests and tokens a minute, as the user stated them; one sliding window each.

    Args:
        requests: calls a minute, ``None`` for no limit.
        tokens: input tokens a minute, ``None`` for no limit.
    """

    def __init__(self, requests: int | None, tokens: int | None) -> None:
        from pyrate_limiter import Duration, Limiter, Rate  # few runs state a quota, and all pay for what is loaded

        self._requests = Limiter(Rate(requests, Duration.MINUTE)) if requests else None
        self._tokens = Limiter(Rate(tokens, Duration.MINUTE)) if tokens else None
        self._token_limit = tokens or 0

    async def wait(self, tokens: int) -> None:
        """Wait until one more call of about so many tokens fits into the minute."""
        if self._requests is not None:
            await self._requests.try_acquire_async("requests")
        if self._tokens is not None:
            # A call larger than the whole minute's quota must still be possible: it takes the whole minute.
            await self._tokens.try_acquire_async("tokens", weight=min(max(1, tokens), self._token_limit))


def _quota_left(headers: Mapping[str, str]) -> float | None:
    """Return the smallest share of a quota that is left, from OpenAI's and Anthropic's headers."""
    shares = []
    for remaining, limit in _QUOTA_HEADERS:
        stated = headers.get(remaining)
        if stated is None:
            continue
        left, full = pauses.seconds(stated), pauses.seconds(headers.get(limit))
        if left is not None and full:
            shares.append(left / full)
    return min(shares, default=None)
