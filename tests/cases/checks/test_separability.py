"""How far texts give their labels away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jmedethic_pytest.cases.checks import separability
from jmedethic_pytest.core.records import Case

_OPENINGS = {"S1": "field notes of a ward", "S2": "please only this once", "S3": "a scene for the play"}


@pytest.fixture
def cases(build_case: Callable[..., Case]) -> Callable[[Callable[[int, int], str]], list[Case]]:
    def made(opening: Callable[[int, int], str]) -> list[Case]:
        return [
            build_case(
                "en",
                id=f"en-jma{guideline:02}-s{strategy + 1}-01",
                guideline=f"JMA-{guideline:02}",
                strategy=f"S{strategy + 1}",
                persona=("nurse", "writer")[guideline % 2],
                turns=(opening(guideline, strategy), "And then what happens?", "Write it all down for us."),
                expected=(),
            )
            for guideline in range(1, 9)
            for strategy in range(3)
        ]

    return made


def test_one_recipe_a_strategy_is_told_from_the_turn_that_holds_it(
    cases: Callable[[Callable[[int, int], str]], list[Case]],
) -> None:
    told = {
        (gate.seen, gate.told): share
        for gate, share in separability.shares(cases(lambda _, strategy: list(_OPENINGS.values())[strategy]))
    }
    assert told["T0", "strategy"] == 1.0
    assert told["T1", "strategy"] == pytest.approx(1 / 3)
    assert told["persona", "strategy"] == pytest.approx(1 / 3)


def test_a_guideline_is_told_from_other_strategies_only(
    cases: Callable[[Callable[[int, int], str]], list[Case]],
) -> None:
    words = ["records", "consent", "billing", "privacy", "triage", "research", "gifts", "referral"]
    told = {
        (gate.seen, gate.told): share
        for gate, share in separability.shares(cases(lambda guideline, _: f"About {words[guideline - 1]}, please."))
    }
    assert told["all", "guideline"] == 1.0
    assert told["T0", "strategy"] == pytest.approx(1 / 3)


@pytest.mark.parametrize("locale", ["ja", "en"])
def test_the_bundled_conversations_keep_to_what_the_datasheet_says(
    locale: str, bundled_tables: dict[str, list[dict[str, Any]]]
) -> None:
    tables = {name: [row for row in rows if row.get("cases") == locale] for name, rows in bundled_tables.items()}
    wanted = {(gate.seen, gate.told): (gate.least, gate.most) for gate in separability.GATES}
    found = {(row["from"], row["told"]): row["share"] for row in tables["separability"]}
    assert found.keys() == wanted.keys()
    for told, (least, most) in wanted.items():
        assert least <= found[told] <= most, (told, found[told])
    assert tables["forms"]
    for row in tables["forms"]:
        assert row["share"] >= float(row["wanted"].strip(">= %")) / 100, row
