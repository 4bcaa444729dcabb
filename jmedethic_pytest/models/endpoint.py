"""When an endpoint may be called again after trouble, and when it is given up.

One call that fails is tried again after a pause of its own. Where several fail one after the other and nobody is
answered, the endpoint is paused: one call at a time tries whether it is back, each in turn, and with an answer all go
on. It is given up after ``patience`` seconds without an answer to anybody; trouble of one call alone never ends a run.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple, NoReturn

from jmedethic_pytest.core.errors import ProviderError, RunAborted
from jmedethic_pytest.models import pauses
from jmedethic_pytest.models import trouble as troubles
from jmedethic_pytest.models.base import Role
from jmedethic_pytest.models.turnstile import Turnstile

FIRST_CALL_SECONDS = 2.0
"""How long other calls wait for the first one to show whether anybody is there."""
FIRST_PATIENCE = 20.0
"""Seconds for an endpoint that is there, but has never answered."""
PAUSE_AFTER = 4
"""Attempts of several calls that fail one after the other until the endpoint is paused."""
WORTH_A_WORD = 10.0
"""Seconds without an answer after which a progress line says so."""
SHORTEST_PAUSE = 0.02
LONGEST_PAUSE = 15.0
"""Seconds between two tries of a paused endpoint, unless it asks for more."""
ATTEMPTS = 7
"""Attempts of a call that meets server errors or lost connections while others are answered: in half a minute."""
ALONE_SECONDS = 150.0
"""How long such a call is tried while nobody else is answered: nothing shows whether it or the endpoint is at fault."""
ATTEMPTS_UNREADABLE = 4
"""Attempts of a call whose answers cannot be read."""
BRIEF = 1.0
"""Seconds below which a pause that an endpoint asks for is believed :data:`ATTEMPTS` times, and no more."""
ATTEMPTS_LATE = 3
"""Attempts of a call whose answer does not come in time."""
MAX_LOST_IN_A_ROW = 10
"""Calls that may be lost one after the other, for reasons that are not their own, before the run is given up.

