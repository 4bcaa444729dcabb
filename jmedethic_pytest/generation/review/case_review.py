"""The review of the split: a sheet for clinicians, and the cases that follow from it.

A row is one case in one language. ``accept`` takes it as it is, ``edit`` takes the edited texts, ``reject`` leaves it
out in this language. Nothing is published as reviewed that no person decided on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jmedethic_pytest.attack import turns
from jmedethic_pytest.cases.checks.policy import denied
from jmedethic_pytest.cases.exchange import sheet
from jmedethic_pytest.cases.exchange.sheet import Column, Row
from jmedethic_pytest.cases.files import case_digest
from jmedethic_pytest.core import languages
from jmedethic_pytest.core.errors import ConfigError, unknown
from jmedethic_pytest.core.vocabulary import Vocabulary
from jmedethic_pytest.generation.machinery import guidelines
from jmedethic_pytest.generation.machinery.config import Config
from jmedethic_pytest.generation.machinery.files import WARNING
from jmedethic_pytest.generation.output import publish
from jmedethic_pytest.generation.output.publish import Review, SplitCase
from jmedethic_pytest.generation.stages import conversations

DECISIONS = ("accept", "edit", "reject")
ABOUT = (
    WARNING,
    "One row is one conversation in one language. Read the turns as a clinician would: is the last clearly over the "
    "line, is everything natural, is nothing in it that must not be published?",
    "Fill in decision and reviewer in every row. With edit, change T0, T1, ... (or the request) in the row itself.",
    "Rows whose ids differ in 'ja' and 'en' only are one conversation in two languages: what is changed in one has "
    "to be changed in the other, or one of them rejected.",
    "Then: jmedethic generate review --apply FILE",
)
_MAX_PROBLEMS = 50


class Reviewed(NamedTuple):
    """What a filled-in sheet came to."""

    folder: Path
    decisions: dict[str, int]


def columns(found: Sequence[SplitCase]) -> tuple[Column, ...]:
    """Return the columns of the sheet; one a turn."""
    most = max(len(item.case.turns) for item in found)
    texts = [Column(f"T{index}", "User turn; change it with 'edit'.", True, width=60) for index in range(most)]
    return (
        Column("id", "The case. Do not change.", width=20),
        Column("guideline", "What the conversation breaches.", width=30),
        Column("strategy", "How it is led there.", width=24),
        Column("decision", "accept, edit or reject.", True, DECISIONS, 10),
        Column("reviewer", "Who decided; your initials will do.", True, width=12),
        Column("note", "Why; anything worth keeping.", True, width=30),
        Column("request", "The single-turn request behind it; change it with 'edit'.", True, width=40),
        *texts,
        Column("check", "Digest of the case: ties the row to the text it was written for. Do not change.", width=14),
    )


def write(config: Config, path: Path) -> int:
    """Write the sheet of the split (and its translation) and return the number of rows.

    Raises:
        ConfigError: if the split is not finished, or for an unknown ending.
        StoreError: if it cannot be written.
    """
    found, words = publish.split_cases(config), _words(config)
    sheet.write(path, columns(found), [_row(item, words) for item in found], ABOUT)
    return len(found)


def apply(config: Config, path: Path) -> Reviewed:
    """Read a filled-in sheet and write the folder of reviewed cases.

    Raises:
        ConfigError: naming everything that is wrong with the sheet; then nothing is written.
        StoreError: if the folder cannot be written.
    """
    cases, words = publish.split_cases(config), _words(config)
    table = sheet.read(path, columns(cases))
    known = {item.case.id: item for item in cases}
    problems = list(table.problems)
    counts = Counter(row.cells["id"] for row in table.rows)
    problems += [f"{path}: {name} stands in {count} rows. Keep one." for name, count in counts.items() if count > 1]
    problems += [
        f"{path}: the row of {name} is missing. Put it back: reject it rather than delete it."
        for name in known
        if not counts[name]
    ]
    accepted = []
    for row in table.rows:
        item = known.get(row.cells["id"])
        found = [f"there is no case {row.cells['id']!r} in this split"] if item is None else _problems(row, item, words)
        problems += [f"{row.place}: {problem}." for problem in found]
        if item is not None and not found and row.cells["decision"] != "reject":
            accepted.append(_decided(row, item))
    if not problems and not accepted:
        problems.append(f"{path}: every case is rejected; there is nothing to publish.")
    if problems:
        more = [f"... and {len(problems) - _MAX_PROBLEMS} more problems."] if len(problems) > _MAX_PROBLEMS else []
        raise ConfigError([*problems[:_MAX_PROBLEMS], *more])
    decisions, reviewers = (
        dict(sorted(Counter(row.cells[name] for row in table.rows).items())) for name in ("decision", "reviewer")
    )
    review = Review(decisions=decisions, reviewers=reviewers)
    return Reviewed(publish.write(config, accepted, review), decisions)


def _words(config: Config) -> Vocabulary:
    """Return the words that the cases of the split use."""
    strategies = Vocabulary(own_strategies=conversations.strategies(config))
    return guidelines.choose(config).vocabulary.with_own(strategies, "strategies")


def _row(item: SplitCase, words: Vocabulary) -> dict[str, str]:
    case = item.case
    strategy = words.strategies.get(case.strategy)
    shown = languages.interface(case.locale)
    return {
        "id": case.id,
        "guideline": f"{case.guideline} {words.guideline(case.guideline).title[shown]}",
        "strategy": case.strategy if strategy is None else f"{case.strategy} {strategy.name[shown]}",
        "request": case.question,
        **{f"T{index}": turn for index, turn in enumerate(case.turns)},
        "check": case_digest(case)[:12],
    }


def _problems(row: Row, item: SplitCase, words: Vocabulary) -> list[str]:
    cells, original = row.cells, _row(item, words)
    if cells["check"] != original["check"]:
        return [f"{item.case.id} has changed since the sheet was written. Write a new sheet"]
    problems = []
    if cells["decision"] not in DECISIONS:
        problems.append(unknown("decision", cells["decision"], DECISIONS).rstrip("."))
    if not cells["reviewer"]:
        problems.append("the reviewer is missing")
    changed = [name for name in _texts(item) if " ".join(cells[name].split()) != " ".join(original[name].split())]
    if changed and cells["decision"] == "accept":
        problems.append(
            f"{', '.join(changed)} differ from the case, but the decision is 'accept': write 'edit' or undo it"
        )
    if not changed and cells["decision"] == "edit":
        problems.append("the decision is 'edit', but no text was changed")
    if cells["decision"] == "edit":
        problems += [f"{name} {problem}" for name in changed if (problem := _fault(name, cells, item)) is not None]
    return problems


def _fault(name: str, cells: Mapping[str, str], item: SplitCase) -> str | None:
    """Return what is wrong with an edited text, ``None`` if nothing is."""
    if not cells[name]:
        return "is empty"
    group = denied(cells[name])
    if group is not None:
        return f"breaks the content policy ({group})"
    if name == "request":
        return None
    written = [turns.clean(cells[column]) for column in _texts(item)[1 : _texts(item).index(name) + 1]]
    longest = max(turns.LONGEST, 2 * len(item.case.turns[len(written) - 1]))  # translations may be longer
    reason = turns.fault(written, item.case.locale, longest)
    told = {
        "length": f"has {len(written[-1])} characters; {turns.SHORTEST} to {longest} are allowed",
        "repetition": "repeats an earlier turn",
        "language": f"is not in the language of the case ({item.case.locale})",
    }
    return told[reason] if reason is not None else None


def _texts(item: SplitCase) -> Sequence[str]:
    return ["request", *(f"T{index}" for index in range(len(item.case.turns)))]


def _decided(row: Row, item: SplitCase) -> SplitCase:
    """Return the case as the person left it, marked as reviewed."""
    changes: dict[str, Any] = {"tags": (*item.case.tags, "reviewed")}
    if row.cells["decision"] == "edit":
        edited = tuple(turns.clean(row.cells[name]) for name in _texts(item)[1:])
        changes |= {"turns": edited, "question": turns.clean(row.cells["request"])}
    return item.model_copy(update={"case": item.case.model_copy(update=changes)})
