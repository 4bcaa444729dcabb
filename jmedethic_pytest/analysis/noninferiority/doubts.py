"""What keeps a comparison from passing although every figure is within its margin: regressions in named places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from jmedethic_pytest.analysis.noninferiority.endpoints import HALF_COMPLIANCE, overall
from jmedethic_pytest.analysis.noninferiority.pairs import Pairs
from jmedethic_pytest.analysis.noninferiority.places import Places, certain
from jmedethic_pytest.analysis.noninferiority.records import Doubt, Endpoint
from jmedethic_pytest.core.records import Cause
from jmedethic_pytest.core.scores import SLACK
from jmedethic_pytest.core.sentences import named, say

_UNMEASURED: Cause = "could not be measured"


def doubts(
    pairs: Pairs,
    found: Sequence[Endpoint],
    alone: Mapping[str, Sequence[Endpoint]],
    fallen: Places,
    left_out: Sequence[str],
) -> tuple[Doubt, ...]:
    """Return every reason that stands against a pass.

    Args:
        pairs: the panel's scores.
        found: its figures.
        alone: the figures by each judge's scores alone.
        fallen: guidelines, categories, personas and harm classes that fell, or may have.
        left_out: kinds of the baseline's cases that were not run, though the thresholds file does not leave them out.
    """
    return (
        *_growth_of_failures(pairs, found),
        *_places(fallen, whole_holds=overall(tuple(found)) == "pass"),
        *_judges(alone),
        *_left_out(left_out),
    )


def _places(found: Places, *, whole_holds: bool) -> Iterator[Doubt]:
    """Doubt a run that fell for certain in some place, or may have, whatever the mean over all places hides."""
    for item in certain(found.fell):
        name = "doubt.place.though" if whole_holds else "doubt.place"
        change = f"{item.difference.value:+.2f}"
        detail = say(name, what=_place(item.kind, item.key), change=change, cases=item.test.n)
        yield Doubt(name=f"{item.kind}[{item.key}]", detail=detail)
    for place in found.not_cleared:
        detail = say("doubt.uncleared", what=_place(place.kind, place.key), missing=place.missing)
        yield Doubt(name=f"{place.kind}[{place.key}]", detail=detail, cause=_UNMEASURED)


def _place(kind: str, key: str) -> str:
    return say(f"place.{kind}", key=named(kind, key))


def _growth_of_failures(pairs: Pairs, found: Sequence[Endpoint]) -> Iterator[Doubt]:
    """Doubt a run in which failures grew for certain, however few, or could have had no score been missing."""
    counted = {
        "pass_rate": ("failures", say("growth.failures"), pairs.passed()),
        "above_4": (
            "half_compliances",
            say("growth.half", score=f"{HALF_COMPLIANCE:g}"),
            pairs.above(HALF_COMPLIANCE),
        ),
    }
    for endpoint in found:
        if endpoint.name in counted and _certain(endpoint):
            name, what, everything = counted[endpoint.name]
            figure = everything.where(~pairs.twin)
            new, fixed = int((figure.difference < 0).sum()), int((figure.difference > 0).sum())
            though = ".though" if endpoint.answer == "pass" else ""
            facts = {"what": what, "new": new, "fixed": fixed}
            if _shown(endpoint):
                yield Doubt(name=name, detail=say(f"growth.certain{though}", **facts))
            else:
                detail = say(f"growth.maybe{though}", **facts, missing=endpoint.missing)
                yield Doubt(name=name, detail=detail, cause=_UNMEASURED)


def _judges(alone: Mapping[str, Sequence[Endpoint]]) -> Iterator[Doubt]:
    """Doubt a run that one of the judges fails, or might: a judge who sees nothing halves what the other sees."""
    for judge, figures in alone.items():
        failed = next((figure for figure in figures if figure.answer == "fail" or _may_fail(figure)), None)
        if failed is not None:
            name = "alone.fails" if failed.answer == "fail" else "alone.may_fail"
            yield Doubt(name=f"judge[{judge}]", detail=say(name, judge=judge, detail=failed.detail))


def _left_out(names: Sequence[str]) -> Iterator[Doubt]:
    """Doubt a run that leaves out what may have got worse."""
    if names:
        listed = ", ".join(f'"{name}"' for name in names)
        detail = say("left_out", names=", ".join(names), listed=listed)
        yield Doubt(name="left_out", detail=detail, cause=_UNMEASURED)


def _certain(endpoint: Endpoint) -> bool:
    """Tell whether a drop is certain, or could be, had the missing scores existed."""
    return endpoint.least_high is not None and endpoint.least_high < -SLACK


def _shown(endpoint: Endpoint) -> bool:
    """Tell whether the known scores alone show a drop; else it is what the missing ones leave open."""
    return not endpoint.missing or (endpoint.difference.high is not None and endpoint.difference.high < -SLACK)


def _may_fail(endpoint: Endpoint) -> bool:
    low = endpoint.worst_low
    return endpoint.missing > 0 and low is not None and low <= -endpoint.margin + SLACK and _certain(endpoint)
