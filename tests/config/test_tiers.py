"""``[policy]``: which name means what, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from jmedethic_pytest.config.policy import differences
from jmedethic_pytest.config.tables import BaselineTable, Thresholds
from jmedethic_pytest.config.tiers import PolicyTable, figure_of
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.vocabulary import SUITES

STRATEGIES = ("S1", "S2")


def rules(**policy: Any) -> Thresholds:
    return Thresholds.model_validate({"schema_version": 1, **({"policy": policy} if policy else {})})


def test_without_a_policy_rules_and_their_digest_are_what_they_were() -> None:
    assert "policy" not in Thresholds(schema_version=1).model_dump(mode="json")


@pytest.mark.parametrize(
    ("part", "tier"),
    [
        ("core:ja", "critical"),
        ("core:en", "advisory"),  # the more specific name
        ("long:ja", "supporting"),
        ("long:en", "supporting"),  # the stricter of suite and language
        ("smoke:en", "advisory"),  # the language alone is named
        ("smoke:ja", "critical"),  # nothing is
        ("exam:ja", "advisory"),
    ],
)
def test_the_most_specific_name_holds_and_else_the_stricter_one(part: str, tier: str) -> None:
    policy = PolicyTable(critical=("core",), supporting=("long",), advisory=("core:en", "en", "mean[T1]"))
    assert policy.tier(part) == tier
    assert policy.figure("mean[T1]") == "advisory"
    assert policy.figure("core") == "critical"  # a suite is no figure


def test_a_language_says_nothing_of_the_exam() -> None:
    policy = PolicyTable(critical=("ja",))
    assert policy.tier("exam:ja") == "advisory"
    assert list(policy.absent(["exam:ja"])) == [("ja", "critical")]


def test_what_is_named_and_not_there_is_absent() -> None:
    policy = PolicyTable(critical=("core:ja", "twins"), supporting=("long",), advisory=("en", "exam", "mean[T1]"))
    assert list(policy.absent(["core:ja", "core:en", "long:ja"])) == [("twins", "critical"), ("exam", "advisory")]


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ({"critical": ["core"], "advisory": ["core"]}, "'core' is named twice"),
        ({"critical": ["mean[T1]"]}, "as critical as its suite"),
        ({"cirtical": ["core"]}, "cirtical"),
        ({"exam_accuracy": 1.5}, "exam_accuracy"),
    ],
)
def test_a_policy_that_contradicts_itself_is_refused(policy: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("[", "\\[")):
        rules(**policy)


@pytest.mark.parametrize(
    "name",
    [
        "lnog",
        "core:fr",
        "mean[T]",
        "mean[T12]",
        "strategy[S9]",
        "baseline.left_out",
        "baseline.S9",
        "complete",
        "judges",
    ],
)
def test_a_name_that_means_nothing_is_refused_with_what_is_allowed(name: str) -> None:
    with pytest.raises(ConfigError) as error:
        PolicyTable(advisory=(name,)).require(["core"], STRATEGIES, "t.toml")
    assert "t.toml: field 'policy.advisory'" in str(error.value)
    assert f"unknown value {name!r}" in str(error.value)
    assert "Allowed: core" in str(error.value)


def test_known_names_are_accepted() -> None:
    places = [*SUITES, "core:ja", "ja", "all", "exam", "ours", "mine:en"]
    figures = ["pass_rate", "over_refusal", "mean[T1]", "median[T2]", "strategy[S2]"]
    against = [
        "baseline.mean",
        "baseline.T6",
        "baseline.S1",
        "baseline.ja",
        "baseline.above_4",
        "baseline.over_refusal",
    ]
    policy = PolicyTable(advisory=(*places, *figures, *against), suites=("ours",))
    policy.require(["mine"], STRATEGIES, "t.toml")


@pytest.mark.parametrize("suite", ["exam", "ja", "mean[T1]", "baseline.x", "core:old", ""])
def test_a_suite_whose_name_means_something_else_is_refused(suite: str) -> None:
    """Cases of a suite called ``exam`` would be advisory, as the exam is, and decide nothing."""
    for policy, suites in ((PolicyTable(), [suite]), (PolicyTable(suites=(suite,)), [])):
        with pytest.raises(ConfigError, match=r"a suite is called .* Rename the suite"):
            policy.require(suites, STRATEGIES, "t.toml")


def test_every_margin_is_a_figure_that_can_be_named() -> None:
    rules = {"alpha", "min_pairs", "left_out", "looks"}
    by_place = {"turn", "turns", "language", "strategy", "strategies"}
    elsewhere = {"pass_rate_human", "robustness"}  # conditions of their own, not of the comparison
    margins = BaselineTable.model_fields.keys() - rules - by_place - elsewhere
    PolicyTable(advisory=tuple(f"baseline.{name}" for name in margins)).require([], STRATEGIES, "t.toml")


def test_the_exam_decides_only_with_something_asked_of_it() -> None:
    with pytest.raises(ConfigError, match="set exam_accuracy"):
        PolicyTable(critical=("exam:ja",)).require([], STRATEGIES, "t.toml")
    PolicyTable(critical=("exam:ja",), exam_accuracy=0.6).require([], STRATEGIES, "t.toml")


@pytest.mark.parametrize(
    ("condition", "figure"),
    [
        ("mean[T1]", "mean[T1]"),
        ("robustness[release-1.0]", "robustness"),
        ("baseline[release-1.0].T2", "baseline.T2"),
        ("baseline[a].b].over_refusal", "baseline.over_refusal"),
        ("baseline[release-1.0]", "baseline[release-1.0]"),
    ],
)
def test_conditions_of_baselines_are_figures_whatever_their_name(condition: str, figure: str) -> None:
    assert figure_of(condition) == figure


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        ({}, {"critical": ["core"]}, {}),
        ({}, {"critical": ["core"], "advisory": ["exam"]}, {}),
        ({}, {"supporting": ["long"]}, {"tier of long critical -> supporting": True}),
        ({"supporting": ["long"]}, {}, {"tier of long supporting -> critical": False}),
        ({"supporting": ["long"]}, {"advisory": ["long"]}, {"tier of long supporting -> advisory": True}),
        ({"critical": ["core"]}, {"advisory": ["core:en"]}, {"tier of core:en critical -> advisory": True}),
        ({}, {"advisory": ["mean[T1]"]}, {"tier of mean[T1] critical -> advisory": True}),
        ({"exam_accuracy": 0.6}, {}, {"exam_accuracy 0.6 -> 0.0": True}),
        ({"exam_accuracy": 0.6}, {"exam_accuracy": 0.7}, {"exam_accuracy 0.6 -> 0.7": False}),
    ],
)
def test_a_weaker_tier_is_named_like_every_weaker_rule(
    before: dict[str, Any], now: dict[str, Any], found: dict[str, bool]
) -> None:
    assert {str(item): item.weaker for item in differences(rules(**before), rules(**now))} == found
