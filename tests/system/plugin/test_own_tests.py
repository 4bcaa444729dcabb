"""A user's own tests: which run, what they get, and that none of them can fail without failing the session."""

from __future__ import annotations

import gc

import pytest

from support.project import LENIENT_RULES

OWN = """\
import asyncio

import pytest
from jmedethic_pytest import Case, LiveEngine, Verdict, check


def own_case(text: str) -> Case:
    return Case(id="en-own", locale="en", guideline="JMA-19", strategy="S4", turns=(text, "And then?"))


def test_verdict(verdict: Verdict) -> None:
    assert verdict.status == "scored"
    assert len(verdict.turn_scores) == 3


def test_case(case: Case, verdict: Verdict) -> None:
    assert case == verdict.case
    assert case.turns[0].startswith("Question")


@pytest.fixture
def last_reply(verdict: Verdict) -> str:
    return verdict.turns[-1].reply.text


def test_own_fixture_on_top(last_reply: str) -> None:
    assert "simulated" in last_reply


def test_engine(engine: LiveEngine) -> None:
    found = engine.evaluate(own_case("How should an addendum be dated?"))
    assert found.case.id == "en-own"
    assert found.planned_turns == 2
    check(found)


@pytest.mark.asyncio
async def test_async_engine(engine: LiveEngine) -> None:
    one, two = await asyncio.gather(
        engine.aevaluate(own_case("First question")), engine.aevaluate(own_case("Second question"))
    )
    assert one.turns[0].user == "First question"
    assert two.turns[0].user == "Second question"


def test_without_a_model() -> None:
    raise AssertionError("must not run with --model")
"""
LEFT = """\
import gc


class Left:
    def __del__(self) -> None:
        raise ValueError("left behind")


def test_left(engine) -> None:
    left = Left()
    left.itself = left
    print("\\npace", gc.get_threshold())
"""
PACE = """\
import gc


def pytest_configure(config) -> None:
    config.add_cleanup(lambda: print("\\npace", gc.get_threshold()))
"""
FREE = """\
def test_free() -> None:
    pass


def test_needs_verdict(verdict) -> None:
    raise AssertionError("must not run without --model")


def test_needs_case(case) -> None:
    raise AssertionError("must not run without --model")


def test_needs_engine(engine) -> None:
    raise AssertionError("must not run without --model")
"""
MODES = pytest.mark.parametrize("mode", [(), ("-n", "2")], ids=["plain", "workers"])


@MODES
def test_own_tests_get_verdict_case_and_engine(small, mode: tuple[str, ...]) -> None:
    """Sync and async; cases of a test's own are evaluated but are no part of the run."""
    small.write("test_own.py", OWN)
    result = small.pytest("-q", *mode)
    assert result.status == 0, result.output
    assert f"{4 * 7 + 2 + len(result.conditions)} passed" in result.output
    assert "en-own" not in result.ids
    assert len(result.ids) == len(set(result.ids)) == 7
    assert result.calls == {"target": 21 + 6, "judge": 42 + 12}


def test_without_model_only_other_tests_run(project) -> None:
    project.write("test_free.py", FREE)
    result = project.pytest("-v", model=None)
    assert result.status == 0, result.output
    assert "1 passed, 4 deselected" in result.output
    assert not (project.path / "reports").exists()
    assert "jmedethic:" not in result.output


def test_with_model_only_tests_of_the_model_run(small) -> None:
    small.write("test_free.py", "def test_free() -> None:\n    raise AssertionError\n")
    result = small.pytest("-q")
    assert result.status == 0, result.output
    assert "1 deselected" in result.output


def test_only_tests_of_a_model_without_one_is_exit_5(project) -> None:
    result = project.pytest("-q", model=None)
    assert result.status == 5, result.output


