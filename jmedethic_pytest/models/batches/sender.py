"""One model's requests on their way: gathered into batches, begun, waited for, read back into the cache.

Whatever is killed in between loses nothing and pays nothing twice: a batch is noted before it is sent, its id before it
is waited for, and its answers are in the cache before it is noted as over.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any

from jmedethic_pytest.core.errors import ProviderError, RunAborted
from jmedethic_pytest.core.files import digest
from jmedethic_pytest.core.records import Reply
from jmedethic_pytest.models.base import ChatRequest
from jmedethic_pytest.models.batches.base import Interface, Limits, Line, Standing
from jmedethic_pytest.models.batches.journal import Entry, Journal
from jmedethic_pytest.models.client import Client
from jmedethic_pytest.models.transport import Transport

IN_MEMORY = Limits(lines=2**31, bytes=2**23)
"""Of a batch through a network: it is in memory while it is sent, and so are its answers when they are read."""
FIRST_LOOK, LONGEST_LOOK = 0.2, 30.0
"""Seconds between two looks at a batch: soon at first, for those that end at once."""
SENDING_PATIENCE, LOOKING_PATIENCE = 120.0, 3_600.0
"""Seconds without an answer from the provider until a run is given up; batches in work lose nothing by a long one."""
_MOST_REASONS = 5
_AGAIN = "The batches that were begun go on with the provider, and the same command reads them. Nothing is paid twice"


class Sender:
    """Hands the requests of one model over.

    Args:
        client: calls the model where a single call is needed, books what comes back, and keeps it.
        transport: the way to its server.
        interface: how requests are handed over there.
        journal: what was handed over.
        limits: how much goes into a batch, if less than the interface takes.
    """

    def __init__(
        self,
        client: Client,
        transport: Transport,
        interface: Interface,
        journal: Journal,
        limits: Limits = IN_MEMORY,
    ) -> None:
        self._client = client
        self._transport = transport
        self._interface = interface
        self._journal = journal
        most = interface.limits
        self._limits = most if interface.alone else Limits(min(most.lines, limits.lines), min(most.bytes, limits.bytes))
        self._lines: list[Line] = []
        self._gathered: set[str] = set()
        self._size = 0
        self._sent: dict[str, Any] = {}
        self._like: ChatRequest | None = None
        self._spoken_to = interface.alone
        self._first = asyncio.Lock()
        self._turn = asyncio.Lock()
        self._reserved: dict[str, float] = {}
        self._asked = 0
        self._waiting: dict[str, None] = {}
        self._standing: dict[str, tuple[int, int]] = {}
        self.answered = 0
        """Answers that were kept."""
        self.reasons: Counter[str] = Counter()
        """Why others were not, with counts."""

    @property
    def name(self) -> str:
        """Whom it sends to, and what for."""
        return f"{self._client.role} {self._client.ref.label}{self._client.suffix}"

    @property
    def in_work(self) -> Iterator[tuple[int, int]]:
        """Yield how many lines are answered, and how many there are, if any batch is in work."""
        if self._standing:
            yield sum(done for done, _ in self._standing.values()), sum(lines for _, lines in self._standing.values())

    async def take(self, key: str, request: ChatRequest) -> Reply | None:
        """Take a request that is not answered yet; return its reply if it was called singly after all.

        The first one of a process is: from its answer is learned what the server takes, before thousands are sent.

        Raises:
            ProviderError: if that call failed.
            RunAborted: if no call can succeed, a batch cannot be begun, or the budget would be exceeded.
        """
        self._like = request
        holder = self._journal.holder(key)
        if holder is not None:
            if not holder.over:
                self._waiting[holder.name] = None
            return None
        if not self._spoken_to:
            async with self._first:
                if not self._spoken_to:
                    try:
                        return await self._client.chat(request)
                    finally:
                        self._spoken_to = self._client.endpoint.alive
        if key not in self._gathered:
            await self._add(key, request)
        return None

    async def close(self, least: int) -> bool:
        """End a round: hand over what was gathered; return whether there is anything to wait for.

        Args:
            least: lines that are worth a wait; fewer in the whole round are left to single calls.
        """
        if self._lines and self._asked < least:
            self.reasons["too few for a batch"] += len(self._lines)
            self._lines, self._size = [], 0
        await self._hand_over()
        self._asked = 0
        self._gathered.clear()
        return bool(self._waiting)

    async def settle(self) -> None:
        """Wait for every batch of the round and read it back.

        Raises:
            RunAborted: if one cannot be found or read.
        """
        waiting, self._waiting = list(self._waiting), {}
        entries = [self._journal.entries[name] for name in waiting]
        done = await asyncio.gather(*(self._settled(entry) for entry in entries))
        crowded = [entry for entry, again in zip(entries, done, strict=True) if again]
        for entry in crowded:  # alone it would be refused again
            if len(crowded) < len(entries):
                self._forget(entry)
            else:
                self._over(self._journal.entries[entry.name], 0, entry.keys, Counter({"too much at once": entry.lines}))

    # ------------------------------------------------------------------ there

    async def _add(self, key: str, request: ChatRequest) -> None:
        body, self._sent = self._transport.body(request)
        line = Line(key, self._interface.line(key, body), sum(len(message.content) for message in request.messages))
        if self._interface.alone:
            self._require_no_secret(line, request)
        if len(self._lines) >= self._limits.lines or self._size + len(line.content) > self._limits.bytes:
            await self._hand_over()
        self._gathered.add(key)
        self._lines.append(line)
        self._size += len(line.content) + 1
        self._asked += 1

    def _require_no_secret(self, line: Line, request: ChatRequest) -> None:
        text = line.content.decode(errors="replace")
        if self._client.without_secrets(text, request) != text:
            raise RunAborted(
                f"{self.name}: its requests hold a key, which must not stand in the file that a program reads. "
                "Next: take it out of extra or system, or leave the batch out for this model."
            )

    async def _hand_over(self) -> None:
        """Begin a batch of what was gathered."""
        lines, self._lines, self._size = self._lines, [], 0
        if not lines:
            return
        assert self._like is not None
        keys = frozenset(line.key for line in lines)
        name = digest(sorted(keys))[:32]
        self._reserved[name] = self._client.reserve(sum(line.characters for line in lines), len(lines))
        entry = Entry(
            name=name,
            role=self._client.role,
            model=self._client.ref.label,
            address=self._client.ref.address,
            interface=self._client.ref.dialect.batch,
            began=time.time(),
            lines=len(lines),
            sent=self._client.without_secrets(self._sent, self._like),
            keys=keys,
        )
        async with self._turn:
            if self._interface.alone:
                for before in list(self._waiting):
                    await self._is_over(self._journal.entries[before])
            async with self._journal.busy:
                entry = await self._begun(self._journal.note(entry), [line.content for line in lines])
        self._waiting[entry.name] = None

    async def _begun(self, entry: Entry, lines: Sequence[bytes]) -> Entry:
        def uploaded(upload: str) -> None:
            nonlocal entry
            entry = self._journal.note(entry.model_copy(update={"upload": upload}))

        async def send(tried: int) -> str:
            found = await self._interface.find(entry.pending) if tried else None
            return found or await self._interface.send(entry.pending, lines, uploaded)

        batch = await self._trying(send, entry, new=True)
        return self._journal.note(entry.model_copy(update={"batch": batch}))

    async def _trying(self, ask: Callable[[int], Any], entry: Entry, *, new: bool = False) -> Any:
        """Ask a server something about a batch until there is an answer."""
        end = time.monotonic() + (SENDING_PATIENCE if new else LOOKING_PATIENCE)
        for tried in count():
            try:
                return await ask(tried)
            except ProviderError as error:
                passing = error.trouble in ("wait", "retry")
                if not passing and new:
                    self._forget(entry)
                if not passing or time.monotonic() > end:
                    said = self._client.worded(error, self._like)
                    raise RunAborted(f"{self.name}: a batch of {entry.lines:,} requests: {said}. {_AGAIN}.") from None
                await asyncio.sleep(max(error.pause or 0.0, min(FIRST_LOOK * 2**tried, LONGEST_LOOK)))
        raise AssertionError("unreachable")

    def _forget(self, entry: Entry) -> None:
        self._client.release(self._reserved.pop(entry.name, 0.0))
        self._interface.clear(entry.batch or entry.name)
        self._journal.drop(entry)
        self._standing.pop(entry.name, None)

    # ------------------------------------------------------------------ and back

    async def _settled(self, entry: Entry) -> bool:
        """Wait for a batch and read it; return whether it is to be sent again, as too much waited already."""
        if not entry.batch:
            batch = await self._trying(lambda _: self._interface.find(entry.pending), entry)
            if batch is None:
                self._forget(entry)
                return False
            entry = self._journal.note(entry.model_copy(update={"batch": batch}))
        standing = await self._is_over(entry)
        if standing.trouble and self._interface.alone:
            self._forget(entry)
            raise RunAborted(f"{self.name}: {standing.trouble}. The same command starts it again.")
        if standing.crowded:
            return True
        async with self._journal.busy:
            ours = await self._trying(lambda _: self._read(entry, standing), entry)
        if not ours:
            self._journal.note(entry.model_copy(update={"batch": "", "others": (*entry.others, entry.batch)}))
        return False

    async def _is_over(self, entry: Entry) -> Standing:
        pause = FIRST_LOOK
        while True:
            found: Standing = await self._trying(lambda _: self._interface.standing(entry.batch), entry)
            self._standing[entry.name] = (found.answered, entry.lines)
            if found.over:
                return found
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, LONGEST_LOOK)

    async def _read(self, entry: Entry, standing: Standing) -> bool:
        """Keep the answers of a batch; return whether it was the right one."""
        assert self._like is not None
        missing, failed = set(entry.keys), set[str]()
        reasons: Counter[str] = Counter()
        others = 0
        share = self._reserved.get(entry.name, 0.0) / entry.lines
        async for answer in self._interface.answers(entry.batch):
            if answer.key not in missing:
                others += 1
                continue
            missing.discard(answer.key)
            problem = answer.problem or self._kept(answer.key, answer.body or {}, entry.sent, share)
            if problem:
                failed.add(answer.key)
                reasons[problem] += 1
        if others and len(missing) == entry.lines:
            return False
        reasons[standing.trouble or f"no answer in a batch that is {standing.word}"] += len(missing)
        self._client.release(share * (len(missing) + len(failed)))
        self._reserved.pop(entry.name, None)
        self._over(entry, entry.lines - len(missing) - len(failed), frozenset(missing | failed), +reasons)
        return True

    def _kept(self, key: str, body: dict[str, Any], sent: dict[str, Any], reserved: float) -> str:
        """Keep an answer, or say why it is none."""
        assert self._like is not None
        try:
            reply = self._transport.reply(body, sent)
        except ProviderError:
            return "an answer that cannot be read"
        self._client.receive(key, reply, self._like, reserved)
        return "" if reply.status == "ok" else f"{reply.status}: such replies are asked for again"

    def _over(self, entry: Entry, kept: int, left: frozenset[str], reasons: Counter[str]) -> None:
        few = dict(reasons.most_common(_MOST_REASONS))
        if len(few) < len(reasons):
            few["other reasons"] = reasons.total() - sum(few.values())
        self._journal.note(
            entry.model_copy(update={"over": True, "keys": frozenset(), "kept": kept, "left": left, "reasons": few})
        )
        self._interface.clear(entry.batch)
        self._standing.pop(entry.name, None)
        self.answered += kept
        self.reasons.update(few)
