"""The summary as plain text lines, for a terminal and for log files. It never contains text of a model."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from jmedethic_pytest.analysis.summary import Distribution, Summary
from jmedethic_pytest.core import text as plain_text
from jmedethic_pytest.core.records import Condition, Gate
from jmedethic_pytest.gate.outcome import Outcome
from jmedethic_pytest.reports import counted, looks
from jmedethic_pytest.reports.attacks import attack_lines
from jmedethic_pytest.reports.provenance import provenance_lines
from jmedethic_pytest.reports.terminal.comparison import comparison_lines
from jmedethic_pytest.reports.terminal.findings import finding_lines
from jmedethic_pytest.reports.terminal.robustness import robustness_lines
from jmedethic_pytest.reports.terminal.tiers import tier_lines
from jmedethic_pytest.reports.wording import PAGE, SIMULATION, interval, number, share, spending

_PLACES = 5
"""Places of one kind that are named in a line."""


def summary_lines(outcome: Outcome) -> list[str]:
    """Return the whole summary: the figures, then the gate's answer."""
    return [*figure_lines(outcome), *answer_lines(outcome)]


def figure_lines(outcome: Outcome) -> list[str]:
    """Return the figures, at most 100 characters wide; none of a run that measured nothing."""
    summary, info = outcome.summary, outcome.info
    if outcome.unmeasured:
        return []
    strategies = [(f"{row.key} {info.words.strategy(row.key).name['en']}", row) for row in summary.strategies]
    lines = [SIMULATION, ""] if info.simulated else []
    lines += [
        f"target   {info.target['model']}",
        f"judges   {', '.join(judge['model'] for judge in info.judges)}",
        *([f"third    {info.third['model']}"] if info.third is not None else []),
        *(f"         {line}" for line in provenance_lines(outcome)),
        _cases_line(summary),
        "",
        *_table("turn", [(row.key, row) for row in [*summary.turns, *_whole(summary)]]),
        "",
        *_table("strategy (conversation mean)", strategies, width=47, last="any <= 2"),
        "",
        *finding_lines(summary),
        *(["", *robustness_lines(summary.robustness), ""] if summary.robustness is not None else []),
        *spending(info),
        "",
        *(line for comparison in outcome.comparisons for line in [*comparison_lines(comparison, info.words), ""]),
        *([*attack_lines(summary.adaptive), ""] if summary.adaptive is not None else []),
    ]
    return list(map(plain_text.line, lines))


def answer_lines(outcome: Outcome) -> list[str]:
    """Return the gate's answer with its reasons, and where to look: what a terminal shows last."""
    info, counts = outcome.info, outcome.summary.counts
    if outcome.unmeasured:
        return list(map(plain_text.line, _why_nothing_was_measured(outcome)))
    failed = counts.conversations.failed + counts.twins.failed + counts.conversations.undecided
    lines = [
        *gate_lines(outcome.gate, info.stopped_early),
        counted.line(counts),
        *([f"which: jmedethic list failures {_named(outcome)}"] if failed else []),
        *(f"  {line.en}" for line in looks.told(info, outcome.gate.answer)),
        f"run: {outcome.path}",
        *_page_lines(outcome),
    ]
    if info.note:
        lines.append(f"note: {info.note}")
    return list(map(plain_text.line, lines))


def _named(outcome: Outcome) -> str:
    """Return how a command names the run."""
    reports = outcome.path.parent.parent
    name = "latest" if (reports / "latest").resolve() == outcome.path.resolve() else outcome.info.id
    return name if reports == Path("reports").absolute() else f"{name} --reports {shlex.quote(str(reports))}"


def drawn_lines(told: Outcome, drawn: Outcome) -> list[str]:
    """Return where the page is, and what could not be drawn.

    Args:
        told: the run as its summary was printed, before anything was drawn.
        drawn: the same run afterwards.
    """
    lines = [f"note: {drawn.info.note}"] if drawn.info.note != told.info.note else []
    return list(map(plain_text.line, [*lines, *([] if drawn.unmeasured else _page_lines(drawn))]))


def _page_lines(outcome: Outcome) -> list[str]:
    page = outcome.path / PAGE
    return [f"report: {page}"] if page.is_file() else []