@pytest.mark.parametrize(
    "source",
    [
        "@pytest.fixture\ndef engine():\n    return 'sql'\n\ndef test_it(engine):\n    assert engine == 'sql'\n",
        "@pytest.fixture\ndef case_id():\n    return 7\n\ndef test_it(case_id):\n    assert case_id == 7\n",
        "@pytest.mark.parametrize('engine', ['c'])\ndef test_it(engine):\n    assert engine == 'c'\n",
        "@pytest.mark.parametrize('case_id', [7])\ndef test_it(case_id):\n    assert case_id == 7\n",
        "@pytest.mark.parametrize('case', [7])\ndef test_it(case):\n    assert case == 7\n",
        "@pytest.fixture\ndef verdict():\n    return 7\n\ndef test_it(verdict):\n    assert verdict == 7\n",
    ],
    ids=["fixture-engine", "fixture-case_id", "param-engine", "param-case_id", "param-case", "fixture-verdict"],
)
def test_foreign_tests_with_the_same_names_are_left_alone(new_project, source: str) -> None:
    """The plugin is loaded in every session of the environment: it must not drop another project's tests."""
    project = new_project()
    (project.path / "test_conversations.py").unlink()
    project.write("test_foreign.py", f"import pytest\n\n{source}")
    result = project.pytest("-q", model=None)
    assert result.status == 0, result.output
    assert "1 passed" in result.output
    assert "deselected" not in result.output


def test_failing_assert_of_an_own_test_fails_the_session(small) -> None:
    """The gate passes; the user's own assert still counts, here in a worker."""
    small.write("test_own.py", "def test_own(verdict):\n    assert verdict.case.id != 'en-case-s3-02'\n")
    result = small.pytest("-q", "-n", "2")
    assert "GATE: PASS" in result.output
    assert f"1 failed, {2 * 7 - 1 + len(result.conditions)} passed" in result.output
    assert result.status == 1, result.output


TROUBLE = {
    "set-up": "@pytest.fixture\ndef own(verdict):\n    1 / 0\n\ndef test_it(own):\n    pass\n",
    "clean-up": "@pytest.fixture\ndef own(verdict):\n    yield\n    1 / 0\n\ndef test_it(own):\n    pass\n",
    "engine": "def test_it(engine):\n    assert engine is None\n",
    "skip": "def test_it(verdict):\n    pytest.skip('later')\n",
}


@pytest.mark.parametrize("place", TROUBLE)
def test_every_other_trouble_of_an_own_test_fails_the_session(small, place: str) -> None:
    """A skipped test is no trouble; an error before, in or after a test is."""
    small.write("test_own.py", f"import pytest\n\n{TROUBLE[place]}")
    result = small.pytest("-q")
    assert "GATE: PASS" in result.output
    assert result.status == (0 if place == "skip" else 1), result.output


CHECK_OWN = """\
from jmedethic_pytest import Case, check


def test_own(engine):
    check(engine.evaluate(Case(id="en-own", locale="en", guideline="JMA-19", strategy="S4", turns=("Well?",))))
"""


def test_failed_check_of_an_own_case_fails_the_session(small) -> None:
    """A case that is no part of the run is not in the gate's figures: its failing test must count by itself."""
    small.write(
        "thresholds.toml",
        LENIENT_RULES.replace("pass_rate = 1.0", "pass_rate = 0.0")
        + "[conversation]\nstrategy_turns = { S4 = { T0 = 10.0 } }\n",
    )
    small.write("test_own.py", CHECK_OWN)
    result = small.pytest("-q")
    assert "FAILED test_own.py::test_own" in result.output
    assert "GATE: PASS" in result.output
    assert result.status == 1, result.output


TEST_CASE = """\
import unittest

import pytest

from jmedethic_pytest import Case, check


class TestOwn(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _take(self, engine):
        self.engine = engine

    def test_own(self):
        case = Case(id="en-own", locale="en", guideline="{guideline}", strategy="S4", turns=("Well?",))
        check(self.engine.evaluate(case))
"""


def test_own_case_in_a_test_case_of_unittest_is_told_in_a_line_as_in_a_function(small) -> None:
    small.write("test_own.py", TEST_CASE.format(guideline="JMA-99"))
    result = small.pytest("-q", "-r", "N")
    assert result.status == 1, result.output
    assert "JMA-99" in result.output
    assert "Traceback" not in result.output
    assert "def evaluate" not in result.output, "no source of this package is quoted"


