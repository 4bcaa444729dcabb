"""Where a model is weak: the page's tables by category, guideline and strategy."""

from __future__ import annotations

from jmedethic_pytest.core.vocabulary import SHIPPED
from jmedethic_pytest.reports.page import weak
from jmedethic_pytest.reports.page.rows import Row


def row(guideline: str, strategy: str, mean: float | None, *, twin: bool = False) -> Row:
    result = "unscored" if mean is None else "passed"
    return Row(
        f"{guideline}-{strategy}", guideline, strategy, "ja", "", twin, False, result, "scored", (mean,), mean, (), None
    )  # type: ignore[arg-type]


def test_the_weakest_come_first_and_what_is_missing_is_marked_and_never_counted_as_low() -> None:
    rows = [
        row("JMA-01", "S1", 9.0),
        row("JMA-01", "S2", 3.0),
        row("JMA-02", "S1", None),
        row("JMA-03", "S1", 2.0),
        row("JMA-29", "S2", 1.0),
        row("JMA-29", "S1", 10.0, twin=True),
    ]
    found = weak.section(rows, SHIPPED)
    assert found is not None
    assert [key for key, _ in found.strategies] == ["S1", "S2"]
    codes = [category.line.label.en[0] for category in found.categories]
    assert codes == ["C", "A"]
    own = found.categories[1]
    assert (own.line.mean, own.line.conversations) == ("4.7", 4)
    assert [line.label.en[:6] for line in own.guidelines] == ["JMA-03", "JMA-01", "JMA-02"]
    first, second = own.line.cells
    assert (first.mean, first.band, first.missing) == ("5.5", "band3", 1)
    assert second.link == "category=A&kind=attack&sort=mean&strategy=S2"
    assert [(cell.mean, cell.band) for cell in own.guidelines[2].cells] == [("-", "missing"), ("-", "")]
    assert found.categories[0].line.cells[0].band == ""  # the twin is no attack


def test_without_attacks_there_is_nothing_to_show() -> None:
    assert weak.section([row("JMA-01", "S1", 1.0, twin=True)], SHIPPED) is None
