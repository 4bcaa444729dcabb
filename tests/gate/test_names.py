"""What a condition is called: no name ends a decision, and none is English where all else is Japanese."""

from __future__ import annotations

import pytest

from jmedethic_pytest.gate import names


@pytest.mark.parametrize(
    ("name", "japanese"),
    [
        ("core:ja run", "core:ja：実行の有無"),
        ("core:ja baseline[v1].persona[nurse]", "core:ja：ベースライン v1 との比較：看護師"),
        ("baseline", "baseline"),
        ("of a plugin[x]", "of a plugin[x]"),
        ("", ""),
    ],
)
def test_condition_is_called_by_its_name_in_english(name: str, japanese: str) -> None:
    assert names.condition(name) == name
    assert names.condition(name).ja == japanese
