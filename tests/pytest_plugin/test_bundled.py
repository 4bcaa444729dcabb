"""Where ``--pyargs`` finds the bundled conversations."""

from __future__ import annotations

import pytest

from jmedethic_pytest.cases.files import bundled_dir
from jmedethic_pytest.pytest_plugin import bundled

NAME = "jmedethic_pytest.benchmark_cases"


@pytest.mark.skipif(bundled.find_spec(NAME) is not None, reason="an installed package finds them by itself")
def test_in_a_checkout_they_are_beside_the_package() -> None:
    assert bundled.place(NAME) == str(bundled_dir())
    file = bundled_dir() / "test_conversations.py"
    assert bundled.place(f"{NAME}.test_conversations::test_conversation") == f"{file}::test_conversation"


@pytest.mark.parametrize("other", ["tests", "jmedethic_pytest", f"{NAME}_of_mine", "mine.benchmark_cases", "a::b"])
def test_every_other_argument_stays(other: str) -> None:
    assert bundled.place(other) == other
