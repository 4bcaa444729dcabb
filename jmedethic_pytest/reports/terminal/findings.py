"""What the figures of a run say, in a few lines: pass rate, loss over the turns, judges, over-refusal, languages."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from jmedethic_pytest.analysis.degradation import Degradation
from jmedethic_pytest.analysis.judge_reliability import JudgeReport
from jmedethic_pytest.analysis.languages import Languages
from jmedethic_pytest.analysis.summary import Summary, Third
from jmedethic_pytest.reports.terminal.survival import survival_lines
from jmedethic_pytest.reports.wording import interval, number, p_value, share, share_interval


def finding_lines(summary: Summary) -> Iterator[str]:
    """Yield the findings, a name and two spaces or more before each, at most 100 characters wide.

    Intervals are 95 %, clustered by guideline. A line without a name goes on with the one before.
    """
    counts = f"{summary.passed} passed, {summary.failed} failed, {summary.undecided} undecided"
    yield f"pass rate        {_rate(summary)}  ({counts})"
    if summary.failed:
        first = ", ".join(f"{turn} {count}" for turn, count in summary.first_failing.items())
        yield f"first low turn   {first}"
    yield from _length_lines(summary)
    for found in summary.survival:
        if found.kind == "long":
            yield from survival_lines(found)
    if summary.degradation is not None:
        yield from degradation_lines(summary.degradation)
    if summary.instruments is not None:
        yield from judge_lines(summary.instruments)
    if summary.third is not None:
        yield _third_line(summary.third)
    if summary.twins:
        spread = share_interval(summary.over_refusal_interval)
        judged = f" that were judged, of {summary.twins}" if summary.twins_judged < summary.twins else ""
        yield f"over-refusal     {share(summary.over_refusal)} {spread} of {summary.twins_judged} benign twins{judged}"
    for name, helped in summary.helped.items():
        what = {"T0": "harmless first requests", "twins": "turns of twins"}[name]
        counts = f"{helped.answered} answered, {helped.watered_down} watered down, {helped.refused} refused"
        yield f"{what:<25}{counts}" + (f", {helped.unknown} not judged" if helped.unknown else "")
    if summary.languages is not None:
        yield from language_lines(summary.languages)


def _length_lines(summary: Summary) -> Iterator[str]:
    """Yield which branches were taken, and which turns only some of the conversations have."""
    if summary.branches:
        taken = ", ".join(f"{name} {count}" for name, count in summary.branches.items())
        more = ": the turns after the branching are not the same in all" if len(summary.branches) > 1 else ""
        yield f"branches         {taken}{more}"
    planned = {group.key: group.n + group.missing for group in summary.turns}
    most = max(planned.values(), default=0)
    fewer = ", ".join(f"{turn} {count}" for turn, count in planned.items() if count < most)
    if fewer:
        yield f"fewer have       {fewer} of {most}: their means are of other conversations than those before"


def degradation_lines(found: Degradation) -> Iterator[str]:
    """Yield what is lost between two turns, paired, and the paper's effect size beside it.

    Conversations of more than three turns: from each turn to the next, and from the first to the last.
    """
    ends = (found.turns[:1], found.turns[-1:])
    shown = {*pairwise(found.turns), *zip(*ends, strict=True)}
    for step in found.steps:
        if len(found.turns) > 3 and (step.first, step.second) not in shown:
            continue
        loss = f"{number(step.difference.value)} {interval(step.difference)} points"
        paired = f"Wilcoxon p {p_value(step.paired.p_adjusted)}, d_z {number(step.paired.effects.get('d_z'))}"
        paper = f"unpaired d {number(step.unpaired.effects.get('cohen_d'))}"
        name = f"lost {step.first} to {step.second}"
        yield f"{name:<17}{loss}; {paired} ({paper})"


def judge_lines(report: JudgeReport) -> Iterator[str]:
    """Yield how far the judges agree, and what a single turn's score is worth."""
    found = report.turn_level
    for pair in found.pairs:
        names = "" if len(found.pairs) == 1 else f" ({pair.first}, {pair.second})"
        yield (
            f"judge agreement  Pearson {number(pair.pearson)}, ICC {number(found.icc21)}, kappa {number(pair.kappa)}, "
            f"within 2 points {share(pair.within_2)}, bias {number(pair.bias)}{names}"
        )
    if not found.pairs:
        yield f"judge agreement  not estimable: {found.reason}"
    errors = ", ".join(f"{turn} {number(value)}" for turn, value in report.measurement_error.items())
    yield (
        f"reliability      {number(found.reliability)} (panel mean); standard error of one turn: {errors or '-'} points"
    )
    yield f"contested turns  {report.contested}; {report.hidden} with a judge at or below 2 and the turn above"
    if report.flags:
        shares = ", ".join(f"{judge} {share(found.share)}" for judge, found in report.flags.items())
        yield f"self-contradiction  {shares} of scores go against the components the judge reports"


def _third_line(found: Third) -> str:
    """Say how often the third judge was asked."""
    rate = share(found.asked / found.turns if found.turns else None)
    lost = f"; {found.missing} without a score" if found.missing else ""
    return f"third judge      asked on {found.asked:,} of {found.turns:,} turns ({rate}){lost}"


def language_lines(found: Languages) -> Iterator[str]:
    """Yield the difference between two languages."""
    names = f"{found.second} minus {found.first}"
    mean, rate = found.figure("mean"), found.figure("pass_rate")
    parts = []
    if mean is not None:
        parts.append(f"mean {number(mean.difference.value)} {interval(mean.difference)}")
    if rate is not None:
        parts.append(f"pass rate {share(rate.difference.value)} {share_interval(rate.difference)}")
    yield f"{names:<17}{', '.join(parts)} in {found.pairs} pairs"
    yield f"                 ({found.caveat})"


def _rate(summary: Summary) -> str:
    return f"{share(summary.pass_rate)} {share_interval(summary.pass_interval)}"
