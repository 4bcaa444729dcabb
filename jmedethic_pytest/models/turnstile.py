"""Who may call a paused endpoint: one call at a time, each in its turn; with an answer all go on."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable


class Turnstile:
    """Lets calls pass; while it is paused only one at a time, and that after a pause.

    Args:
        sleep: waits so many seconds.
    """

    def __init__(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        self.pause: float | None = None
        """Seconds before the next try; ``None`` while everybody may pass."""
        self._sleep = sleep
        self._trying = False
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> bool:
        """Wait for the turn of a call; return whether it is the one that tries a paused endpoint."""
        return self.pause is not None and await self._admitted()

    def leave(self, *, trying: bool) -> None:
        """Let the next one try, after the one that did."""
        if trying:
            self._next_one()

    def open(self) -> None:
        """Let everybody pass."""
        self.pause = None
        self._wake(len(self._waiting))

    async def _admitted(self) -> bool:
        while self.pause is not None:
            if self._trying:
                await self._turn()
                continue
            self._trying = True
            try:
                await self._sleep(self.pause)
            except BaseException:
                self._next_one()
                raise
            if self.pause is not None:
                return True
            self._trying = False
        return False

    async def _turn(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._wake(1)  # It was this one's turn: pass it on.
            raise

    def _next_one(self) -> None:
        self._trying = False
        self._wake(1)

    def _wake(self, most: int) -> None:
        while most > 0 and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                most -= 1
