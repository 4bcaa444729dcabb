"""One answer over several suites: what each of them has to say in it, by its tier (``[policy]``).

*Critical*: all must pass; one that fails fails the whole. *Supporting*: a fail makes the answer inconclusive, and so
does what could not be measured, or else a fail could be had away by losing scores; too few cases to tell do not.
*Advisory*: shown, and never counted. What is named critical or supporting and was not run never passes, and where
nothing critical is asked nothing passes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from jmedethic_pytest.config.tiers import PolicyTable, figure_of, is_figure
from jmedethic_pytest.core.records import TIERS, Answer, Condition, Gate, PartAnswer, PolicyTier
from jmedethic_pytest.core.sentences import Sentence, joined, say
from jmedethic_pytest.gate import names
from jmedethic_pytest.gate.conditions import combine
from jmedethic_pytest.gate.figures import NOT_MEASURED, TOO_FEW

_NAMED = 4
"""Conditions that are named in a suite's line."""


@dataclass(frozen=True)
class Found:
    """What a suite in a language came to, before anyone says what it counts."""

    name: str
    run: str
    conditions: tuple[Condition, ...]
    """Its own."""
    shared: tuple[Condition, ...] = ()
    """Those of its whole run: whether it is a measurement at all."""
    detail: Sentence = ""
    """What it is of, where conditions do not say it."""


def decide(policy: PolicyTable, found: Sequence[Found]) -> Gate:
    """Return the answer of a policy.

    Its conditions are those that count, each as it counts: the answer is fail if any of them fails, else inconclusive
    if any is, else pass.

    Args:
        policy: the tiers.
        found: every suite in every language that is there; each name once.
    """
    shared = list(dict.fromkeys(item for part in found for item in part.shared))
    counted = [counts for part in found for counts in _counted(part, policy)]
    absent = list(policy.absent([part.name for part in found]))
    lacking = [_absent(name, tier) for name, tier in absent if tier != "advisory"]
    nothing = [] if any(policy.tier(part.name) == "critical" for part in found) else [_NOTHING]
    parts = [_answer(part, policy) for part in found]
    parts += [PartAnswer(name=name, tier=tier, answer=None) for name, tier in absent]
    gate = combine([*shared, *counted, *lacking, *nothing])
    return gate.model_copy(update={"parts": tuple(sorted(parts, key=lambda part: TIERS.index(part.tier)))})


_NOTHING = Condition.inconclusive("policy", say("tiers.nothing"), cause=NOT_MEASURED)


def _absent(name: str, tier: PolicyTier) -> Condition:
    detail = say("tiers.absent", name=name, tier=names.tier(tier))
    return Condition.inconclusive(f"{name} run", detail, observed=0, limit=1, cause=NOT_MEASURED)


def _counted(part: Found, policy: PolicyTable) -> Iterator[Condition]:
    """Yield the conditions of a part that count, each as it counts, and one if none of the model is critical."""
    asked = False
    for condition in part.conditions:
        tier = _tier(condition, part, policy)
        asked = asked or (tier == "critical" and _of_model(condition))
        found = _as_it_counts(condition, tier)
        if found is not None:
            yield found.model_copy(update={"name": f"{part.name} {found.name}"})
    if policy.tier(part.name) == "critical" and not asked:
        detail = say("tiers.off", name=part.name)
        yield _NOTHING.model_copy(update={"name": f"{part.name} policy", "detail": detail})


def _tier(condition: Condition, part: Found, policy: PolicyTable) -> PolicyTier:
    """Return the weaker of the tiers of a condition's figure and of its part."""
    return max(policy.tier(part.name), policy.figure(figure_of(condition.name)), key=TIERS.index)


def _of_model(condition: Condition) -> bool:
    """Tell whether a condition asks something of the model, and not only of the run as a measurement."""
    return is_figure(figure_of(condition.name)) or condition.name in ("exam", "baseline")


def _as_it_counts(condition: Condition, tier: PolicyTier) -> Condition | None:
    """Return a condition as the answer takes it; ``None`` if it does not count."""
    if tier == "critical" or condition.answer == "pass":
        return condition if tier != "advisory" else None
    if tier == "advisory" or (condition.answer == "inconclusive" and condition.cause == TOO_FEW):
        return None
    detail = say("tiers.fails" if condition.answer == "fail" else "tiers.open", detail=condition.detail)
    return condition.model_copy(update={"answer": "inconclusive", "detail": detail})


def _answer(part: Found, policy: PolicyTable) -> PartAnswer:
    """Return what a part comes to by itself: figures that only people look at do not count there either."""
    own = [item for item in part.conditions if policy.figure(figure_of(item.name)) == "critical"]
    answer = combine([*part.shared, *own]).answer if part.conditions else None
    return PartAnswer(
        name=part.name,
        tier=policy.tier(part.name),
        answer=answer,
        run=part.run,
        detail=part.detail or _detail(answer, [*own, *part.shared]),
        conditions=part.conditions,
    )


def _detail(answer: Answer | None, conditions: Iterable[Condition]) -> str:
    """Name what keeps a part from passing."""
    if answer in ("pass", None):
        return ""
    found = [names.condition(item.name) for item in conditions if item.answer == answer]
    listed = joined(found[:_NAMED], en=", ", ja="、")
    return listed if len(found) <= _NAMED else say("and_more", listed=listed, count=len(found) - _NAMED)
