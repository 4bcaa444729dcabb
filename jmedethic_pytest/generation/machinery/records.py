"""What the stages hand to each other: frozen records that say which of their texts are published."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from pydantic import Field

from jmedethic_pytest.core.files import sha256
from jmedethic_pytest.core.languages import Locale
from jmedethic_pytest.core.records import Record, Text


class Output(Record):
    """Base of everything a stage keeps."""

    id: Text
    """Unique within its stage; derived from what the record was made of, so that a resumed run gives the same."""

    def texts(self) -> Iterator[str]:
        """Yield every text of a model that the record holds: each one must pass the content policy."""
        yield from ()


R = TypeVar("R", bound=Output)


class Drop(Record):
    """Something that was asked for and is not kept, and why."""

    reason: Text
    """A short word that is counted: ``refused``, ``malformed``, ``policy``, ``duplicate``, ``transport``, ..."""
    detail: str = ""
    """What happened, without any text of a model."""
    again: bool = False
    """True if the cause may be gone tomorrow (a network failure): the item is asked again when the stage is resumed."""
    source: str = ""
    """The model it came from, if one is to blame."""


class Made(Record, Generic[R]):
    """What became of one item: any number of records, and everything that was dropped on the way."""

    records: tuple[R, ...] = ()
    drops: tuple[Drop, ...] = ()

    @classmethod
    def of(cls, found: R | Drop) -> Made[R]:
        """Return what one record, or one drop in its place, comes to."""
        return Made(drops=(found,)) if isinstance(found, Drop) else Made(records=(found,))


class Question(Output):
    """A single-turn harmful request against one guideline."""

    guideline: str
    locale: Locale
    text: Text
    generator: str
    """The model that wrote it."""
    prompt: str
    """Digest of the prompt it was asked with."""
    asked: int = Field(default=0, ge=0)
    """0 for the first request, 1, 2, ... if it came when the request was repeated to fill the number."""

    def texts(self) -> Iterator[str]:
        """Yield the question."""
        yield self.text


class Answer(Output):
    """What one validator did with one question; its words are kept as a digest only, unless asked for."""

    question: str
    """Id of the question."""
    validator: str
    keyword: bool | None
    """Whether it refuses, by keywords; ``None`` if it cannot be told."""
    judge: bool | None = None
    """Whether it refuses, by the refusal judge; ``None`` if it was not asked, or its answer could not be read."""
    status: str = "ok"
    """Status of the reply: an answer that did not come is missing, and neither a refusal nor an answer."""
    answer_digest: str = ""
    answer: str = ""
    """The words, only with ``keep_answers``."""


def short_digest(*parts: str) -> str:
    """Return twelve hex digits that identify the parts: the stem of an id."""
    return sha256("\x1f".join(parts))[:12]
