"""Long conversations with branches, through pytest and the command line, with a demo model that takes both branches."""

from __future__ import annotations

import base64
import csv
import io
import json
import zlib
from typing import Any

import pytest

from jmedethic_pytest.reports.page import rows, texts
from support.branched import make_branched
from support.project import Result, make_project


@pytest.fixture(scope="module")
def eroding(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the project and its run: 20 conversations of 5 to 7 turns in both languages, and one that is not long."""
    long = [make_branched(number, 2 + number % 3, locale) for number in range(20) for locale in ("ja", "en")]
    project = make_project(tmp_path_factory.mktemp("project"), long)
    result = project.pytest(
        *("--jmed-suite=long", "--jmed-locale=ja,en", "--jmed-report=full", "--alluredir=allure"), model="demo:eroding"
    )
    return project, result


def test_every_conversation_is_one_test_along_its_own_branch(eroding: Any) -> None:
    _, result = eroding
    assert len(result.ids) == len(set(result.ids)) == 40
    taken = {verdict["branch"] for verdict in result.verdicts}
    assert taken == {"refused", "complied"}
    for verdict in result.verdicts:
        case, scores = verdict["case"], [turn["value"] for turn in verdict["turns"]]
        assert len(scores) == verdict["planned_turns"] == 3 + len(case["turns_if_refused"])
        assert verdict["branch"] == ("complied" if scores[2] <= 4 else "refused")
        said = [*case["turns"], *case[f"turns_if_{verdict['branch']}"]]
        assert [turn["user"] for turn in verdict["turns"]] == said
    assert result.calls["judge"] == 2 * result.calls["target"] == 2 * sum(v["planned_turns"] for v in result.verdicts)


def test_reports_name_the_branches_and_who_has_the_later_turns(eroding: Any) -> None:
    project, result = eroding
    summary = result.read("summary.json")
    counts = {name: sum(v["branch"] == name for v in result.verdicts) for name in ("complied", "refused")}
    assert summary["branches"] == counts
    assert [turn["key"] for turn in summary["turns"]] == [f"T{index}" for index in range(7)]
    assert [turn["n"] for turn in summary["turns"]][3:] == [40, 40, 26, 12]
    for text in (result.output, (result.run / "summary.md").read_text(encoding="utf-8")):
        assert f"complied {counts['complied']}, refused {counts['refused']}" in text
        assert "T5 26, T6 12 of 40" in text
    cases = (result.run / "tables" / "cases.csv").read_text(encoding="utf-8-sig")
    listed = {row["key"]: row for row in csv.DictReader(io.StringIO(cases))}
    for verdict in result.verdicts:
        row = listed[verdict["case"]["id"]]
        assert row["branch"] == verdict["branch"]
        assert [row[f"T{index}"] != "" for index in range(7)] == [
            index < verdict["planned_turns"] for index in range(7)
        ]
    shown = project.jmedethic("show", result.run.name, result.verdicts[0]["case"]["id"])
    assert f"branch {result.verdicts[0]['branch']}" in shown.output
    tags = {label["value"] for item in result.conversations().values() for label in item["labels"]}
    assert {"branch complied", "branch refused"} <= tags
    assert "mean[T6]" in result.conditions


def test_reports_say_how_long_conversations_stay_safe(eroding: Any) -> None:
    _, result = eroding
    (found,) = result.read("summary.json")["survival"]
    assert (found["kind"], found["planned"]) == ("long", {"5": 14, "6": 14, "7": 12})
    first = [next((turn for turn, item in enumerate(v["turns"]) if item["value"] <= 2), None) for v in result.verdicts]
    assert [turn["fell"] for turn in found["turns"]] == [first.count(turn) for turn in range(found["of"])]
    shown = f"{found['safe_turns']['value']:.2f} [{found['safe_turns']['low']:.2f}, {found['safe_turns']['high']:.2f}]"
    for text in (result.output, (result.run / "summary.md").read_text(encoding="utf-8")):
        assert f"safe turns       {shown} of {found['of']}" in text
        assert f"last two turns   {found['rest']['answer']}: " in text
    table = (result.run / "tables" / "survival.csv").read_text(encoding="utf-8-sig")
    listed = list(csv.DictReader(io.StringIO(table)))
    assert [int(row["at_risk"]) for row in listed] == [turn["at_risk"] for turn in found["turns"]]
    page = (result.run / "report.html").read_text(encoding="utf-8")
    assert 'id="survival"' in page
    assert page.count('<figure id="plot-survival"') == 1
    assert f"{found['of']} ターン中 {shown}" in page


@pytest.fixture(scope="module")
def aligned(eroding: Any) -> Result:
    """``demo:aligned`` on the same conversations, compared with that run."""
    project, result = eroding
    assert project.jmedethic("baseline", "set", "first", result.run.name).status == 0
    options = ("--jmed-suite=long", "--jmed-locale=ja,en", "--jmed-baseline=first", "-q")
    return project.pytest(*options, model="demo:aligned")


def test_a_run_against_its_own_baseline_compares_the_branch_as_one_figure(aligned: Result) -> None:
    (comparison,) = aligned.read("comparison.json")["comparisons"]
    names = [endpoint["name"] for endpoint in comparison["endpoints"]]
    assert names[:6] == ["mean", "T0", "T1", "T2", "branch", "min"]
    assert "gave in where the baseline had held its ground" in " ".join(comparison["notices"])


def test_replies_of_a_data_set_cannot_be_replayed(eroding: Any) -> None:
    project, _ = eroding
    project.write("replay.toml", 'schema_version = 1\n[target]\nhistory = "reference"\n')
    result: Result = project.pytest("--jmed-suite=long", "--jmed-thresholds=replay.toml")
    assert result.status == 4
    assert "the target's own choose the branch" in result.output


def test_the_page_shows_no_reply_of_the_baseline_to_another_question(eroding: Any, aligned: Result) -> None:
    """``demo:aligned`` holds its ground as a rule; who gave in was asked other things after that."""
    _, result = eroding
    branch = {verdict["case"]["id"]: verdict["branch"] for verdict in aligned.verdicts}
    listed = rows.collect(result.run)
    packed = texts.pack(result.run, listed, aligned.run)
    changed = 0
    for item, (block, position) in zip(listed, packed.places, strict=True):
        shown = json.loads(zlib.decompress(base64.b64decode(packed.blocks[block]), wbits=-15))[position]
        if shown["baseline"]:
            alike = branch[item.row.key] == item.row.branch
            assert len(shown["baseline"]) == (len(item.row.scores) if alike else 3)
            changed += not alike
    assert changed
