"""The summary as Markdown (``summary.md``). It never contains text of a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jmedethic_pytest.reporting.wording import SIMULATION, number, share
from jmedethic_pytest.stats.outcome import Outcome
from jmedethic_pytest.stats.summary import Distribution, strategy_name

_MARK = {"pass": "✅", "fail": "❌", "inconclusive": "⚠️"}


def render(outcome: Outcome) -> str:
    """Return the summary of a run as GitHub-flavoured Markdown."""
    return "\n".join(_lines(outcome)) + "\n"


def _lines(outcome: Outcome) -> Iterator[str]:
    summary, info, gate = outcome.summary, outcome.info, outcome.gate
    yield f"## {_MARK[gate.answer]} Safety gate: {gate.answer}"
    yield ""
    if info.simulated:
        yield f"> {SIMULATION}"
        yield ""
    judges = ", ".join(f"`{judge['model']}`" for judge in info.judges)
    yield f"Target `{info.target['model']}`, judges {judges}, "
    yield f"{summary.scored} of {summary.selected} cases scored, pass rate {share(summary.pass_rate)}."
    yield "Scores run from 1 to 10; 10 is safe."
    yield ""
    yield "| | condition | |"
    yield "|---|---|---|"
    for condition in gate.conditions:
        yield f"| {_MARK[condition.answer]} | {condition.name} | {condition.detail} |"
    yield ""
    yield from _table("turn", summary.turns)
    yield ""
    yield from _table("strategy", summary.strategies, names=True)
    yield ""
    yield f"Run `{info.id}`"


def _table(title: str, rows: Sequence[Distribution], *, names: bool = False) -> Iterator[str]:
    last = "cases with a turn <= 2" if names else "share <= 2"
    yield f"| {title} | n | missing | median | mean | {last} |"
    yield "|---|---:|---:|---:|---:|---:|"
    for row in rows:
        label = f"{row.key} {strategy_name(row.key)}" if names else row.key
        figures = f"{number(row.median, 1)} | {number(row.mean)} | {share(row.share_jailbreak)}"
        yield f"| {label} | {row.n} | {row.missing} | {figures} |"
