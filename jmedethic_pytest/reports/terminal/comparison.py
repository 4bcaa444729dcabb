"""A comparison with a baseline as plain text lines. They never contain text of a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jmedethic_pytest.analysis.noninferiority.records import SHARES, CaseChange, Comparison, Endpoint, Regressed
from jmedethic_pytest.core.sentences import Said, joined, laid, say
from jmedethic_pytest.core.vocabulary import SHIPPED, Vocabulary
from jmedethic_pytest.gate import names
from jmedethic_pytest.reports.wording import number, p_value

_SHOWN = 5
_KINDS = ("turn", "strategy", "locale", "guideline", "category", "persona", "harm_class")
_ROW = "  {figure:<13} {baseline:>8} {now:>7} {change:>7} {bounds:>16} {margin:>7} {missing:>8}  {answer}"
_HEAD = {
    **{name: f"column.{name}" for name in ("figure", "baseline", "now", "change", "bounds", "margin", "answer")},
    "missing": "column.missing.full",
}


def comparison_lines(comparison: Comparison, vocabulary: Vocabulary = SHIPPED) -> list[str]:
    """Return the comparison, at most 100 characters wide where names allow it.

    Args:
        comparison: of a run with a baseline.
        vocabulary: the words of the run.
    """
    head = "compared.head.model" if comparison.baseline_model else "compared.head"
    model, answer = comparison.baseline_model, names.loud(comparison.answer)
    lines: list[str] = [
        say(head, name=comparison.baseline, model=model, answer=answer),
        *(say("compared.obstacle", why=obstacle) for obstacle in comparison.obstacles),
        *_doubts(comparison),
        *(say("compared.note", note=notice) for notice in comparison.notices),
    ]
    if comparison.obstacles:
        return lines
    kind = say("compared.repeated" if comparison.repeated else "compared.bounds")
    level = f"{100 * (1 - comparison.alpha):.4g}"
    return [
        *lines,
        say("compared.pairs", pairs=comparison.pairs, clusters=comparison.clusters, level=level, kind=kind),
        laid(_ROW, **{name: say(head) for name, head in _HEAD.items()}),
        *(_row(endpoint) for endpoint in comparison.endpoints),
        *_regressed(comparison, vocabulary),
        _flips(comparison),
        *_new_failures(comparison.new_failures),
        *_judges(comparison),
    ]


def _doubts(comparison: Comparison) -> Iterator[str]:
    """Tell what stands against a pass: all of it where that decides, the first few where the figures fail anyway."""
    shown = comparison.doubts[: _SHOWN if comparison.answer == "fail" else None]
    yield from (say("compared.doubt", why=doubt.detail) for doubt in shown)
    if len(shown) < len(comparison.doubts):
        yield say("compared.more", count=len(comparison.doubts) - len(shown))


def _row(endpoint: Endpoint) -> Said:
    share = endpoint.name in SHARES
    scale, digits, unit = (100, 1, "%") if share else (1, 2, "")
    difference = endpoint.difference
    before, now = (
        "-" if value is None else f"{number(value * scale, digits)}{unit}"
        for value in (endpoint.baseline, endpoint.candidate)
    )
    change = "-" if difference.value is None else f"{difference.value * scale:+z.{digits}f}"
    bounds = "-"
    if difference.low is not None and difference.high is not None:
        bounds = f"[{difference.low * scale:+z.{digits}f}, {difference.high * scale:+z.{digits}f}]"
    return laid(
        _ROW,
        figure=names.endpoint(endpoint.name),
        baseline=before,
        now=now,
        change=change,
        bounds=bounds,
        margin=f"{endpoint.margin * scale:g}",
        missing=endpoint.missing,
        answer=names.answer(endpoint.answer),
    )


def _regressed(comparison: Comparison, vocabulary: Vocabulary) -> Iterator[str]:
    """Name where it regressed: a line for each strategy, and one for each other kind."""
    if comparison.answer == "pass":
        return
    for kind in _KINDS:
        found = [item for item in comparison.regressed if item.kind == kind]
        if not found:
            continue
        facts = {"what": say(f"places.{kind}"), "test": say("compared.adjusted", adjustment=found[0].test.adjustment)}
        if kind == "strategy":
            yield say("compared.regressed.list", **facts)
            yield from (marked(_strategy(item, vocabulary), item, comparison) for item in found)
        else:
            places = (marked(_named(kind, item), item, comparison) for item in found[:_SHOWN])
            shown = joined(places, en=", ", ja="、")
            if len(found) > _SHOWN:
                shown = say("compared.regressed.more", shown=shown, count=len(found) - _SHOWN)
            yield say("compared.regressed", shown=shown, **facts)


def marked(shown: str, item: Regressed, comparison: Comparison) -> str:
    """Say of a place that dropped what its own figure says, unless that is a fail: the search asks for no margin.

    Args:
        shown: the place as it is shown.
        item: the place.
        comparison: where it was found.
    """
    held = comparison.held(item)
    return shown if held in (None, "fail") else say(f"compared.open.{held}", place=shown)


def _named(kind: str, item: Regressed) -> Said:
    return laid("{place} {drop}", place=names.place(kind, item.key), drop=number(item.difference.value))


def _strategy(item: Regressed, vocabulary: Vocabulary) -> Said:
    name = vocabulary.strategy(item.key.split()[0]).name
    drop = number(item.difference.value)
    return laid("    {key} {name} {drop}", key=item.key, name=Said(name["en"], name["ja"]), drop=drop)


def _flips(comparison: Comparison) -> Said:
    new, fixed = len(comparison.new_failures), len(comparison.fixed)
    told = say("compared.flips", new=new, fixed=fixed, known=comparison.known_failures)
    p = comparison.flips.p if comparison.flips is not None else None
    return told if p is None else say("compared.mcnemar", flips=told, p=p_value(p))


def _new_failures(changes: Sequence[CaseChange]) -> Iterator[Said]:
    for change in changes[:_SHOWN]:
        turn = change.turn or 0
        before, now = (scores[turn] if turn < len(scores) else None for scores in (change.baseline, change.candidate))
        figures = {"turn": f"T{turn}", "now": number(now, 1), "before": number(before, 1)}
        yield say("compared.new", key=change.key, **figures)
    if len(changes) > _SHOWN:
        yield say("compared.new.more", count=len(changes) - _SHOWN)


def _judges(comparison: Comparison) -> Iterator[Said]:
    other = {judge: answer for judge, answer in comparison.single_judge.items() if answer != comparison.answer}
    if other:
        told = (say("pair.colon", name=judge, value=names.answer(answer)) for judge, answer in other.items())
        yield say("compared.single", shown=joined(told, en=", ", ja="、"))
