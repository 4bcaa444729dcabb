"""Conditions on the model's robustness: how many more conversations fail in other words. Off unless asked for.

The share of flips is no condition: it rises with the noise of judges alone. The net of new failures and fixed ones
does not.
"""

from __future__ import annotations

from collections.abc import Iterator

from jmedethic_pytest.analysis.imputation import Side
from jmedethic_pytest.analysis.noninferiority.bounds import interval, reach
from jmedethic_pytest.analysis.noninferiority.endpoints import LEAST_FREEDOM, LEAST_GUIDELINES
from jmedethic_pytest.analysis.noninferiority.endpoints import decide as decided
from jmedethic_pytest.analysis.noninferiority.pairs import Figure
from jmedethic_pytest.analysis.robustness import Sides
from jmedethic_pytest.config.tables import GateTable
from jmedethic_pytest.core.records import Condition
from jmedethic_pytest.core.scores import SLACK
from jmedethic_pytest.core.sentences import joined, say
from jmedethic_pytest.gate.figures import NOT_MEASURED, TOO_FEW, Figures
from jmedethic_pytest.stats.intervals import freedom
from jmedethic_pytest.stats.sample import sample
from jmedethic_pytest.store.baselines import Baseline

NAME = "robustness"
_SHOWN = 3


def robustness(figures: Figures, rules: GateTable) -> Iterator[Condition]:
    """Ask that other wordings make no more than a margin of conversations fail: here, and beside each baseline."""
    own, beside = rules.robustness, rules.baseline.robustness
    names = [comparison.baseline for comparison in figures.comparisons] if beside < 1 - SLACK else []
    asked = (own < 1 - SLACK) + len(names)
    if own < 1 - SLACK:
        if figures.robust is None:
            yield Condition.inconclusive(NAME, say("robustness.none"), cause=NOT_MEASURED)
        else:
            net = figures.robust.sides.net
            yield answer(NAME, say("robustness.net"), net, own, rules.alpha, asked)
    stored = {} if figures.robust is None else {item.name: item for item in figures.robust.baselines}
    for name in names:
        label = f"{NAME}[{name}]"
        problem = _unlike(figures, name, stored.get(name))
        if problem or figures.robust is None:
            yield Condition.inconclusive(label, problem, cause=NOT_MEASURED)
            continue
        now, before = figures.robust.sides, figures.robust.of_baseline(stored[name])
        what = say("robustness.beside", name=name)
        yield answer(label, what, _difference(before, now), beside, rules.baseline.alpha, asked)


def _unlike(figures: Figures, name: str, baseline: Baseline | None) -> str:
    """Say why a run's loss cannot be held against a baseline's; nothing if it can."""
    if figures.robust is None:
        return say("robustness.none")
    comparison = next(item for item in figures.comparisons if item.baseline == name)
    if comparison.obstacles or baseline is None:
        return say("cannot_compare", why=joined(comparison.obstacles) or say("robustness.gone"))
    theirs, ours = baseline.companions, figures.robust.found
    unlike = sorted(
        key
        for key in figures.robust.sides.reworded.keys
        if key not in baseline.sheet.rows
        or (key in ours) != (key in theirs)
        or (key in ours and (ours[key].kind, ours[key].wording) != (theirs[key].kind, theirs[key].wording))
    )
    if not theirs:
        return say("robustness.baseline_none", name=name)
    if unlike:
        shown = ", ".join(unlike[:_SHOWN]) + (", ..." if len(unlike) > _SHOWN else "")
        return say("robustness.unlike", name=name, count=len(unlike), some=shown)
    return ""


def _difference(before: Sides, now: Sides) -> Figure:
    """Return each conversation's loss by rewording in the run, beside that in the baseline; both hold the same ones."""
    net, theirs = now.net, before.net
    return Figure(Side(theirs.worst, theirs.best), Side(net.worst, net.best), net.guideline, net.stem, 2.0)


def answer(name: str, what: str, figure: Figure, margin: float, alpha: float, asked: int) -> Condition:
    """Return the answer: a pass within the margin, a fail if a loss is certain among all that is asked here."""
    found, bounds = interval(figure, alpha), reach(figure, alpha, alpha / asked) if len(figure.stem) else None
    missing = int((~figure.known).sum())
    if bounds is None:
        return Condition.inconclusive(name, say("robustness.no_kind"), cause=NOT_MEASURED)
    told, reason = decided(found, bounds, margin, missing)
    data = sample(figure.difference, figure.guideline)
    if told == "pass" and (data.clusters < LEAST_GUIDELINES or freedom(data) < LEAST_FREEDOM):
        told, reason = "inconclusive", say("endpoint.guidelines", count=data.clusters, least=LEAST_GUIDELINES)
    if told == "fail":
        reason = say("robustness.loss.fail")
    if told == "pass" and found.high is not None and found.high < -SLACK:
        reason = say("robustness.loss.pass")
    shown = say("not_estimable") if found.value is None else say("points", value=f"{100 * found.value:+.1f}")
    if found.low is not None and found.high is not None:
        shown = joined([shown, f"[{100 * found.low:+.1f}, {100 * found.high:+.1f}]"], en=" ", ja=" ")
    detail = say("robustness.figure", what=what, shown=shown, margin=f"{100 * margin:g}")
    return Condition(
        name=name,
        answer=told,
        observed=found.value,
        limit=-margin,
        detail=joined([detail, reason]),
        cause=TOO_FEW if told == "inconclusive" else None,
    )
