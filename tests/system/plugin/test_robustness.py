"""``--jmed-perturb``: the figures and the gate of the originals are as without it, and what stands beside them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from typing import Any

import pytest

from support.project import Project, Result

COUNT = 42
RULES = "schema_version = 1\n[gate]\nrobustness = 0.05\n"


class Told:
    """One project, and what it left behind."""

    def __init__(self, project: Project, plain: Result, fragile: Result) -> None:
        self.project, self.plain, self.fragile = project, plain, fragile


@pytest.fixture(scope="module")
def told(new_project: Callable[..., Project]) -> Told:
    project = new_project(COUNT)
    plain = project.pytest("-q", model="demo:fragile")
    reworded = project.pytest("-q", "-n", "2", "--jmed-perturb=typos", "--jmed-report=full", model="demo:fragile")
    project.write("thresholds.toml", RULES)
    return Told(project, plain, reworded)


def lines(result: Result) -> list[dict[str, Any]]:
    assert result.run is not None, result.output
    return [json.loads(line) for line in (result.run / "robustness.jsonl").read_text(encoding="utf-8").splitlines()]


def test_gate_and_figures_are_those_of_the_originals(told: Told) -> None:
    plain, reworded = told.plain, told.fragile
    assert plain.run is not None
    assert (plain.status, reworded.status) == (0, 0), reworded.output
    assert reworded.scores == plain.scores
    assert reworded.read("gate.json") == plain.read("gate.json")
    summary = reworded.read("summary.json")
    found = summary.pop("robustness")
    assert summary == plain.read("summary.json")
    assert not (plain.run / "robustness.jsonl").exists()
    assert "perturb" not in plain.read("run.json")["selection"]
    digests = [result.read("run.json")["digests"] for result in (plain, reworded)]
    assert digests[0] == digests[1]
    whole = found["whole"]
    assert (whole["conversations"], whole["missing"], whole["fixed"]) == (COUNT, 0, 0)
    assert whole["new_failures"] > 5
    assert whole["repeat_new_failures"] == 0
    assert "only 42 conversations" in found["by_kind"][0]["reason"]
    assert len(found["flipped"]) == whole["new_failures"]


def test_three_runs_of_every_conversation_are_in_one_folder(told: Told) -> None:
    """None of them was answered from a cache for another; the judges of all three saw the original."""
    found = lines(told.fragile)
    assert sorted(line["key"] for line in found) == told.fragile.ids
    assert told.fragile.calls["target"] == 9 * COUNT - told.plain.calls["target"], "the originals were kept"
    assert told.fragile.calls["judge"] == 18 * COUNT - told.plain.calls["judge"]
    for line in found[:20]:
        said = [turn["user"] for turn in line["reworded"]["turns"]]
        assert said != line["reworded"]["case"]["turns"]
        assert [turn["user"] for turn in line["repeated"]["turns"]] == line["repeated"]["case"]["turns"]


def test_reports_show_it(told: Told) -> None:
    result = told.fragile
    assert result.run is not None
    fell = result.read("summary.json")["robustness"]["flipped"][0]
    assert "in other words" in result.output
    assert "### The same requests in other words" in (result.run / "summary.md").read_text(encoding="utf-8")
    with (result.run / "tables" / "robustness.csv").open(encoding="utf-8-sig") as stream:
        assert [row["kind"] for row in csv.DictReader(stream)] == ["", "typos"]
    with (result.run / "tables" / "flipped.csv").open(encoding="utf-8-sig") as stream:
        assert next(csv.DictReader(stream))["key"] == fell["key"]
    page = (result.run / "report.html").read_text(encoding="utf-8")
    assert 'id="robustness"' in page
    assert "言い換えへの頑健性" in page
    said = next(line for line in lines(result) if line["key"] == fell["key"])["reworded"]["turns"][2]["user"]
    assert said in page
    shown = told.project.jmedethic("show", str(result.run), fell["key"])
    assert said in shown.output
    assert "once more, unchanged" in shown.output


def test_the_condition_is_asked_where_the_rules_ask_for_it(told: Told) -> None:
    """A fragile model fails; a run that reworded nothing never passes."""
    assert told.plain.run is not None
    assert told.fragile.run is not None
    fragile = told.project.jmedethic("gate", str(told.fragile.run), "--thresholds=thresholds.toml")
    assert fragile.status == 1, fragile.output
    assert "robustness" in fragile.output
    plain = told.project.jmedethic("gate", str(told.plain.run), "--thresholds=thresholds.toml")
    assert plain.status == 6, plain.output
    assert "no conversation of this run was reworded" in plain.output


def test_no_text_of_a_model_is_kept_where_none_is_to_be(told: Told) -> None:
    options = ("--cases=cases.jsonl", "--locale=en", "--sample=7", "--perturb=typos", "--report=off", "--redact")
    result = told.project.jmedethic("run", "--model=demo:fragile", *options)
    assert result.run is not None, result.output
    assert len(lines(result)) == 7
    for path in result.run.iterdir():
        assert "simulated reply" not in path.read_text(encoding="utf-8"), path.name


def test_a_command_of_its_own_takes_every_kind_of_the_language(told: Told) -> None:
    """Three times the calls; a dry run spends none of them."""
    options = ("--model=demo:aligned", "--cases=cases.jsonl", "--locale=en", "--dry-run")
    dry, plain = (told.project.jmedethic(command, *options) for command in ("robustness", "run"))
    assert dry.status == 0, dry.output
    assert f"target demo:aligned: {9 * COUNT} calls" in dry.output
    assert f"target demo:aligned: {3 * COUNT} calls" in plain.output


def test_what_cannot_be_is_refused_before_anything_is_asked(told: Told) -> None:
    for options, said in (
        (("--perturb=typo",), "typos"),
        (("--perturb=politeness",), "it is a kind of ja"),
        (("--perturb=typos", "--judges=none"), "without judges"),
    ):
        result = told.project.jmedethic("run", "--model=demo:aligned", "--cases=cases.jsonl", "--locale=en", *options)
        assert result.status == 4, result.output
        assert said in result.output
        assert result.run is None
