"""The simulation of a cluster behind docs/explanation/scale.md: nothing is lost, and the same seed says the same."""

from __future__ import annotations

from pathlib import Path

from support import forked

PERF = Path(__file__).parents[2] / "perf"
PAGE = PERF.parent / "docs" / "explanation" / "scale.md"


def rows(text: str) -> list[list[str]]:
    """Return the rows of the table of nodes."""
    lines = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("| ") and line.count("|") == 10]
    return [[cell.strip() for cell in line] for line in lines][1:]


def test_simulation_in_its_quick_form(tmp_path: Path) -> None:
    before = PAGE.read_bytes()
    command = (str(PERF / "scale.py"), "--runs=2", "--conversations=1500")
    done = [forked.run("python", *command, folder=tmp_path).stdout for _ in range(2)]
    assert done[0] == done[1], "the same seed"
    assert "| together | 13,165,740 |" in done[0]
    assert PAGE.read_bytes() == before
    found = rows(done[0])
    assert [row[0] for row in found] == [row[0] for row in rows(before.decode())]
    hours = [float(row[3]) for row in found]
    assert hours == sorted(hours, reverse=True), "more nodes are never slower"
    assert all(float(row[6].rstrip("%")) <= float(row[7].rstrip("%")) for row in found), "kept replies are a gain"


def test_page_has_a_merged_run_that_is_equal() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert "of the merged run are those of the undivided run, to the byte" in page
    assert "Verdicts, figures and gate of the merged run are equal to the undivided run's." in page
