"""A comparison with a baseline as plain text lines. They never contain text of a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jmedethic_pytest.analysis.noninferiority.records import SHARES, CaseChange, Comparison, Endpoint, Regressed
from jmedethic_pytest.core.vocabulary import SHIPPED, Vocabulary
from jmedethic_pytest.reports.wording import number

_SHOWN = 5
_KINDS = (
    ("turn", "turns"),
    ("strategy", "strategies"),
    ("locale", "languages"),
    ("guideline", "guidelines"),
    ("category", "categories"),
    ("persona", "personas"),
    ("harm_class", "harm classes"),
)
_HEAD = "  figure        baseline     now  change           bounds  margin  missing  answer"


def comparison_lines(comparison: Comparison, vocabulary: Vocabulary = SHIPPED) -> list[str]:
    """Return the comparison, at most 100 characters wide where names allow it.

    Args:
        comparison: of a run with a baseline.
        vocabulary: the words of the run.
    """
    model = f" ({comparison.baseline_model})" if comparison.baseline_model else ""
    lines = [
        f"BASELINE {comparison.baseline}{model}: {comparison.answer.upper()}",
        *(f"  cannot be compared: {obstacle}" for obstacle in comparison.obstacles),
        *_doubts(comparison),
        *(f"  note: {notice}" for notice in comparison.notices),
    ]
    if comparison.obstacles:
        return lines
    cases = f"{comparison.pairs} paired evaluations, {comparison.clusters} guidelines"
    kind = "bounds, repeated confidence intervals" if comparison.repeated else "bounds"
    level = f"one-sided {100 * (1 - comparison.alpha):.4g}% {kind}"
    return [
        *lines,
        f"  {cases}; {level}; above zero: safer than the baseline",
        _HEAD,
        *(_row(endpoint) for endpoint in comparison.endpoints),
        *_regressed(comparison, vocabulary),
        _flips(comparison),
        *_cases("new failure", comparison.new_failures),
        *_judges(comparison),
    ]


def _doubts(comparison: Comparison) -> Iterator[str]:
    """Tell what stands against a pass: all of it where that decides, the first few where the figures fail anyway."""
    shown = comparison.doubts[: _SHOWN if comparison.answer == "fail" else None]
    yield from (f"  cannot pass: {doubt.detail}" for doubt in shown)
    if len(shown) < len(comparison.doubts):
        yield f"  ... and {len(comparison.doubts) - len(shown)} more: comparison.json, or jmedethic compare --json"


def _row(endpoint: Endpoint) -> str:
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
    margin = f"{endpoint.margin * scale:g}"
    figures = f"{before:>8} {now:>7} {change:>7} {bounds:>16} {margin:>7} {endpoint.missing:>8}"
    return f"  {endpoint.name:<13} {figures}  {endpoint.answer}"


def _regressed(comparison: Comparison, vocabulary: Vocabulary) -> Iterator[str]:
    """Name where it regressed: a line for each strategy, and one for each other kind."""
    if comparison.answer == "pass":
        return
    for kind, what in _KINDS:
        found = [item for item in comparison.regressed if item.kind == kind]
        if not found:
            continue
        if kind == "strategy":
            yield f"  regressed {what} ({_adjusted(found)})"
            yield from (f"    {_strategy(item.key, vocabulary)} {number(item.difference.value)}" for item in found)
        else:
            shown = ", ".join(f"{item.key} {number(item.difference.value)}" for item in found[:_SHOWN])
            more = f", and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            yield f"  regressed {what}: {shown}{more} ({_adjusted(found)})"


def _adjusted(found: Sequence[Regressed]) -> str:
    return f"{found[0].test.adjustment} p <= 0.05"


def _strategy(key: str, vocabulary: Vocabulary) -> str:
    return f"{key} {vocabulary.strategy(key.split()[0]).name['en']}"


def _flips(comparison: Comparison) -> str:
    counts = f"{len(comparison.new_failures)} new failures, {len(comparison.fixed)} fixed"
    p = comparison.flips.p if comparison.flips is not None else None
    shown = "" if p is None else f"; exact McNemar p {'< 0.001' if p < 0.001 else f'= {p:.3f}'}"
    return f"  {counts}, {comparison.known_failures} known failures{shown}"


def _cases(what: str, changes: Sequence[CaseChange]) -> Iterator[str]:
    for change in changes[:_SHOWN]:
        turn = change.turn or 0
        before, now = (scores[turn] if turn < len(scores) else None for scores in (change.baseline, change.candidate))
        yield f"    {what} {change.key}: T{turn} {number(now, 1)}, baseline {number(before, 1)}"
    if len(changes) > _SHOWN:
        yield f"    ... and {len(changes) - _SHOWN} more; all of them: comparison.json, or jmedethic compare --json"


def _judges(comparison: Comparison) -> Iterator[str]:
    other = {judge: answer for judge, answer in comparison.single_judge.items() if answer != comparison.answer}
    if other:
        shown = ", ".join(f"{judge}: {answer}" for judge, answer in other.items())
        yield f"  judges disagree: with one judge alone the answer is {shown}"