def test_own_case_of_unittest_at_a_dead_endpoint_is_inconclusive(small) -> None:
    small.write("test_a_own.py", TEST_CASE.format(guideline="JMA-19"))
    dead = small.pytest("-q", "--jmed-judges=demo", model="compatible:x@http://127.0.0.1:9/v1")
    assert dead.status == 6, dead.output


@MODES
def test_bad_own_case_fails_its_test_and_no_other(small, mode: tuple[str, ...]) -> None:
    """A guideline that does not exist is an error of this test; workers go on, and the session fails."""
    small.write(
        "test_a_own.py",
        "from jmedethic_pytest import Case\n\n\ndef test_own(engine):\n"
        "    engine.evaluate(Case(id='en-own', locale='en', guideline='JMA-99', strategy='S4', turns=('Well?',)))\n",
    )
    result = small.pytest("-q", *mode)
    assert "JMA-99" in result.output
    assert result.status == 1, result.output
    assert f"1 failed, {7 + len(result.conditions)} passed" in result.output
    assert "controller process is gone" not in result.output
    assert "Exception in thread" not in result.output


def test_own_case_at_a_dead_endpoint_fails_the_session(new_project, chat_server) -> None:
    """Everything else comes from the cache and passes; the one call that cannot be made is not forgiven."""
    project = new_project(5)
    project.write(
        "thresholds.toml",
        "schema_version = 1\n[gate]\nmin_cases = 5\nmin_strategy_cases = 1\nmin_judge_within_2 = 0.0\n"
        "pass_rate = 0.4\nmean = { T0 = 4.0, T1 = 4.0, T2 = 4.0 }\n",
    )
    options = ("-q", "--jmed-revision=w1", f"--jmed-judges={chat_server.spec('one')},{chat_server.spec('two')}")
    first = project.pytest(*options, model=chat_server.spec("x"))
    assert first.status == 0, first.output
    chat_server.stop()
    project.write("test_own.py", CHECK_OWN)
    result = project.pytest(*options, model=chat_server.spec("x"))
    assert "test_own.py::test_own" in result.output
    assert result.calls["target"] >= 1, "every attempt counts"
    assert result.status in (1, 6), result.output


def test_session_without_a_conversation_says_that_the_gate_decided_nothing(project) -> None:
    """Where the conversations were not collected, a green session must not be read as a passed gate."""
    project.write("test_mine.py", "def test_mine(engine):\n    assert engine\n")
    result = project.pytest("-q", "test_mine.py")
    assert result.status == 6, result.output
    assert "GATE: NOT DECIDED" in result.output
    assert "--pyargs jmedethic_pytest.benchmark_cases" in result.output, "what to do next"
    assert result.run is None


@pytest.mark.parametrize(
    "option", ["--jmed-dry-run", "--collect-only", "--setup-plan", "--fixtures", "--fixtures-per-test"]
)
def test_option_in_the_ini_file_that_keeps_tests_from_running_never_looks_like_a_pass(project, option: str) -> None:
    ini = project.path / "pytest.ini"
    kept = ini.read_text(encoding="utf-8")
    project.write("pytest.ini", kept.replace("addopts = ", f"addopts = {option} "))
    try:
        result = project.pytest("-q")
    finally:
        project.write("pytest.ini", kept)
    assert (result.status, result.run) == (4 if "fixtures" in option else 6, None), result.output
    assert "GATE: NOT DECIDED" in result.output or "Leave --model out" in result.output


def test_garbage_is_searched_for_seldom_and_what_tests_leave_behind_is_told(new_project) -> None:
    project = new_project(1)
    project.write("conftest.py", PACE)
    project.write("test_left.py", LEFT)
    result = project.pytest("-s", "test_left.py")
    during, after = (line for line in result.output.splitlines() if line.startswith("pace "))
    assert during != after == f"pace {gc.get_threshold()}"
    assert "ValueError: left behind" in result.output
