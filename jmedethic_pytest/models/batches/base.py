"""What a batch interface is: it takes lines, says how they stand, and gives answers in any order."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from jmedethic_pytest.core.errors import ProviderError

SMALL, LARGE = 2**22, 2**29
"""Bytes that may be read of an answer: of one about a batch, and of one with the content of a batch."""
ASKING_SECONDS, SENDING_SECONDS = 60.0, 900.0
SKEW_SECONDS = 3_600.0
"""How far a server's clock may be behind ours."""


class Line(NamedTuple):
    """One request of a batch."""

    key: str
    """That of its reply in the cache, 64 hexadecimal digits: providers take it as the request's own name."""
    content: bytes
    """As the interface writes it."""
    characters: int
    """Of what is said in it, for the budget."""


class Limits(NamedTuple):
    """How much goes into one batch."""

    lines: int
    bytes: int


class Standing(NamedTuple):
    """How a batch stands."""

    word: str
    """The provider's own."""
    over: bool
    answered: int
    """Lines with an answer or an error."""
    trouble: str = ""
    """Why it failed as a whole, if it did."""
    crowded: bool = False
    """Whether it failed for no other reason than that too much waits already."""


class Answer(NamedTuple):
    """What came of a line."""

    key: str
    body: dict[str, Any] | None
    """The answer as a call would have got it; ``None`` if there is none."""
    problem: str = ""
    """Then the reason, in the provider's words or in ours."""


class Pending(NamedTuple):
    """A batch that was to be sent, as far as that was noted."""

    name: str
    """Digest of its keys: metadata and file names carry it."""
    keys: frozenset[str]
    began: float
    """Seconds since 1970."""
    upload: str
    """The provider's name for its content, if that was uploaded."""
    others: tuple[str, ...] = ()
    """Batches of the same account that were looked at and are not this one."""


class Interface(Protocol):
    """A way to hand requests over."""

    limits: Limits
    alone: bool
    """Whether one batch must be over before the next is begun."""

    def line(self, key: str, body: dict[str, Any]) -> bytes:
        """Return a request as a line of a batch."""

    async def send(self, pending: Pending, lines: Sequence[bytes], uploaded: Callable[[str], None]) -> str:
        """Begin a batch and return its id.

        Args:
            pending: the batch.
            lines: its content.
            uploaded: told the provider's name of the content as soon as it is there.

        Raises:
            ProviderError: if that failed; whether it was begun all the same is then unknown.
        """

    async def find(self, pending: Pending) -> str | None:
        """Return the id of a batch of which nobody noted whether it was begun; begin it if its content is there.

        Raises:
            ProviderError: if that cannot be found out.
        """

    async def standing(self, batch: str) -> Standing:
        """Return how a batch stands.

        Raises:
            ProviderError: if that cannot be found out.
        """

    def answers(self, batch: str) -> AsyncIterator[Answer]:
        """Yield what came of the lines of a batch that is over, in any order.

        Raises:
            ProviderError: if it cannot be read.
        """

    async def cancel(self, batch: str) -> None:
        """Have a batch ended; what was answered until then can be read.

        Raises:
            ProviderError: if that cannot be asked.
        """

    def clear(self, batch: str) -> None:
        """Remove what a batch left on this machine, once its answers are kept."""


def dumped(value: Any) -> bytes:
    """Return JSON on one line, as both the calls and the lines of batches are written."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def loaded(content: bytes, what: str) -> dict[str, Any]:
    """Return a JSON object.

    Raises:
        ProviderError: if it is none.
    """
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ProviderError(f"{what}: the answer is no JSON object", trouble="retry", http_status=200)
    return value


def objects(content: bytes) -> Iterator[dict[str, Any]]:
    """Yield the objects of a file of JSON lines; what is none is left out, and its request goes without an answer."""
    for line in content.split(b"\n"):
        try:
            value = json.loads(line) if line.strip() else None
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            yield value


def count(value: Any) -> int:
    """Return a count of a server's, 0 for anything that is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
