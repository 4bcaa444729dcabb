"""Plots that an earlier run has: taken over where nothing differs, drawn where anything does."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from jmedethic_pytest import evaluate
from jmedethic_pytest.core import interface
from jmedethic_pytest.gate.outcome import Outcome
from jmedethic_pytest.reports import plots as pictures
from jmedethic_pytest.reports.plots import kept
from support.lazy import Lazy

style = Lazy("jmedethic_pytest.reports.plots.style")
OPTIONS: dict[str, Any] = {"suite": "smoke", "sample": 7, "locale": "en"}


class Kept(NamedTuple):
    """A folder of reports with one run, and which plots were drawn for it."""

    reports: Path
    run: str
    drawn: list[str]

    @property
    def path(self) -> Path:
        return self.reports / "runs" / self.run


@pytest.fixture(scope="module")
def drawn() -> Iterator[list[str]]:
    """The plots that are drawn, by name; of every run only that over the turns is: what is kept is kept together."""
    found: list[str] = []
    save, every = style.save, pictures._plots

    def noted(folder: Path, name: str, picture: Any) -> Any:
        found.append(name)
        return save(folder, name, picture)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jmedethic_pytest.reports.plots.style.save", noted)
        patch.setattr(pictures, "_plots", lambda *run: (plot for plot in every(*run) if plot[0] == "turns"))
        yield found


@pytest.fixture(scope="module")
def first_run(drawn: list[str], tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """A run that each test has a copy of."""
    reports = tmp_path_factory.mktemp("kept")
    drawn.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(interface.VARIABLE, "")
        outcome = evaluate("demo:aligned", reports=reports, **OPTIONS)
    assert drawn == ["turns"]
    return Kept(reports, outcome.path.name, list(drawn))


@pytest.fixture
def first(first_run: Kept, tmp_path: Path) -> Kept:
    shutil.copytree(first_run.reports, tmp_path, symlinks=True, dirs_exist_ok=True)
    return first_run._replace(reports=tmp_path)


@pytest.fixture
def run(drawn: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Outcome, list[str]]]:
    """Evaluate a demo model, and return what became of it and which plots were drawn for it."""
    monkeypatch.setenv(interface.VARIABLE, "")

    def evaluated(model: str = "demo:aligned", **changes: Any) -> tuple[Outcome, list[str]]:
        drawn.clear()
        outcome = evaluate(model, reports=tmp_path, **OPTIONS | changes)
        assert not outcome.info.note
        return outcome, list(drawn)

    return evaluated


def plots(run: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted((run / "plots").iterdir())}


def test_the_same_run_again_takes_the_plots_that_are_there(
    first: Kept, run: Callable[..., tuple[Outcome, list[str]]]
) -> None:
    again, anew = run()
    assert not anew
    assert again.path.name != first.run
    assert plots(again.path) == plots(first.path)
    assert 'id="turns-' in (again.path / "report.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("first")
def test_whatever_differs_is_drawn(
    run: Callable[..., tuple[Outcome, list[str]]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text("schema_version = 1\n[gate]\npass_rate = 1.0\n", encoding="utf-8")
    for changes in ({"model": "demo:eroding"}, {"seed": 3}, {"thresholds": rules}, {"locale": "ja"}):
        assert run(**changes)[1], changes
    assert not run()[1]
    monkeypatch.setenv(interface.VARIABLE, "ja")
    assert run()[1], "in Japanese"
    monkeypatch.setenv(interface.VARIABLE, "")
    monkeypatch.setattr(kept, "_code", lambda: "another version")
    assert run()[1]


@pytest.mark.parametrize("harm", ["changed", "gone", "elsewhere", "no name", "no JSON", "another form"])
def test_plots_that_are_not_as_they_were_drawn_are_drawn_anew(
    first: Kept, run: Callable[..., tuple[Outcome, list[str]]], harm: str, tmp_path: Path
) -> None:
    whole, picture, notes = plots(first.path), first.path / "plots" / "turns.png", tmp_path / kept.NAME
    if harm == "changed":
        picture.write_bytes(picture.read_bytes() + b" ")
    elif harm == "gone":
        picture.unlink()
    elif harm == "elsewhere":
        notes.write_text(notes.read_text(encoding="utf-8").replace("turns.png", "../turns.png"), encoding="utf-8")
        (first.path / "turns.png").write_bytes(whole["turns.png"])
    elif harm == "no name":
        notes.write_text(notes.read_text(encoding="utf-8").replace(first.run, "x/y"), encoding="utf-8")
    else:
        notes.write_text("{" if harm == "no JSON" else '{"a": 1}', encoding="utf-8")
    again, anew = run()
    assert anew == first.drawn
    assert plots(again.path) == whole
    assert not run()[1], "and are known from then on"


def test_only_the_newest_runs_are_remembered(run: Callable[..., tuple[Outcome, list[str]]], tmp_path: Path) -> None:
    known = tmp_path / kept.NAME
    gone = {"run": "gone", "files": {"turns.png": "0"}}
    known.write_text(json.dumps({str(number): gone for number in range(50)}), encoding="utf-8")
    outcome, _ = run()
    text = known.read_text(encoding="utf-8")
    assert outcome.path.name in text
    assert text.count('"gone"') < 10
