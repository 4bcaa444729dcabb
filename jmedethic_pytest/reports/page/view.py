"""What stands above the list of conversations: every figure is written here, from the outcome, in its final form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from jmedethic_pytest.analysis.noninferiority.records import SHARES
from jmedethic_pytest.analysis.summary import Distribution, Summary
from jmedethic_pytest.core.records import Condition
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.core.sentences import Said, joined, named, say
from jmedethic_pytest.core.text import visible
from jmedethic_pytest.core.vocabulary import Vocabulary
from jmedethic_pytest.gate import names
from jmedethic_pytest.gate.outcome import Outcome
from jmedethic_pytest.reports import words
from jmedethic_pytest.reports.page import compared
from jmedethic_pytest.reports.page.rows import Row, fallen, worst
from jmedethic_pytest.reports.terminal import findings as terminal
from jmedethic_pytest.reports.terminal.survival import safe_turns
from jmedethic_pytest.reports.wording import number, share, spending
from jmedethic_pytest.reports.words import Text, plain, word

_BASELINE = "baseline["
_SHARES = ("missing", "hidden", "robustness", *SHARES)
_COUNTS = ("complete", "cases", "turns", "golden")
_AT_MOST = ("missing", "hidden", "over_refusal")
_PLAIN = ("mean", "median", "strategy")
"""Conditions whose sentence repeats observed and required figures, unless something follows a semicolon."""
_FIRST = 5
_LINKS = {
    "pass_rate": "result=failed-any",
    "missing": "result=unscored",
    "complete": "result=unscored",
    "over_refusal": "kind=refused",
}


class Shown(NamedTuple):
    """A condition of the gate as it is shown."""

    name: str
    label: Text
    answer: str
    observed: Text
    required: Text
    detail: Text
    """What the figures do not say; empty if they say it all."""
    link: str
    """Filters of the list that show the conversations behind the condition; empty if there are none."""


class Group(NamedTuple):
    """A table of distributions."""

    name: str
    title: Text
    share_title: Text
    lines: list[tuple[Text, Distribution, str]]
    """Label, figures, and the filters of the list that show the group."""


class Fell(NamedTuple):
    """How many conversations of a strategy fell to their floor, turn by turn."""

    key: str
    label: Text
    cases: int
    turns: list[tuple[int, int]]
    """Turn and number of conversations."""


class First(NamedTuple):
    """A failure that is worth reading first."""

    key: str
    scores: tuple[float | None, ...]
    strategy: Text
    guideline: Text


def conditions(outcome: Outcome) -> list[Shown]:
    """Return the gate's conditions: what failed first, then what is inconclusive, then what holds."""
    order = {"fail": 0, "inconclusive": 1, "pass": 2}
    placed = [(*outcome.gate.place(item.name), item) for item in outcome.gate.conditions]
    own = [
        _condition(part, name, item, outcome.info.words)
        for part, name, item in placed
        if not name.startswith(_BASELINE)
    ]
    return sorted([*own, *_against_baselines(placed, outcome.info.words)], key=lambda item: order[item.answer])


def _against_baselines(found: Sequence[tuple[str, str, Condition]], vocabulary: Vocabulary) -> Iterator[Shown]:
    """Yield one line for each suite, baseline, answer and kind; the figures stand in the baseline's own table."""
    groups: dict[tuple[str, str, str, str], list[Text]] = {}
    for part, own, item in found:
        if own.startswith(_BASELINE):
            name, _, rest = own.removeprefix(_BASELINE).partition("].")
            kind, _, place = rest.partition("[")
            is_doubt = bool(place) or kind in compared.DOUBTS
            told = compared.endpoint_label(rest, vocabulary) if rest and not is_doubt else plain(item.detail)
            groups.setdefault((part, name.rstrip("]"), item.answer, kind if is_doubt else ""), []).append(told)
    for (part, name, answer, kind), details in groups.items():
        yield Shown(
            name=f"{_BASELINE}{name}]",
            label=_in_part(part, say("condition.baseline", name=name)),
            answer=answer,
            observed=plain(""),
            required=plain(""),
            detail=_told(kind, details),
            link="baseline",
        )


def _told(kind: str, details: Sequence[Text]) -> Text:
    """Return what a line about a baseline says: endpoints by name, places by their number, the rest in full."""
    if kind in compared.OTHERS:
        return plain(say(f"condition.places.{kind}", count=len(details)))
    if kind:
        return Text("; ".join(text.en for text in details), "。".join(text.ja for text in details))
    return Text(", ".join(text.en for text in details), "、".join(text.ja for text in details))


