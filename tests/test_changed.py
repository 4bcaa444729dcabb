"""Which tests ``make quick`` takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.changed import ROOT, UNITS, chosen, covering

PACKAGE = ROOT / "jmedethic_pytest"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("jmedethic_pytest/cases/checks/separability.py", ["tests/cases/checks/test_separability.py"]),
        ("jmedethic_pytest/cases/checks/ngrams.py", ["tests/cases/checks"]),
        ("jmedethic_pytest/reports/page/view.py", ["tests/system/browser/test_reading.py"]),
        ("jmedethic_pytest/cli/prices.py", ["tests/system/cli/test_prices.py"]),
        ("jmedethic_pytest/cli/generate/stages.py", ["tests/system/cli"]),
        ("jmedethic_pytest/pytest_plugin/session.py", ["tests/system/plugin/test_modes.py"]),
        ("docs/how-to/report.md", ["tests/system/docs/test_docs.py"]),
        ("docs/how-to/extend.md", ["tests/system/docs/test_docs.py", "tests/system/docs/test_extend.py"]),
        ("tests/gate/test_conditions.py", ["tests/gate/test_conditions.py"]),
        ("tests/stats/golden.json", ["tests/stats"]),
        ("tests/gate/test_that_was_deleted.py", []),
        ("tests/support/project.py", []),
        ("pyproject.toml", []),
        ("README.md", []),
    ],
)
def test_a_changed_file_leads_to_its_tests(path: str, expected: list[str]) -> None:
    assert covering(path) == expected


def test_every_room_has_tests() -> None:
    """A room without any would be changed with ``make quick`` silent about it."""
    rooms = [path.name for path in PACKAGE.iterdir() if any(path.glob("*.py")) and path.name != "data"]
    assert [room for room in sorted(rooms) if not covering(f"jmedethic_pytest/{room}/any.py")] == []


def test_units_always_run_and_nothing_runs_twice() -> None:
    assert chosen([]) == sorted(UNITS)
    assert chosen(["tests/gate/test_conditions.py", "jmedethic_pytest/gate/outcome.py"]) == sorted(UNITS)
    assert all((ROOT / Path(unit)).exists() for unit in UNITS)
