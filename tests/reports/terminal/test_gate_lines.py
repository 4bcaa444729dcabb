"""The gate's answer fits on a screen, however many places a comparison names."""

from __future__ import annotations

from typing import Any

from jmedethic_pytest.core.records import Condition, Gate, PartAnswer
from jmedethic_pytest.reports.terminal.summary import gate_lines


def condition(name: str, answer: Any) -> Condition:
    return Condition(name=name, answer=answer, observed=None, limit=None, detail=f"detail of {name}")


def lines(*conditions: Condition, parts: tuple[PartAnswer, ...] = ()) -> list[str]:
    return [" ".join(line.split()) for line in gate_lines(Gate(answer="fail", conditions=conditions, parts=parts))]


def test_what_fails_comes_first_and_places_of_a_kind_share_a_line() -> None:
    found = lines(
        condition("mean[T1]", "inconclusive"),
        condition("pass_rate", "fail"),
        condition("mean[T0]", "pass"),
        *(condition(f"baseline[v1].{name}", "fail") for name in ("T2", "mean", "S1")),
        *(condition(f"baseline[v1].persona[p{number}]", "inconclusive") for number in range(40)),
        *(condition(f"baseline[v1].guideline[JMA-0{number}]", "inconclusive") for number in range(2)),
        condition("baseline[v1].category[A]", "inconclusive"),
        condition("baseline[v2]", "inconclusive"),
    )
    assert found == [
        "GATE: FAIL",
        "fail pass_rate detail of pass_rate",
        "fail baseline[v1] T2, mean, S1 (see above)",
        "inconclusive mean[T1] detail of mean[T1]",
        "inconclusive baseline[v2] detail of baseline[v2]",
        "inconclusive baseline[v1] persona p0, p1, p2, p3, p4 and 35 more (see above)",
        "inconclusive baseline[v1] guideline JMA-00, JMA-01 (see above)",
        "inconclusive baseline[v1].category[A] detail of baseline[v1].category[A]",
    ]


def test_suites_of_a_policy_are_folded_apart() -> None:
    parts = (PartAnswer(name="core:ja", tier="critical", answer="fail"),)
    names = (f"{part}baseline[v1].{place}" for part in ("core:ja ", "") for place in ("T1", "T2"))
    found = lines(*(condition(name, "fail") for name in names), parts=parts)
    assert found[2:] == ["fail core:ja baseline[v1] T1, T2 (see above)", "fail baseline[v1] T1, T2 (see above)"]


def test_pairs_of_judges_that_moved_apart_share_a_line() -> None:
    """In a panel of three one judge that moved differs from both others; a kind nobody foresaw ends no summary."""
    found = lines(
        *(condition(f"baseline[v1].judges[a, {other}]", "inconclusive") for other in "bc"),
        *(condition(f"baseline[v1].new_kind[{other}]", "inconclusive") for other in "bc"),
    )
    assert found[1:] == [
        "inconclusive baseline[v1] judges a, b, a, c (see above)",
        "inconclusive baseline[v1] new_kind b, c (see above)",
    ]
