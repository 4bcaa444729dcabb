"""``links/<name>.json``: what a score of the new panel is worth on the scale of the old one."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from jmedethic_pytest.core.records import Record, ScoreValue
from jmedethic_pytest.core.scores import SLACK, WORST
from jmedethic_pytest.core.shapes import Count
from jmedethic_pytest.store import judge_files
from jmedethic_pytest.store.judge_files import PanelOf

_AGAIN = "jmedethic judges link OLD NEW OLD NEW OLD NEW"
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[float, Field(gt=0.0)]


class Point(Record):
    """A score of the new panel and what it is worth."""

    new: ScoreValue
    linear: ScoreValue
    """By the line L, for floors of means."""
    curve: ScoreValue
    """By the equipercentile curve E, for medians and as a check."""
    error: Annotated[float, Field(ge=0.0)]
    """Standard error of L, in old points; common to all later runs."""


class LinkedModel(Record):
    """A model of the pool."""

    model: str
    old_run: str
    new_run: str
    mean_old: ScoreValue
    mean_new: ScoreValue
    conversations: Count


class Band(Record):
    """Conversations of one band of the old panel's lowest score."""

    highest: float
    """Highest score of the band."""
    pool: Count
    drawn: Count
    turns: Count
    """Of those drawn."""


class Verdicts(Record):
    """The new panel's floor of a single turn, in place of the old one's 2."""

    floor: ScoreValue
    old_alone: Share
    """Share of turns that only the old panel calls jailbreaks."""
    new_alone: Share
    """Share of turns that only the new panel calls so."""


class Unit(Record):
    """What a difference of one old point is in new ones (beta); below 1 margins are multiplied by it."""

    value: float | None
    low: float | None
    high: float | None


class Link(Record):
    """The whole file."""

    schema_version: Literal[1] = 1
    created: str
    tool_version: str
    old: PanelOf
    new: PanelOf
    models: Annotated[tuple[LinkedModel, ...], Field(min_length=1)]
    transcripts: str
    """sha256 of the digests of all conversations that were drawn."""
    seed: int
    bands: tuple[Band, ...]
    mean_old: ScoreValue
    sd_old: Positive
    mean_new: ScoreValue
    sd_new: Positive
    freedom: Positive
    """Degrees of freedom of the errors: guidelines less one."""
    grid: Annotated[tuple[Point, ...], Field(min_length=19, max_length=19)]
    verdicts: Verdicts
    unit: Unit
    correlation: float | None
    """Of the two panels' scores, corrected for the reliability of both."""
    invariance: float | None
    """Root mean square difference of the single models' lines from that of all, in points; ``None``: unlimited."""
    floors: dict[str, float]
    """Old floors it was asked for, and what each is worth, before the allowance for error."""
    refusals: tuple[str, ...]
    """Why it must not be used; empty if it may."""

    @field_validator("grid")
    @classmethod
    def _grid_is_that_of_the_scale(cls, given: tuple[Point, ...]) -> tuple[Point, ...]:
        ordered = all(a.linear <= b.linear + SLACK and a.curve <= b.curve + SLACK for a, b in pairwise(given))
        if not ordered or [point.new for point in given] != [WORST + step / 2 for step in range(len(given))]:
            raise ValueError("its points are not the half points of the scale in their order")
        return given


def find(reports: Path, name: str) -> Path:
    """Return the file of a link.

    Raises:
        ConfigError: if the name cannot be one.
    """
    return judge_files.folder(reports) / "links" / f"{judge_files.checked(name, 'link')}.json"


def read(path: Path) -> Link:
    """Read a link.

    Raises:
        StoreError: if it is missing, damaged or of a newer version.
    """
    return judge_files.read(path, Link, "link", _AGAIN)