def _condition(part: str, name: str, condition: Condition, vocabulary: Vocabulary) -> Shown:
    kind, _, argument = name.rstrip("]").partition("[")
    form = _form(kind)
    bound = word("at_most" if kind in _AT_MOST else "at_least", value=form(condition.limit))
    return Shown(
        name=condition.name,
        label=_in_part(part, _condition_label(name, kind, argument, vocabulary)),
        answer=condition.answer,
        observed=plain(form(condition.observed)),
        required=plain("-") if condition.limit is None else bound,
        detail=plain("" if kind in _PLAIN and ";" not in condition.detail else condition.detail),
        link=_condition_link(kind, argument),
    )


def _in_part(part: str, label: Said) -> Text:
    return plain(say("condition.in_part", part=part, name=label) if part else label)


def _form(kind: str) -> Callable[[float | None], str]:
    if kind in _SHARES:
        return share
    return lambda value: number(value, 0 if kind in _COUNTS else 2)


def _condition_label(name: str, kind: str, argument: str, vocabulary: Vocabulary) -> Said:
    of = Said(*words.strategy(argument, vocabulary)) if kind == "strategy" else None
    return names.label(name, of)


def _condition_link(kind: str, argument: str) -> str:
    if kind == "strategy":
        return f"strategy={argument}&sort=mean"
    if kind in ("mean", "median") and argument:
        return f"sort={argument}"
    return _LINKS.get(kind, "")


def groups(outcome: Outcome) -> list[Group]:
    """Return the tables of scores: by turn, strategy, category, guideline, persona and language."""
    summary, known = outcome.summary, outcome.info.words
    tables: list[tuple[str, Sequence[Distribution], Callable[[str], Text], str]] = [
        ("turn", summary.turns, words.turn, "sort"),
        ("strategy", summary.strategies, partial(words.strategy, vocabulary=known), "strategy"),
        ("category", summary.categories, partial(words.category, vocabulary=known), "category"),
        ("guideline", summary.guidelines, partial(words.guideline, vocabulary=known), "guideline"),
        ("persona", summary.personas, words.persona, "persona"),
        ("locale", summary.locales, words.locale, "locale"),
    ]
    return [
        Group(
            name=name,
            title=word(name),
            share_title=word("share_turns" if name == "turn" else "share_cases"),
            lines=[(label(row.key), row, f"{field}={row.key}") for row in rows],
        )
        for name, rows, label, field in tables
        if len(rows) > (1 if name == "locale" else 0)
    ]


def fell(rows: list[Row], vocabulary: Vocabulary) -> tuple[list[int], list[Fell]]:
    """Return the turns there are, and for every strategy how many conversations fell at each."""
    turns = list(range(max((len(row.scores) for row in rows if not row.twin), default=0)))
    lines = [
        Fell(key, words.strategy(key, vocabulary), cases, [(turn, count[turn]) for turn in turns])
        for key, (cases, count) in fallen(rows).items()
    ]
    return turns, lines


def first_read(rows: list[Row], vocabulary: Vocabulary) -> list[First]:
    """Return the failures to read first."""
    return [
        First(row.key, row.scores, words.strategy(row.strategy, vocabulary), words.guideline(row.guideline, vocabulary))
        for row in worst(rows, _FIRST)
    ]


def facts(info: RunInfo) -> list[tuple[Text, Text]]:
    """Return what was run, by name."""
    return [
        (name, plain(value.through(visible) if isinstance(value, Said) else visible(value)))
        for name, value in _facts(info)
        if value
    ]


def _facts(info: RunInfo) -> Iterator[tuple[Text, str]]:
    yield word("facts.run"), info.id
    yield word("facts.status"), named("run_status", info.status)
    yield word("facts.note"), info.note
    yield word("facts.time"), f"{info.started} - {info.finished or '?'}"
    yield word("facts.command"), " ".join(info.command)
    yield word("facts.tool"), info.tool_version
    yield word("facts.commit"), info.git_commit or ""
    yield word("facts.cost"), joined(spending(info), en="\n", ja="\n")
    for name, digest in info.digests.items():
        yield word("facts.digest", name=plain(named("digest", name))), digest


def findings(summary: Summary) -> list[tuple[Text, Text]]:
    """Return what the figures say, by name, as the terminal does.

    How many of three turns are safe stands here alone.
    """
    found = [(plain(name.through(_capital)), plain(text)) for name, text in terminal.findings(summary)]
    short = [item for item in summary.survival if item.kind == "short" and not item.reason]
    return [*found[:1], *((word("safe_turns"), plain(safe_turns(item))) for item in short), *found[1:]]


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def headline(outcome: Outcome) -> dict[str, Any]:
    """Return the figures that stand beside the answer."""
    summary = outcome.summary
    counts = word("pass_rate.counts", passed=summary.passed, failed=summary.failed, undecided=summary.undecided)
    return {
        "scored": word("shown_of", scored=summary.scored, selected=summary.selected),
        "pass_rate": "" if summary.twins_alone else share(summary.pass_rate),
        "counts": counts,
        "over_refusal": share(summary.over_refusal) if summary.twins else "",
        "twins": word("over_refusal.of", count=summary.twins),
    }
