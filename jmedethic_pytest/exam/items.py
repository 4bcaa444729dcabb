"""Exam items: one JSON object a line, validated as a whole before anything is asked."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, ValidationError, model_validator

from jmedethic_pytest.core import files, strict_json
from jmedethic_pytest.core.errors import ConfigError, explain_validation
from jmedethic_pytest.core.languages import Locale, Present
from jmedethic_pytest.core.records import CaseId, Record, Text

Letter = Annotated[str, StringConstraints(pattern=r"^[a-j]$")]
_MAX_PROBLEMS = 50


class ExamItem(Record):
    """One question with lettered options, of which one or several are right."""

    schema_version: Literal[1] = 1
    id: CaseId
    """``<locale>-<stem>``; the same stem is the same item in the other language."""
    locale: Present
    category: Text = "general"
    question: Text
    options: Annotated[dict[Letter, Text], Field(min_length=2, max_length=10)]
    """Texts by letter, ``a`` to ``j`` without gaps."""
    answers: Annotated[tuple[Letter, ...], Field(min_length=1)]
    """The letters that must be given, all of them and no other."""
    source: str = ""
    """Where the item comes from, for items that are not ours."""

    @model_validator(mode="after")
    def _letters_fit(self) -> Self:
        expected = [chr(ord("a") + index) for index in range(len(self.options))]
        if sorted(self.options) != expected:
            raise ValueError(f"options must be lettered {', '.join(expected)} without gaps")
        if len(set(self.answers)) < len(self.answers) or not set(self.answers) <= set(self.options):
            raise ValueError(f"answers must be different letters of the options ({', '.join(expected)})")
        texts = [unicodedata.normalize("NFKC", text).strip() for text in self.options.values()]
        if len(set(texts)) < len(texts):
            raise ValueError("two options have the same text")
        return self


def bundled() -> Path:
    """Return the file of the exam that comes with the package."""
    return Path(str(resources.files("jmedethic_pytest"))) / "data" / "exam.jsonl"


def load(path: Path | None = None) -> list[ExamItem]:
    """Read every item of a file (default: the bundled exam).

    Raises:
        ConfigError: naming every bad line and every repeated id.
    """
    file = path or bundled()
    try:
        lines = files.read(file).decode("utf-8-sig").split("\n")
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}. Give another file (--exam).") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{file}: not UTF-8. Save it as UTF-8.") from None
    problems: list[str] = []
    items = list(_items(file, lines, problems))
    repeated = [item_id for item_id, count in Counter(item.id for item in items).items() if count > 1]
    problems += [f"{file}: the id {item_id!r} stands there more than once." for item_id in repeated]
    if not items and not problems:
        problems.append(f"{file}: holds no item. One JSON object a line: id, locale, question, options, answers.")
    if problems:
        more = [f"... and {len(problems) - _MAX_PROBLEMS} more problems."] if len(problems) > _MAX_PROBLEMS else []
        raise ConfigError([*problems[:_MAX_PROBLEMS], *more])
    return items


def choose(items: Sequence[ExamItem], locale: Locale, sample: int | None = None, seed: int = 0) -> list[ExamItem]:
    """Return the items of a language; with a sample, so many of them, balanced over categories and nested.

    Args:
        items: all items.
        locale: the language.
        sample: number of items; a smaller sample is a part of a larger one of the same seed.
        seed: of the sample.
    """
    chosen = [item for item in items if item.locale == locale]
    if sample is None:
        return chosen
    waiting: dict[str, list[ExamItem]] = defaultdict(list)
    for item in sorted(chosen, key=lambda item: _rank(seed, item.id.removeprefix(f"{locale}-"))):
        waiting[item.category].append(item)
    order = sorted(waiting, key=lambda category: _rank(seed, category))
    rounds = max((len(group) for group in waiting.values()), default=0)
    taken = [waiting[name][index] for index in range(rounds) for name in order if index < len(waiting[name])]
    return taken[:sample]


def digest(items: Iterable[ExamItem]) -> str:
    """Return the sha256 over the items in order of id: equal digests mean the same exam."""
    content = [item.model_dump(mode="json") for item in sorted(items, key=lambda item: item.id)]
    return files.digest(content)


def _items(file: Path, lines: Sequence[str], problems: list[str]) -> Iterator[ExamItem]:
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            yield strict_json.record(ExamItem, line)
        except ValidationError as error:
            problems += explain_validation(error, f"{file}:{number}", ExamItem.model_fields)


def _rank(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()
