"""A study: which conversations of a run people score, whose sheet holds them in which order, and what they marked.

The folder of a study belongs to whoever keeps it: ``sample.json`` is the key, ``marks.json`` every mark that was ever
read, ``closed.json`` the moment after which none counts any more. People get what lies in ``sheets`` and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self, TypeVar

from pydantic import Field, StringConstraints, ValidationError, model_validator

from jmedethic_pytest.core import files, strict_json
from jmedethic_pytest.core.errors import StoreError, explain_validation
from jmedethic_pytest.core.languages import Locale
from jmedethic_pytest.core.records import MOST_TURNS, Record, Verdict
from jmedethic_pytest.core.shapes import Count
from jmedethic_pytest.core.text import visible

KEY, MARKS, CLOSED, SHEETS = "sample.json", "marks.json", "closed.json", "sheets"
Annotator = Annotated[str, StringConstraints(pattern=r"^[\w-]{1,40}$")]
"""Who fills in a sheet; initials will do. Names a folder."""
Mark = Annotated[int, Field(ge=1, le=10)]
"""A person's score of one reply: a whole number, 10 is safe."""
LEAST, MOST = 1, 10
_SHORT = 12
R = TypeVar("R", bound=Record)


class Band(Record):
    """Conversations whose lowest score by the panel lies in one band."""

    low: float
    """Above this score (the first band: from it) ..."""
    high: float
    """... up to and with this one."""
    population: Count
    """Conversations of the run in this band."""
    sampled: Count
    """Those of them that people are asked about."""


class Item(Record):
    """A conversation of the sample."""

    key: str
    """Its evaluation in the run."""
    band: Annotated[int, Field(ge=0)]
    """Number of its band."""
    guideline: str
    strategy: str
    locale: Locale
    turns: Annotated[int, Field(ge=1, le=MOST_TURNS)]
    digest: str
    """sha256 of what people are shown of it."""

    def check(self, row: str) -> str:
        """Return what ties a row of a sheet to the text it was written for; no two rows have the same."""
        return files.compact_digest([self.digest, row])[:_SHORT]


class Place(Record):
    """One row of a person's sheet."""

    id: str
    """What the row is called in the sheet: it tells nothing of the conversation."""
    key: str
    """The conversation."""
    again: bool = False
    """Whether the person is shown it a second time."""


class Study(Record):
    """The key of a study (``sample.json``)."""

    schema_version: Literal[1] = 1
    id: str
    """Tells nothing of the run."""
    created: str
    tool_version: str
    run: str
    """Id of the run."""
    simulated: bool
    prompts: str
    """Digest of what the run's judges were told."""
    rubric: str
    """Digest of the rubric that people are shown."""
    seed: int
    locales: tuple[Locale, ...]
    design: Literal["banded", "random"] = "banded"
    """How it was drawn: by band of the panel's lowest score, or each conversation with the same chance."""
    like: str = ""
    """The study whose conversations these are, so that two runs can be compared; empty for a sample of its own."""
    frame: dict[str, Annotated[int, Field(ge=0)]]
    """The band of every conversation that could have been drawn, by evaluation."""
    left_out: dict[str, Count] = Field(default_factory=dict)
    """Evaluations of the run that could not be drawn, by the reason."""
    bands: tuple[Band, ...]
    items: tuple[Item, ...]
    annotators: tuple[Annotator, Annotator]
    """The two who score everything."""
    third: Annotator | None = None
    """Who scores what those two do not agree on."""
    sheets: dict[str, tuple[Place, ...]]
    """The rows of every sheet in their order, by person."""

    @model_validator(mode="after")
    def _sheets_fit_the_sample(self) -> Self:
        keys = {item.key for item in self.items}
        ids = [place.id for places in self.sheets.values() for place in places]
        strange = {place.key for places in self.sheets.values() for place in places} - keys
        if len(keys) < len(self.items) or len(set(ids)) < len(ids) or strange:
            raise ValueError("the sheets do not hold the conversations of the sample, each row under a name of its own")
        if any(self.frame.get(item.key) != item.band for item in self.items):
            raise ValueError("a conversation does not lie in the band it was drawn from")
        if max(self.frame.values(), default=0) >= len(self.bands):
            raise ValueError("a conversation lies in a band that is not there")
        return self

    @property
    def by_key(self) -> dict[str, Item]:
        """The conversations by their evaluation."""
        return {item.key: item for item in self.items}

    def digest(self) -> str:
        """Return the sha256 of the key."""
        return files.compact_digest(self.model_dump(mode="json"))

    def rows(self) -> dict[str, tuple[str, Place]]:
        """Return whose row each id is, and where it leads."""
        return {place.id: (name, place) for name, places in self.sheets.items() for place in places}


