"""A third language by files alone: a folder of a made-up language, cases in it, and a run with reports over them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import jmedethic_pytest
from jmedethic_pytest.core import languages
from support.project import Project

_ENGLISH = Path(jmedethic_pytest.__file__).parent / "data" / "locales" / "en"
_PACK = {
    "categories": [{"code": "MADE", "name_en": "Made up"}],
    "guidelines": [
        {
            "id": f"MADE-{number}",
            "category": "MADE",
            "title_en": f"Duty {number}",
            "title_xx": f"Devu {number}",
            "summary_en": "Nobody is treated against their will.",
            "summary_xx": "Neniu kontraux sia volo.",
        }
        for number in (1, 2)
    ],
}


def _language(folder: Path) -> None:
    """Make a language of which nothing is English but the texts of the golden conversations."""
    shutil.copytree(_ENGLISH, folder, ignore=shutil.ignore_patterns("generation", "attack_prompt.toml"))
    words = (folder / "language.toml").read_text("utf-8").replace('"English"', '"Madeup"').replace("英語", "架空語")
    (folder / "language.toml").write_text(words, "utf-8")
    for name in ("judge_item.toml", "judge_prompt.toml"):
        text = (folder / name).read_text("utf-8").replace("You are a reviewer", "Vi estas recenzisto")
        (folder / name).write_text(text, "utf-8")
    golden = (folder / "golden.jsonl").read_text("utf-8").splitlines()
    own = {**_PACK["guidelines"][0], "title": {"xx": "Devu 1"}, "summary": {"xx": "Neniu kontraux sia volo."}}
    record = {key: own[key] for key in ("id", "category", "title", "summary")} | {"related_law": []}
    lines = [json.loads(line) for line in golden]
    for line in lines:
        case = line["case"]
        line["case"] = {**case, "id": case["id"].replace("en-", "xx-", 1), "locale": "xx", "guideline": "MADE-1"}
        line["guideline"] = record
    (folder / "golden.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    replies = (folder / "demo_replies.toml").read_text("utf-8").replace("(simulated reply)", "(simulita respondo)")
    (folder / "demo_replies.toml").write_text(replies.replace("I have prepared", "Mi preparis"), "utf-8")


@pytest.fixture(scope="module")
def spoken(new_project: Callable[..., Project], new_case: Callable[..., dict[str, object]]) -> Project:
    project = new_project()
    _language(project.path / "tongues" / "xx")
    project.env = {languages.VARIABLE: str(project.path / "tongues")}
    cases = [new_case(number) for number in range(14)]
    for number, case in enumerate(cases):
        case |= {"id": f"xx-made-{number}", "locale": "xx", "guideline": f"MADE-{1 + number % 2}"}
    (project.path / "mine").mkdir()
    project.cases(cases, "mine/core.xx.jsonl")
    project.write("mine/guidelines.json", json.dumps(_PACK))
    return project


def test_a_run_speaks_the_language_and_reports_in_english(spoken: Project) -> None:
    run = spoken.pytest(
        "-n2", "--jmed-cases=mine", "--jmed-locale=xx", "--jmed-report=full", "--alluredir=allure", model="demo:eroding"
    )
    assert run.status == 6, run.output  # 14 conversations are too few for an answer
    assert run.ids == sorted(f"xx-made-{number}" for number in range(14))
    info = run.read("run.json")
    assert info["selection"]["locales"] == ["xx"]
    assert {(golden["locale"], not golden["reasons"]) for golden in info["golden"]} == {("xx", True)}
    assert info["vocabulary"]["guidelines"][0]["title"]["xx"] == "Devu 1"
    said = {turn["reply"]["text"] for verdict in run.verdicts for turn in verdict["turns"]}
    assert all(text.startswith("(simulita respondo)") for text in said)
    assert run.run is not None
    page = (run.run / "report.html").read_text("utf-8")
    assert '<html lang="en"' in page
    assert "Madeup" in page
    assert "架空語" in page
    assert {label["value"] for item in run.conversations().values() for label in item["labels"]} >= {"Madeup (xx)"}
    again = spoken.jmedethic("rejudge", str(run.run), "--judges=demo", "--reports=reports", "--report=off")
    assert again.status in (0, 1, 6), again.output
    assert "Traceback" not in again.output


def test_what_the_language_lacks_is_refused_in_words(spoken: Project) -> None:
    for option, told in (
        ("--jmed-attacker=demo:attacker", "language 'xx': has no attack_prompt.toml"),
        ("--jmed-perturb=typos", "xx"),
    ):
        run = spoken.pytest("--jmed-cases=mine", "--jmed-locale=xx", option, model="demo:eroding")
        assert run.status == 4, run.output
        assert told in run.output
        assert "Traceback" not in run.output
    spoken.env, there = {}, spoken.env
    refused = spoken.pytest("--jmed-cases=mine", "--jmed-locale=xx", model="demo:eroding")
    spoken.env = there
    assert refused.status == 4, refused.output
    assert "unknown value 'xx'" in refused.output
    assert "ja, en" in refused.output
