"""Without the extra that draws: everything else is there, and what is not says how to have it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest import evaluate
from jmedethic_pytest.cli import agreement_items
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.reports import plots

NEXT = "pip install 'jmedethic-pytest[plots]'"


@pytest.fixture(autouse=True)
def _without(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in sys.modules if name.startswith("jmedethic_pytest.reports.plots.")]:
        if name != "jmedethic_pytest.reports.plots.svg":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)


def test_a_run_has_its_answer_page_and_tables_and_says_what_is_missing() -> None:
    outcome = evaluate("demo:eroding", suite="smoke", sample=14)
    assert NEXT in outcome.info.note
    assert outcome.gate.answer
    assert (outcome.path / "report.html").stat().st_size > 10_000
    assert (outcome.path / "tables" / "cases.csv").is_file()
    assert not (outcome.path / "plots").exists()


@pytest.mark.parametrize("command", [("leaderboard", "any"), ("trend",)])
def test_a_command_that_draws_says_it_before_it_does_anything(
    in_process: Callable[..., Any], command: tuple[str, ...]
) -> None:
    answer = in_process(*command, "--plots", "pictures")
    assert answer.status == 4
    assert NEXT in answer.err


def test_the_table_of_conversations_is_written_before_its_plot_is_missed(tmp_path: Path) -> None:
    from jmedethic_pytest.analysis.items import ItemStudy

    study = ItemStudy.model_construct(items=())
    with pytest.raises(ConfigError, match=r"\[plots\]"):
        list(agreement_items.write(tmp_path, study))
    assert (tmp_path / "items.csv").is_file()
    with pytest.raises(ConfigError, match="matplotlib"):
        plots.require()
