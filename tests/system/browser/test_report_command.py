"""``jmedethic report`` and the files of a run: what is written, and what is said when it cannot be."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from jmedethic_pytest.cli.main import main
from jmedethic_pytest.core.records import Verdict
from jmedethic_pytest.gate.outcome import load
from jmedethic_pytest.reports import files
from jmedethic_pytest.store import baselines as baseline_files
from jmedethic_pytest.store import runs as run_files
from support.browsing import leave

if TYPE_CHECKING:
    from playwright.sync_api import Page

Make = Callable[..., Verdict]
Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Call the command in the folder that holds the made runs; return exit status and output."""
    monkeypatch.chdir(tmp_path)

    def call(*args: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["jmedethic", "report", *args, f"--reports={tmp_path}"])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return int(ended.value.code or 0), captured.out, captured.err

    return call


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the plots out: they are tested elsewhere, and take seconds."""
    monkeypatch.setattr("jmedethic_pytest.reports.plots.write", lambda *_: {})


def full_disk(*_: Any) -> NoReturn:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_stored_run_gets_its_page_tables_and_plots(
    make_run: Callable[..., Path], made_verdict: Make, cli: Cli
) -> None:
    path = make_run([made_verdict(number, 9.0, 8.0, 1.0) for number in range(8)])
    before = (path / "run.json").read_bytes()
    status, out, err = cli("made")
    assert (status, out.replace("\n", ""), err) == (0, str(path / "report.html"), "")
    assert "en-made-0" not in (path / "report.html").read_text(encoding="utf-8").split('id="rows"')[1]
    assert list((path / "tables").glob("*.csv"))
    assert list((path / "plots").glob("*.png"))
    assert (path / "run.json").read_bytes() == before


@pytest.mark.usefixtures("no_pictures")
def test_another_baseline_than_that_of_the_run(
    make_run: Callable[..., Path],
    made_verdict: Make,
    cli: Cli,
    tmp_path: Path,
    visit: Callable[..., Page],
    audit: Callable[[Page], list[str]],
) -> None:
    old = make_run([made_verdict(number, 9.0, 9.0, reply="the old reply") for number in range(40)], name="old")
    baseline_files.record(tmp_path, "release", old)
    new = make_run(
        [made_verdict(number, 9.0, 1.0 if number % 2 else 9.0, reply="the new reply") for number in range(40)],
        name="new",
    )
    status, _, err = cli("new", "--baseline=release")
    assert (status, err) == (0, "")
    tab = visit(new / "report.html", "#result=regressed")
    assert "20 of 40" in tab.locator("#count").inner_text()
    verdict = tab.locator("#verdict").inner_text()
    assert "It regressed against the baseline release. Mean: 9.00 → 7.00, a difference of -2.00 (95%" in verdict
    assert "turn 2 -4.00" in verdict
    section = tab.locator("#baseline").inner_text()
    assert "Against the baseline release" in section
    assert "New failures: 20" in section
    assert "-50.0 pp" in section
    assert "T1: 9.0 → 1.0" in section
    assert audit(tab) == []
    tab.locator("#baseline li a").first.click()
    tab.locator("#fold").click()
    assert tab.locator("dialog .pair .bubble").all_text_contents() == ["the old reply", "the new reply"] * 2
    assert audit(tab) == []
    tab.set_viewport_size({"width": 390, "height": 800})
    assert tab.evaluate("document.querySelector('dialog').scrollWidth") <= 390
    leave(tab)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tab.reload()
    tab.wait_for_selector("html[data-ready]", state="attached")
    assert not tab.locator("#comparison-1").is_visible()  # long parts are folded on a phone ...
    assert tab.evaluate("document.documentElement.scrollHeight") < 9000
    tab.evaluate("location.hash = '#baseline'")
    tab.locator("#comparison-1").wait_for(state="visible")  # ... and open where a link leads


def test_unknown_runs_and_baselines_are_named(make_run: Callable[..., Path], made_verdict: Make, cli: Cli) -> None:
    make_run([made_verdict(0, 9.0)])
    status, out, err = cli("mode")
    assert (status, out) == (6, "")
    assert "'mode' is no stored run" in err
    assert "made" in err
    status, out, err = cli("made", "--baseline=relaese")
    assert (status, out) == (4, "")
    assert "relaese" in err


def test_a_full_disk_is_an_error_of_the_command(
    make_run: Callable[..., Path], made_verdict: Make, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_run([made_verdict(0, 9.0)])
    monkeypatch.setattr("jmedethic_pytest.reports.plots.write", full_disk)
    status, _, err = cli("made")
    assert status == 6
    assert "plots could not be written" in err
    assert "No space left on device" in err
    assert (path / "report.html").is_file()


def test_a_full_disk_costs_a_run_its_reports_and_nothing_else(
    make_run: Callable[..., Path], made_verdict: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = load(make_run([made_verdict(number, 9.0, 9.0) for number in range(40)]))
    kept = run_files.RunStore(tmp_path, "again")
    for verdict in run_files.read_verdicts(made.path):
        kept.append(verdict)
    for writer in ("tables.write", "plots.write", "page.write"):
        monkeypatch.setattr(f"jmedethic_pytest.reports.{writer}", full_disk)
    files.write(replace(made, path=kept.path), kept)
    outcome = files.draw(replace(made, path=kept.path), kept)
    kept.close()
    for what in ("tables", "plots", "report.html"):
        assert f"{what} could not be written (" in outcome.info.note
    assert "jmedethic report made" in outcome.info.note
    assert outcome.gate == made.gate
    assert run_files.read_info(kept.path).note == outcome.info.note
    assert (kept.path / "gate.json").is_file()


def test_without_reports_only_the_figures_are_written(
    make_run: Callable[..., Path], made_verdict: Make, tmp_path: Path
) -> None:
    made = load(make_run([made_verdict(0, 9.0)]))
    kept = run_files.RunStore(tmp_path, "again")
    files.write(replace(made, path=kept.path), kept)
    kept.close()
    names = {path.name for path in kept.path.iterdir()}
    assert {"run.json", "summary.json", "summary.md", "gate.json"} <= names
    assert names.isdisjoint({"report.html", "tables", "plots"})
