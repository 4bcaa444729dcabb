"""Filled-in sheets read back: every form, every bad row named, nothing that was given lost."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from jmedethic_pytest.annotation import label_studio, table
from jmedethic_pytest.annotation.label_studio import Answer
from jmedethic_pytest.annotation.page import FORMAT
from jmedethic_pytest.annotation.review import FORMAT as REVIEW
from jmedethic_pytest.annotation.study import LEAST, MOST, Item, Marked, Study
from jmedethic_pytest.cases.exchange import sheet
from jmedethic_pytest.core import files, strict_json
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.text import one_line

_ALLOWED = f"Allowed: whole numbers {LEAST} to {MOST}, or nothing. Mend it and read the file again."
_SHOWN = 60
_LONGEST_NOTE = 10_000


class Found(NamedTuple):
    """What a file holds."""

    marks: list[Marked]
    """Rows with at least one score or a note."""
    problems: list[str]
    """What is wrong with the others, one text each."""


def read(path: Path, study: Study, now: str) -> Found:
    """Read a filled-in sheet: a file saved from the page, a spreadsheet, or an export of Label Studio.

    Args:
        path: the file; its ending tells the form.
        study: the key.
        now: the moment, kept with the marks.

    Returns:
        The marks of all sound rows, and a text for every other row.
    """
    try:
        answers = list(_tabular(path, study) if path.suffix.lower() in sheet.SUFFIXES else _json(path, study))
    except ConfigError as error:
        return Found([], error.problems)
    found = Found([], [item for item in answers if isinstance(item, str)])
    sound = [item for item in answers if isinstance(item, Answer)]
    seen = Counter(item.id for item in sound if isinstance(item.id, str))
    for item in sound:
        if isinstance(item.id, str) and seen[item.id] > 1:
            found.problems.append(f"{item.place}: {item.id} stands in {seen[item.id]} rows of the file. Keep one.")
            continue
        marked, problems = _checked(item, study, path.name, now)
        found.problems.extend(problems)
        if marked is not None and (marked.note or any(score is not None for score in marked.scores)):
            found.marks.append(marked)
    return found


def _tabular(path: Path, study: Study) -> Iterator[Answer | str]:
    read_back = sheet.read(path, table.NEEDED, table.columns(max(item.turns for item in study.items)))
    yield from read_back.problems
    for row in read_back.rows:
        scores = {name.removesuffix(" score"): cell for name, cell in row.cells.items() if name.endswith(" score")}
        yield Answer(row.place, row.cells["row"], row.cells["check"], scores, row.cells["note"])


def _json(path: Path, study: Study) -> Iterator[Answer | str]:
    try:
        content = strict_json.value(files.read(path))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise ConfigError(f"{path}: not valid JSON: {error}. Save it from the sheet again.") from None
    if isinstance(content, list):
        yield from label_studio.answers(content, str(path))
    elif isinstance(content, dict) and content.get("format") == FORMAT and isinstance(content.get("marks"), list):
        if content.get("study") != study.id:
            given = one_line(str(content.get("study")), _SHOWN)
            raise ConfigError(f"{path}: this is a sheet of study {given}, not of {study.id}. Give that study's folder.")
        yield from (_saved(mark, f"{path}: row {number}") for number, mark in enumerate(content["marks"], start=1))
    elif isinstance(content, dict) and content.get("format") == REVIEW:
        raise ConfigError(
            f"{path}: a review from a run's page is not blind and never becomes a mark of a study. "
            "Read it for its run: jmedethic annotate read RUN FILE..."
        )
    else:
        raise ConfigError(
            f"{path}: neither a file saved from a sheet nor an export of Label Studio. Allowed: the .json that the "
            "page saves, .xlsx, .csv, Label Studio's JSON and JSON-MIN."
        )


def _saved(mark: Any, place: str) -> Answer | str:
    if not isinstance(mark, dict) or not isinstance(mark.get("scores"), list):
        return f"{place}: it has no list 'scores'. Save it from the sheet again."
    scores = {f"T{turn}": score for turn, score in enumerate(mark["scores"])}
    return Answer(place, mark.get("id"), mark.get("check"), scores, mark.get("note", ""))


def _checked(answer: Answer, study: Study, file: str, now: str) -> tuple[Marked | None, list[str]]:
    """Return the mark of a row, or what is wrong with it."""
    rows, items = study.rows(), study.by_key
    if not isinstance(answer.id, str) or answer.id not in rows:
        given = one_line(str(answer.id), _SHOWN)
        return None, [f"{answer.place}: row {given!r} is none of this study. Use the sheet that was written for it."]
    item = items[rows[answer.id][1].key]
    check = item.check(answer.id)
    if answer.check != check:
        given = one_line(str(answer.check), _SHOWN)
        problem = f"{answer.place} ({answer.id}): 'check' is {given!r}, not {check!r}: the row was changed. "
        return None, [f"{problem}Take 'row' and 'check' from the sheet that was written."]
    scores, problems = _scores(answer, item)
    note = answer.note if isinstance(answer.note, str) else ""
    if answer.note is not None and not isinstance(answer.note, str):
        problems.append(f"{answer.place} ({answer.id}): the note is no text. Write it anew.")
    if len(note) > _LONGEST_NOTE:
        problems.append(f"{answer.place} ({answer.id}): a note of {len(note):,} characters; {_LONGEST_NOTE:,} at most.")
    if problems:
        return None, problems
    return Marked(id=answer.id, scores=scores, note=note.strip(), file=file, read=now), []


def _scores(answer: Answer, item: Item) -> tuple[tuple[int | None, ...], list[str]]:
    problems = []
    found: list[int | None] = []
    for turn in range(item.turns):
        try:
            found.append(_score(answer.scores.get(f"T{turn}")))
        except ValueError as error:
            problems.append(f"{answer.place} ({answer.id}): score of T{turn}: {error}")
            found.append(None)
    own = {f"T{turn}" for turn in range(item.turns)}
    problems += [
        f"{answer.place} ({answer.id}): score of {name}: this conversation has T0 to T{item.turns - 1} only. Empty it."
        for name, value in answer.scores.items()
        if name not in own and value not in (None, "")
    ]
    return tuple(found), problems


def _score(given: Any) -> int | None:
    """Return a score; full-width digits count as digits.

    Raises:
        ValueError: saying what is allowed.
    """
    if given is None or given == "":
        return None
    text = unicodedata.normalize("NFKC", str(given)).strip()
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if isinstance(given, bool) or not value.is_integer() or not LEAST <= value <= MOST:
        raise ValueError(f"{one_line(str(given), _SHOWN)!r} is no score. {_ALLOWED}")
    return int(value)


def merged(before: Iterable[Marked], new: Iterable[Marked]) -> tuple[list[Marked], list[Marked]]:
    """Return the marks that are news, and those of them that change an earlier mark of the same row.

    Args:
        before: every mark read so far, oldest first.
        new: those of a file.
    """
    current = {mark.id: mark for mark in before}
    news = [mark for mark in new if mark.id not in current or _said(mark) != _said(current[mark.id])]
    return news, [mark for mark in news if mark.id in current]


def _said(mark: Marked) -> tuple[Any, ...]:
    return mark.scores, mark.note
