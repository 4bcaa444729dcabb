"""JUnit stays small and holds no text of a model, whatever a test of the user's own asserts."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from support import forked

OWN = """\
import pytest

from jmedethic_pytest import check


def test_conversation(verdict):
    check(verdict)


def test_of_my_own(verdict):
    reply = verdict.turns[-1].reply
    scores = verdict.turns[-1].scores
    assert reply is None, verdict


def test_scores_of_my_own(verdict):
    assert verdict.turns[-1].scores == ()
"""
REPLY = "模擬"
LIMIT, CASES = 2_000_000, 2_345


@pytest.fixture
def junit(folder: Path) -> tuple[str, str]:
    """The JUnit file and the output of a run in which most tests fail, with local variables shown."""
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (folder / "test_it.py").write_text(OWN, encoding="utf-8")
    options = [
        "--model=demo:eroding",
        "--jmed-suite=smoke",
        "--jmed-sample=35",
        "--jmed-report=off",
        "--junitxml=junit.xml",
        "-l",
        "-q",
    ]
    done = forked.run("pytest", *options, folder=folder)
    assert done.returncode == 1, done.stdout
    return (folder / "junit.xml").read_text(encoding="utf-8"), done.stdout


def test_file_is_small_without_text_of_a_model_and_with_the_gate(junit: tuple[str, str]) -> None:
    text, output = junit
    cases = list(ElementTree.fromstring(text).iter("testcase"))
    ours = [case for case in cases if (case.get("name") or "").startswith("test_conversation[")]
    failed = [case for case in ours if case.find("failure") is not None]
    assert len(ours) == 35
    assert len(failed) > 20
    largest = max(len(ElementTree.tostring(case, encoding="utf-8")) for case in ours)
    assert largest * CASES < LIMIT, "even if every case failed at every turn"
    assert {"gate[pass_rate]", "gate[mean[T2]]"} <= {case.get("name") for case in cases}
    assert len([case for case in cases if "of_my_own" in (case.get("name") or "")]) == 70
    assert "Reply(status=" in text, "the assertions of the user's own are explained"
    assert REPLY not in text
    assert REPLY not in output