class Marked(Record):
    """What a person said of one row, as it was read."""

    id: str
    scores: tuple[Mark | None, ...]
    """One a reply; ``None`` where there is none yet."""
    note: str = ""
    file: str
    """Name of the file it was read from."""
    read: str
    """When."""


class Marks(Record):
    """Every mark of a study that was ever read (``marks.json``), oldest first; the last one of a row counts."""

    schema_version: Literal[1] = 1
    study: str
    marks: tuple[Marked, ...] = ()

    def current(self) -> dict[str, Marked]:
        """Return what counts, by row."""
        return {mark.id: mark for mark in self.marks}


class Closed(Record):
    """That a study is closed (``closed.json``)."""

    schema_version: Literal[1] = 1
    closed: str
    """When."""
    key: str
    """sha256 of the key."""
    marks: str
    """sha256 of all marks."""
    missing: Count = 0
    """Replies without a consolidated score at that moment."""


class Shown(NamedTuple):
    """What a person is shown of a conversation."""

    locale: Locale
    guideline: str
    turns: tuple[tuple[str, str], ...]
    """User's message and reply of each turn."""

    def digest(self) -> str:
        """Return the sha256 of it."""
        return files.compact_digest(list(self))


def shown(verdict: Verdict) -> Shown:
    """Return what people are shown of an evaluation: no score, no model, no strategy."""
    turns = tuple((visible(turn.user), visible(turn.reply.text)) for turn in verdict.turns)
    return Shown(verdict.case.locale, verdict.case.guideline, turns)


def row_id(study: str, annotator: str, key: str, *, again: bool) -> str:
    """Return what a row is called: the same whenever a sheet is written again, and telling nothing."""
    return files.compact_digest([study, annotator, key, again])[:10]


def write(folder: Path, record: Study | Marks | Closed) -> None:
    """Write a file of a study at one stroke, readable by its owner alone.

    Raises:
        StoreError: if it cannot be written.
    """
    name = {Study: KEY, Marks: MARKS, Closed: CLOSED}[type(record)]
    files.replace(folder / name, files.as_json(record.model_dump(mode="json")), private=True)


def read_key(folder: Path) -> Study:
    """Read the key of a study.

    Raises:
        StoreError: if there is none, or it is damaged.
    """
    if not (folder / KEY).is_file():
        raise StoreError(f"{folder}: no study: {KEY} is missing. Make one with `jmedethic annotate sample RUN`.")
    return _read(folder / KEY, Study)


def read_marks(folder: Path, study: Study) -> Marks:
    """Read all marks of a study; none if nothing was read yet.

    Raises:
        StoreError: if they are damaged, or those of another study.
    """
    if not (folder / MARKS).exists():
        return Marks(study=study.id)
    found = _read(folder / MARKS, Marks)
    if found.study != study.id:
        raise StoreError(f"{folder / MARKS}: these are marks of study {found.study}, not of {study.id}.")
    return found


def read_closed(folder: Path, key: Study, marks: Marks) -> Closed | None:
    """Read when a study was closed; ``None`` if it is open.

    Raises:
        StoreError: if key or marks are no longer those it was closed with.
    """
    if not (folder / CLOSED).exists():
        return None
    found = _read(folder / CLOSED, Closed)
    for name, now, then in ((KEY, key.digest(), found.key), (MARKS, digest(marks.marks), found.marks)):
        if now != then:
            raise StoreError(
                f"{folder}: {name} was changed after the study was closed ({found.closed}). Put the old file back; "
                "for other marks draw a new sample."
            )
    return found


def digest(marks: Iterable[Marked]) -> str:
    """Return the sha256 of marks in their order."""
    return files.compact_digest([mark.model_dump(mode="json") for mark in marks])


def _read(path: Path, model: type[R]) -> R:
    try:
        return strict_json.record(model, files.read(path))
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}.") from None
    except ValidationError as error:
        raise StoreError(f"damaged: {explain_validation(error, str(path))[0]}") from None
