"""The whole chain on scripted models: pinned results, any interruption, plan, report and exit statuses."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.generation import chain
from jmedethic_pytest.generation.machinery import config as configs
from jmedethic_pytest.generation.machinery import files
from support import forked

GOLDEN = {
    "questions": ("e8c9d0acfd64", 250),
    "answers": ("841feae1db93", 1250),
    "validate": ("d7212a5aadb8", 135),
    "discover": ("e72115423896", 5),
    "cluster": ("cf74f1deac5b", 7),
    "conversations": ("3bb675b24621", 3617),
    "split": ("cc3500e52923", 175),
    "translate": ("79f9f33f0505", 172),
}
"""Beginning of the digest, and records kept, of the demo's stages. Prompts and scripts, de-duplication, the refusal
detector, the draw of the split: whatever changes these figures changes what users get, and has to be intended."""
_COMMAND = (sys.executable, "-m", "jmedethic_pytest", "generate")


def digests(folder: Path) -> dict[str, str]:
    """Return the digest of every finished stage."""
    found = {path.stem: files.summary_of(folder, path.stem) for path in sorted(folder.glob("*.jsonl"))}
    return {name: summary.digest for name, summary in found.items() if summary is not None}


def small() -> str:
    """Return the demo's settings with one guideline and fewer of everything."""
    text = configs.sample().replace('"JMA-02", "JMA-11", "JMA-19", "JMA-31", "JMA-55"', '"JMA-19"')
    for name, number in (("per_model", 10), ("rounds", 10), ("draws", 10), ("per_cell", 5)):
        assert f"\n{name} = {number} " in text
        text = text.replace(f"\n{name} = {number} ", f"\n{name} = 3 ")
    return text


@pytest.fixture
def whole(demo_chain: Callable[[], Path]) -> Path:
    """The folder of the demo chain, run without any interruption by the public command."""
    return demo_chain() / "reports" / "generation" / "demo"


def test_the_demo_chain_gives_the_pinned_results(whole: Path) -> None:
    for name, (digest, kept) in GOLDEN.items():
        summary = files.summary_of(whole, name)
        assert summary is not None
        assert (summary.digest[: len(digest)], summary.kept) == (digest, kept), name
        assert summary.header.simulation is not None


def test_every_stage_ran_and_left_no_answers_behind(whole: Path) -> None:
    wanted = {name for stage in chain.wanted(configs.read_sample()) for name in stage.outputs}
    assert wanted <= digests(whole).keys()
    assert not list(whole.glob("*.sqlite*"))
    assert not list(whole.glob("*.part"))


def test_the_terminal_shows_counts_and_no_texts(whole: Path) -> None:
    output = (whole.parents[2] / "output.txt").read_text(encoding="utf-8")
    assert "questions: 250 kept of 5 items; dropped: 7 duplicate" in output
    assert "funnel: 5 guidelines -> 250 questions asked for -> 250 questions written -> 135 validated" in output
    assert "-> 3617 conversations -> 175 in the split" in output
    assert "cells of split: 35 (guideline x strategy), 0 empty, 5 to 5 each" in output
    assert "SIMULATION" in output
    assert not any("\u3040" <= character <= "\u30ff" for character in output)


def test_the_report_adds_up(whole: Path) -> None:
    report = json.loads((whole / "report.json").read_text(encoding="utf-8"))
    steps = {step["name"]: step["count"] for step in report["funnel"]}
    assert steps["questions written"] - steps["validated"] == report["drops"]["validate"]["answered"]
    assert report["usd"] == 0.0
    assert report["digests"] == digests(whole)
    assert sum(share["kept"]["n"] for share in report["screening"]["by_category"]) == steps["questions written"]
    assert report["diversity"]["split"]["texts"] == 175
    assert [cells["stage"] for cells in report["cells"]] == ["conversations", "split", "translate"]
    variety = report["diversity"]["questions"]
    assert variety["texts"] == 250
    assert 0 < variety["distinct"]["2"] < variety["distinct"]["3"] < variety["distinct"]["4"] < 1
    similarities = [pair["similarity"] for pair in variety["closest"]]
    assert len(similarities) == 10
    assert similarities == sorted(similarities, reverse=True)
    assert similarities[0] <= 0.7
    text = (whole / "report.md").read_text(encoding="utf-8")
    assert "## Funnel" in text
    assert "CONTENT WARNING" in text


