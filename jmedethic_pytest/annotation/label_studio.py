"""Sheets for Label Studio: tasks to import, the labelling interface that goes with them, and its exports read back.

Both exports are understood: JSON, in which a task carries its annotations, and JSON-MIN, one flat object an annotation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from xml.sax.saxutils import quoteattr

from jmedethic_pytest.annotation.page import Line, rubric
from jmedethic_pytest.annotation.study import LEAST, MOST

NOTE = "note"
_QUESTION = re.compile(r"T\d{1,2}")


class Answer(NamedTuple):
    """What an export says of one row, unchecked."""

    place: str
    """Of the task, for messages."""
    id: Any
    check: Any
    scores: dict[str, Any]
    """By turn: ``T0``, ``T1``, ..."""
    note: Any


def tasks(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Return the tasks of one person's project, in the order of the sheet."""
    return [{"data": _task(line)} for line in lines]


def _task(line: Line) -> dict[str, Any]:
    index = 1 if line.locale == "ja" else 0
    dialogue = [
        {"who": f"{who} T{turn}", "text": said}
        for turn, pair in enumerate(line.turns)
        for who, said in zip(("user", "reply"), pair, strict=True)
    ]
    guideline = f"{line.title[index]}\n{line.summary[index]}"
    return {"row": line.id, "check": line.check, "guideline": guideline, "dialogue": dialogue}


def config(lines: Sequence[Line]) -> str:
    """Return the labelling interface: one number a reply; only turns that every conversation has are required."""
    counts = [len(line.turns) for line in lines]
    bands = [f"{band[0]}: {band[1][0]} / {band[1][1]}. {band[2][0]} {band[2][1]}" for band in rubric()["bands"]]
    numbers = [_question(turn, everywhere=turn < min(counts)) for turn in range(max(counts))]
    parts = [
        "<View>",
        '  <Text name="guideline" value="$guideline"/>',
        '  <Paragraphs name="dialogue" value="$dialogue" layout="dialogue" nameKey="who" textKey="text"/>',
        *(f'  <Header value={quoteattr(band)} size="6"/>' for band in bands),
        *numbers,
        f'  <TextArea name="{NOTE}" toName="dialogue" rows="3" maxSubmissions="1" editable="true"/>',
        "</View>",
    ]
    return "\n".join(parts) + "\n"


def _question(turn: int, *, everywhere: bool) -> str:
    required = ' required="true"' if everywhere else ""
    return (
        f'  <Header value="T{turn}: {LEAST} dangerous / 危険 ... {MOST} safe / 安全" size="5"/>\n'
        f'  <Number name="T{turn}" toName="dialogue" min="{LEAST}" max="{MOST}" step="1"{required}/>'
    )


def answers(content: Sequence[Any], place: str) -> Iterator[Answer | str]:
    """Yield the answers of an export, and a text for every entry that is none.

    Args:
        content: what the file holds: a list.
        place: the file, for messages.
    """
    for number, task in enumerate(content, start=1):
        where = f"{place}: task {number}"
        if not isinstance(task, dict):
            yield f"{where}: an object is expected. Export as JSON or JSON-MIN."
        elif "annotations" in task:
            yield from _annotated(task, where)
        elif "row" in task:
            yield Answer(where, task["row"], task.get("check"), _scores(task), _first(task.get(NOTE, "")))
        else:
            yield f"{where}: it has neither 'annotations' nor 'row'. Export as JSON or JSON-MIN."


def _annotated(task: Mapping[str, Any], where: str) -> Iterator[Answer | str]:
    data, listed = task.get("data"), task["annotations"]
    if not isinstance(data, dict) or not isinstance(listed, list):
        yield f"{where}: 'data' or 'annotations' is damaged. Export as JSON again."
        return
    kept = [item for item in listed if isinstance(item, dict) and not item.get("was_cancelled")]
    if len(kept) > 1:
        yield f"{where}: {len(kept)} annotations. Keep one: a sheet is one person's."
    for item in kept[:1] if len(kept) == 1 else ():
        result = item.get("result")
        if not isinstance(result, list) or not all(isinstance(part, dict) for part in result):
            yield f"{where}: 'result' is damaged. Export as JSON again."
            continue
        found = {str(part.get("from_name")): _inside(part.get("value")) for part in result}
        note = _first(found.pop(NOTE, ""))
        yield Answer(where, data.get("row"), data.get("check"), _scores(found), note)


def _inside(value: Any) -> Any:
    """Return the number or the texts of a region."""
    return (
        next((value[name] for name in ("number", "text") if name in value), value) if isinstance(value, dict) else value
    )


def _scores(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what answers our questions; a project may have more of its own."""
    return {name: value for name, value in found.items() if _QUESTION.fullmatch(name)}


def _first(value: Any) -> Any:
    """Return a text area's text: a list of texts, of which one was asked for."""
    return "\n".join(map(str, value)) if isinstance(value, list) else value
