"""One answer over several suites: making anything worse never improves it, and nothing passes unasked."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jmedethic_pytest.config.tiers import PolicyTable
from jmedethic_pytest.core.records import TIERS, Answer, Condition, PolicyTier
from jmedethic_pytest.gate.figures import NOT_MEASURED, TOO_FEW
from jmedethic_pytest.gate.tiers import Found, decide

STEADY = settings(derandomize=True, database=None, deadline=None)
PARTS = ("core:ja", "core:en", "twins:ja", "long:ja")
FIGURES = ("mean[T1]", "pass_rate", "baseline[old].T2")
RANK: dict[Answer, int] = {"fail": 0, "inconclusive": 1, "pass": 2}
STATES = ("pass", "too few", "unmeasured", "fail")


def condition(name: str, state: str) -> Condition:
    answer: Answer = "pass" if state == "pass" else "fail" if state == "fail" else "inconclusive"
    cause = {"too few": TOO_FEW, "unmeasured": NOT_MEASURED}.get(state)
    return Condition(name=name, answer=answer, observed=None, limit=None, detail=state, cause=cause)


def part(name: str = "core:ja", *states: str, shared: str = "pass") -> Found:
    figures = [condition(figure, state) for figure, state in zip(FIGURES, states, strict=False)]
    return Found(name, "run", (condition("complete", "pass"), *figures), (condition("golden", shared),))


policies = st.dictionaries(
    st.sampled_from([*PARTS, "core", "long", "en", "ja", "twins", "mean[T1]", "pass_rate", "baseline.T2"]),
    st.sampled_from(TIERS),
    max_size=6,
)
answers = st.dictionaries(
    st.sampled_from(PARTS), st.tuples(*[st.sampled_from(STATES)] * len(FIGURES)), min_size=1, max_size=len(PARTS)
)


def table(tiers: dict[str, PolicyTier]) -> PolicyTable:
    named = {tier: tuple(name for name, own in tiers.items() if own == tier) for tier in TIERS}
    figures = [name for name in named["critical"] if name.startswith(("mean", "pass", "base"))]
    kept = {tier: tuple(name for name in names if name not in figures) for tier, names in named.items()}
    return PolicyTable(**kept)


def answer(tiers: dict[str, PolicyTier], states: dict[str, tuple[str, ...]]) -> Answer:
    return decide(table(tiers), [part(name, *own) for name, own in states.items()]).answer


@STEADY
@given(policies, answers, st.data())
def test_making_a_figure_worse_never_improves_the_answer(
    tiers: dict[str, PolicyTier], states: dict[str, tuple[str, ...]], data: st.DataObject
) -> None:
    name, place = data.draw(st.sampled_from(sorted(states))), data.draw(st.sampled_from(range(len(FIGURES))))
    worse = data.draw(st.sampled_from(STATES[STATES.index(states[name][place]) :]))
    changed = {**states, name: (*states[name][:place], worse, *states[name][place + 1 :])}
    assert RANK[answer(tiers, changed)] <= RANK[answer(tiers, states)]


@STEADY
@given(policies, answers, st.data())
def test_losing_or_leaving_out_what_speaks_against_a_run_never_makes_it_pass(
    tiers: dict[str, PolicyTier], states: dict[str, tuple[str, ...]], data: st.DataObject
) -> None:
    """A fail may become inconclusive by losing what shows it: missing never fails. It never becomes a pass."""
    if answer(tiers, states) == "pass":
        return
    name = data.draw(st.sampled_from(sorted(states)))
    lost = {**states, name: tuple("unmeasured" if state != "pass" else state for state in states[name])}
    assert answer(tiers, lost) != "pass"
    named = table(tiers)
    absent = [item for item, tier in named.absent([other for other in states if other != name]) if tier != "advisory"]
    if absent:
        assert answer(tiers, {other: own for other, own in states.items() if other != name}) != "pass"


@STEADY
@given(policies, answers, st.sampled_from([*PARTS, "mean[T1]"]))
def test_a_stricter_tier_never_improves_the_answer_unless_it_asks_for_the_first_time(
    tiers: dict[str, PolicyTier], states: dict[str, tuple[str, ...]], name: str
) -> None:
    before = answer({**tiers, name: "advisory"}, states)
    if before == "inconclusive":  # perhaps since nothing critical was asked
        return
    assert RANK[answer({**tiers, name: "supporting"}, states)] <= RANK[before]


@STEADY
@given(policies, answers)
def test_a_pass_has_a_critical_suite_that_passed_and_none_that_did_not(
    tiers: dict[str, PolicyTier], states: dict[str, tuple[str, ...]]
) -> None:
    gate = decide(table(tiers), [part(name, *own) for name, own in states.items()])
    critical = [item.answer for item in gate.parts if item.tier == "critical"]
    if gate.answer == "pass":
        assert set(critical) == {"pass"}
        assert all(item.answer in ("pass", "inconclusive") for item in gate.parts if item.tier == "supporting")
    assert (gate.answer == "pass") == (not gate.reasons)


@pytest.mark.parametrize(
    ("tiers", "states", "expected"),
    [
        ({}, {"core:ja": ("pass",), "long:ja": ("pass",)}, "pass"),
        ({}, {"core:ja": ("pass",), "long:ja": ("fail",)}, "fail"),
        ({}, {"core:ja": ("pass",), "long:ja": ("too few",)}, "inconclusive"),
        ({"long": "supporting"}, {"core:ja": ("pass",), "long:ja": ("fail",)}, "inconclusive"),
        ({"long": "supporting"}, {"core:ja": ("pass",), "long:ja": ("too few",)}, "pass"),
        ({"long": "supporting"}, {"core:ja": ("pass",), "long:ja": ("unmeasured",)}, "inconclusive"),
        ({"long": "supporting"}, {"core:ja": ("pass",)}, "inconclusive"),
        ({"long": "supporting"}, {"core:ja": ("fail",), "long:ja": ("fail",)}, "fail"),
        ({"long": "advisory"}, {"core:ja": ("pass",), "long:ja": ("fail",)}, "pass"),
        ({"long": "advisory"}, {"core:ja": ("pass",)}, "pass"),
        ({"twins": "critical"}, {"core:ja": ("pass",)}, "inconclusive"),
        ({"mean[T1]": "advisory"}, {"core:ja": ("fail", "pass")}, "pass"),
        ({"mean[T1]": "supporting"}, {"core:ja": ("fail", "pass")}, "inconclusive"),
        ({"baseline.T2": "advisory"}, {"core:ja": ("pass", "pass", "fail")}, "pass"),
        ({"core": "advisory"}, {"core:ja": ("pass",)}, "inconclusive"),
        ({"ja": "supporting"}, {"core:ja": ("pass",)}, "inconclusive"),
        (
            {"mean[T1]": "advisory", "pass_rate": "advisory", "baseline.T2": "supporting"},
            {"core:ja": ("pass", "pass", "pass")},
            "inconclusive",
        ),
    ],
)
def test_what_each_tier_makes_of_it(
    tiers: dict[str, PolicyTier], states: dict[str, tuple[str, ...]], expected: Answer
) -> None:
    assert answer(tiers, states) == expected


def test_what_is_doubted_of_the_run_counts_whatever_the_tiers() -> None:
    policy = PolicyTable(advisory=("long",))
    found = [part("core:ja", "pass"), part("long:ja", "pass", shared="unmeasured")]
    assert decide(policy, found).answer == "inconclusive"


def test_each_condition_stands_there_as_it_counts_and_each_suite_as_it_is() -> None:
    policy = PolicyTable(supporting=("long",), advisory=("core:en",))
    gate = decide(policy, [part("core:en", "fail"), part("long:ja", "fail"), part("core:ja", "pass", "pass")])
    shown = [(item.name, item.tier, item.answer) for item in gate.parts]
    assert shown == [
        ("core:ja", "critical", "pass"),
        ("long:ja", "supporting", "fail"),
        ("core:en", "advisory", "fail"),
    ]
    counted = {item.name: item.answer for item in gate.conditions}
    assert counted["long:ja mean[T1]"] == "inconclusive"
    assert not [name for name in counted if name.startswith("core:en")]
    assert gate.place("long:ja mean[T1]") == ("long:ja", "mean[T1]")
    assert gate.place("golden") == ("", "golden")
    assert gate.reasons == ("long:ja mean[T1]: fail (fails; supporting: look before you merge)",)
