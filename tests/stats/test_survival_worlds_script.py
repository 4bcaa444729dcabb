"""The simulation behind the figures of long conversations runs, and what is published holds what is promised."""

from __future__ import annotations

from pathlib import Path

from support import forked

PERF = Path(__file__).parents[2] / "perf"
PAGE = PERF.parent / "docs" / "explanation" / "long-conversations.md"


def tables(text: str) -> list[list[list[str]]]:
    """Return the cells of every table, without their heads."""
    found = []
    for part in text.split("\n**")[1:]:
        lines = [line for line in part.splitlines() if line.startswith("|")]
        found.append([[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:]])
    return found


def percent(cell: str) -> float:
    return float(cell.removesuffix("%"))


def published() -> str:
    page = PAGE.read_text(encoding="utf-8")
    return page.split("<!-- measured: written by perf/survival_worlds.py -->")[1].split("<!-- /measured -->")[0]


def test_a_few_runs_print_the_tables_and_leave_the_page_alone(tmp_path: Path) -> None:
    before = PAGE.read_bytes()
    done = forked.run("python", str(PERF / "survival_worlds.py"), "--runs", "2", folder=tmp_path)
    assert done.returncode == 0, done.stdout
    assert [len(table) for table in tables(done.stdout)] == [len(table) for table in tables(published())]
    assert PAGE.read_bytes() == before


def test_published_errors_are_those_that_are_promised() -> None:
    coverage, plateau, ended, gate = tables(published())
    assert all(percent(cell) >= 92.5 for row in coverage for cell in row[3:6])
    at_the_limit = [row for row in plateau if row[3] == "2.0%"]
    assert len(at_the_limit) == 8
    assert all(max(percent(row[4]), percent(row[6])) <= 5 for row in at_the_limit)
    by_chance, *pulled = ended
    assert percent(by_chance[5]) <= 6.5
    assert all(percent(row[5]) > 95 for row in pulled)
    assert all(percent(row[4]) > 95 for row in ended)
    assert all(percent(row[3]) <= 3.5 for row in gate)
