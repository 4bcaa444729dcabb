"""Items of other exams, KokushiMD-10 above all: tolerant of the layout, strict about the key.

KokushiMD-10 holds items of ten Japanese licensing examinations. Its columns are read by several names, since releases
differ; items with pictures, without a known answer or without options are left out and counted.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from jmedethic_pytest.cases.exchange import rows
from jmedethic_pytest.core import strict_json
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.languages import Locale
from jmedethic_pytest.exam.items import ExamItem

_QUESTION = ("question", "problem_text", "problem", "stem", "text", "問題", "設問")
_OPTIONS = ("options", "choices", "選択肢")
_ANSWER = ("answers", "answer", "correct_answer", "correct", "label", "正解", "解答")
_ID = ("id", "problem_id", "question_id", "index", "uid")
_CATEGORY = ("category", "subject", "exam", "exam_type", "section", "field", "科目", "分野")
_PICTURE = ("images", "image", "image_url", "figure", "has_image", "画像")
_LETTERS = "abcdefghij"


class Imported(NamedTuple):
    """What came of a file."""

    items: list[ExamItem]
    read: int
    dropped: dict[str, int]
    """Rows left out, by reason."""


def convert(file: Path, locale: Locale) -> Imported:
    """Turn a JSON, JSONL, CSV or Parquet file of multiple-choice items into ours.

    Args:
        file: the data set's file.
        locale: language of its items.

    Raises:
        ConfigError: if the file cannot be read, or nothing in it is an item, saying which columns were looked for.
    """
    dropped: Counter[str] = Counter()
    items: dict[str, ExamItem] = {}
    read = 0
    for read, row in enumerate(rows.read(file, lambda reason, _place: dropped.update([reason])), start=1):
        found = _item(row.values, locale, f"{locale}-{_slug(file.stem)}-{read:04d}", file.name)
        if isinstance(found, str):
            dropped[found] += 1
        elif found.id in items:
            dropped["the id stands there more than once"] += 1
        else:
            items[found.id] = found
    if not items:
        reasons = "; ".join(f"{count} rows: {reason}" for reason, count in dropped.most_common()) or "it is empty"
        raise ConfigError(
            f"{file}: holds no item that can be used ({reasons}). Looked for: question ({', '.join(_QUESTION)}), "
            f"options ({', '.join(_OPTIONS)}, or columns a to j), answer ({', '.join(_ANSWER)})."
        )
    return Imported(list(items.values()), read, dict(dropped.most_common()))


def write(items: list[ExamItem], output: Path, notice: str, *, force: bool) -> None:
    """Write items as an exam file, its first line a comment with the notice.

    Raises:
        ConfigError: if the file exists (without ``force``) or cannot be written.
    """
    if output.exists() and not force:
        raise ConfigError(f"--output: {output} exists. Give another file, or --force to replace it.")
    lines = [f"# {notice}", *(item.model_dump_json(exclude_defaults=True) for item in items)]
    try:
        output.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--output: {output} cannot be written: {error.strerror}.") from None


def _item(values: Mapping[str, Any], locale: Locale, own_id: str, source: str) -> ExamItem | str:
    """Return an item, or why the row is none."""
    if any(_is_there(values.get(name)) for name in _PICTURE):
        return "needs a picture"
    question, answer = _first(values, _QUESTION), _first(values, _ANSWER)
    options = _options(values)
    if not question or len(options) < 2:
        return "no question, or fewer than two options"
    letters = _answer(answer, options)
    if not letters:
        return "no answer that fits the options"
    named = _first(values, _ID)
    item = {
        "id": f"{locale}-{_slug(str(named))}"[:48].rstrip("-") if named is not None else own_id,
        "locale": locale,
        "category": str(_first(values, _CATEGORY) or "general"),
        "question": str(question),
        "options": options,
        "answers": letters,
        "source": source,
    }
    try:
        return ExamItem.model_validate(item)
    except ValidationError as error:
        return str(error.errors(include_url=False)[0]["msg"])


def _first(values: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    known = {str(key).strip().lower(): value for key, value in values.items()}
    return next((known[name] for name in names if _is_there(known.get(name))), None)


def _is_there(value: Any) -> bool:
    return value not in (None, "", [], {}, False, "false", "False", "0", 0)


def _options(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the options by letter: from a table, a list, JSON in a cell, or one column a letter."""
    given = _first(values, _OPTIONS)
    if isinstance(given, str):
        try:
            given = strict_json.value(given, foreign=True)
        except ValueError:
            given = [line for line in given.splitlines() if line.strip()]
    if isinstance(given, dict):
        given = [given[key] for key in sorted(given, key=str)]
    if isinstance(given, list):
        texts = [str(item.get("text", "") if isinstance(item, dict) else item) for item in given]
    else:
        known = {str(key).strip().lower(): value for key, value in values.items()}
        columns = [
            [known.get(form) for form in (letter, f"option_{letter}", f"choice_{letter}")] for letter in _LETTERS
        ]
        cells = [next((value for value in forms if _is_there(value)), None) for forms in columns]
        texts = [str(cell) for cell in cells if cell is not None]
    stripped = [re.sub(r"^\s*[a-jA-Jａ-ｊ1-9][\s.．)）、:]+", "", text).strip() for text in texts]
    return dict(zip(_LETTERS, stripped, strict=False))


def _answer(answer: Any, options: Mapping[str, str]) -> list[str]:
    """Return the letters of an answer given as letters, as numbers counted from 1, or as the text of an option."""
    parts = answer if isinstance(answer, list) else [answer]
    letters: list[str] = []
    for part in parts:
        text = unicodedata.normalize("NFKC", str(part)).strip()
        same = [letter for letter, option in options.items() if option == text]
        for word in same or re.split(r"[\s,、/]+", text.lower()):
            letter = _LETTERS[int(word) - 1] if re.fullmatch(r"10|[1-9]", word) else word
            if letter not in options:
                return []
            letters.append(letter)
    return list(dict.fromkeys(letters))


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", unicodedata.normalize("NFKC", name).lower()).strip("-") or "item"
