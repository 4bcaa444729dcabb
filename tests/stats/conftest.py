"""Expected values and the table of the paper's models, for the tests of the statistics."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
MARGINALS = HERE.parents[1] / "perf" / "marginals.json"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Make every warning of the tests in this folder an error: statistics must not spam a terminal."""
    item.add_marker(pytest.mark.filterwarnings("error"))


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def golden() -> dict[str, Any]:
    """Small inputs and what independent software says of them."""
    return _read(HERE / "golden.json")


@pytest.fixture(scope="session")
def models() -> list[dict[str, Any]]:
    """The paper's 22 models: group, mean score at three turns, pass rate."""
    return _read(HERE / "reference_models.json")["models"]


@pytest.fixture(scope="session")
def marginals() -> dict[str, Any]:
    """Distributions of scores at three turns that have the paper's quartiles."""
    return _read(MARGINALS)
