"""A place that dropped, and what its own figure says of that with its margin."""

from __future__ import annotations

from typing import Any

import pytest

from jmedethic_pytest.core.vocabulary import SHIPPED
from jmedethic_pytest.reports.page import compared
from jmedethic_pytest.reports.terminal.comparison import comparison_lines


@pytest.mark.parametrize(
    ("answer", "told"),
    [("fail", ""), ("inconclusive", " (inconclusive with its margin)"), ("pass", " (within its margin)")],
)
def test_listed_place_says_if_its_figure_does_not_fail(mixed: Any, answer: str, told: str) -> None:
    record = mixed.outcome.comparisons[0]
    own = record.endpoints[0].model_copy(update={"name": "S1", "answer": answer})
    record = record.model_copy(update={"endpoints": (*record.endpoints, own)})
    line = next(line for line in comparison_lines(record) if line.startswith("    S1 "))
    assert line.endswith(f" -1.00{told}")
    label = compared.place(record.regressed[0], record, SHIPPED).label
    assert label.en.endswith(f"Simulation{told}")
    assert label.ja.endswith("）") == bool(told)
