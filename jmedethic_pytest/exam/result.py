"""The result of a sitting: accuracy by category, and where it is stored."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from jmedethic_pytest._version import VERSION
from jmedethic_pytest.core import files
from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.records import Record
from jmedethic_pytest.exam.sitting import ItemResult
from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.stats.intervals import wilson
from jmedethic_pytest.store import runs as run_files

_KEPT = "Answers are in the cache."


class CategoryResult(Record):
    """The items of one category."""

    n: int
    correct: int


class ExamRun(Record):
    """What ``exam.json`` holds."""

    schema_version: Literal[1] = 1
    id: str
    model: str
    """``provider:name``."""
    base_url: str | None
    revision: str | None = None
    """What its weights were stated to be."""
    locale: str
    finished: str
    tool_version: str
    simulated: bool
    exam: str
    """Name of the file the items came from."""
    digests: dict[str, str]
    """sha256 of items and prompt."""
    sampling: dict[str, Any]
    n: int
    correct: int
    accuracy: float
    """correct / n, 0 to 1; an unreadable, cut, empty or blocked answer is wrong."""
    interval: Estimate
    """95 % Wilson interval of the accuracy."""
    marks: dict[str, int]
    categories: dict[str, CategoryResult]
    tokens: dict[str, int]
    cost_usd: float | None
    """``None`` where the price or a token count is unknown."""


def marks(results: Sequence[ItemResult]) -> dict[str, int]:
    """Return how many items got which mark."""
    return dict(sorted(Counter(result.mark for result in results).items()))


def summarise(results: Sequence[ItemResult], about: Mapping[str, Any]) -> ExamRun:
    """Return the result of a complete sitting.

    Args:
        results: one per item, none missing.
        about: the other fields of the record.
    """
    correct = sum(result.mark == "right" for result in results)
    groups: dict[str, list[ItemResult]] = defaultdict(list)
    for result in results:
        groups[result.category].append(result)
    return ExamRun(
        **about,
        finished=run_files.now(),
        tool_version=VERSION,
        n=len(results),
        correct=correct,
        accuracy=correct / len(results),
        interval=wilson(correct, len(results)),
        marks=marks(results),
        categories={
            name: CategoryResult(n=len(group), correct=sum(result.mark == "right" for result in group))
            for name, group in sorted(groups.items())
        },
    )


def write(reports: Path, run: ExamRun, results: Sequence[ItemResult]) -> Path:
    """Store a sitting under ``exams/`` and return its folder; letters and marks only, no text of a model.

    Raises:
        StoreError: if it cannot be written.
    """
    folder = reports / "exams" / run.id
    try:
        folder.mkdir(parents=True)
        lines = "".join(result.model_dump_json() + "\n" for result in results)
        (folder / "answers.jsonl").write_text(lines, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{folder}: the exam cannot be stored: {error.strerror}. {_KEPT}") from None
    files.replace(folder / "exam.json", files.as_json(run.model_dump(mode="json")), _KEPT)
    return folder
