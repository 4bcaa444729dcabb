"""Which tests ``make quick`` takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.changed import ROOT, UNITS, chosen, covering

PACKAGE = ROOT / "jmedethic_pytest"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("jmedethic_pytest/cases/files.py", "tests/cases"),
        ("jmedethic_pytest/cases/checks/turns.py", "tests/cases/checks"),
        ("jmedethic_pytest/reports/page/view.py", "tests/reports"),
        ("jmedethic_pytest/cli/generate/stages.py", "tests/system/cli"),
        ("jmedethic_pytest/pytest_plugin/session.py", "tests/system/plugin"),
        ("docs/how-to/report.md", "tests/system/docs"),
        ("tests/gate/test_conditions.py", "tests/gate/test_conditions.py"),
        ("tests/stats/golden.json", "tests/stats"),
        ("tests/gate/test_that_was_deleted.py", None),
        ("tests/support/project.py", None),
        ("pyproject.toml", None),
        ("README.md", None),
    ],
)
def test_a_changed_file_leads_to_its_tests(path: str, expected: str | None) -> None:
    assert covering(path) == expected


def test_every_room_has_tests() -> None:
    """A room without any would be changed with ``make quick`` silent about it."""
    rooms = [path.name for path in PACKAGE.iterdir() if any(path.glob("*.py")) and path.name != "data"]
    assert [room for room in sorted(rooms) if covering(f"jmedethic_pytest/{room}/any.py") is None] == []


def test_units_always_run_and_nothing_runs_twice() -> None:
    assert chosen([]) == sorted(UNITS)
    assert chosen(["tests/gate/test_conditions.py", "jmedethic_pytest/gate/outcome.py"]) == sorted(UNITS)
    assert all((ROOT / Path(unit)).exists() for unit in UNITS)
