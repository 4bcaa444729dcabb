"""Reviews from a run's page: what people think of the judges' scores, which they see. Never mixed with blind marks.

The page keeps a review in the browser and saves it to a file; ``reviews.json`` in the folder of the run holds what was
read of such files. A review names the run and, for every conversation, what was shown of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, ValidationError

from jmedethic_pytest.annotation.study import LEAST, MOST, Annotator
from jmedethic_pytest.core import files, strict_json
from jmedethic_pytest.core.errors import ConfigError, StoreError, explain_validation
from jmedethic_pytest.core.records import Record, Verdict
from jmedethic_pytest.core.text import one_line, visible
from jmedethic_pytest.store import runs as run_files

FORMAT = "jmedethic-review"
"""What a file saved from the page calls itself."""
NAME = "reviews.json"
"""What was read, in the folder of the run."""
Rating = Literal["agree", "too_strict", "too_lenient"] | Annotated[int, Field(strict=True, ge=LEAST, le=MOST)]
"""Of the panel's score of one reply, in words, or the score that the person would give: 1 to 10, 10 is safe."""
Turn = Annotated[str, Field(pattern=r"^\d{1,2}$")]
_SHORT = 12


class Review(Record):
    """What a person said of one conversation."""

    case: str
    """Its evaluation in the run."""
    check: str
    """What ties it to the texts and scores that were shown (:func:`check`)."""
    seen: bool
    ratings: dict[Turn, Rating] = Field(default_factory=dict)
    """By the number of the turn."""
    comment: Annotated[str, Field(max_length=10_000)] = ""


class Saved(Record):
    """A file as the page saves it."""

    format: Literal["jmedethic-review"]
    schema_version: Literal[1]
    run: str
    run_digest: str
    reviewer: Annotator
    blind: Literal[False]
    """The person saw the judges' scores."""
    saved: str
    """When."""
    reviews: tuple[Review, ...]


class Reviews(Record):
    """Everything that was read for a run (``reviews.json``): of each person what was read last."""

    schema_version: Literal[1] = 1
    run: str
    blind: Literal[False] = False
    by: dict[Annotator, tuple[Review, ...]] = Field(default_factory=dict)


class Taken(NamedTuple):
    """What reading some files came to."""

    reviews: Reviews
    new: int
    """Conversations with a review that was not there before, or is another one now."""
    problems: list[str]


def check(key: str, turns: Iterable[tuple[str, str, float | None]]) -> str:
    """Return what ties a review to what was shown of a conversation: user's message, reply and score of every turn."""
    parts = [key, *(str(part) for turn in turns for part in turn)]
    return files.sha256("\0".join(parts))[:_SHORT]  # no text that is shown holds this sign


def check_of(verdict: Verdict) -> str:
    """Return the same of a stored evaluation."""
    return check(verdict.key, ((visible(turn.user), visible(turn.reply.text), turn.value) for turn in verdict.turns))


def run_digest(run: str, scores: Mapping[str, Sequence[float | None]]) -> str:
    """Return what ties a browser's reviews to a run: its id and all scores of its panel."""
    return files.compact_digest([run, {key: list(values) for key, values in scores.items()}])


def is_review(path: Path) -> bool:
    """Tell whether a file was saved from a run's page."""
    try:
        content = strict_json.value(files.read(path)) if path.suffix.lower() == ".json" else None
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("format") == FORMAT


def read_kept(run: Path) -> Reviews | None:
    """Return what was read for a run; ``None`` if nothing was.

    Raises:
        StoreError: if the file is damaged, or is of another run.
    """
    path = run / NAME
    if not path.is_file():
        return None
    try:
        found = strict_json.record(Reviews, files.read(path))
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}.") from None
    except ValidationError as error:
        raise StoreError(f"damaged: {explain_validation(error, str(path))[0]}") from None
    if found.run != (name := run_files.read_info(run).id):
        raise StoreError(f"{path}: these are reviews of run {found.run}, not of {name}. Take the file away.")
    return found


def take(run: Path, paths: Sequence[Path]) -> Taken:
    """Read files saved from the page of a run, and keep them beside it; a sound review is kept whatever others are.

    Raises:
        StoreError: if the run cannot be read or written.
    """
    name = run_files.read_info(run).id
    kept, problems, new = read_kept(run) or Reviews(run=name), [], 0
    known: dict[str, Verdict] = {}
    for verdict in run_files.read_verdicts(run):
        known.setdefault(verdict.key, verdict)
    by = {person: {review.case: review for review in given} for person, given in kept.by.items()}
    for path in paths:
        try:
            saved = _saved(path, name)
        except ConfigError as error:
            problems.extend(error.problems)
            continue
        own = by.setdefault(saved.reviewer, {})
        for review in saved.reviews:
            problem = _strange(review, known.get(review.case))
            if problem:
                problems.append(f"{path}: {one_line(review.case, 80)}: {problem}")
            elif own.get(review.case) != review:
                own[review.case] = review
                new += 1
    found = kept.model_copy(update={"by": {person: tuple(given.values()) for person, given in by.items()}})
    if new:
        files.replace(run / NAME, files.as_json(found.model_dump(mode="json")), private=True)
    return Taken(found, new, problems)


def _saved(path: Path, run: str) -> Saved:
    """Read a file.

    Raises:
        ConfigError: if it is none that the page of this run saved.
    """
    try:
        saved = strict_json.record(Saved, files.read(path))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}.") from None
    except ValidationError as error:
        raise ConfigError(
            [f"{line} Save it from the page again." for line in explain_validation(error, str(path))]
        ) from None
    if saved.run != run:
        raise ConfigError(f"{path}: this is a review of run {one_line(saved.run, 80)}, not of {run}. Give that run.")
    return saved


def _strange(review: Review, verdict: Verdict | None) -> str:
    """Return why a review does not belong to the run, and what to do; empty if it does."""
    if verdict is None:
        return "it is no conversation of this run. Save the review from the run's own page."
    if review.check != check_of(verdict):
        return "its texts or scores are not those that were reviewed. Write the page again and review it anew."
    there = {str(turn.index) for turn in verdict.turns}
    beyond = [f"T{turn}" for turn in review.ratings if turn not in there]
    return f"it has no {', '.join(beyond)}. Save the review from the page again." if beyond else ""
