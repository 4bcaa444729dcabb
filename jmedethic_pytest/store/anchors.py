"""Anchors: stored conversations that judges score again and again, and what every check of them found.

reports/judges/anchors/<name>/  anchors.json  verdicts.jsonl (texts of models: private)  checks.jsonl

The frozen score of a judge is the mean of several scorings, so that the noise of one is not taken for a drift.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator

from jmedethic_pytest.core import files, strict_json, transcripts
from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.records import Record, Verdict
from jmedethic_pytest.core.shapes import Count, ModelTable
from jmedethic_pytest.core.status import Steadiness
from jmedethic_pytest.core.vocabulary import Vocabulary
from jmedethic_pytest.store import judge_files
from jmedethic_pytest.store.judge_files import PanelOf

FREEZE = "jmedethic judges anchors freeze NAME RUN RUN RUN"
CHECK = "jmedethic judges anchors check"


class Source(Record):
    """A run from which anchors were taken."""

    run: str
    model: str
    conversations: Count


class AnchorSet(Record):
    """``anchors.json``: what the anchors are, and who scored them when they were frozen."""

    schema_version: Literal[1] = 1
    name: str
    created: str
    tool_version: str
    panel: PanelOf
    judges: Annotated[tuple[ModelTable, ...], Field(min_length=1)]
    served: dict[str, tuple[str, ...]]
    """Model names that the judges' servers reported."""
    history: Literal["own", "reference"]
    """Whose earlier replies stood before each reply."""
    scorings: Annotated[int, Field(ge=1)]
    """Scorings that a frozen score is the mean of."""
    sources: tuple[Source, ...]
    conversations: Annotated[int, Field(ge=1)]
    turns: Annotated[int, Field(ge=1)]
    vocabulary: dict[str, Any]
    content: str
    """sha256 of the conversations and their frozen scores."""

    @field_validator("vocabulary")
    @classmethod
    def _vocabulary_can_be_read(cls, given: dict[str, Any]) -> dict[str, Any]:
        Vocabulary.of(given)
        return given


class Shifted(Record):
    """By how much a figure of the anchors has shifted: now minus frozen; above 0 judges are more lenient."""

    value: float | None
    error: Annotated[float, Field(ge=0.0)]
    """Standard error, clustered by guideline."""
    freedom: Annotated[float, Field(gt=0.0)]
    clusters: Count
    n: Count
    missing: Count


class JudgeCheck(Record):
    """One judge, or the panel, in a check."""

    judge: str
    answer: Steadiness
    mean: Shifted
    """Of the score of a turn."""
    share: Shifted
    """Of the share of turns at or below 2."""
    sd_frozen: float | None
    sd_now: float | None
    served: tuple[str, ...] = ()


class Check(Record):
    """A line of ``checks.jsonl``."""

    schema_version: Literal[1] = 1
    at: str
    tool_version: str
    panel: PanelOf
    content: str
    """Of the anchors that were scored."""
    answer: Steadiness
    reasons: tuple[str, ...]
    """What keeps it from being stable."""
    whole: JudgeCheck
    """The panel's score."""
    judges: tuple[JudgeCheck, ...]
    figures: dict[str, Shifted]
    """Of each figure that runs are compared by (``mean``, ``T0`` ..., ``min``, ``pass_rate``, ``above_4``)."""
    bands: dict[str, Shifted]
    """Of the score of a turn, by the band of its conversation's frozen lowest score."""
    calls: Count
    """Calls to judges; a target is never called."""
    cost_usd: float | None


@dataclass(frozen=True)
class Anchors:
    """An anchor set with its conversations."""

    path: Path
    about: AnchorSet
    verdicts: tuple[Verdict, ...]
    """With the frozen scores."""


def find(reports: Path, name: str) -> Path:
    """Return the folder of an anchor set.

    Raises:
        ConfigError: if the name cannot be one.
    """
    return judge_files.folder(reports) / "anchors" / judge_files.checked(name, "anchor set")


def content_digest(verdicts: Sequence[Verdict]) -> str:
    """Return the sha256 of conversations and scores."""
    return files.compact_digest(
        [
            [transcripts.digest(item), [[score.value for score in turn.all_scores] for turn in item.turns]]
            for item in verdicts
        ]
    )


def write(path: Path, about: AnchorSet, verdicts: Sequence[Verdict]) -> None:
    """Write a set; texts of models are readable by their owner alone.

    Raises:
        StoreError: if it cannot be written.
    """
    try:
        path.mkdir(parents=True, mode=0o700, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{path}: cannot be made: {error.strerror}. Give another folder (--reports).") from None
    lines = "".join(verdict.model_dump_json() + "\n" for verdict in verdicts)
    files.replace(path / "verdicts.jsonl", lines, private=True)
    (path / "checks.jsonl").unlink(missing_ok=True)
    judge_files.write(path / "anchors.json", about)


def read(path: Path) -> Anchors:
    """Read a set with its conversations.

    Raises:
        StoreError: if it is missing, damaged, edited or of a newer version.
    """
    about = read_about(path)
    place = path / "verdicts.jsonl"
    verdicts = []
    for number, line in enumerate(_lines(place, FREEZE), start=1):
        try:
            verdicts.append(strict_json.record(Verdict, line))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise StoreError(f"{place}:{number}: damaged: {first['msg']}. Freeze anchors anew: {FREEZE}.") from None
    if content_digest(verdicts) != about.content:
        raise StoreError(f"{place}: its conversations or scores were changed. Restore it, or freeze anew: {FREEZE}.")
    return Anchors(path, about, tuple(verdicts))


def read_about(path: Path) -> AnchorSet:
    """Read what a set is.

    Raises:
        StoreError: if that is missing, damaged or of a newer version.
    """
    return judge_files.read(path / "anchors.json", AnchorSet, "anchor set", FREEZE)


def append(path: Path, check: Check) -> None:
    """Keep a check.

    Raises:
        StoreError: if that is not possible.
    """
    place = path / "checks.jsonl"
    known = b"".join(line + b"\n" for line in _lines(place, CHECK)) if place.exists() else b""
    files.replace(place, known + json.dumps(judge_files.seal(check), ensure_ascii=False).encode() + b"\n")


def checks(path: Path) -> list[Check]:
    """Return all checks of a set, oldest first; none if there was none.

    Raises:
        StoreError: if one is damaged or of a newer version.
    """
    place = path / "checks.jsonl"
    if not place.exists():
        return []
    lines = _lines(place, CHECK)
    return [
        judge_files.parse(f"{place}:{number}", line, Check, "check", CHECK)
        for number, line in enumerate(lines, start=1)
    ]


def _lines(place: Path, again: str) -> list[bytes]:
    try:
        with files.open_ordinary(place) as stream:
            return [line.rstrip(b"\n") for _, line in files.lines(stream)]
    except OSError as error:
        raise StoreError(f"{place}: cannot be read: {error.strerror}. Next: {again}.") from None
