"""The summary as plain text lines, for a terminal and for log files. It never contains text of a model."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from jmedethic_pytest.analysis.summary import Distribution, Summary
from jmedethic_pytest.core import text as plain_text
from jmedethic_pytest.core.records import Condition, Gate
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.core.sentences import Said, changed, joined, laid, named, say
from jmedethic_pytest.gate import names
from jmedethic_pytest.gate.outcome import Outcome
from jmedethic_pytest.reports import counted, looks, words
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
    turns: list[tuple[str, Distribution]] = [(row.key, row) for row in summary.turns]
    strategies: list[tuple[str, Distribution]] = [
        (Said(*words.strategy(row.key, info.words)), row) for row in summary.strategies
    ]
    lines: list[str] = [SIMULATION, ""] if info.simulated else []
    lines += [
        *_who(info),
        *([say("summary.third", model=info.third["model"])] if info.third is not None else []),
        *(say("summary.more", line=line) for line in provenance_lines(outcome)),
        _cases_line(summary),
        "",
        *_table("column.turn", [*turns, *_whole(summary)]),
        *_table("column.strategy_mean", strategies, width=47, last="column.any"),
        *finding_lines(summary),
        *(["", *robustness_lines(summary.robustness), ""] if summary.robustness is not None else []),
        *spending(info),
        "",
        *(line for comparison in outcome.comparisons for line in [*comparison_lines(comparison, info.words), ""]),
        *([*attack_lines(summary.adaptive), ""] if summary.adaptive is not None else []),
    ]
    return _each_on_a_line(lines)


def _each_on_a_line(lines: Iterable[str]) -> list[str]:
    return [changed(line, plain_text.line) for line in lines]


def _who(info: RunInfo) -> Iterator[Said]:
    yield say("summary.target", model=info.target["model"])
    yield say("summary.judges", models=", ".join(judge["model"] for judge in info.judges) or say("none"))


def answer_lines(outcome: Outcome) -> list[str]:
    """Return the gate's answer with its reasons, and where to look: what a terminal shows last."""
    info, counts = outcome.info, outcome.summary.counts
    if outcome.unmeasured:
        return _each_on_a_line(_why_nothing_was_measured(outcome))
    failed = counts.conversations.failed + counts.twins.failed + counts.conversations.undecided
    lines = [
        *gate_lines(outcome.gate, info.stopped_early),
        counted.line(counts),
        *([say("which", run=_named(outcome))] if failed else []),
        *(say("indented", line=Said(*line)) for line in looks.told(info, outcome.gate.answer)),
        say("run.path", path=outcome.path),
        *_page_lines(outcome),
    ]
    if info.note:
        lines.append(say("note", note=info.note))
    return _each_on_a_line(lines)


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
    lines = [say("note", note=drawn.info.note)] if drawn.info.note != told.info.note else []
    return _each_on_a_line([*lines, *([] if drawn.unmeasured else _page_lines(drawn))])


def _page_lines(outcome: Outcome) -> list[Said]:
    page = outcome.path / PAGE
    return [say("report.path", path=page)] if page.is_file() else []


def _why_nothing_was_measured(outcome: Outcome) -> Iterator[str]:
    info = outcome.info
    if outcome.collected or outcome.summary.finished:  # else the reason below says it all
        yield from _who(info)
        yield _cases_line(outcome.summary)
    yield say("gate.unscored", answer=names.loud(outcome.gate.answer))
    if outcome.collected:
        for item in outcome.gate.conditions:
            if item.answer != "pass":
                yield laid("  {name:<12} {detail}", name=names.condition(item.name), detail=item.detail)
        if info.status == "complete":
            yield say("next.judge", run=info.id)
    if info.note or not outcome.collected:
        yield say("indented", line=info.note or say("gate.run_is", status=named("run_status", info.status)))
    yield say("run.path", path=outcome.path)


