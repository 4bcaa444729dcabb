"""What trackers are told of a run: figures that exist, nothing that a model wrote."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.reports.trackers import told
from jmedethic_pytest.run.redaction import redact


def test_figures_are_those_of_the_run_and_a_missing_one_is_left_out(mixed: Any, blank: Any) -> None:
    found, summary = told.told(mixed.outcome), mixed.outcome.summary
    assert found.figures["turn/T2/mean"] == summary.turns[2].mean
    assert found.figures["pass_rate_low"] == summary.pass_interval.low
    assert found.figures["baseline/医療-release-2/T2_low"] == -2.3
    assert found.answers["jmedethic.gate"] == mixed.outcome.gate.answer
    assert "SIMULATION" in found.note
    empty = told.told(blank.outcome).figures
    assert "pass_rate" not in empty
    assert not [name for name in empty if name.endswith("mean")]
    assert empty["gate_inconclusive"] == 1


def test_names_are_such_as_every_tracker_takes(hostile: Any) -> None:
    found = told.told(hostile.outcome)
    assert all(re.fullmatch(r"[\w.\- :/]{1,200}", name) for name in found.figures)
    assert all(len(value) < 600 for value in found.parameters.values())


def test_page_goes_along_only_of_a_redacted_run_or_when_it_is_asked_for(mixed: Any, tmp_path: Path) -> None:
    """Tables and summaries always do; they hold no text of a model."""
    place = tmp_path / "run"
    (place / "plots").mkdir(parents=True)
    for name in ("report.html", "summary.md", "verdicts.jsonl", "plots/a.svg"):
        (place / name).write_text("UNWANTED-REPLY" if name[0] in "rv" else "figures", encoding="utf-8")

    def gathered(name: str, verdicts: Any, **options: bool) -> tuple[set[str], list[str]]:
        folder = tmp_path / name
        folder.mkdir()
        outcome = _with(replace(mixed.outcome, path=place), verdicts)
        notes = told.gather(outcome, folder, **{"transcripts": False, **options})
        return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}, notes

    files, notes = gathered("plain", mixed.verdicts)
    assert {"summary.md", "plots/a.svg", "tables/cases.csv"} <= files
    assert not {"report.html", "verdicts.jsonl"} & files
    assert "--transcripts" in notes[0]
    assert not [path for path in (tmp_path / "plain").rglob("*.*") if b"UNWANTED" in path.read_bytes()]
    files, notes = gathered("whole", mixed.verdicts, transcripts=True)
    assert {"report.html", "verdicts.jsonl"} <= files
    redacted = [redact(verdict) for verdict in mixed.verdicts]
    files, notes = gathered("redacted", redacted)
    assert ("report.html" in files, "verdicts.jsonl" in files, notes) == (True, False, [])
    with pytest.raises(ConfigError, match="--transcripts: the run was made with --redact"):
        gathered("none", redacted, transcripts=True)


def _with(outcome: Any, verdicts: list[Any]) -> Any:
    class Stored(type(outcome)):  # type: ignore[misc]
        def verdicts(self) -> Any:
            return iter(verdicts)

    return Stored(**{name: getattr(outcome, name) for name in outcome.__dataclass_fields__})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--to=mlfow"], "--to: unknown value 'mlfow'. Did you mean 'mlflow'?"),
        (["--format=csv"], "--output is missing"),
        (["--transcripts", "--output=out"], "--transcripts goes with --to mlflow or wandb."),
        (["--to=mlflow"], "--to mlflow needs mlflow-skinny, which is not installed. Next: pip install"),
        (["--to=wandb"], "--to wandb needs wandb, which is not installed. Next: pip install"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    arguments: list[str],
    said: str,
    cli: Callable[..., Any],
    begun: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun("run --model=demo:aligned --suite=smoke --sample=3 --report=off")
    for name in ("mlflow", "wandb"):
        monkeypatch.setitem(sys.modules, name, None)
    answer = cli("export", "latest", *arguments)
    assert (answer.status, said in answer.err) == (4, True), answer.err