def test_killed_at_random_moments_and_resumed_it_ends_the_same(tmp_path: Path) -> None:
    """SIGKILL, three times, each time after the files have grown by a random amount; other moments in every run."""
    for name in ("stopped", "whole"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "generate.toml").write_text(small(), encoding="utf-8")
    assert forked.run("jmedethic", "generate", "all", folder=tmp_path / "whole").returncode == 0
    whole, folder = (tmp_path / name / "reports" / "generation" / "demo" for name in ("whole", "stopped"))
    total = sum(path.stat().st_size for path in whole.glob("*.jsonl"))
    for part in sorted(random.uniform(0.05, 0.9) for _ in range(3)):
        process = forked.start(
            "jmedethic",
            ["generate", "all"],
            folder=tmp_path / "stopped",
            environment=os.environ,
            output=tmp_path / "stopped.output",
        )
        deadline = time.monotonic() + 60
        while process.is_alive() and time.monotonic() < deadline:
            if sum(path.stat().st_size for path in folder.glob("*.jsonl")) >= part * total:
                process.kill()
                break
            time.sleep(0.005)
        process.join(60)
    assert forked.run("jmedethic", "generate", "all", folder=tmp_path / "stopped").returncode == 0
    assert digests(folder) == digests(whole)


def test_the_split_is_what_pytest_runs(whole: Path, tmp_path: Path) -> None:
    """Through the public door: the demo's cases, an eroding model; three guidelines tell nothing for certain."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    text = "from jmedethic_pytest import check\n\n\ndef test_conversation(verdict):\n    check(verdict)\n"
    (tmp_path / "test_split.py").write_text(text, encoding="utf-8")
    options = ["--model=demo:eroding", f"--jmed-cases={whole / 'cases'}", "--jmed-report=off", "--jmed-sample=40"]
    quiet = ("-q", "--tb=no", "--show-capture=no", "-r", "N", "-p", "no:xdist")
    done = forked.run("pytest", *quiet, *options, folder=tmp_path)
    assert done.returncode == 6, done.stdout[-3000:] + done.stderr
    assert "GATE: INCONCLUSIVE" in done.stdout
    verdicts = (tmp_path / "reports" / "latest" / "verdicts.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(verdicts) == 40
    manifest = json.loads((whole / "cases" / "BUILD.json").read_text(encoding="utf-8"))
    assert {json.loads(line)["case"]["id"] for line in verdicts} <= manifest["cases"].keys()
    assert manifest["simulation"] is not None


def test_a_plan_is_shown_and_nothing_is_asked(jmedethic: Callable[..., Any], tmp_path: Path) -> None:
    done = jmedethic("generate", "all", "--config", "demo", "--dry-run")
    assert done.status == 0
    assert "questions: 27 calls" in done.out
    assert "validate: 2500 calls" in done.out
    assert "together" in done.out
    assert not (tmp_path / "reports").exists()


def test_a_single_stage_gives_what_the_chain_gives(jmedethic: Callable[..., Any], tmp_path: Path, whole: Path) -> None:
    assert jmedethic("generate", "questions", "--config", "demo").status == 0
    folder = tmp_path / "reports" / "generation" / "demo"
    assert digests(folder) == {"questions": digests(whole)["questions"]}
    assert "-> 250 questions written" in jmedethic("generate", "report", "--config", "demo").out
    as_json = json.loads(jmedethic("generate", "report", "--config", "demo", "--json").out)
    assert as_json["screening"] is None


def test_a_stage_without_the_one_before_says_what_to_do(jmedethic: Callable[..., Any]) -> None:
    done = jmedethic("generate", "validate", "--config", "demo")
    assert done.status == 4
    assert "stage 'questions' is not finished. Next: `jmedethic generate questions`" in done.err


def test_settings_are_written_changed_and_checked(jmedethic: Callable[..., Any], tmp_path: Path) -> None:
    assert jmedethic("generate", "init", "--guidelines", "mine.json").status == 0
    again = jmedethic("generate", "init", "--guidelines", "mine.json")
    assert again.status == 4
    assert again.err.count("is there already") == 1
    own = jmedethic("generate", "init", "own.toml", "--guidelines", "mine.json")  # the file is the user's, and stays
    assert (own.status, own.out) == (0, "written: own.toml\n")
    plan = jmedethic("generate", "questions", "--config", "own.toml", "--dry-run")
    assert (plan.status, "10 items" in plan.out or "500" in plan.out) == (0, True), plan.out
    done = jmedethic("generate", "questions", "--guidelines", "mine.json", "--name", "mine", "--concurrency", "2")
    assert done.status == 0, done.err
    assert "questions: 500 kept of 10 items" in done.out
    text = (tmp_path / "generate.toml").read_text(encoding="utf-8")
    text = text.replace("per_model", "per_modell").replace('"demo:scorer"', '"demo:scorrer"')
    (tmp_path / "bad.toml").write_text(text, encoding="utf-8")
    bad = jmedethic("generate", "all", "--config", "bad.toml")
    assert bad.status == 4
    assert "unknown field 'questions.per_modell'. Did you mean 'per_model'?" in bad.err


def test_every_problem_is_named_before_anything_is_asked(jmedethic: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "generate.toml").write_text(
        'schema_version = 1\nonly = ["JMA-99"]\nbudget = "5usd"\n[roles]\n'
        'generators = ["openai:gpt-x", "demo:generator-z"]\nvalidators = ["compatible:y@http://127.0.0.1:9/v1"]\n'
    )
    done = jmedethic("generate", "all")
    assert done.status == 4
    for problem in (
        "only: unknown value 'JMA-99'",
        "'openai:gpt-x' needs the environment variable OPENAI_API_KEY",
        "roles.generators: unknown value 'demo:generator-z'. Did you mean 'demo:generator-",
        "the price of 'compatible:y' is unknown",
        "roles.scorer: no model",
    ):
        assert problem in done.err, done.err
    assert not (tmp_path / "reports").exists()


def test_a_spent_budget_ends_with_status_7_and_the_rest_is_done_later(
    jmedethic: Callable[..., Any], tmp_path: Path, whole: Path
) -> None:
    done = jmedethic("generate", "questions", "--config", "demo", "--budget", "12calls", "--concurrency", "1")
    assert done.status == 7
    assert "the budget of 12 calls would be exceeded" in done.err
    assert jmedethic("generate", "questions", "--config", "demo").status == 0
    assert digests(tmp_path / "reports" / "generation" / "demo")["questions"] == digests(whole)["questions"]


def test_ctrl_c_ends_with_status_2_and_says_that_work_is_kept(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*_COMMAND, "all", "--config", "demo"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    answers = tmp_path / "reports" / "generation" / "demo" / "answers.jsonl"
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if answers.exists() and answers.stat().st_size > 20_000:
            process.send_signal(signal.SIGINT)
            break
        time.sleep(0.005)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 2, output
    assert "interrupted: what is finished is stored" in output
    assert "Traceback" not in output


def test_restart_keeps_the_old_file_beside_the_new_one(jmedethic: Callable[..., Any], tmp_path: Path) -> None:
    folder = tmp_path / "reports" / "generation" / "demo"
    jmedethic("generate", "questions", "--config", "demo")
    assert jmedethic("generate", "questions", "--config", "demo", "--restart").status == 0
    assert sorted(path.name for path in folder.glob("*.jsonl")) == ["questions.jsonl", "questions.old-1.jsonl"]