def _why_nothing_was_measured(outcome: Outcome) -> Iterator[str]:
    info = outcome.info
    if outcome.collected or outcome.summary.finished:  # else the reason below says it all
        yield f"target   {info.target['model']}"
        yield f"judges   {', '.join(judge['model'] for judge in info.judges) or 'none'}"
        yield _cases_line(outcome.summary)
    yield f"GATE: {outcome.gate.answer.upper()}: no conversation was scored"
    if outcome.collected:
        yield from (f"  {item.name:<12} {item.detail}" for item in outcome.gate.conditions if item.answer != "pass")
        if info.status == "complete":
            yield f"next: jmedethic judge {info.id}"
    if info.note or not outcome.collected:
        yield f"  {info.note or f'the run is {info.status}'}"
    yield f"run: {outcome.path}"


def _cases_line(summary: Summary) -> str:
    other = ", ".join(
        f"{count} {status}" for status, count in summary.statuses.items() if status not in ("scored", "not_evaluated")
    )
    left = summary.selected - summary.finished
    parts = [f"{summary.scored} scored", *([other] if other else []), *([f"{left} not evaluated"] if left else [])]
    missing = f"missing turn scores {summary.missing_turns} of {summary.planned_turns}"
    return f"cases    {summary.selected} selected: {', '.join(parts)}; {missing}"


def _whole(summary: Summary) -> Iterator[Distribution]:
    """Yield the rows of whole conversations, which stand below those of the turns."""
    if summary.conversations is not None:  # its share is that of any turn, which the row below it says
        yield summary.conversations.model_copy(update={"key": "conversation mean", "share_jailbreak": None})
    if summary.minimum is not None:
        yield summary.minimum.model_copy(update={"key": "lowest turn"})


def _table(
    title: str, rows: Sequence[tuple[str, Distribution]], *, width: int = 28, last: str = "<= 2"
) -> Iterator[str]:
    yield f"{title:<{width}} {'n':>5} {'miss':>5} {'median':>7} {'mean':>6} {'95% interval':>14} {last:>8}"
    for label, row in rows:
        figures = f"{number(row.median, 1):>7} {number(row.mean):>6} {interval(row.mean_interval):>14}"
        yield f"{label:<{width}} {row.n:>5} {row.missing:>5} {figures} {share(row.share_jailbreak):>8}"


def gate_lines(gate: Gate, where: str = "") -> Iterator[str]:
    """Yield the answer and what keeps it from being a pass; what a comparison says stands in a line for each kind.

    Args:
        gate: the gate.
        where: the look that decided it, if it was not the end of the run.
    """
    yield f"GATE: {gate.answer.upper()}{f' ({where})' if where else ''}"
    yield from tier_lines(gate)
    for answer in ("fail", "inconclusive"):
        compared: dict[tuple[str, str], list[Condition]] = {}
        for condition in gate.conditions:
            if condition.answer == answer:
                compared.setdefault(_compared(gate, condition), []).append(condition)
        for (name, kind), found in compared.items():
            if not name or (kind and len(found) == 1):
                yield from (f"  {answer:<12} {item.name:<14} {item.detail}" for item in found)
            else:
                yield f"  {answer:<12} {name:<14} {_together(kind, found)} (see above)"


def _compared(gate: Gate, condition: Condition) -> tuple[str, str]:
    """Return the baseline that a condition is about, and the kind of place it names; both empty without a baseline."""
    part, own = gate.place(condition.name)
    baseline, separator, figure = own.partition("].")
    if not own.startswith("baseline[") or not separator:
        return "", ""
    return f"{part} {baseline}]".strip(), figure.partition("[")[0] if figure.endswith("]") else ""


def _together(kind: str, found: Sequence[Condition]) -> str:
    """Name figures, all of them, or places of one kind, the first ones."""
    if not kind:
        return ", ".join(item.name.rpartition(".")[2] for item in found)
    names = [item.name.rpartition("[")[2].rstrip("]") for item in found]
    more = f" and {len(names) - _PLACES} more" if len(names) > _PLACES else ""
    return f"{kind.replace('_', ' ')} {', '.join(names[:_PLACES])}{more}"
