"""The simulation behind the published error rates runs, is seeded, and writes where it says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from jmedethic_pytest.analysis.imputation import Side
from jmedethic_pytest.analysis.noninferiority.bounds import interval, reach
from jmedethic_pytest.analysis.noninferiority.pairs import Figure
from support import forked

PERF = Path(__file__).parents[2] / "perf"
PAGE = PERF.parent / "docs" / "explanation" / "statistics.md"


def calibrate(folder: Path) -> dict[str, object]:
    page = folder / "page.md"
    page.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    command = (str(PERF / "calibration.py"), "--quick", f"--page={page}", f"--json={folder / 'c.json'}")
    done = forked.run("python", *command, folder=folder)
    assert done.returncode == 0, done.stdout
    tables = [line for line in done.stdout.splitlines() if line.startswith("|")]
    assert len(tables) == 3 * 2 + 6 + 6 + 3
    assert all(line in page.read_text(encoding="utf-8").splitlines() for line in tables)
    return json.loads((folder / "c.json").read_text(encoding="utf-8"))


def test_calibration_in_its_quick_form(tmp_path: Path) -> None:
    """Forty runs cannot show 2.5 %, but they show a gate that is open or a simulation that is off."""
    found = calibrate(tmp_path)
    assert [(row["world"], row["cases"]) for row in found["margin"]] == [
        (world, cases) for world in ("fine-tune", "few falls") for cases in (67, 469, 2345)
    ]
    for row in found["margin"]:
        assert 0.1 < row["drop"]["mean"] < 0.5
        for key, share in row["false_pass"].items():
            assert share <= row["plain_t"][key], "the gate is never less strict than plain t"
            assert share <= 0.15
    for row in found["power"]:
        assert 0.55 < row["pass"] <= 1.0
        assert row["fail"] <= 0.15
    for row in found["coverage"]:
        assert min(row["covered"].values()) >= 0.75
        assert -0.5 < row["truth"]["difference"] < -0.1


def test_published_tables_are_those_of_a_full_run() -> None:
    """At the promised rates, give or take what the number of simulated runs allows."""
    page = PAGE.read_text(encoding="utf-8")
    published = page.split("<!-- measured: written by perf/calibration.py -->")[1].split("<!-- /measured -->")[0]
    assert "4,000 pairs of runs each" in published
    rows = [line for line in published.splitlines() if line.startswith(("| fine-tune", "| few falls"))]
    shares = [float(cell.split(" %")[0]) for row in rows for cell in row.split("|")[3:7]]
    assert len(shares) == 24
    assert max(shares) <= 3.1


def test_published_worlds_of_the_whole_gate_hold_their_promises() -> None:
    """What must not pass hardly ever does, give or take what the number of simulated runs allows."""
    published = PAGE.read_text(encoding="utf-8").split("<!-- measured: written by perf/gate_worlds.py -->")[1]
    lines = [line.split("|")[1:-1] for line in published.split("<!-- /measured -->")[0].splitlines() if "%" in line]
    rows = [[cell.strip() for cell in line] for line in lines if len(line) == 5]
    assert len(rows) > 20
    for world, promise, passed, _, failed in rows:
        if promise in ("no pass", "at most 2.5 % pass"):
            assert float(passed.rstrip("%")) <= 5.0, world
        if promise in ("97 % pass", "mostly pass"):
            assert float(passed.rstrip("%")) >= 95.0, world
        if promise == "at most 2.5 % fail":
            assert float(failed.rstrip("%")) <= 2.5, world


def test_without_missing_scores_the_gate_asks_for_the_same_bounds_twice() -> None:
    """So the simulation needs to compute them only once."""
    random = np.random.default_rng(0)
    before, now = random.integers(2, 21, size=(2, 469)) / 2
    figure = Figure(Side(before, before), Side(now, now), np.arange(469) % 67, np.arange(469), 9.0)
    found, bounds = interval(figure, 0.025), reach(figure, 0.025)
    assert (found.low, found.high) == pytest.approx((bounds.low, bounds.high))


def test_published_looks_save_what_they_promise_and_err_no_more_often() -> None:
    """A clear regression is stopped at the first look, an unchanged model costs all, and no false pass is added."""
    page = (PAGE.parent / "early-stop.md").read_text(encoding="utf-8")
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("| ")]
    rows = {row[0]: row[1:] for row in lines}
    assert rows["35 % of the cases fall"] == ["100.0% / 0.0% / 0.0%", "100.0% / 0.0% / 0.0%", "134", "71%"]
    for name in ("unchanged, good", "unchanged, noisy"):
        assert rows[name][-1] == "0%"
        assert float(rows[name][1].split("%")[0]) <= 2.5
    wrong = [row[1:] for row in lines if len(row) == 4 and row[1].endswith("%")]
    assert all(float(spent.rstrip("%")) <= 2.5 for _, spent, _ in wrong[:2])
    assert len(wrong) == 4  # in the others the order betrays what falls: the page says what that costs
