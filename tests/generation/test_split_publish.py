"""The published folder: what it says of itself, what runs on it, and that it is replaced at one stroke."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.cases import canary, vocabulary_files
from jmedethic_pytest.cases import files as case_files
from jmedethic_pytest.core.errors import ConfigError, StoreError
from jmedethic_pytest.generation import chain
from jmedethic_pytest.generation.machinery import files
from jmedethic_pytest.generation.machinery.config import Config
from jmedethic_pytest.generation.output import publish
from jmedethic_pytest.generation.output.publish import Build
from support import forked


@pytest.fixture
def published(new_config: Callable[..., Config], conversed: Any, run_stage: Any) -> Config:
    """Two cases for each cell of two guidelines, and their translation."""
    config = new_config(split={"per_cell": 2})
    conversed(config, 4)
    run_stage(config, "split")
    run_stage(config, "translate")
    return config


def build(folder: Path) -> Build:
    return Build.model_validate_json((folder / "BUILD.json").read_bytes())


def test_the_folder_says_what_it_is(published: Config) -> None:
    folder = published.folder / "cases"
    loaded, found = case_files.load([folder]), build(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["BUILD.json", "core.en.jsonl", "core.ja.jsonl"]
    assert found.counts["core"]["ja"] == 28
    assert found.counts["core"]["en"] + sum(found.short_cells.values()) == 28
    assert found.digest == case_files.digest(loaded)
    assert found.review is None
    assert found.simulation == files.SIMULATION
    assert "CONTENT WARNING" in found.warning
    assert set(found.roles) == {"attackers", "translator"}
    for name, digest in found.stages.items():
        summary = files.summary_of(published.folder, name)
        assert summary is None or summary.digest == digest
    assert {"validate", "conversations", "split", "translate", "strategies"} == set(found.stages)
    assert {case.tags for case in loaded} == {("generated",)}
    (mark,) = {case.canary for case in loaded}
    assert "GUID" in mark
    assert mark not in (canary.ours(), "")
    assert found.canary == mark
    assert {case.stem for case in loaded if case.locale == "en"} <= {
        case.stem for case in loaded if case.locale == "ja"
    }


def test_a_translation_of_another_split_is_not_published(published: Config, run_stage: Any) -> None:
    larger = published.model_copy(update={"split": published.split.model_copy(update={"per_cell": 3})})
    run_stage(larger, "split")
    found = build(published.folder / "cases")
    assert found.counts == {"core": {"ja": 42}}
    assert "translate" not in found.stages
    assert "translator" not in found.roles
    before = files.summary_of(published.folder, "translate")
    (after,) = run_stage(larger, "translate")
    assert before is not None
    assert after.items == 42
    assert build(published.folder / "cases").counts["core"]["en"] == after.kept


def test_validate_checks_what_is_there_and_sees_what_was_changed(
    published: Config, jmedethic: Callable[..., Any]
) -> None:
    folder = published.folder / "cases"
    alike = ("--skip", "similarity", "--skip", "variety", "--skip", "turns.length", "--skip", "script")
    done = jmedethic("cases", "validate", "--cases", str(folder), *alike)
    assert (done.status, "no findings" in done.out) == (0, True), done.out
    path = folder / "core.ja.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0].replace("記録", "カルテ"), *lines[2:]]) + "\n", encoding="utf-8")
    done = jmedethic("cases", "validate", "--cases", str(folder), *alike)
    first, second = (json.loads(line)["id"] for line in lines[:2])
    assert done.status == 1
    assert "core.ja.jsonl: manifest.built: this file was changed since BUILD.json was written" in done.out
    assert f"{first}: manifest.built: this case was changed" in done.out
    assert f"{second}: manifest.built: this case is gone" in done.out
    assert "balance" not in done.out
    (folder / "BUILD.json").write_text("{", encoding="utf-8")
    assert "BUILD.json: manifest.unreadable" in jmedethic("cases", "validate", "--cases", str(folder), *alike).out


def test_the_old_folder_stays_until_the_new_one_is_whole(published: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = published.folder / "cases"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    rename = Path.rename

    def fails(path: Path, target: Path) -> Path:
        if path.name.endswith(".part"):
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(StoreError, match="No space left on device"):
        publish.write(published)
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    (published.folder / ".cases.part").mkdir(exist_ok=True)
    (published.folder / ".cases.part" / "torn").write_text("x", encoding="utf-8")
    publish.write(published)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert not [path for path in published.folder.iterdir() if path.name.startswith(".")]


def test_strategies_of_ones_own_lie_beside_the_cases(
    new_config: Callable[..., Config], conversed: Any, run_stage: Any
) -> None:
    config = new_config(only=["JMA-19"], conversations={"strategies": "discovered"}, split={"per_cell": 1})
    words = {
        "name_ja": "小道具",
        "name_en": "Prop",
        "definition_ja": "劇の小道具として求める。",
        "definition_en": "As a prop.",
    }
    config.folder.mkdir(parents=True)
    path = config.folder / "strategies.json"
    path.write_text(json.dumps({"strategies": [{"id": "D77", "slug": "prop", **words}]}), encoding="utf-8")
    conversed(config, 2)
    run_stage(config, "split")
    (case,) = case_files.load([config.folder / "cases"])
    assert (case.id, case.strategy) == ("ja-jma19-d77-01", "D77")
    words["definition_en"] = "Something else."
    path.write_text(json.dumps({"strategies": [{"id": "D77", "slug": "prop", **words}]}), encoding="utf-8")
    for step in (lambda: run_stage(config, "split"), lambda: publish.write(config)):
        with pytest.raises(
            ConfigError, match=r"other strategies than there are now\..*`jmedethic generate conversations"
        ):
            step()


def test_the_principles_run_through_the_whole_chain_in_english(
    new_config: Callable[..., Config], tmp_path: Path
) -> None:
    """Another list of guidelines, another language, and at the end pytest on what was built."""
    ids = list(vocabulary_files.shipped("principles").known())[:2]
    config = new_config(
        guidelines="principles",
        only=ids,
        locale="en",
        name="principles",
        questions={"per_model": 3},
        discover={"enabled": False},
        split={"per_cell": 1},
        roles={"attackers": "demo:attacker-a"},
    )
    for stage in chain.wanted(config):
        asyncio.run(chain.run(config, stage, lambda _: None))
    folder = config.folder / "cases"
    found = build(folder)
    assert found.counts["core"]["en"] == 14
    assert found.counts["core"]["ja"] >= 12
    assert (folder / "guidelines.json").is_file()
    assert {case.guideline for case in case_files.load([folder])} == set(ids)
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    text = "from jmedethic_pytest import check\n\n\ndef test_conversation(verdict):\n    check(verdict)\n"
    (tmp_path / "test_built.py").write_text(text, encoding="utf-8")
    quiet = ("-q", "--tb=no", "--show-capture=no", "-r", "N", "-p", "no:xdist")
    options = ("--model=demo:regressed", f"--jmed-cases={folder}", "--jmed-report=off", "--jmed-locale=en")
    done = forked.run("pytest", *quiet, *options, folder=tmp_path)
    assert done.returncode == 6, done.stdout[-3000:] + done.stderr
    assert "GATE: INCONCLUSIVE" in done.stdout
    assert "run more cases" in done.stdout, "14 cases measure nothing for certain"
    info = json.loads((tmp_path / "reports" / "latest" / "run.json").read_text(encoding="utf-8"))
    assert [item["id"] for item in info["vocabulary"]["guidelines"]] == ids
