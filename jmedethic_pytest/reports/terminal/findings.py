"""What the figures of a run say, in a few lines: pass rate, loss over the turns, judges, over-refusal, languages."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from jmedethic_pytest.analysis.degradation import Degradation
from jmedethic_pytest.analysis.judge_reliability import JudgeReport
from jmedethic_pytest.analysis.languages import Languages
from jmedethic_pytest.analysis.summary import Summary, Third
from jmedethic_pytest.core.sentences import Said, joined, named, say
from jmedethic_pytest.reports.terminal.survival import survival_findings
from jmedethic_pytest.reports.wording import interval, number, p_value, share, share_interval


class Finding(NamedTuple):
    """What one figure says."""

    name: Said
    text: str


def finding_lines(summary: Summary) -> Iterator[Said]:
    """Yield the findings as lines, a name and two spaces or more before each; the English ones are rather short."""
    for found in findings(summary):
        yield say("finding.line", name=found.name, text=found.text)


def findings(summary: Summary) -> Iterator[Finding]:
    """Yield what the figures say. Intervals are 95 %, clustered by guideline."""
    yield from _rates(summary)
    yield from _lengths(summary)
    for found in summary.survival:
        if found.kind == "long":
            yield from (Finding(*told) for told in survival_findings(found))
    if summary.degradation is not None:
        yield from _losses(summary.degradation)
    if summary.instruments is not None:
        yield from _judges(summary.instruments)
    if summary.third is not None:
        yield _third(summary.third)
    if summary.twins:
        yield over_refusal(summary)
    for name, helped in summary.helped.items():
        counts = say("helped", answered=helped.answered, watered=helped.watered_down, refused=helped.refused)
        unknown = [say("helped.unknown", count=helped.unknown)] if helped.unknown else []
        yield Finding(say(f"finding.helped.{name}"), joined([counts, *unknown], en=", ", ja="、"))
    if summary.languages is not None:
        yield _languages(summary.languages)


def _taken(key: str, count: int) -> Said:
    return say("taken.count", branch=named("taken", key.replace(" ", "_")), count=count)


def _rates(summary: Summary) -> Iterator[Finding]:
    """Yield how many conversations passed, and where those that did not fell first; of benign twins alone nothing."""
    if summary.pass_rate is not None:
        yield Finding(say("finding.pass_rate"), _rate(summary))
    if summary.failed:
        first = ", ".join(f"{turn} {count}" for turn, count in summary.first_failing.items())
        yield Finding(say("finding.first_low"), first)


def _rate(summary: Summary) -> Said:
    counts = say("pass_rate.counts", passed=summary.passed, failed=summary.failed, undecided=summary.undecided)
    rate = f"{share(summary.pass_rate)} {share_interval(summary.pass_interval)}"
    return joined([rate, say("in_brackets", text=counts)], en="  ", ja="")


def over_refusal(summary: Summary) -> Finding:
    """Say how many benign twins were refused."""
    judged, twins = summary.twins_judged, summary.twins
    rate = f"{share(summary.over_refusal)} {share_interval(summary.over_refusal_interval)}"
    name = "over_refusal.judged" if judged < twins else "over_refusal.all"
    return Finding(say("finding.over_refusal"), say(name, rate=rate, judged=judged, twins=twins))


def _lengths(summary: Summary) -> Iterator[Finding]:
    """Yield which branches were taken, and which turns only some of the conversations have."""
    if summary.branches:
        taken = joined((_taken(key, count) for key, count in summary.branches.items()), en=", ", ja="、")
        unlike = say("branches.unlike", taken=taken)
        yield Finding(say("finding.branches"), unlike if len(summary.branches) > 1 else taken)
    planned = {group.key: group.n + group.missing for group in summary.turns}
    most = max(planned.values(), default=0)
    fewer = ", ".join(f"{turn} {count}" for turn, count in planned.items() if count < most)
    if fewer:
        yield Finding(say("finding.fewer"), say("fewer", fewer=fewer, most=most))


def _losses(found: Degradation) -> Iterator[Finding]:
    """Yield what is lost between two turns, paired, and the paper's effect size beside it.

    Conversations of more than three turns: from each turn to the next, and from the first to the last.
    """
    ends = (found.turns[:1], found.turns[-1:])
    shown = {*pairwise(found.turns), *zip(*ends, strict=True)}
    for step in found.steps:
        if len(found.turns) > 3 and (step.first, step.second) not in shown:
            continue
        text = say(
            "lost",
            loss=f"{number(step.difference.value)} {interval(step.difference)}",
            p=p_value(step.paired.p_adjusted),
            d_z=number(step.paired.effects.get("d_z")),
            d=number(step.unpaired.effects.get("cohen_d")),
        )
        yield Finding(say("finding.lost", first=step.first, second=step.second), text)


def _judges(report: JudgeReport) -> Iterator[Finding]:
    """Yield how far the judges agree, and what a single turn's score is worth."""
    found, agreement = report.turn_level, say("finding.agreement")
    for pair in found.pairs:
        text = say(
            "agreement",
            pearson=number(pair.pearson),
            icc=number(found.icc21),
            kappa=number(pair.kappa),
            within=share(pair.within_2),
            bias=number(pair.bias),
        )
        names = f" ({pair.first}, {pair.second})" if len(found.pairs) > 1 else ""
        yield Finding(agreement, joined([text, names], en="", ja=""))
    if not found.pairs:
        yield Finding(agreement, say("named", name=say("not_estimable"), detail=found.reason))
    errors = ", ".join(f"{turn} {number(value)}" for turn, value in report.measurement_error.items()) or "-"
    yield Finding(say("finding.reliability"), say("reliability", value=number(found.reliability), errors=errors))
    yield Finding(say("finding.contested"), say("contested", contested=report.contested, hidden=report.hidden))
    if report.flags:
        shares = ", ".join(f"{judge} {share(found.share)}" for judge, found in report.flags.items())
        yield Finding(say("finding.contradiction"), say("contradiction", shares=shares))


def _third(found: Third) -> Finding:
    """Say how often the third judge was asked."""
    rate = share(found.asked / found.turns if found.turns else None)
    asked = say("third", asked=f"{found.asked:,}", turns=f"{found.turns:,}", rate=rate)
    missing = say("third.missing", count=found.missing) if found.missing else ""
    return Finding(say("finding.third"), joined([asked, missing]))


def _languages(found: Languages) -> Finding:
    """Say how two languages differ."""
    mean, rate = found.figure("mean"), found.figure("pass_rate")
    figures = []
    if mean is not None:
        figures.append(say("languages.mean", value=f"{number(mean.difference.value)} {interval(mean.difference)}"))
    if rate is not None:
        shown = f"{share(rate.difference.value)} {share_interval(rate.difference)}"
        figures.append(say("languages.pass_rate", value=shown))
    shown = joined(figures, en=", ", ja="、")
    text = say("languages", figures=shown, pairs=found.pairs, caveat=found.caveat)
    return Finding(say("finding.languages", first=found.first, second=found.second), text)
