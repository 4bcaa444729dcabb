"""The candidate beside its baselines: endpoints with margins, new failures, and where it regressed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from jmedethic_pytest.analysis.noninferiority.records import SHARES, CaseChange, Comparison, Endpoint, Regressed
from jmedethic_pytest.core.sentences import Said, named
from jmedethic_pytest.core.vocabulary import Vocabulary
from jmedethic_pytest.gate.outcome import Outcome
from jmedethic_pytest.reports import words
from jmedethic_pytest.reports.terminal.comparison import marked
from jmedethic_pytest.reports.wording import number, share
from jmedethic_pytest.reports.words import Text, plain, word
from jmedethic_pytest.stats.estimate import Estimate

SHOWN_CHANGES = 10
"""Changed conversations that are named; the list below the figures has them all."""

OTHERS = ("guideline", "category", "persona", "harm_class")
"""Kinds of places that are searched beside turns, strategies and languages."""

DOUBTS = ("failures", "half_compliances", "left_out")
"""Doubts about all conversations together, which are told in full."""


class Line(NamedTuple):
    """An endpoint, its figures written out."""

    label: Text
    answer: str
    baseline: str
    candidate: str
    difference: str
    interval: str
    margin: str
    detail: str


class Change(NamedTuple):
    """A conversation whose result differs."""

    key: str
    label: Text
    scores: str


class Place(NamedTuple):
    """Where the candidate regressed."""

    label: Text
    difference: str
    interval: str
    p: str
    link: str
    """Filters of the list that show its conversations."""


class Compared(NamedTuple):
    """One comparison as it is shown."""

    record: Comparison
    title: Text
    models: Text
    lines: list[Line]
    new: list[Change]
    fixed: list[Change]
    regressed: list[Place]
    """Turns, strategies and languages."""
    others: list[tuple[Text, list[Place]]]
    """Guidelines, categories, personas and harm classes, by kind."""


def baseline_run(outcome: Outcome) -> Path | None:
    """Return the folder of the first baseline's run if it is stored beside this run, with its texts."""
    for comparison in outcome.comparisons[:1]:
        name = comparison.baseline_run
        folder = outcome.path.parent / name
        if Path(name).name == name and name != outcome.path.name and (folder / "verdicts.jsonl").is_file():
            return folder
    return None


def comparisons(outcome: Outcome) -> list[Compared]:
    """Return all comparisons, ready to be shown."""
    return [_compared(record, outcome.info.words) for record in outcome.comparisons]


def _compared(record: Comparison, vocabulary: Vocabulary) -> Compared:
    models = word(
        "comparison.models",
        candidate=record.candidate_model,
        baseline=record.baseline_model,
        pairs=record.pairs,
        clusters=record.clusters,
    )
    return Compared(
        record=record,
        title=word("comparison", name=record.baseline),
        models=models,
        lines=[line(endpoint, vocabulary) for endpoint in record.endpoints],
        new=_changes(record.new_failures, vocabulary),
        fixed=_changes(record.fixed, vocabulary),
        regressed=[place(item, record, vocabulary) for item in record.regressed if item.kind not in OTHERS],
        others=list(_others(record, vocabulary)),
    )


def _others(record: Comparison, vocabulary: Vocabulary) -> Iterator[tuple[Text, list[Place]]]:
    for kind in OTHERS:
        places = [place(item, record, vocabulary) for item in record.regressed if item.kind == kind]
        if places:
            yield word(f"comparison.regressed.{kind}", count=len(places)), places


def line(endpoint: Endpoint, vocabulary: Vocabulary) -> Line:
    """Return an endpoint as it is shown."""
    is_share = endpoint.name in SHARES
    return Line(
        label=endpoint_label(endpoint.name, vocabulary),
        answer=endpoint.answer,
        baseline=_figure(endpoint.baseline, is_share=is_share),
        candidate=_figure(endpoint.candidate, is_share=is_share),
        difference=_change_of(endpoint.difference.value, is_share=is_share),
        interval=_interval(endpoint.difference, is_share=is_share),
        margin=_change_of(-endpoint.margin, is_share=is_share),
        detail=endpoint.detail,
    )


def endpoint_label(name: str, vocabulary: Vocabulary) -> Text:
    """Return what an endpoint is called in both languages."""
    if name in vocabulary.strategies:
        return words.strategy(name, vocabulary)
    known = {
        "mean": word("mean"),
        "branch": word("branch.later"),
        "min": word("lowest"),
        "pass_rate": word("pass_rate"),
        "above_4": word("above_4"),
        "safe_turns": word("safe_turns"),
        "over_refusal": word("over_refusal"),
    }
    return known[name] if name in known else words.turn(name) if name[1:].isdecimal() else words.locale(name)


def _figure(value: float | None, *, is_share: bool) -> str:
    return share(value) if is_share else number(value)


def _change_of(value: float | None, *, is_share: bool) -> str:
    """Write a difference with its sign; of shares in percentage points."""
    if value is None:
        return "-"
    text = number(value * 100, 1) if is_share else number(value)
    return ("+" if value > 0 else "") + text + (" pp" if is_share else "")


def _interval(estimate: Estimate, *, is_share: bool) -> str:
    if estimate.low is None or estimate.high is None:
        return "-"
    ends = (_change_of(end, is_share=is_share) for end in (estimate.low, estimate.high))
    return " … ".join(ends)


def _changes(changes: Sequence[CaseChange], vocabulary: Vocabulary) -> list[Change]:
    return [_change(change, vocabulary) for change in changes[:SHOWN_CHANGES]]


def _change(change: CaseChange, vocabulary: Vocabulary) -> Change:
    turn = "" if change.turn is None else f"T{change.turn}: "
    pair = (_at(change.baseline, change.turn), _at(change.candidate, change.turn))
    return Change(change.key, words.strategy(change.strategy, vocabulary), turn + " → ".join(pair))


def _at(scores: Sequence[float | None], turn: int | None) -> str:
    if turn is None:
        return " / ".join(number(score, 1) for score in scores)
    return number(scores[turn], 1) if turn < len(scores) else "-"


def place(item: Regressed, record: Comparison, vocabulary: Vocabulary, *, in_words: bool = False) -> Place:
    """Return where it regressed, as it is shown.

    Args:
        item: the place.
        record: the comparison that found it.
        vocabulary: the words of the run.
        in_words: name it without its code.
    """
    link = f"sort={item.key}" if item.kind == "turn" else "sort=change"
    if item.kind not in ("turn", "harm_class"):
        link = f"{item.kind}={item.key}&{link}"
    p = item.test.p if item.test.p_adjusted is None else item.test.p_adjusted
    return Place(
        label=plain(marked(Said(*_place_label(item, vocabulary, in_words=in_words)), item, record)),
        difference=_change_of(item.difference.value, is_share=False),
        interval=_interval(item.difference, is_share=False),
        p="-" if p is None else "< 0.001" if p < 0.001 else number(p, 3),
        link=link,
    )


def _place_label(item: Regressed, vocabulary: Vocabulary, *, in_words: bool) -> Text:
    if item.kind == "turn":
        return words.turn(item.key, in_words=in_words)
    if item.kind == "locale":
        return words.locale(item.key)
    known = {"strategy": words.strategy, "guideline": words.guideline, "category": words.category}
    if item.kind not in known:
        return plain(named(item.kind, item.key))
    label = known[item.kind](item.key, vocabulary)
    return Text(*(text.removeprefix(f"{item.key} ") for text in label)) if in_words else label
