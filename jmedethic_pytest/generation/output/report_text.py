"""The report in words: a few lines for a terminal, and Markdown with every table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from jmedethic_pytest.generation.machinery.files import SIMULATION, WARNING
from jmedethic_pytest.generation.output.goals import EARLY, PAPER, Goals
from jmedethic_pytest.generation.output.report import Report
from jmedethic_pytest.generation.quality.screening import Pair, Screening, Share
from jmedethic_pytest.stats.estimate import Estimate, Test


def lines(report: Report) -> list[str]:
    """Return the report in a few lines: counts, no texts."""
    shown = [SIMULATION] if report.simulation else []
    shown.append("funnel: " + " -> ".join(f"{step.count} {step.name}" for step in report.funnel))
    if report.search:
        shown.append("strategies: " + ", ".join(f"{step.count} {step.name}" for step in report.search))
    for stage, drops in report.drops.items():
        shown.append(
            f"dropped in {stage}: " + ", ".join(f"{count} {reason}" for reason, count in sorted(drops.items()))
        )
    for cells in report.cells:
        shown.append(
            f"cells of {cells.stage}: {cells.cells} (guideline x strategy), {cells.empty} empty, "
            f"{cells.least} to {cells.most} each, median {cells.median:g}"
        )
    if report.screening is not None:
        shown += _screening_lines(report.screening)
    if report.goals is not None:
        shown.append(_goals_line(report.goals))
    calls = sum(cost.spent.calls for cost in report.costs)
    shown.append(f"{calls} replies used, cost {'unknown' if report.usd is None else f'${report.usd:.2f}'}")
    return shown


def _goals_line(found: Goals) -> str:
    turns = ", ".join(f"{count} at turn {turn}" for turn, count in found.by_turns.items()) or "none"
    return (
        f"goal (harm {found.goal_score:g} of 10) within {EARLY} turns: {_share(found.early)} of {found.early.n} "
        f"conversations (the paper: {PAPER:.2%}); reached: {turns}; never {found.never}, unknown {found.unknown}"
    )


def _screening_lines(found: Screening) -> list[str]:
    rates = ", ".join(f"{item.name} {_share(item.keyword)}" for item in found.validators)
    shown = [f"validators refuse (keywords): {rates}"]
    if found.modes is not None:
        shown.append(f"keywords and judge agree on {_percent(found.modes.agreement)} of {found.modes.both} answers")
    for test in (found.category_bias, found.generator_bias):
        shown.append(f"filter, {_test(test)}")
    return shown


def markdown(report: Report) -> str:
    """Return the whole report as Markdown."""
    return "\n".join(_markdown(report)) + "\n"


def _markdown(report: Report) -> Iterator[str]:
    yield f"# Building {report.name}"
    yield ""
    if report.simulation:
        yield f"**{SIMULATION}**\n"
    yield f"{WARNING}\n"
    yield from _table("Funnel", ("step", "records"), ((step.name, step.count) for step in report.funnel))
    yield from _table("Search for strategies", ("step", "records"), ((step.name, step.count) for step in report.search))
    rows = [(stage, reason, count) for stage, drops in report.drops.items() for reason, count in sorted(drops.items())]
    yield from _table("Dropped", ("stage", "reason", "number"), rows)
    costs = [
        (cost.stage, cost.model, cost.spent.calls, cost.spent.input, cost.spent.output, _money(cost.usd))
        for cost in report.costs
    ]
    yield from _table("Cost", ("stage", "model", "replies", "input tokens", "output tokens", "US dollars"), costs)
    yield f"Together {_money(report.usd)}. Replies from the cache are counted, since the benchmark needs them.\n"
    yield from _table(
        "Cells (guideline x strategy)",
        ("stage", "cells", "empty", "least", "median", "most"),
        ((item.stage, item.cells, item.empty, item.least, f"{item.median:g}", item.most) for item in report.cells),
    )
    if report.screening is not None:
        yield from _screening(report.screening)
    if report.goals is not None:
        yield from _goals(report.goals)
    for name, found in report.diversity.items():
        ratios = [(size, _percent(value)) for size, value in found.distinct.items()]
        count = f"{found.texts} texts" if found.sampled in (None, found.texts) else f"{found.sampled} of {found.texts}"
        yield from _table(f"Diversity of {name}: {count}", ("n", "distinct character n-grams"), ratios)
        pairs = [(pair.first, pair.second, f"{pair.similarity:.2f}") for pair in found.closest]
        yield from _table(f"Closest pairs of {name}", ("first", "second", "similarity"), pairs)
    yield from _table("Digests", ("file", "sha256"), report.digests.items())


def _goals(found: Goals) -> Iterator[str]:
    rows = [*found.by_turns.items(), ("never", found.never), ("unknown", found.unknown)]
    yield from _table("Turns until the goal was reached", ("turns", "conversations"), rows)
    yield (
        f"Within {EARLY} turns: {_share(found.early)} of the {found.early.n} conversations for which it is known. "
        f"The paper reports {PAPER:.2%} (section 4), against another target and with other prompts.\n"
    )


def _screening(found: Screening) -> Iterator[str]:
    rows = [
        (item.name, item.answers, item.unknown, _share(item.keyword), _share(item.judge)) for item in found.validators
    ]
    yield from _table(
        "Validators", ("validator", "answers", "cannot be told", "refuse (keywords)", "refuse (judge)"), rows
    )
    columns = ("first", "second", "answers", "agree", "kappa", "only first refuses", "only second refuses")
    yield from _table(f"Agreement of validators (by {found.mode})", columns, map(_pair_row, found.pairs))
    if found.modes is not None:
        yield from _table("Keywords against the judge", columns, [_pair_row(found.modes)])
    for name, shares, test in (
        ("category", found.by_category, found.category_bias),
        ("generator", found.by_generator, found.generator_bias),
    ):
        yield from _table(f"Kept by {name}", (name, "questions", "kept"), map(_share_row, shares))
        yield f"{_test(test)}.\n"


def _pair_row(pair: Pair) -> tuple[object, ...]:
    kappa = "-" if pair.kappa is None else f"{pair.kappa:.2f}"
    return pair.first, pair.second, pair.both, _percent(pair.agreement), kappa, pair.only_first, pair.only_second


def _share_row(share: Share) -> tuple[object, ...]:
    return share.group, share.questions, _share(share.kept)


def _table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield a section with a table; nothing if there is no row."""
    found = [" | ".join(str(cell).replace("|", "\\|") for cell in row) for row in rows]
    if found:
        yield f"## {title}\n"
        yield f"| {' | '.join(columns)} |"
        yield f"|{'---|' * len(columns)}"
        yield from (f"| {row} |" for row in found)
        yield ""


def _share(estimate: Estimate) -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "-"
    return f"{estimate.value:.1%} ({estimate.low:.1%} to {estimate.high:.1%})"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _money(value: float | None) -> str:
    return "unknown" if value is None else f"${value:.2f}"


def _test(test: Test) -> str:
    if test.p is None:
        return f"{test.name}: no test, {test.reason}"
    size = test.effects.get("cramer_v")
    return f"{test.name}: p = {test.p:.3f}" + ("" if size is None else f", Cramer's V {size:.2f}")