def _cases_line(summary: Summary) -> Said:
    left = summary.selected - summary.finished
    parts = [
        say("summary.scored", count=summary.scored),
        *(
            say("summary.status", count=count, status=named("status", status))
            for status, count in summary.statuses.items()
            if status not in ("scored", "not_evaluated")
        ),
        say("summary.not_evaluated", count=left) if left else "",
    ]
    missing = {"missing": summary.missing_turns, "planned": summary.planned_turns}
    return say("summary.cases", selected=summary.selected, parts=joined(parts, en=", ", ja="、"), **missing)


def _whole(summary: Summary) -> Iterator[tuple[str, Distribution]]:
    """Yield the rows of whole conversations, which stand below those of the turns."""
    if summary.conversations is not None:  # its share is that of any turn, which the row below it says
        yield say("row.conversation"), summary.conversations.model_copy(update={"share_jailbreak": None})
    if summary.minimum is not None:
        yield say("row.minimum"), summary.minimum


_ROW = "{label:<{width}} {n:>5} {missing:>5} {median:>7} {mean:>6} {interval:>14} {share:>8}"


def _table(
    title: str, rows: Iterable[tuple[str, Distribution]], *, width: int = 28, last: str = "column.share"
) -> Iterator[Said]:
    rows = [(label, row) for label, row in rows if row.n + row.missing]
    if not rows:  # as in a run of benign twins alone, which have no part in these figures
        return
    heads = {name: say(f"column.{name}") for name in ("missing", "median", "mean", "interval")}
    yield laid(_ROW, label=say(title), width=width, n="n", share=say(last), **heads)
    for label, row in rows:
        yield laid(
            _ROW,
            label=label,
            width=width,
            n=row.n,
            missing=row.missing,
            median=number(row.median, 1),
            mean=number(row.mean),
            interval=interval(row.mean_interval),
            share=share(row.share_jailbreak),
        )
    yield Said("", "")


def gate_lines(gate: Gate, where: str = "") -> Iterator[Said]:
    """Yield the answer and what keeps it from being a pass; what a comparison says stands in a line for each kind.

    Args:
        gate: the gate.
        where: the look that decided it, if it was not the end of the run.
    """
    yield say("gate.at" if where else "gate.line", answer=names.loud(gate.answer), where=where)
    yield from tier_lines(gate)
    for answer in ("fail", "inconclusive"):
        compared: dict[tuple[str, str], list[Condition]] = {}
        for condition in gate.conditions:
            if condition.answer == answer:
                compared.setdefault(_compared(gate, condition), []).append(condition)
        for (name, kind), found in compared.items():
            if not name or (kind and len(found) == 1):
                yield from (_condition(item) for item in found)
            else:
                together = say("gate.compared", found=_together(kind, found))
                place = names.condition(name)
                yield say("gate.condition", answer=names.answer(answer), name=place, detail=together)


def _condition(item: Condition) -> Said:
    name = names.condition(item.name)
    return say("gate.condition", answer=names.answer(item.answer), name=name, detail=item.detail)


def _compared(gate: Gate, condition: Condition) -> tuple[str, str]:
    """Return the baseline that a condition is about, and the kind of place it names; both empty without a baseline."""
    part, own = gate.place(condition.name)
    baseline, separator, figure = own.partition("].")
    if not own.startswith("baseline[") or not separator:
        return "", ""
    return f"{part} {baseline}]".strip(), figure.partition("[")[0] if figure.endswith("]") else ""


def _together(kind: str, found: Sequence[Condition]) -> Said:
    """Name figures, all of them, or places of one kind, the first ones."""
    if not kind:
        return joined((names.endpoint(item.name.rpartition(".")[2]) for item in found), en=", ", ja="、")
    places = [names.place(kind, item.name.rpartition("[")[2].rstrip("]")) for item in found]
    listed = joined(places[:_PLACES], en=", ", ja="、")
    if len(places) > _PLACES:
        listed = say("and_more", listed=listed, count=len(places) - _PLACES)
    return say("gate.kinds", kind=named("kind", kind), found=listed)
