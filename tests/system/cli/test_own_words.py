"""Guidelines and strategies of one's own, edited between runs: every run keeps and shows its own words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.core.records import Case


@pytest.fixture
def words(folder: Path, write_cases: Callable[..., list[str]]) -> Callable[..., None]:
    """Write case files of OWN-01 and D1, and the files that explain both, besides what no case names."""
    write_cases(14, guideline="OWN-01", strategy="D1")

    def write(title: str = "First title", name: str = "First name", unused: str = "nobody's") -> None:
        listed = [
            {"id": key, "category": "OX", "title_en": text, "summary_en": f"About {text}."}
            for key, text in (("OWN-01", title), ("OWN-02", unused))
        ]
        pack = {"categories": [{"code": "OX", "name_en": "Own group"}], "guidelines": listed}
        found = [
            {"id": key, "slug": key.lower(), "name_en": text, "definition_en": f"{text}."}
            for key, text in (("D1", name), ("D2", unused))
        ]
        (folder / "guidelines.json").write_text(json.dumps(pack), encoding="utf-8")
        (folder / "strategies.json").write_text(json.dumps({"strategies": found}), encoding="utf-8")

    write()
    return write


@pytest.fixture
def new_run(run_cli: Callable[..., Any], stored: Callable[[], Path]) -> Callable[..., Path]:
    """Run the cases, and return the folder of the run."""

    def run(*args: str, status: int = 6) -> Path:
        answer = run_cli("demo:aligned", *args)
        assert answer.status == status, answer.out + answer.err
        return stored()

    return run


def test_runs_that_call_one_guideline_differently_are_shown_each_in_its_own_words(
    cli: Callable[..., Any], words: Callable[..., None], new_run: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jmedethic_pytest.reports.plots.write", lambda *_: {})  # the page says it in letters
    first = new_run()
    words("Second title", "Second name")
    second = new_run()
    listed = cli("list", "runs")
    assert listed.status == 0
    assert all(run.name in listed.out for run in (first, second))
    for run, own, other in ((first, "First", "Second"), (second, "Second", "First")):
        assert cli("show", run.name, "en-case-00").status == 0
        assert cli("report", run.name).status == 0
        page = (run / "report.html").read_text(encoding="utf-8")
        assert f"OWN-01 {own} title" in page
        assert f"D1 {own} name" in page
        assert f"{other} title" not in page
        assert f"{other} name" not in page
        shown = cli("gate", run.name)
        assert f"D1 {own} name" in shown.out
    compared = cli("compare", second.name, first.name)
    assert compared.status == 6
    assert "cannot be compared: what judges are told of guideline OWN-01 differs" in compared.out
    refused = cli("leaderboard", first.name, second.name)
    assert refused.status == 4
    assert "what judges are told of guideline OWN-01 differs between the runs" in refused.err
    assert cli("leaderboard", first.name, second.name, "--force").status == 0


def test_words_that_no_case_uses_change_nothing_that_is_compared(
    cli: Callable[..., Any], words: Callable[..., None], new_run: Callable[..., Path]
) -> None:
    first = new_run()
    assert cli("baseline", "set", "before", first.name).status == 0
    words(unused="somebody's", name="Another name, which judges never learn")
    second = new_run("--baseline=before")
    old, new = (json.loads((run / "run.json").read_text(encoding="utf-8")) for run in (first, second))
    assert old["digests"] == new["digests"]
    assert old["guidelines"] == new["guidelines"]
    assert list(new["guidelines"]) == ["OWN-01"]
    (comparison,) = json.loads((second / "comparison.json").read_text(encoding="utf-8"))["comparisons"]
    assert comparison["obstacles"] == []
    assert cli("leaderboard", first.name, second.name).status == 0
    assert "cannot be compared" not in cli("compare", second.name, first.name).out


@pytest.mark.parametrize("baseline", [False, True])
def test_every_case_is_parsed_once(
    cli: Callable[..., Any],
    words: Callable[..., None],
    new_run: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    baseline: bool,
) -> None:
    if baseline:
        assert cli("baseline", "set", "before", new_run().name).status == 0
    parsed: list[str] = []
    parse = Case.model_validate

    def counted(content: Any, **options: Any) -> Case:
        case = parse(content, **options)
        parsed.append(case.id)
        return case

    monkeypatch.setattr(Case, "model_validate", counted)
    monkeypatch.setattr(Case, "model_validate_json", None)
    new_run(*(["--baseline=before"] if baseline else []))
    assert len(parsed) == len(set(parsed)) == 14


def test_floors_of_a_strategy_that_nobody_knows_are_refused_before_anything_is_run(
    cli: Callable[..., Any], folder: Path, words: Callable[..., None], new_run: Callable[..., Path]
) -> None:
    rules = folder / "rules.toml"
    known = "schema_version = 1\n[conversation]\nstrategies = { D1 = 1.5, D2 = 1.5 }\n"
    rules.write_text(known, encoding="utf-8")
    run = new_run(f"--thresholds={rules}")
    assert cli("gate", run.name).status == 6
    assert cli("gate", run.name, f"--thresholds={rules}").status == 6
    checked = "doctor", "--model=demo:aligned", "--cases=cases.jsonl", f"--thresholds={rules}"
    assert cli(*checked).status == 0
    rules.write_text(known.replace("D2", "D7"), encoding="utf-8")
    for command in (
        ("run", "--model=demo:aligned", "--cases=cases.jsonl", "--locale=en"),
        ("gate", run.name),
        ("compare", run.name, run.name),
        ("plan", "--cases=cases.jsonl", "--locale=en"),
    ):
        answer = cli(*command, f"--thresholds={rules}")
        assert answer.status == 4, command
        assert f"{rules}: field 'conversation.strategies.D7': unknown value 'D7'." in answer.err
        assert "strategies.json" in answer.err
    assert cli(*checked).status == 1
    assert list((folder / "reports" / "runs").iterdir()) == [run]
