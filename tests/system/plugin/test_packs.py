"""Packs from outside: runs under American and European guidelines, in English and German, and side by side."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support.project import Project, Result

RUNS = {
    "us": ("-n2", "--jmed-pack=us", "--jmed-suite=smoke", "--alluredir=allure"),
    "eu": ("--jmed-pack=eu", "--jmed-suite=smoke"),
    "de": ("--jmed-pack=eu", "--jmed-locale=de", "--jmed-sample=30", "--jmed-report=full"),
}


@pytest.fixture(scope="module")
def packs(new_project: Callable[..., Project]) -> tuple[Project, dict[str, Result]]:
    project = new_project()
    return project, {name: project.pytest(*options, model="demo:eroding") for name, options in RUNS.items()}


def test_a_run_on_a_pack_is_gated_and_reported(packs: tuple[Project, dict[str, Result]]) -> None:
    for name, run in packs[1].items():
        assert run.status == 1, run.output
        assert len(run.ids) == 30
        assert {verdict["case"]["guideline"][:3] for verdict in run.verdicts} == {"US-" if name == "us" else "EU-"}
    us, german = (packs[1][name] for name in ("us", "de"))
    assert us.read("run.json")["selection"]["pack"] == "us"
    assert us.read("run.json")["vocabulary"]["guidelines"][0]["place"]["en"] == "the United States"
    assert {label["value"] for item in us.conversations().values() for label in item["labels"]} >= {"English (en)"}
    assert german.run is not None
    assert '<html lang="en"' in (german.run / "report.html").read_text("utf-8")
    assert all(verdict["turns"][0]["reply"]["text"].startswith("(simulierte") for verdict in german.verdicts)


def test_packs_side_by_side(packs: tuple[Project, dict[str, Result]]) -> None:
    project, runs = packs
    names = [str(runs[name].run) for name in ("us", "eu", "de")]
    found = project.jmedethic("cultures", *names, "--output", "cultures")
    assert found.status == 0, found.output
    assert "SIMULATION" in found.output
    assert "eu:en minus us, paired by 18 duties that both state" in found.output
    assert "different languages (de, en)" in found.output
    page = (project.path / "cultures" / "cultures.html").read_text("utf-8")
    assert "<svg" in page
    assert "別の指針のもとでの同じモデル" in page
    written = {file.name for file in (project.path / "cultures").iterdir()}
    assert written == {"cultures.html", "cultures.csv", "cultures.md", "cultures.png", "cultures.svg"}
    alone = project.jmedethic("cultures", names[0])
    assert alone.status == 4, alone.output
    assert "all of one pack" in alone.output
