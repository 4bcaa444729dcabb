"""The gate: conditions on the whole run that decide the exit status.

Three answers. A condition *passes* only if it holds for certain, whatever the missing scores might have been (1.0 each,
and every undecided case failed); it *fails* if it is broken for certain even in the best case; everything else is
*inconclusive*. The run passes if every condition does; one failed condition fails it; otherwise it is
inconclusive. Missing never passes, and what was not measured never fails: without enough cases, or with judges that
cannot be believed, no condition on scores fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from jmedethic_pytest.config.tables import GateTable
from jmedethic_pytest.core.records import Answer, Cause, Condition, Gate
from jmedethic_pytest.core.sentences import Said, joined, say
from jmedethic_pytest.gate import floors, measurement, names
from jmedethic_pytest.gate.figures import NOT_MEASURED, TOO_FEW, WORSE, Figures
from jmedethic_pytest.gate.robustness import robustness

Ask = Callable[[Figures, GateTable], Iterator[Condition]]
"""Yields the conditions of one kind; none where the rules switch them off."""
MEASUREMENT: tuple[Ask, ...] = (
    measurement.complete,
    measurement.enough,
    measurement.full_length,
    measurement.real_judges,
    measurement.missing,
    measurement.judges,
    measurement.hidden,
    measurement.doubts,
)
"""Whether the run is one from which anything follows."""
COLLECTION: tuple[Ask, ...] = (measurement.judged, measurement.complete, measurement.doubts)
"""The same of a run without judges, of which no more is asked."""
SHARD: tuple[Ask, ...] = (measurement.whole, measurement.complete, measurement.doubts)
"""The same of a part of a run, which is not decided at all."""
FLOORS: tuple[Ask, ...] = (floors.pass_rate, floors.turns, floors.strategies)
"""Floors of scores; asked of a run with adversarial cases."""
OTHERS: tuple[Ask, ...] = (floors.over_refusal, floors.baselines, robustness)
"""What else is asked of the model."""
BELIEVED = {"cases", "real judges", "judges", "anchors", "link", "golden", "panel"}
"""Conditions without which no score is believed: then none fails."""
_NO_MATTER = {"over_refusal": {"cases"}}
"""What is measured by the twins, however few adversarial cases there are."""
_NOTHING_ASKED = Condition.inconclusive("floors", say("nothing_asked"))


_STOPPED = Condition.inconclusive("stopped", say("stopped"), cause=NOT_MEASURED)


def decide(figures: Figures, rules: GateTable) -> Gate:
    """Evaluate all conditions on a run.

    Args:
        figures: the run.
        rules: ``[gate]`` of the thresholds file.
    """
    if figures.shard:
        told = [_not_measured(condition) for condition in _ask(SHARD, figures, rules)]
        return combine([_caused(condition, NOT_MEASURED) for condition in told])
    if not figures.judged:
        return combine([_caused(condition, NOT_MEASURED) for condition in _ask(COLLECTION, figures, rules)])
    conditions = _ask(MEASUREMENT, figures, rules)
    kept = _ask(FLOORS, figures, rules) if len(figures.cases) else []
    if len(figures.cases) and not kept and not figures.comparisons:
        conditions.append(_NOTHING_ASKED)
    conditions = [_caused(condition, NOT_MEASURED) for condition in conditions]
    found = [_caused(condition, TOO_FEW) for condition in (*kept, *_ask(OTHERS, figures, rules))]
    # A fail counts missing scores at their best, so it holds although some lack; but not if nothing was measured.
    doubted = {condition.name.partition("[")[0] for condition in conditions if condition.answer != "pass"}
    unbelieved = doubted & BELIEVED
    found = [_not_measured(item) if unbelieved - _NO_MATTER.get(item.name, set()) else item for item in found]
    gate = combine([*conditions, *found])
    stopped = figures.looks is not None and figures.looks.stopped is not None and figures.looks.early == "fail"
    return combine([_STOPPED, *gate.conditions]) if stopped and gate.answer == "pass" else gate


def _ask(kinds: Sequence[Ask], figures: Figures, rules: GateTable) -> list[Condition]:
    return [condition for ask in kinds for condition in ask(figures, rules)]


def _not_measured(condition: Condition) -> Condition:
    if condition.answer != "fail":
        return condition
    detail = joined([condition.detail, say("not_measured")])
    changes = {"answer": "inconclusive", "detail": detail, "cause": NOT_MEASURED}
    return condition.model_copy(update=changes)


def _caused(condition: Condition, cause: Cause) -> Condition:
    """Say why a condition is inconclusive, if it is and nobody has said it yet."""
    if condition.answer != "inconclusive" or condition.cause is not None:
        return condition
    return condition.model_copy(update={"cause": cause})


def combine(conditions: Sequence[Condition]) -> Gate:
    """Return the gate of these conditions: fail if any fails, else inconclusive if any is, else pass."""
    answers = {condition.answer for condition in conditions}
    answer: Answer = "fail" if "fail" in answers else "inconclusive" if "inconclusive" in answers else "pass"
    order = {"fail": 0, "inconclusive": 1}
    bad = sorted((item for item in conditions if item.answer != "pass"), key=lambda item: order[item.answer])
    return Gate(answer=answer, conditions=tuple(conditions), reasons=tuple(_reason(item) for item in bad))


def _reason(condition: Condition) -> Said:
    return say("named", name=names.condition(condition.name), detail=reason(condition))


def reason(condition: Condition) -> str:
    """Return why a condition is answered as it is: a certain loss in some place is no fail of the whole."""
    return say("reason.worse", detail=condition.detail) if condition.cause == WORSE else condition.detail