The last of them must have begun after the first was lost: calls in flight together may all have met one short trouble.
"""
_MAX_NOTES = 100


@dataclass(eq=False)
class Attempts:
    """What one call has met so far."""

    begun: float = 0.0
    """When its present attempt began."""
    probing: bool = False
    """Whether that tries a paused endpoint."""
    failures: int = 0
    since: float | None = None
    """When the first of them was seen."""
    counted: int = 0
    """Those that speak against the call."""


class Endpoint:
    """One model at one address, as far as its answers tell.

    Args:
        role: what it is called for, for messages.
        clock: seconds.
        sleep: waits so many of them.
    """

    def __init__(
        self,
        role: Role,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.alive = False
        """Whether anybody is there: an error is an answer too."""
        self.notes: list[str] = []
        """When it was paused and when it went on, the first hundred times."""
        self._role = role
        self._clock = clock
        self._sleep = sleep
        self._begun = clock()
        self._first: asyncio.Event | None = None
        self._answered_at: float | None = None
        self._failing: set[Attempts] = set()
        """The calls that met passing trouble since the last answer to anybody."""
        self._failures = 0
        self._met = ""
        """What the last of them was."""
        self._since = 0.0
        """When the first of these failures was seen."""
        self._lost = 0
        self._losing_since = 0.0
        self._turnstile = Turnstile(sleep)
        self._dead: str | None = None

    @property
    def trouble(self) -> str | None:
        """That nobody is answered, in words, once that takes long enough to be wondered at."""
        silent = self._clock() - self._since
        if not self._failures or silent < WORTH_A_WORD or self._dead is not None:
            return None
        return f"no answer for {silent:.0f} s ({self._met}), trying again"

    @property
    def _answered(self) -> bool:
        """Whether anybody ever was."""
        return self._answered_at is not None

    def check(self) -> None:
        """Refuse any further call to an endpoint that is given up.

        Raises:
            RunAborted: if it is.
        """
        if self._dead is not None:
            raise RunAborted(self._dead)

    def turn(self, call: Attempts) -> _Turn:
        """Return what one attempt of a call is made in, as soon as it may be made.

        Raises:
            RunAborted: when it is entered, if the endpoint is given up.
        """
        return _Turn(self, call)

    async def _begin(self, call: Attempts) -> None:
        if self._first is None:
            self._first = asyncio.Event()
        elif not self.alive and not call.failures:
            # The first call finds out a dead endpoint, in two attempts; a slow one holds nobody up for long.
            with suppress(TimeoutError):
                await asyncio.wait_for(self._first.wait(), FIRST_CALL_SECONDS)
        call.probing = False
        try:
            call.probing = await self._turnstile.enter()
            self.check()
        except BaseException as error:
            self._end(call, error)
            raise
        call.begun = self._clock()

    def _end(self, call: Attempts, error: BaseException | None) -> None:
        self._turnstile.leave(trying=call.probing)
        if error is not None and not isinstance(error, ProviderError):  # after one of those failed() lets others go
            self._let_others_go()

    def keeps_out(self, call: Attempts) -> bool:
        """Tell whether an attempt that was let pass has to wait again: a pause began while it stood in line."""
        return self._turnstile.pause is not None and not call.probing

    def answered(self) -> None:
        """Note that a call was answered: whatever was wrong is over."""
        self._answered_at = self._clock()
        self._lost = 0
        self._serves()

    def _serves(self) -> None:
        """Note that the endpoint does what it can: what it says of one request is an answer as well."""
        self.alive = True
        self._let_others_go()
        if self._failures:
            self._failing.clear()
            self._failures = 0
        if self._turnstile.pause is not None:
            self._note(f"goes on after {self._clock() - self._since:.0f} s without an answer")
            self._turnstile.open()

    async def failed(self, error: ProviderError, call: Attempts, patience: float) -> None:
        """Wait until a call that failed may be tried again.

        Args:
            error: what became of its attempt.
            call: the call.
            patience: seconds without an answer to anybody, after which the endpoint is given up.

        Raises:
            ProviderError: the error, if this call is not to be tried again.
            RunAborted: if no call is to be.
        """
        await self._sleep(self._next(error, call, patience))

    def _next(self, error: ProviderError, call: Attempts, patience: float) -> float:
        """Return the seconds until the next attempt."""
        what = troubles.of(error)
        self.alive = self.alive or error.http_status is not None
        call.failures += 1
        if self.alive or error.late or call.failures > 1:
            self._let_others_go()
        if what == "account" or (what == "dead" and self._answered_at is None):
            self._give_up(error)
        if what not in ("wait", "retry"):
            if error.http_status is not None:
                self._serves()
            self._lose(error, call, own=what != "dead" and (error.http_status or 0) < 500)
        if what == "retry" and error.http_status == 200:
            call.counted += 1
            if call.counted >= ATTEMPTS_UNREADABLE:
                self._lose(error, call, own=False)
            return pauses.after(call.failures)
        self._note_failure(call, _status(error))
        self._check_patience(error, call, patience)
        if what == "retry" and self._turnstile.pause is None:
            call.counted += 1
            enough = ATTEMPTS_LATE if error.late else ATTEMPTS
            if call.counted >= enough and (error.late or self._shown_at_fault(call)):
                self._lose(error, call, own=False)
        return self._pause_after(error, call)

    def _shown_at_fault(self, call: Attempts) -> bool:
        """Tell whether others were answered while a call failed again and again, or it failed for very long."""
        since = self._since if call.since is None else call.since
        others = self._answered_at is not None and self._answered_at > since
        return others or self._clock() - since >= ALONE_SECONDS

    def _note_failure(self, call: Attempts, met: str) -> None:
        now, self._met = self._clock(), met
        if not self._failures:
            self._since = now
        self._failures += 1
        self._failing.add(call)
        call.since = now if call.since is None else call.since

    def _check_patience(self, error: ProviderError, call: Attempts, patience: float) -> None:
        """Give the endpoint up, or this call, if that took too long.

        Raises:
            ProviderError: if it is this call's trouble alone.
            RunAborted: if it is the endpoint's.
        """
        if not self.alive and not error.late and call.failures > 1:
            self._give_up(error)
        if error.pause is not None and error.pause > patience:
            self._give_up(error, f"it asks for a pause of {error.pause:,.0f} s, longer than patience = {patience:g}")
        known = self._answered or error.http_status == 429
        allowed = patience if known else min(patience, FIRST_PATIENCE)
        now = self._clock()
        if now - self._since >= allowed and call.begun >= self._since:
            if self._answered and len(self._failing) == 1:
                self._lose(error, call, own=False)
            self._give_up(error, f"no answer for {now - self._since:.0f} s, patience = {patience:g}")
        if call.since is not None and now - call.since >= patience:
            raise error

    def _pause_after(self, error: ProviderError, call: Attempts) -> float:
        """Return the seconds that this call waits; whoever meets a paused endpoint waits for his turn instead."""
        gate, asked = self._turnstile, error.pause
        if asked is not None and asked < BRIEF and call.failures > ATTEMPTS:
            asked = None  # "at once" said again and again would be thousands of calls
        if gate.pause is not None:
            gate.pause = _at_least(asked, min(LONGEST_PAUSE, 2 * gate.pause)) if call.probing else gate.pause
            return 0.0
        # A busy server that says when to come back is no outage: all come back then, as many as the limit allows.
        dated = error.http_status == 429 and asked is not None
        if self._failures >= PAUSE_AFTER and len(self._failing) > 1 and not dated:
            self._note(f"paused after {self._met}")
            gate.pause = _at_least(asked, 2 * pauses.FIRST)
            return 0.0
        return pauses.after(call.failures) if asked is None else asked

    def _lose(self, error: ProviderError, call: Attempts, *, own: bool) -> NoReturn:
        """Fail a call for good; ``own``: what is wrong with it says nothing of others, once any was answered."""
        self._let_others_go()
        if not (own and self._answered):
            if not self._lost:
                self._losing_since = self._clock()
            self._lost += 1
            if self._lost >= MAX_LOST_IN_A_ROW and call.begun >= self._losing_since:
                self._give_up(error, f"{self._lost} calls failed one after the other")
        raise error

    def _give_up(self, error: ProviderError, why: str = "") -> NoReturn:
        self._dead = _farewell(self._role, error, why)
        self._let_others_go()
        self._turnstile.open()
        raise RunAborted(self._dead) from None

    def _let_others_go(self) -> None:
        if self._first is not None:
            self._first.set()

    def _note(self, text: str) -> None:
        if len(self.notes) < _MAX_NOTES:
            self.notes.append(f"{self._clock() - self._begun:.1f} s: {text}")


class _Turn(NamedTuple):
    """One attempt of a call, while it is made: no generator, of which asyncio would keep book for every call."""

    endpoint: Endpoint
    call: Attempts

    async def __aenter__(self) -> None:
        await self.endpoint._begin(self.call)

    async def __aexit__(self, _: object, error: BaseException | None, __: object) -> None:
        self.endpoint._end(self.call, error)


def _at_least(asked: float | None, own: float) -> float:
    """Return how long a paused endpoint is left alone: as long as it asks for, if it does."""
    return own if asked is None else max(asked, SHORTEST_PAUSE)


def _status(error: ProviderError) -> str:
    if error.late:
        return "answers that did not come in time"
    return f"HTTP {error.http_status}" if error.http_status is not None else "lost connections"


def _farewell(role: Role, error: ProviderError, why: str) -> str:
    what = {"target": "the model under test", "judge": "a judge"}.get(role, f"the model in the role {role!r}")
    return (
        f"{what} cannot be used: {error}{f' ({why})' if why else ''}. The run stops here; finished work is kept and "
        f"the same command resumes it. Next: {_advice(role, error)}."
    )


def _advice(role: Role, error: ProviderError) -> str:
    table, status = "judges" if role == "judge" else "target", error.http_status
    if error.late:
        return f"call fewer at a time (--jmed-concurrency), or give more time ([{table}] timeout)"
    if troubles.of(error) == "account" and status != 401:
        return "check credit and limits of the account, and the key with `jmedethic doctor`"
    if status == 429:
        return "call fewer at a time (--jmed-concurrency), or state the endpoint's quota ([limits] of the thresholds)"
    if status is not None and status >= 500:
        return "look at the server and its log; `jmedethic doctor` tells when it answers again"
    return "check address, key and model name with `jmedethic doctor`"
